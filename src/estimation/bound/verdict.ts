import type { BoundStep } from './timescale-bound.js';

/** Whether a bound can be taken for the timescale. */
export interface Verdict {
  /** `resolved` where chains agree, were long enough by the bound's own account, samples are many enough for the features, and the last features added nothing. */
  readonly verdict: 'resolved' | 'unresolved';
  /** What is missing, a sentence each. */
  readonly missing: readonly string[];
}

/** What a resolved bound needs. */
export const BOUND_THRESHOLDS = {
  /** Largest split R-hat over the features. */
  splitRhat: 1.05,
  /** Least p value of the test that chains from different starts agree. */
  startPValue: 0.01,
  /** Burn-in of each chain, in largest integrated times. */
  burnInTimes: 5,
  /** Steps of all chains together, in largest integrated times. */
  lengthTimes: 50,
  /** What the last features may add, relative to the bound and beside `sigmas` standard errors. */
  growth: 0.03,
  /** What more samples could add, likewise. */
  optimism: 0.1,
  /** Standard errors that are noise. */
  sigmas: 2,
  /** Least number of samples that carry the Dirichlet form: with fewer the error of the bound is not known. */
  carrying: 100,
  /** Largest relative standard error. */
  standardError: 0.2,
} as const;

interface Run {
  readonly sequence: readonly BoundStep[];
  readonly inSample: number;
  readonly tail: number | null;
  readonly slack: number;
  readonly carrying: number;
  readonly splitRhat: number;
  readonly startPValue: number;
  readonly tauMax: number;
}

/** `burnIn` of each chain and `steps` of all, in kernel steps; `known` is what the samples say themselves that they lack to be in equilibrium, which takes the place of the burn-in. */
export function verdictOf(
  run: Run,
  { burnIn, steps, known }: { burnIn: number; steps: number; known?: readonly string[] | undefined },
): Verdict {
  const limit = BOUND_THRESHOLDS;
  const last = run.sequence[run.sequence.length - 1];
  const before = run.sequence[run.sequence.length - 2];
  const digits = (value: number) => String(Number(value.toPrecision(4)));
  const noise = limit.sigmas * last.standardError;
  const growth = before === undefined ? 0 : last.timescale - before.timescale;
  const allowed = limit.growth * last.timescale + noise;
  const optimism = run.inSample - last.timescale;
  const found: [boolean, string][] = [
    [
      !(run.splitRhat <= limit.splitRhat),
      `split R-hat is ${digits(run.splitRhat)}, above ${limit.splitRhat}: longer chains, or tempering, are needed`,
    ],
    [
      run.startPValue < limit.startPValue,
      `chains from different starts differ (p = ${digits(run.startPValue)}, below ${limit.startPValue}): more burn-in is needed`,
    ],
    [
      known === undefined && burnIn < limit.burnInTimes * run.tauMax,
      `the burn-in of ${digits(burnIn)} steps is below ${limit.burnInTimes} of the largest integrated time, at least ${digits(run.tauMax)}`,
    ],
    [
      steps < limit.lengthTimes * run.tauMax,
      `${digits(steps)} steps in all are below ${limit.lengthTimes} of the largest integrated time, at least ${digits(run.tauMax)}`,
    ],
    [
      !(last.standardError <= limit.standardError * last.timescale),
      `the standard error ${digits(last.standardError)} is above ${limit.standardError} of the bound: more samples are needed`,
    ],
    [
      run.tail !== null && !(run.tail <= allowed),
      `the second half of the residual's lags adds ${digits(run.tail ?? 0)} steps, more than ${digits(allowed)}: the trial solutions miss what is slow`,
    ],
    [
      run.tail === null && !(optimism <= limit.optimism * last.timescale + noise),
      `the trial solutions give ${digits(run.inSample)} on their own samples and ${digits(last.timescale)} on others: more samples are needed`,
    ],
    [
      run.slack > Math.max(0, limit.growth * last.timescale),
      `what neither block sees alone may add ${digits(run.slack)} steps to the bound: a chain as fast as this needs an exact route, or random-block`,
    ],
    [
      !(run.carrying >= limit.carrying),
      `about ${digits(run.carrying)} samples carry the slow modes, fewer than ${limit.carrying}: more samples are needed on the barriers`,
    ],
    [run.tail === null && before === undefined, 'one set of features alone cannot show that it suffices: add features'],
    [
      run.tail === null && !(Math.abs(growth) <= allowed),
      `the last features changed the bound by ${digits(growth)} steps, more than ${digits(allowed)}: it is not saturated`,
    ],
  ];
  const missing = [...(known ?? []), ...found.flatMap(([misses, sentence]) => (misses ? [sentence] : []))];
  return { verdict: missing.length === 0 ? 'resolved' : 'unresolved', missing };
}
