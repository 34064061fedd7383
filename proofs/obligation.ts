import type { Arbitrary, IProperty } from 'fast-check';
import { HtdmlError, InputError } from 'htdml';
import { fc } from './fast-check.js';

/** On what a claim rests: a derivation given here in full, or a theorem of the literature that is applied. */
export type ClaimTag = 'proven-here' | 'cited';

/** How a property fared. */
export interface Outcome {
  /** Cases that ran; those that a precondition skipped are not counted. */
  readonly cases: number;
  /** The smallest margin met: what is allowed over what was found, at least 1 where the claim holds; infinite where nothing was found at all. */
  readonly worstMargin: number;
  /** The counterexample as fast-check words it, and null where there is none. */
  readonly failure: string | null;
}

/** One checkable consequence of an obligation. */
export interface ProvenProperty {
  readonly name: string;
  /** What is measured and what it may be, in one line. */
  readonly claim: string;
  /** For `fc.assert(property)` in any suite. */
  readonly property: IProperty<[unknown]>;
  /** Runs it and keeps the worst margin. Does not throw where the claim fails. */
  check(cases?: number, seed?: number): Outcome;
}

/** A proof obligation of the research program: what is claimed, under what, why it holds, and how it is checked. */
export interface Obligation {
  readonly id: 'O1' | 'O2' | 'O3' | 'O4' | 'O5' | 'O6';
  readonly title: string;
  readonly tag: ClaimTag;
  readonly statement: string;
  /** Gates of DESIGN section 7 by name, each with what it gives here. */
  readonly assumptions: readonly string[];
  /** The derivation, or the citation that closes it. */
  readonly derivation: string;
  readonly properties: readonly ProvenProperty[];
}

/** The seed of every recorded run. */
export const SEED = 20_251;
const DEFAULT_CASES = 300;

/** Cases per property: the environment variable HTDML_CASES, 300 by default. */
export function casesToRun(setting: string | undefined = process.env.HTDML_CASES): number {
  if (setting === undefined || setting === '') return DEFAULT_CASES;
  const cases = Number(setting);
  if (!/^\d+$/.test(setting) || !Number.isSafeInteger(cases) || cases < 1) {
    throw new InputError({
      field: 'HTDML_CASES',
      expected: 'a whole number of at least 1',
      got: setting,
      remedy: `give the number of cases per property, ${DEFAULT_CASES} by default`,
    });
  }
  return cases;
}

/**
 * A property from cases and the margin of each: what is allowed over what was found, at least 1 where the claim holds. A margin below 1, or that is no number, is a
 * violation. `margin` may call `fc.pre` to leave a case out.
 */
export function provenProperty<T>(
  name: string,
  claim: string,
  cases: Arbitrary<T>,
  margin: (x: T) => number,
): ProvenProperty {
  const judged = (note: (margin: number) => void) =>
    fc.property(cases as Arbitrary<unknown>, (x) => {
      const found = margin(x as T);
      note(found);
      if (!(found >= 1))
        throw new HtdmlError('HTDML_PROOF', `${name}: the margin is ${found}, and below 1 the claim is violated.`);
    });
  return {
    name,
    claim,
    property: judged(() => undefined),
    check(numRuns = casesToRun(), seed = SEED) {
      let worstMargin = Number.POSITIVE_INFINITY;
      const details = fc.check(
        judged((found) => {
          // Not Math.min: a margin that is no number is the worst.
          if (!(found >= worstMargin)) worstMargin = found;
        }),
        { numRuns, seed },
      );
      return { cases: details.numRuns, worstMargin, failure: fc.defaultReportMessage(details) ?? null };
    },
  };
}

/** `allowed / found` for quantities of at least 0, where nothing found is no violation of anything. */
export function ratio(allowed: number, found: number): number {
  return found === 0 && allowed >= 0 ? Number.POSITIVE_INFINITY : allowed / found;
}

/** A text written over several indented lines. */
export function prose([text]: TemplateStringsArray): string {
  return text
    .split('\n')
    .map((line) => line.trim())
    .join('\n')
    .trim();
}
