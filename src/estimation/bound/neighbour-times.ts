import type { CliquePattern } from './clique-matrix.js';
import type { PooledMoments } from './moments.js';
import { choleskySolver } from './trial.js';

/** Observables that are looked at, those that look slowest alone. */
const CANDIDATES = 64;
/** Of the diagonal: the covariances are those of the same samples. */
const RIDGE = 1e-3;

/**
 * The largest integrated time `2 T_a / Var f_a` (2.7) by trial solutions for single observables, on the features that share a part of the mixture with each, in steps of the mixture. Where random signs stand for the
 * observables no combination shows how slow the slowest is. Only those that look slowest by `time` are tried.
 */
export function neighbourTime(
  pattern: CliquePattern,
  { dirichlet, near }: PooledMoments,
  observables: number,
  time: (a: number) => number,
): number {
  const slowest = Array.from({ length: observables }, (_, a) => [a, time(a)] as const)
    .sort(([, one], [, other]) => other - one)
    .slice(0, CANDIDATES)
    .map(([a]) => a);
  const around = neighbours(pattern, slowest);
  return slowest.reduce((top, a, c) => {
    const list = around[c];
    const size = list.length;
    const local = submatrix(pattern, dirichlet, list);
    const covariance = Float64Array.from(list, (k) => near[entryOf(pattern, a, k)]);
    const own = list.indexOf(a);
    const variance = covariance[own];
    if (!(variance > 0)) return top;
    const alpha = new Float64Array(size);
    choleskySolver(local.pattern, local.values, size, RIDGE)(covariance, alpha);
    let value = -variance / 2;
    for (let k = 0; k < size; k++) {
      let image = 0;
      for (let l = 0; l < size; l++) image += local.values[entryOf(local.pattern, k, l)] * alpha[l];
      value += alpha[k] * (2 * covariance[k] - image);
    }
    return Math.max(top, (2 * value) / variance);
  }, 0);
}

/** For each of the rows the indices that have an entry with it, increasing. */
function neighbours({ rows, columns, size }: CliquePattern, list: readonly number[]): number[][] {
  const place = new Map(list.map((a, c) => [a, c]));
  const out: number[][] = list.map(() => []);
  for (let k = 0; k < size; k++) {
    const own = place.get(k);
    for (let e = rows[k]; e < rows[k + 1]; e++) {
      if (own !== undefined) out[own].push(columns[e]);
      const other = columns[e] === k ? undefined : place.get(columns[e]);
      if (other !== undefined) out[other].push(k);
    }
  }
  return out;
}

/** The part of a matrix on the given indices, all of its pairs as entries. */
function submatrix(pattern: CliquePattern, values: Float64Array, list: readonly number[]) {
  const size = list.length;
  const rows = Int32Array.from({ length: size + 1 }, (_, k) => (k * (k + 1)) / 2);
  const columns = new Int32Array(rows[size]);
  const out = new Float64Array(rows[size]);
  for (let k = 0; k < size; k++) {
    for (let l = 0; l <= k; l++) {
      columns[rows[k] + l] = l;
      const entry = entryOf(pattern, list[k], list[l]);
      out[rows[k] + l] = entry < 0 ? 0 : values[entry];
    }
  }
  return { pattern: { size, rows, columns, places: [] }, values: out };
}

/** Where the pair stands among the entries, -1 where it does not. */
function entryOf({ rows, columns }: CliquePattern, one: number, other: number): number {
  const [k, l] = one > other ? [one, other] : [other, one];
  let [low, high] = [rows[k], rows[k + 1] - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (columns[middle] < l) low = middle + 1;
    else high = middle;
  }
  return columns[low] === l ? low : -1;
}
