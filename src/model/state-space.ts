import { UnsupportedError } from '../errors.js';
import type { Model } from './model.js';

/** Tables hold up to `2^MAX_TABLE_BITS` states. */
export const MAX_TABLE_BITS = 20;

/**
 * The states on which a model's observables live, with every structural fact as an XOR mask, so that all later code is the same
 * for the full space and for the even sector.
 *
 * A model without biases has the global flip symmetry and its observables are even, so half the states suffice: the ones with
 * the last spin at -1, each standing for itself and its mirror image. Flipping the last spin then means flipping all others.
 */
export interface StateSpace {
  /** Binary logarithm of `states`: N, or N - 1 when folded. */
  readonly bits: number;
  readonly states: number;
  /** Whether states stand for pairs under the global flip. */
  readonly folded: boolean;
  /** `s ^ flips[i]` is the state after flipping spin `i`. */
  readonly flips: Int32Array;
  /** Observable `f_a(s) = signs[a] * (-1)^popcount(masks[a] & s)` (2.2), in the order of theta. */
  readonly masks: Int32Array;
  readonly signs: Int8Array;
  /** Number of visible patterns (of pairs of patterns under the flip, when folded). */
  readonly visibleStates: number;
  /** Visible index of each state. */
  readonly visibleOf: Int32Array;
}

/** Whether a model's states fit into a table. */
export function isTabulated({ biased, spins }: Model): boolean {
  return (biased ? spins : spins - 1) <= MAX_TABLE_BITS;
}

/** Binary logarithm of the number of states in a model's table. Throws {@link UnsupportedError} where that is too many. */
export function tableBits(model: Model): number {
  const bits = model.biased ? model.spins : model.spins - 1;
  if (!isTabulated(model)) {
    throw new UnsupportedError(
      `The table of ${model.spins} spins`,
      `it would hold 2^${bits} states and the limit is 2^${MAX_TABLE_BITS}`,
      'use an RBM with a small layer, fewer spins, or sampling (htdml estimate, or train.likelihood of a SPEC)',
    );
  }
  return bits;
}

/** The state space of a model's structure; independent of its parameters. */
export function stateSpace(model: Model): StateSpace {
  const folded = !model.biased;
  const bits = tableBits(model);
  const states = 2 ** bits;
  const inside = states - 1;
  const flips = Int32Array.from({ length: model.spins }, (_, i) => (i < bits ? 1 << i : inside));
  const masks = Int32Array.from(model.theta, (_, a) => {
    if (a >= model.edges.length) return 1 << (a - model.edges.length);
    const [i, j] = model.edges[a];
    return ((1 << i) | (1 << j)) & inside;
  });
  // f = -x_i x_j is minus a character; f = -x_i is plus one, since x_i = -(-1)^bit.
  const signs = Int8Array.from(model.theta, (_, a) => (a < model.edges.length ? -1 : 1));
  const visibleOf = new Int32Array(states);
  const m = model.visible.length;
  for (let s = 0; s < states; s++) {
    let pattern = 0;
    for (let k = 0; k < m; k++) if ((s >> model.visible[k]) & 1) pattern |= 1 << k;
    visibleOf[s] = foldPattern(pattern, m, folded);
  }
  return { bits, states, folded, flips, masks, signs, visibleStates: 2 ** (folded ? m - 1 : m), visibleOf };
}

/** Index of a visible pattern: itself, or in a folded space the one of it and its complement whose top bit is clear. */
export function foldPattern(pattern: number, visible: number, folded: boolean): number {
  if (!folded || pattern < 2 ** (visible - 1)) return pattern;
  return 2 ** visible - 1 - pattern;
}

/** +1 or -1: the parity `(-1)^popcount(x)`. */
export function parity(x: number): number {
  let v = x;
  v ^= v >>> 16;
  v ^= v >>> 8;
  v ^= v >>> 4;
  v ^= v >>> 2;
  v ^= v >>> 1;
  return 1 - 2 * (v & 1);
}
