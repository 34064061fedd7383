import { InputError, show } from '../errors.js';
import type { Model } from '../model/model.js';

/** How {@link correlationPenaltyGradient} multiplies the means of two spins. */
export const MEAN_PRODUCTS = ['across-chains', 'pooled'] as const;

/** One of {@link MEAN_PRODUCTS}. */
export type MeanProducts = (typeof MEAN_PRODUCTS)[number];

/** Weight and form of the penalty. */
export interface CorrelationPenalty {
  /** `lambda`, at least 0. */
  readonly weight: number;
  /**
   * `across-chains` takes the two means from different chains, which is unbiased where chains are independent and needs two of them in each group; `pooled` multiplies the
   * means over all chains, as the published rule does: of `M` chains of one independent state each it sees the share `1 - 1/M` of a covariance.
   */
  readonly products: MeanProducts;
}

/**
 * Groups of chains of the negative phase, and of each chain the averages of the observables over its samples, `E f` in theta order (2.2). What is one group
 * decides which covariance the penalty is on:
 *
 * - *conditional*: one group per input, of chains that share it; the penalty is on the law given an input;
 * - *batch-marginal*, the published rule: all chains in one group, whatever their inputs; the covariance of the inputs' conditional means is penalised too.
 *
 * Without inputs the two are the same.
 */
export type NegativePhase = readonly (readonly ArrayLike<number>[])[];

/**
 * What the total-correlation penalty adds to the gradient of a likelihood, to descend: `beta lambda (C_ij - m_i m_j)` for each coupling, averaged over groups, and nothing for
 * biases (2.11), with `m_i` and `C_ij` the averages of `x_i` and `x_i x_j`. It is the derivative of `KL(q || pi)` with the product law `q` of the model's marginals held, not
 * that of (2.8): to first order in the couplings they are the same. A model without biases has means of zero by symmetry. Throws {@link InputError} for moments that do not fit.
 */
export function correlationPenaltyGradient(
  model: Model,
  negative: NegativePhase,
  { weight, products }: CorrelationPenalty,
): Float64Array {
  checkPenalty(weight, products);
  checkNegative(model, negative);
  const { edges, beta, biased } = model;
  const out = new Float64Array(model.theta.length);
  for (const chains of negative) {
    if (products === 'across-chains' && biased && chains.length < 2) {
      throw refused('a group', 'at least 2 chains', String(chains.length), 'run more, or use products "pooled"');
    }
    const mean = average(chains, out.length);
    const factor = (beta * weight) / negative.length;
    edges.forEach(([i, j], a) => {
      const [u, v] = [edges.length + i, edges.length + j];
      // Both averages have the sign of f = -x, which drops out of their product.
      const product = !biased ? 0 : products === 'pooled' ? mean[u] * mean[v] : acrossChains(chains, mean, u, v);
      out[a] += factor * (-mean[a] - product);
    });
  }
  return out;
}

/**
 * The gradient that trains a denoising layer, to descend: `beta (E_+ f - E_- f)` (2.3), that is `-beta (m+ - m-)` for biases and `-beta (C+ - C-)` for couplings, and the
 * penalty's. `positive` is `E_+ f` in theta order, outputs at the data and hidden spins by their posterior, which does not depend on the input; `E_- f` is the mean over
 * the negative phase's groups. Throws {@link InputError} for moments that do not fit.
 */
export function denoisingGradient(
  model: Model,
  positive: ArrayLike<number>,
  negative: NegativePhase,
  penalty: CorrelationPenalty,
): Float64Array {
  checkLength('positive', positive, model.theta.length);
  const out = correlationPenaltyGradient(model, negative, penalty);
  const means = negative.map((chains) => average(chains, out.length));
  const mean = average(means, out.length);
  return out.map((extra, a) => model.beta * (positive[a] - mean[a]) + extra);
}

/** `sum_{c != d} u_c v_d / (M (M - 1))`, from the mean and the squares. */
function acrossChains(chains: readonly ArrayLike<number>[], mean: Float64Array, u: number, v: number): number {
  // About the means, so that nothing large cancels.
  const spread = chains.reduce((sum, chain) => sum + (chain[u] - mean[u]) * (chain[v] - mean[v]), 0);
  return mean[u] * mean[v] - spread / (chains.length * (chains.length - 1));
}

function average(rows: readonly ArrayLike<number>[], length: number): Float64Array {
  const sum = new Float64Array(length);
  for (const row of rows) for (let a = 0; a < length; a++) sum[a] += row[a];
  return sum.map((value) => value / rows.length);
}

function checkPenalty(weight: number, products: string): void {
  if (!(Number.isFinite(weight) && weight >= 0)) {
    throw refused('weight', 'a finite number of at least 0', show(weight), 'give 0 for no penalty');
  }
  if (products !== 'pooled' && products !== 'across-chains') {
    throw refused('products', '"across-chains" or "pooled"', show(products), 'use "pooled" for the published rule');
  }
}

function checkNegative(model: Model, negative: NegativePhase): void {
  if (negative.length === 0) throw refused('negative', 'at least one group of chains', '[]', 'run some chains');
  negative.forEach((chains, g) => {
    if (chains.length === 0) throw refused(`negative[${g}]`, 'at least one chain', '[]', 'leave out empty groups');
    chains.forEach((chain, c) => {
      checkLength(`negative[${g}][${c}]`, chain, model.theta.length);
    });
  });
}

function checkLength(field: string, moments: ArrayLike<number>, length: number): void {
  if (moments.length !== length) {
    throw refused(field, `${length} averages in theta order`, String(moments.length), 'give one per parameter');
  }
  for (let a = 0; a < length; a++) {
    if (Number.isFinite(moments[a])) continue;
    throw refused(`${field}[${a}]`, 'a finite number', show(moments[a]), 'check the chains');
  }
}

function refused(field: string, expected: string, got: string, remedy: string): InputError {
  return new InputError({ field, expected, got, remedy });
}
