import { type RandomSource, randomSource } from '../estimation/random.js';
import { type Edge, ising, type Model, rbm } from '../model/model.js';

/** A source of its own for every pair of a seed and a size, so that models of one seed and different sizes are independent. */
export function sourceFor(seed: number, ...parts: readonly number[]): RandomSource {
  return randomSource(parts.reduce((sum, part) => 1009 * sum + part, seed));
}

/** Every pair of spins coupled by normal numbers of variance `scale^2 / N` (Sherrington and Kirkpatrick 1975), without biases. */
export function sherringtonKirkpatrick(spins: number, beta: number, scale: number, random: RandomSource): Model {
  const edges: Edge[] = [];
  for (let i = 0; i < spins; i++) for (let j = i + 1; j < spins; j++) edges.push([i, j]);
  return ising({ spins, beta, edges, couplings: edges.map(() => (scale * random.normal()) / Math.sqrt(spins)) });
}

/** An RBM of normal weights of standard deviation `scale`, without biases. */
export function normalRbm(visible: number, hidden: number, beta: number, scale: number, random: RandomSource): Model {
  const weights = Array.from({ length: visible * hidden }, () => scale * random.normal());
  return rbm({ visible, hidden, beta, weights });
}
