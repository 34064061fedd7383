import { dataLawFromCounts, ising, type KernelName, type Model } from 'htdml';
import type { MembershipRule } from '../../src/trainability/membership/mode-sets.js';
import { type PathReport, scanModels } from '../../src/trainability/paths/path-report.js';
import { fullSpace, kernelMatrix, weightedGaps } from './brute-force.js';

/** A pair of spins: its coupling and the bias of both. */
export type Pair = readonly [coupling: number, bias: number];

/** Spins 0 and 1 coupled, 2 and 3 coupled, and `link` between the pairs: with 0 they are independent and levels of one cross those of the other. */
export function twoPairs([a, ha]: Pair, [b, hb]: Pair, link = 0): Model {
  return ising({
    spins: 4,
    edges: [
      [0, 1],
      [2, 3],
      [1, 2],
    ],
    couplings: [a, b, link],
    biases: [ha, ha, hb, hb],
  });
}

export interface Level {
  readonly gap: number;
  readonly weight: number;
}

/**
 * The spectrum of two pairs without a link under random-scan, from each pair alone: gaps add, and a mode of both at once is seen by no observable of one
 * pair. That of the link is left out: its mode is a product.
 */
export function pairLevels(a: Pair, b: Pair): Level[] {
  const alone = ([coupling, bias]: Pair) => {
    const full = fullSpace(ising({ spins: 2, edges: [[0, 1]], couplings: [coupling], biases: [bias, bias] }));
    const modes = weightedGaps(full, kernelMatrix(full, [[0], [1]]));
    // A step of the four spins is one of this pair's half of the time.
    return [{ gap: 0, weight: 1 }, ...modes.map(({ gap, weight }) => ({ gap: gap / 2, weight }))];
  };
  const [left, right] = [alone(a), alone(b)];
  const all = left.flatMap((x, i) =>
    right.map((y, j) => ({ gap: x.gap + y.gap, weight: i === 0 ? y.weight : j === 0 ? x.weight : 0 })),
  );
  return all.slice(1).sort((x, y) => x.gap - y.gap);
}

/** A model of two pairs without an edge between them. */
export function unlinked([a, ha]: Pair, [b, hb]: Pair): Model {
  return ising({
    spins: 4,
    edges: [
      [0, 1],
      [2, 3],
    ],
    couplings: [a, b],
    biases: [ha, ha, hb, hb],
  });
}

export const DATA = dataLawFromCounts(4, [
  [0, 1],
  [3, 2],
  [13, 1],
]);

export function scan(
  from: Model,
  to: Model,
  options: { rule?: MembershipRule; kernel?: KernelName; steps?: number; epsilon?: number; kappa?: number } = {},
): PathReport {
  return scanModels(from, to, DATA, {
    kernel: 'random-scan',
    rule: 'window',
    epsilon: 1e-3,
    kappa: 2.5,
    steps: 20,
    window: 100,
    ...options,
  });
}

/** The zero of a function that changes its sign between two points, to the last digit. */
export function root(f: (t: number) => number, low: number, high: number): number {
  const sign = Math.sign(f(low));
  if (sign === Math.sign(f(high))) throw new Error('no change of sign');
  let [a, b] = [low, high];
  for (let k = 0; k < 60; k++) {
    const middle = (a + b) / 2;
    if (Math.sign(f(middle)) === sign) a = middle;
    else b = middle;
  }
  return (a + b) / 2;
}

/** `1/gap - 1/2` (2.7). */
export const tau = (gap: number): number => 1 / gap - 0.5;
