import { randomSource } from '../random.js';
import type { ChainHalves } from './moments.js';

/** Whether chains agree with themselves and with each other. */
export interface Convergence {
  /** Largest split R-hat (Gelman et al. 2013) over the features. */
  readonly splitRhat: number;
  /**
   * Whether chains of different kinds of start differ: the share of random assignments of chains to kinds whose largest difference over all features is at least the one found. Small where the start
   * is not forgotten; uniform where it is, however many features there are.
   */
  readonly startPValue: number;
}

/** Random assignments, beside the true one. */
const PERMUTATIONS = 199;

/** `kinds` of start are taken in turn by the chains; `samples` is how many each has. */
export function convergence(chains: readonly ChainHalves[], samples: number, kinds: number): Convergence {
  const halves = chains.flat();
  const n = samples / 2;
  const count = halves[0].mean.length;
  let splitRhat = 1;
  for (let k = 0; k < count; k++) {
    const { mean, variance } = spread(halves.map((half) => half.mean[k]));
    let within = 0;
    for (const half of halves) within += half.variance[k] / halves.length;
    // What never changes within the chains: the same everywhere, or frozen at different values.
    if (within > 0) splitRhat = Math.max(splitRhat, Math.sqrt((n - 1) / n + variance / within));
    else if (variance > 1e-20 * (1 + mean * mean)) splitRhat = Number.POSITIVE_INFINITY;
  }
  return { splitRhat, startPValue: permutationTest(standardised(chains), kinds) };
}

/** For each feature that differs between chains, the chains' means less their mean, over their standard deviation. */
function standardised(chains: readonly ChainHalves[]): Float64Array[] {
  const count = chains[0][0].mean.length;
  const out: Float64Array[] = [];
  for (let k = 0; k < count; k++) {
    const values = Float64Array.from(chains, ([first, second]) => (first.mean[k] + second.mean[k]) / 2);
    const { mean, variance } = spread(values);
    if (variance > 1e-20 * (1 + mean * mean)) out.push(values.map((value) => (value - mean) / Math.sqrt(variance)));
  }
  return out;
}

function permutationTest(features: readonly Float64Array[], kinds: number): number {
  if (features.length === 0) return 1;
  const order = Array.from(features[0], (_, m) => m);
  const found = largestBetween(features, order, kinds);
  const random = randomSource(1);
  let atLeast = 1;
  for (let trial = 0; trial < PERMUTATIONS; trial++) {
    for (let m = order.length - 1; m > 0; m--) {
      const other = random.integer(m + 1);
      [order[m], order[other]] = [order[other], order[m]];
    }
    if (largestBetween(features, order, kinds) >= found) atLeast++;
  }
  return atLeast / (PERMUTATIONS + 1);
}

/** Largest sum of squares between kinds, chain `order[m]` being of kind `m mod kinds`. */
function largestBetween(features: readonly Float64Array[], order: readonly number[], kinds: number): number {
  const sums = new Float64Array(kinds);
  const sizes = Array.from({ length: kinds }, (_, kind) => Math.ceil((order.length - kind) / kinds));
  let top = 0;
  for (const values of features) {
    sums.fill(0);
    for (let m = 0; m < order.length; m++) sums[m % kinds] += values[order[m]];
    let between = 0;
    for (let kind = 0; kind < kinds; kind++) between += sums[kind] ** 2 / sizes[kind];
    top = Math.max(top, between);
  }
  return top;
}

function spread(values: ArrayLike<number>) {
  const size = values.length;
  let mean = 0;
  for (let m = 0; m < size; m++) mean += values[m] / size;
  let variance = 0;
  for (let m = 0; m < size; m++) variance += (values[m] - mean) ** 2 / Math.max(1, size - 1);
  return { mean, variance };
}
