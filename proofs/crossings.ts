import type { Arbitrary } from 'fast-check';
import { type Edge, ising, type Model, withParameters } from 'htdml';
import { betas, between } from './arbitraries.js';
import { decoupledRings, uniformRing } from './families.js';
import { fc } from './fast-check.js';

/** A straight path of parameters on which two eigenvalues of `random-scan` meet, or nearly. */
export interface CrossingPath {
  readonly family: string;
  readonly kind: 'true' | 'avoided';
  readonly from: Model;
  readonly to: Model;
  /** Where on the path, from 0 to 1: exact for a true crossing; for an avoided one, where it would be without the bond that repels. */
  readonly at: number;
  /** `1 - s` of both there. */
  readonly gap: number;
}

/** The model at a point of the straight line between two models of one structure; 0 is `from`, and 1 is `to`. */
export function along(from: Model, to: Model, at: number): Model {
  return withParameters(
    from,
    from.theta.map((x, a) => (1 - at) * x + at * to.theta[a]),
  );
}

/** `gamma = tanh(rate x)` is what a ring of so many spins makes of its coupling. */
const rateOf = (spins: number) => (spins === 2 ? 1 : 2);

/** Where on the path the crossing is, how slow it is, and how fast the two couplings move through it. */
interface Course {
  readonly at: number;
  readonly slow: number;
  readonly slopes: readonly [number, number];
  readonly beta: number;
}

const courses: Arbitrary<Course> = fc
  .tuple(between(0.25, 0.75), between(0.4, 1.2), between(0.1, 0.35), between(0.1, 0.35), fc.boolean(), betas)
  .map(([at, slow, up, down, swap, beta]) => ({ at, slow, slopes: swap ? [-up, down] : [up, -down], beta }));

/**
 * Two rings that do not touch, one getting slower and the other faster. Their slowest modes, `(1 - tanh(rate beta J)) / N`, cross exactly.
 * `bond` couples a spin of each, and the levels repel.
 */
export function crossingRings(sizes: readonly [number, number], course: Course, bond: number): CrossingPath {
  const { at, slow, slopes, beta } = course;
  const end = (t: number) => {
    const { model } = decoupledRings(
      sizes.map((spins, k) => ({ spins, coupling: (slow + slopes[k] * (t - at)) / (rateOf(spins) * beta) })),
      beta,
    );
    if (bond === 0) return model;
    const edges: Edge[] = [...model.edges, [0, sizes[0]]];
    const couplings = [...model.theta.subarray(0, model.edges.length), bond / beta];
    return ising({ spins: model.spins, edges, couplings, biases: Array(model.spins).fill(0), beta });
  };
  return {
    family: bond === 0 ? 'decoupled rings' : 'weakly coupled rings',
    kind: bond === 0 ? 'true' : 'avoided',
    from: end(0),
    to: end(1),
    at,
    gap: 2 / (1 + Math.exp(2 * slow)) / (sizes[0] + sizes[1]),
  };
}

/**
 * One uniform ring whose coupling passes the value at which a spin wave meets a pair of domain walls, modes of different symmetry:
 * `1 - gamma cos(2 pi / n) = 2 - 2 gamma cos(pi / n)`. Both are seen, by the biases and by the couplings.
 */
export function crossingSectors(spins: number, { at, slopes, beta }: Course): CrossingPath {
  const wave = Math.cos((2 * Math.PI) / spins);
  const gamma = 1 / (2 * Math.cos(Math.PI / spins) - wave);
  const end = (t: number) =>
    uniformRing(spins, (Math.atanh(gamma) + slopes[0] * (t - at)) / (2 * beta), beta, true).model;
  return {
    family: 'symmetry sectors',
    kind: 'true',
    from: end(0),
    to: end(1),
    at,
    gap: (1 - gamma * wave) / spins,
  };
}

const pairs = fc.constantFrom<readonly [number, number]>([2, 2], [2, 3], [3, 2]);

/** Exact crossings: between subsystems, and between symmetry sectors of one. */
export const crossings: Arbitrary<CrossingPath> = fc.oneof(
  fc.tuple(pairs, courses).map(([sizes, course]) => crossingRings(sizes, course, 0)),
  fc.tuple(fc.integer({ min: 3, max: 5 }), courses).map(([spins, course]) => crossingSectors(spins, course)),
);

/** Crossings that a weak bond between the subsystems turns into near misses; its coupling is from 1e-6 to 0.1 in units of 1 / beta. */
export const nearCrossings: Arbitrary<CrossingPath> = fc
  .tuple(pairs, courses, between(-6, -1))
  .map(([sizes, course, exponent]) => crossingRings(sizes, course, 10 ** exponent));
