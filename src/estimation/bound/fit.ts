import type { PooledMoments } from './moments.js';

/** Ridges that are tried, relative to the diagonal of the Dirichlet matrix. */
export const RIDGES = [1e-9, 1e-6, 1e-4, 1e-3, 1e-2, 1e-1] as const;

/** A trial solution per observable, `psi_a = sum_k alpha_ak chi_k`: row `a` of `alpha` has `size` coefficients. */
export interface Fit {
  readonly alpha: Float64Array;
  readonly size: number;
  readonly observables: number;
  readonly ridge: number;
}

/** `alpha_a = (L + ridge diag L)^-1 c_a` on the first `size` features (D8), `c_a` the covariances of observable `a`, by Cholesky. A feature that never changes is dropped. */
export function fitTrial(
  { covariance, dirichlet }: PooledMoments,
  observables: number,
  size: number,
  ridge: number,
): Fit {
  const count = Math.sqrt(covariance.length);
  const lower = new Float64Array(size * size);
  for (let k = 0; k < size; k++) {
    const diagonal = dirichlet[k * count + k];
    for (let l = 0; l <= k; l++) {
      let sum = dirichlet[k * count + l];
      if (l === k) sum += ridge * diagonal;
      for (let j = 0; j < l; j++) sum -= lower[k * size + j] * lower[l * size + j];
      // Below rounding a feature is a combination of earlier ones: it is dropped too.
      if (l < k) lower[k * size + l] = lower[l * size + l] === 0 ? 0 : sum / lower[l * size + l];
      else lower[k * size + k] = sum > 64 * size * Number.EPSILON * diagonal ? Math.sqrt(sum) : 0;
    }
  }
  const alpha = new Float64Array(observables * size);
  for (let a = 0; a < observables; a++) {
    const x = alpha.subarray(a * size, (a + 1) * size);
    for (let k = 0; k < size; k++) {
      let sum = covariance[a * count + k];
      for (let j = 0; j < k; j++) sum -= lower[k * size + j] * x[j];
      x[k] = lower[k * size + k] === 0 ? 0 : sum / lower[k * size + k];
    }
    for (let k = size - 1; k >= 0; k--) {
      if (lower[k * size + k] === 0) {
        x[k] = 0;
        continue;
      }
      let sum = x[k];
      for (let j = k + 1; j < size; j++) sum -= lower[j * size + k] * x[j];
      x[k] = sum / lower[k * size + k];
    }
  }
  return { alpha, size, observables, ridge };
}

/** Per observable `2 <fc_a, psi_a> - <psi_a, (I - P) psi_a> - Var f_a / 2` (6.1), at most `T_a` in expectation where the fit saw other samples. */
export function boundOf({ covariance, dirichlet }: PooledMoments, fit: Fit): Float64Array {
  const { alpha, size, observables } = fit;
  const count = Math.sqrt(covariance.length);
  return Float64Array.from({ length: observables }, (_, a) => {
    let value = -covariance[a * count + a] / 2;
    for (let k = 0; k < size; k++) {
      const own = alpha[a * size + k];
      if (own === 0) continue;
      let image = 0;
      for (let l = 0; l < size; l++) image += dirichlet[k * count + l] * alpha[a * size + l];
      value += own * (2 * covariance[a * count + k] - image);
    }
    return value;
  });
}

/** The fit whose ridge does best on held-out samples: each part is fitted and valued on the other, then all are fitted together. */
export function fitWithRidge(
  whole: PooledMoments,
  parts: readonly [PooledMoments, PooledMoments],
  observables: number,
  size: number,
): Fit {
  const [one, two] = parts;
  let best: { ridge: number; score: number } = { ridge: RIDGES[0], score: Number.NEGATIVE_INFINITY };
  for (const ridge of RIDGES) {
    const score =
      sum(boundOf(two, fitTrial(one, observables, size, ridge))) +
      sum(boundOf(one, fitTrial(two, observables, size, ridge)));
    if (score > best.score) best = { ridge, score };
  }
  return fitTrial(whole, observables, size, best.ridge);
}

export function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let k = 0; k < values.length; k++) total += values[k];
  return total;
}
