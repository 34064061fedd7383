import type { RandomSource } from '../random.js';
import { multiply } from './clique-matrix.js';
import { type GroupMoments, pooled } from './moments.js';
import { type BoundProblem, boundOf, chosenTrial, fitTrial, sum, type Trial } from './trial.js';

/** Trial solutions fitted on one half of the groups, and the groups of the other half. */
export interface Fold {
  readonly trial: Trial;
  /** Groups that it is valued on. */
  readonly valuedOn: readonly number[];
}

/** The bound (6.1) on one set of features, in kernel steps. */
export interface CrossFit {
  readonly timescale: number;
  /** Of `timescale`: the jackknife over groups, and where observables are probed at random the spread between probes. */
  readonly standardError: number;
  /** The same trial solutions valued on the samples that they were fitted on: in expectation above the best bound of these features, as `timescale` is below it. */
  readonly inSample: number;
  /** `timescale` without one group at a time, see {@link jackknifeVariance}. */
  readonly leftOut: Float64Array;
  /** For each probe. */
  readonly perProbe: Float64Array;
  /** Both ways. */
  readonly folds: readonly Fold[];
}

/** Fitting a half needs two parts, and each part two groups. */
export const LEAST_GROUPS = 8;

/**
 * The bound from trial solutions fitted on one half of the groups and valued on the other, both ways, averaged: an expectation of at most `T` as long as the chains are in equilibrium. Even
 * and odd groups are the halves. The jackknife leaves out one group of the valued half at a time and keeps the fit, which enters at second order only (it maximises the bound).
 */
export function crossFit(problem: BoundProblem, groups: readonly GroupMoments[], size: number): CrossFit {
  const { pattern, probes, observables } = problem;
  const halves = [0, 1].map((h) => groups.flatMap((_, m) => (m % 2 === h ? [m] : [])));
  const of = (list: readonly number[]) =>
    pooled(
      list.map((m) => groups[m]),
      pattern,
      observables,
    );
  const pools = halves.map(of);
  const leftOut = new Float64Array(groups.length);
  const folds = halves.map((valuedOn, h) => {
    const fitted = halves[1 - h];
    const parts = [0, 1].map((part) => of(fitted.filter((_, k) => k % 2 === part)));
    const trial = chosenTrial(problem, pools[1 - h], [parts[0], parts[1]], size);
    const values = boundOf(problem, pools[h], trial);
    const without = leaveOneOut(
      problem,
      valuedOn.map((m) => groups[m]),
      trial,
    );
    const all = probes.weight * sum(values);
    valuedOn.forEach((m, k) => {
      leftOut[m] = (without[k] - all) / 2;
    });
    return { trial, valuedOn, values, inSample: probes.weight * sum(boundOf(problem, pools[1 - h], trial)) };
  });
  const perProbe = folds[0].values.map((value, z) => (value + folds[1].values[z]) / 2);
  const timescale = probes.weight * sum(perProbe);
  const spread = probes.exact ? 0 : sampleVariance(perProbe) / probes.count;
  return {
    timescale,
    standardError: Math.sqrt(jackknifeVariance(leftOut) + spread),
    inSample: (folds[0].inSample + folds[1].inSample) / 2,
    leftOut: leftOut.map((change) => timescale + change),
    perProbe,
    folds,
  };
}

/**
 * The trial solution and the weights of the groups that it saw, moved at random as their jackknife errors would: `x + sum_g +-sqrt((n - 1)/n) (x_g - x)`, `x_g` without group `g` of `n`. The squared effect of the move on
 * anything is on average the variance that the fit brings to it.
 */
export function movedTrials(
  problem: BoundProblem,
  groups: readonly GroupMoments[],
  fold: Fold,
  count: number,
  random: RandomSource,
): { alpha: Float64Array; weights: Float64Array }[] {
  const fitted = groups.flatMap((_, m) => (m % 2 === fold.valuedOn[0] % 2 ? [] : [m]));
  const n = fitted.length;
  const { trial } = fold;
  const moves = Array.from({ length: count }, () => ({
    alpha: Float64Array.from(trial.alpha),
    weights: new Float64Array(groups.length),
    signs: fitted.map(() => Math.sqrt((n - 1) / n) * (random.uniform() < 0.5 ? -1 : 1)),
  }));
  fitted.forEach((m, g) => {
    const rest = fitted.filter((other) => other !== m);
    const moments = pooled(
      rest.map((other) => groups[other]),
      problem.pattern,
      problem.observables,
    );
    const { alpha } = fitTrial(problem, moments, trial.size, trial);
    for (const move of moves) {
      for (let k = 0; k < alpha.length; k++) move.alpha[k] += move.signs[g] * (alpha[k] - trial.alpha[k]);
      move.weights[m] += 1 / n;
      for (const other of fitted) move.weights[other] += move.signs[g] * ((other === m ? 0 : 1 / (n - 1)) - 1 / n);
    }
  });
  return moves;
}

/** The jackknife over groups, half by half (even and odd ones): `sum_h (n_h - 1)/n_h sum_m (v_m - mean_h)^2` of values that leave out one group each. */
export function jackknifeVariance(leftOut: Float64Array): number {
  return [0, 1].reduce((total, half) => total + plainJackknife(leftOut.filter((_, m) => m % 2 === half)), 0);
}

/** `(n - 1)/n sum_m (v_m - mean)^2` of values that leave out one of `n` each; zero for none. */
export function plainJackknife(leftOut: ArrayLike<number>): number {
  const n = leftOut.length;
  return n === 0 ? 0 : (sampleVariance(leftOut) * (n - 1) ** 2) / n;
}

/** With the mean estimated. */
export function sampleVariance(values: ArrayLike<number>): number {
  const n = values.length;
  const mean = sum(values) / n;
  let total = 0;
  for (let k = 0; k < n; k++) total += (values[k] - mean) ** 2;
  return total / Math.max(1, n - 1);
}

/** The summed bound without one group at a time: what is linear in a group, and products of means over pairs of groups. */
function leaveOneOut({ pattern, probes }: BoundProblem, groups: readonly GroupMoments[], trial: Trial): Float64Array {
  const n = groups.length;
  const { alpha, size } = trial;
  const { count, weight } = probes;
  const total = pattern.size;
  const image = new Float64Array(total);
  const linear = new Float64Array(n);
  const trials = groups.map(() => new Float64Array(count));
  groups.forEach(({ probeMean, probeSquare, cross, mean, dirichlet }, m) => {
    for (let z = 0; z < count; z++) {
      const x = alpha.subarray(z * size, (z + 1) * size);
      multiply(pattern, dirichlet, size, x, image);
      let value = -probeSquare[z] / 2;
      let psi = -probeMean[z] / 2;
      const row = z * total;
      for (let k = 0; k < size; k++) {
        value += x[k] * (2 * cross[row + k] - image[k]);
        psi += 2 * x[k] * mean[k];
      }
      linear[m] += value;
      trials[m][z] = psi;
    }
  });
  const pair = (m: number, other: number) => {
    let value = 0;
    for (let z = 0; z < count; z++) value += groups[m].probeMean[z] * trials[other][z];
    return value;
  };
  const across = groups.map((_, m) => sum(groups.map((__, o) => (o === m ? 0 : pair(m, o) + pair(o, m)))));
  const allPairs = sum(across) / 2;
  const allLinear = sum(linear);
  return Float64Array.from(
    { length: n },
    (_, m) => weight * ((allLinear - linear[m]) / (n - 1) - (allPairs - across[m]) / ((n - 1) * (n - 2))),
  );
}
