import { diagonal } from './clique-matrix.js';
import type { CrossFit } from './cross-fit.js';
import type { GroupMoments, PooledMoments } from './moments.js';
import { neighbourTime } from './neighbour-times.js';
import type { BoundProblem } from './trial.js';

/** Pooled means of the first features and of squares of the probes. */
function averages(groups: readonly GroupMoments[], of: (group: GroupMoments) => Float64Array): Float64Array {
  const out = new Float64Array(of(groups[0]).length);
  for (const group of groups) {
    const values = of(group);
    for (let k = 0; k < out.length; k++) out[k] += values[k] / groups.length;
  }
  return out;
}

/** `sum_a Var f_a`, from `f_a^2 = 1`; products of means over pairs of different groups. */
export function observableVariance(groups: readonly GroupMoments[], observables: number): number {
  const m = groups.length;
  let variance = 0;
  for (let a = 0; a < observables; a++) {
    let total = 0;
    let own = 0;
    for (const { mean } of groups) {
      total += mean[a];
      own += mean[a] * mean[a];
    }
    variance += 1 - (total * total - own) / (m * (m - 1));
  }
  return variance;
}

/**
 * A lower bound of the largest integrated time `2 T_a / Var f_a` (2.7) over the observables: from their bounds, or those of their random combinations, from each observable as its own trial solution,
 * `T_a >= (Var f_a)^2 / <f_a, (I - P) f_a> - Var f_a / 2`, and where signs are random from its neighbours. In steps of the mixture.
 */
export function largestTime(
  { pattern, probes, observables }: BoundProblem,
  { perProbe }: CrossFit,
  groups: readonly GroupMoments[],
  pool: PooledMoments,
): number {
  const mean = averages(groups, (group) => group.mean);
  const probeMean = averages(groups, (group) => group.probeMean);
  const square = averages(groups, (group) => group.probeSquare);
  const rates = diagonal(pattern, pool.dirichlet);
  let top = 0;
  for (let z = 0; z < probes.count; z++) {
    const variance = square[z] - probeMean[z] ** 2;
    if (variance > 0) top = Math.max(top, (2 * perProbe[z]) / variance);
  }
  const alone = (a: number) => (rates[a] > 0 ? (2 * (1 - mean[a] ** 2)) / rates[a] - 1 : 0);
  for (let a = 0; a < observables; a++) top = Math.max(top, alone(a));
  if (probes.exact) return top;
  return Math.max(top, neighbourTime(pattern, pool, observables, alone));
}

/** `sum <f_a, (I - P) f_a>` over the first `couplings` observables. */
export function couplingRate({ pattern }: BoundProblem, { dirichlet }: PooledMoments, couplings: number): number {
  const rates = diagonal(pattern, dirichlet);
  return rates.subarray(0, couplings).reduce((total, value) => total + value, 0);
}
