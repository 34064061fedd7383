import type { Arbitrary } from 'fast-check';
import { createRoute, dataLawFromCounts, type Edge, ising, type Model } from 'htdml';
import { betas, between } from './arbitraries.js';
import { decoupledRings, independentSpins } from './families.js';
import { fc } from './fast-check.js';

/** A model at the edge of a rule of section 4, under `random-scan`, for the default `epsilon` and `kappa`. */
export interface BoundaryModel {
  /** What is at the edge: the weight share of a group that is not the slowest, that of the slowest, or an eigenvalue at the window's edge. */
  readonly rule: 'relevance' | 'anchor' | 'window';
  readonly model: Model;
  /** The share over `epsilon`, or `1 - s` over `kappa (1 - s_1)`, less one: the sign says on which side the model is. */
  readonly offset: number;
  /** `1 - s` of the group that is at the edge. */
  readonly gap: number;
}

const EPSILON = 1e-3;
const KAPPA = 2.5;

/** Where a continuous function changes sign between two numbers, to the last bit. */
export function bisect(f: (x: number) => number, low: number, high: number): number {
  const rising = f(high) > 0;
  let [a, b] = [low, high];
  for (;;) {
    const middle = (a + b) / 2;
    if (middle <= a || middle >= b) return middle;
    if (f(middle) > 0 === rising) b = middle;
    else a = middle;
  }
}

/** Independent spins in one field: the pairs, at `2 / N`, are relevant up to some field. */
export function relevanceBoundary(spins: number, beta: number, offset: number): BoundaryModel {
  const at = (h: number) => independentSpins(spins, beta, Array(spins).fill(h));
  const excess = (h: number) => {
    const [single, pairs] = at(h).modes.map(({ weight }) => weight ?? 0);
    return pairs / (single + pairs) / EPSILON - 1 - offset;
  };
  const h = bisect(excess, 0, 10 / beta);
  return { rule: 'relevance', model: at(h).model, offset, gap: 2 / spins };
}

/** A pair in two wells, one of which a field empties, beside a free spin: the switch between the wells is slowest and loses its weight. */
export function anchorBoundary(depth: number, beta: number, offset: number): BoundaryModel {
  const edges: Edge[] = [[0, 1]];
  const at = (h: number) => ising({ spins: 3, edges, couplings: [depth / beta], biases: [h, h, 0], beta });
  const route = createRoute(at(0), dataLawFromCounts(3, [[0, 1]]), { kernel: 'random-scan' });
  const groups = (h: number) => route.relaxation(at(h).theta).groups ?? [];
  const excess = (h: number) => {
    const list = groups(h);
    return list[0].weight / list.reduce((sum, { weight }) => sum + weight, 0) / EPSILON - 1 - offset;
  };
  const h = bisect(excess, 0.2 / beta, 6 / beta);
  return { rule: 'anchor', model: at(h), offset, gap: groups(h)[0].gap };
}

/** Two pairs, the second `kappa` times as fast as the first. */
export function windowBoundary(slow: number, beta: number, offset: number): BoundaryModel {
  const anchor = 2 / (1 + Math.exp(2 * slow));
  const gap = KAPPA * (1 + offset) * anchor;
  const { model } = decoupledRings(
    [
      { spins: 2, coupling: slow / beta },
      { spins: 2, coupling: Math.atanh(1 - gap) / beta },
    ],
    beta,
  );
  return { rule: 'window', model, offset, gap: gap / 4 };
}

/** From 1e-8 to 1e-3 on either side. */
const offsets = fc
  .tuple(between(-8, -3), fc.boolean())
  .map(([exponent, outside]) => (outside ? 1 : -1) * 10 ** exponent);

/** Models within 1e-3 of a change of membership, relatively; the field that puts them there is found by bisection where it has no closed form. */
export const boundaries: Arbitrary<BoundaryModel> = fc.oneof(
  fc.tuple(fc.integer({ min: 2, max: 5 }), betas, offsets).map((args) => relevanceBoundary(...args)),
  fc.tuple(between(1, 1.6), betas, offsets).map((args) => anchorBoundary(...args)),
  fc.tuple(between(0.5, 2), betas, offsets).map((args) => windowBoundary(...args)),
);
