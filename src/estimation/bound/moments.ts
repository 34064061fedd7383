import type { LocalQuantities } from './local.js';

/** What one chain tells of the features: averages over its samples. Matrices are row-major, `count x count`, symmetric. */
export interface ChainMoments {
  /** `E chi`. */
  readonly mean: Float64Array;
  /** `E chi chi^T`. */
  readonly square: Float64Array;
  /** The Dirichlet matrix `E sum_c w_c Cov_c(chi, chi)` of (6.1). */
  readonly dirichlet: Float64Array;
  /** Means and variances of the features over the first and second half. */
  readonly halves: readonly { readonly mean: Float64Array; readonly variance: Float64Array }[];
}

/** One pass over a chain's samples, `spins` numbers each. Every block weighs `1 / blocks`. */
export function chainMoments(
  local: LocalQuantities,
  samples: Int8Array,
  spins: number,
  count: number,
  blocks: number,
): ChainMoments {
  const total = samples.length / spins;
  const middle = total >> 1;
  const mean = new Float64Array(count);
  const square = new Float64Array(count * count);
  const dirichlet = new Float64Array(count * count);
  const sums = [0, 1].map(() => ({ sum: new Float64Array(count), squares: new Float64Array(count) }));
  const chi = new Float64Array(count);
  for (let s = 0; s < total; s++) {
    const x = samples.subarray(s * spins, (s + 1) * spins);
    local.features(x, chi);
    const half = sums[s < middle ? 0 : 1];
    for (let k = 0; k < count; k++) {
      mean[k] += chi[k];
      half.sum[k] += chi[k];
      half.squares[k] += chi[k] * chi[k];
      const row = k * count;
      for (let l = 0; l <= k; l++) square[row + l] += chi[k] * chi[l];
    }
    local.blocks(x, chi, (active, difference, scale) => {
      for (let i = 0; i < active.length; i++) {
        const k = active[i];
        const weight = scale * difference[k];
        if (weight === 0) continue;
        const row = k * count;
        for (let j = 0; j <= i; j++) dirichlet[row + active[j]] += weight * difference[active[j]];
      }
    });
  }
  for (let k = 0; k < count; k++) {
    mean[k] /= total;
    for (let l = 0; l <= k; l++) {
      square[k * count + l] /= total;
      dirichlet[k * count + l] /= total * blocks;
      square[l * count + k] = square[k * count + l];
      dirichlet[l * count + k] = dirichlet[k * count + l];
    }
  }
  const halves = sums.map(({ sum, squares }, h) => {
    const size = Math.max(1, h === 0 ? middle : total - middle);
    const average = sum.map((value) => value / size);
    return { mean: average, variance: squares.map((value, k) => Math.max(0, value / size - average[k] ** 2)) };
  });
  return { mean, square, dirichlet, halves };
}

/** Covariances of the features and the Dirichlet matrix, pooled over chains. */
export interface PooledMoments {
  readonly covariance: Float64Array;
  readonly dirichlet: Float64Array;
}

/**
 * Over independent chains in equilibrium both are unbiased, however correlated a chain's own samples are: the product of two means is the average over pairs of *different* chains.
 * At least two chains.
 */
export function pooled(chains: readonly ChainMoments[]): PooledMoments {
  const m = chains.length;
  const count = chains[0].mean.length;
  const covariance = new Float64Array(count * count);
  const dirichlet = new Float64Array(count * count);
  const total = new Float64Array(count);
  for (const chain of chains) for (let k = 0; k < count; k++) total[k] += chain.mean[k];
  const pairs = m * (m - 1);
  for (let k = 0; k < count; k++) {
    for (let l = 0; l < count; l++) covariance[k * count + l] = (-total[k] * total[l]) / pairs;
  }
  for (const { mean, square, dirichlet: own } of chains) {
    for (let k = 0; k < count; k++) {
      for (let l = 0; l < count; l++) {
        const at = k * count + l;
        covariance[at] += square[at] / m + (mean[k] * mean[l]) / pairs;
        dirichlet[at] += own[at] / m;
      }
    }
  }
  return { covariance, dirichlet };
}
