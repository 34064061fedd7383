import type { DataLaw } from '../model/data-law.js';
import { type Model, withParameters } from '../model/model.js';
import { type EvaluateOptions, evaluateModel } from '../trainability/evaluation.js';

/** A model at a given divergence, as the steering criterion sees it; rates in kernel steps. */
export interface MatchedPoint {
  /** Steps of training before it; null for a design. */
  readonly step: number | null;
  readonly kl: number;
  readonly R: number;
  readonly Rhat: number;
  readonly effectiveGap: number;
  /** `mu`, the variance of all observables. */
  readonly mass: number;
  /** `|g|^2`. */
  readonly signal: number;
}

/** Numbers of a point that are interpolated, all positive. */
const QUANTITIES = ['R', 'Rhat', 'effectiveGap', 'mass', 'signal'] as const;

/** Evaluates a model; null where one of the numbers is not finite. */
export function pointAt(
  model: Model,
  theta: readonly number[],
  data: DataLaw,
  options: EvaluateOptions,
  step: number | null,
): MatchedPoint | null {
  const { operational, predictors, signal, kl } = evaluateModel(withParameters(model, theta), data, options);
  const { Rhat, effectiveGap, slowMass } = predictors.full;
  const R = operational?.R ?? null;
  if (R === null || Rhat === null || effectiveGap === null) return null;
  return { step, kl, R, Rhat, effectiveGap, mass: slowMass, signal };
}

/** The point of divergence `kl` between two neighbours on a path, by logarithms linear in the divergence. */
export function interpolate(above: MatchedPoint, below: MatchedPoint, kl: number): MatchedPoint {
  const t = above.kl === below.kl ? 1 : (above.kl - kl) / (above.kl - below.kl);
  const between = Object.fromEntries(
    QUANTITIES.map((name) => [name, above[name] ** (1 - t) * below[name] ** t]),
  ) as Record<(typeof QUANTITIES)[number], number>;
  return { step: below.step, kl, ...between };
}

/** A parameter vector on the way, with its divergence. */
export interface PathEnd {
  readonly step: number;
  readonly kl: number;
  readonly theta: readonly number[];
}

/** Watches a path for the first time that its divergence falls to each level, and keeps the two steps around it. */
export class Crossings {
  readonly found: ({ readonly above: PathEnd; readonly below: PathEnd } | null)[];
  private last: PathEnd | null = null;

  /** `levels` are divergences in nats. */
  constructor(private readonly levels: readonly number[]) {
    this.found = levels.map(() => null);
  }

  see(at: PathEnd): void {
    const above = this.last ?? at;
    this.levels.forEach((level, k) => {
      if (this.found[k] === null && at.kl <= level) this.found[k] = { above, below: at };
    });
    this.last = at;
  }
}
