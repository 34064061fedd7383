import type { FunctionFeatures } from '../../src/estimation/bound/features.js';
import { dot, type FullSpace, spinOf, type Vector, vector } from './brute-force.js';

/** The bound (6.1) for `random-scan` in exact expectation, its trial solutions on the observables `-f_a` and then the functions. */
export interface ExactBound {
  readonly value: number;
  readonly alpha: readonly Vector[];
}

export const spinsOf = ({ model }: FullSpace, s: number): Int8Array =>
  Int8Array.from({ length: model.spins }, (_, i) => spinOf(s, i));

/** `c^T L^-1 c` summed, minus half the variance, with sums over all states: `L = E sum_i p_i (1 - p_i) D_i D_i^T / N` over pairs of states. Directions in which `L` is rounding are left out. */
export function exactBound(full: FullSpace, functions: readonly FunctionFeatures[]): ExactBound {
  const { model, states, pi, centred } = full;
  const n = model.spins;
  const chi: Vector[] = [
    ...centred.map((f) => f.map((value) => -value)),
    ...functions.flatMap((part) => {
      const columns = Array.from({ length: part.count }, () => new Float64Array(states));
      const out = new Float64Array(part.count);
      for (let s = 0; s < states; s++) {
        part.load(spinsOf(full, s), out, 0);
        columns.forEach((column, k) => {
          column[s] = out[k];
        });
      }
      return columns;
    }),
  ];
  const size = chi.length;
  const L = chi.map(() => new Float64Array(size));
  const change = new Float64Array(size);
  for (let s = 0; s < states; s++) {
    for (let i = 0; i < n; i++) {
      const t = s ^ (1 << i);
      if (t < s) continue;
      // Both ends of the pair.
      const share = (pi[s] * pi[t]) / (pi[s] + pi[t]) / n;
      for (let k = 0; k < size; k++) change[k] = chi[k][s] - chi[k][t];
      for (let k = 0; k < size; k++) for (let l = 0; l <= k; l++) L[k][l] += share * change[k] * change[l];
    }
  }
  const lower = cholesky(L);
  let value = 0;
  const alpha = centred.map((f) => {
    const weighted = f.map((x, s) => pi[s] * x);
    const c = vector(size, (k) => dot(weighted, chi[k]));
    const x = solve(lower, c);
    value += dot(x, c) - dot(weighted, f) / 2;
    return x;
  });
  return { value, alpha };
}

function cholesky(matrix: readonly Vector[]): Vector[] {
  const lower = matrix.map((row) => new Float64Array(row.length));
  matrix.forEach((row, k) => {
    for (let l = 0; l <= k; l++) {
      let sum = row[l];
      for (let j = 0; j < l; j++) sum -= lower[k][j] * lower[l][j];
      if (l < k) lower[k][l] = lower[l][l] === 0 ? 0 : sum / lower[l][l];
      else lower[k][k] = sum > 1e-12 * row[k] ? Math.sqrt(sum) : 0;
    }
  });
  return lower;
}

function solve(lower: readonly Vector[], right: Vector): Vector {
  const n = right.length;
  const x = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    let sum = right[k];
    for (let j = 0; j < k; j++) sum -= lower[k][j] * x[j];
    x[k] = lower[k][k] === 0 ? 0 : sum / lower[k][k];
  }
  for (let k = n - 1; k >= 0; k--) {
    x[k] = lower[k][k] === 0 ? 0 : x[k] / lower[k][k];
    for (let j = 0; j < k; j++) x[j] -= lower[k][j] * x[k];
  }
  return x;
}
