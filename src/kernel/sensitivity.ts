import { UnsupportedError } from '../errors.js';
import type { Model } from '../model/model.js';
import { type KernelName, schedule } from './kernels.js';

/** How far a kernel's symmetric matrix `A = D^{1/2} P D^{-1/2}` can move with the parameters (4.1). */
export interface Sensitivity {
  /** `c_a`: `|A(theta + d) - A(theta)|_2 <= sum_a c_a |d_a|`, in theta order. */
  readonly constants: Float64Array;
  /** A bound on `|A(theta + d) - A(theta)|_2` for one step, at most `sum_a c_a |d_a|`. */
  bound(step: ArrayLike<number>): number;
  /** A bound on the second derivative of `A(theta + t d)` in `t`, anywhere. */
  curvature(step: ArrayLike<number>): number;
}

/** A factor that stands between two equal ones in a palindrome counts this much instead of 2 (D6). */
const BETWEEN = (3 * Math.sqrt(3)) / 4;

/**
 * The constants of D6 for the Gibbs kernels that are reversible.
 *
 * `A_c` is, per configuration outside of block `c`, the projector on `sqrt(pi(. | outside))`, which turns by at most `(beta/2) Std_c(dE)`. Within a block
 * without inside edges spins are independent and `Std_c(dE)^2 <= sum_i b_i^2`, `b_i = sum_j |d_ij| + |d_i|`; with inside edges `Std_c(dE) <= sum` of all
 * `|d|` that touch the block. A mixture weighs its blocks, and in a palindrome `d(A B A)` with `0 <= B <= 1` is at most `3 sqrt(3)/4 |dA|`.
 */
export function sensitivity(model: Model, kernel: KernelName): Sensitivity {
  const blocks = weightedBlocks(model, kernel);
  const owner = new Int32Array(model.spins);
  blocks.forEach(({ spins }, c) => {
    for (const i of spins) owner[i] = c;
  });
  const half = model.beta / 2;
  const couplings = model.edges.length;
  const constants = Float64Array.from(model.theta, (_, a) => {
    if (a >= couplings) return half * blocks[owner[a - couplings]].weight;
    const [c, d] = model.edges[a].map((i) => owner[i]);
    return half * (blocks[c].weight + (c === d ? 0 : blocks[d].weight));
  });
  const inside = blocks.map(() => false);
  for (const [i, j] of model.edges) if (owner[i] === owner[j]) inside[owner[i]] = true;
  /** Per block a bound on `beta Std_c(dE)`, and one on the range of `beta dE` where the block has inside edges, else null. */
  const spreads = (step: ArrayLike<number>) => {
    const sums = new Float64Array(blocks.length);
    const perSpin = new Float64Array(model.spins);
    for (let a = 0; a < model.theta.length; a++) {
      const size = Math.abs(step[a]);
      if (a >= couplings) {
        perSpin[a - couplings] += size;
        sums[owner[a - couplings]] += size;
        continue;
      }
      const [i, j] = model.edges[a];
      perSpin[i] += size;
      perSpin[j] += size;
      sums[owner[i]] += size;
      if (owner[i] !== owner[j]) sums[owner[j]] += size;
    }
    const squares = new Float64Array(blocks.length);
    perSpin.forEach((b, i) => {
      squares[owner[i]] += b * b;
    });
    return blocks.map((_, c) => ({
      std: model.beta * (inside[c] ? sums[c] : Math.sqrt(squares[c])),
      coupled: inside[c],
    }));
  };
  return {
    constants,
    bound: (step) => spreads(step).reduce((total, { std }, c) => total + (blocks[c].weight * std) / 2, 0),
    curvature(step) {
      const parts = spreads(step).map(({ std, coupled }) => ({ first: std / 2, second: blockCurvature(std, coupled) }));
      if (schedule(model, kernel).kind === 'mixture') {
        return parts.reduce((total, { second }, c) => total + blocks[c].weight * second, 0);
      }
      // A product: the second derivatives of its factors, and twice the product of the first ones of every pair.
      const factors = parts.flatMap((part, c) => (c === parts.length - 1 ? [part] : [part, part]));
      const first = factors.reduce((total, part) => total + part.first, 0);
      return factors.reduce((total, part) => total + part.second - part.first ** 2, first ** 2);
    },
  };
}

/**
 * A bound on `|A_c''|` for one block. With `psi = sqrt(pi(. | outside))`, `l = -beta (dE - E_c dE)` and `V = Var_c l`, `psi'' = psi (l^2/4 - V/2)` and
 * `|psi''| = sqrt(E l^4) / 4`, so `|A_c''| <= 2 |psi''| + 2 |psi'|^2 = sqrt(E l^4) / 2 + V / 2`. Here `V <= std^2`. Independent spins have
 * `E l^4 <= 3 std^4`, since one of size `b` and mean `m` has `(1 - m^2) (1 + 3 m^2) b^4 <= 3 b^4`; otherwise `l` ranges over at most `2 std` and `E l^4 <= (2 std)^4 / 12`.
 */
function blockCurvature(std: number, coupled: boolean): number {
  return ((coupled ? Math.sqrt(4 / 3) : Math.sqrt(3)) * std ** 2) / 2 + std ** 2 / 2;
}

/** The blocks of a kernel, each once, with the factor `m_c` by which the motion of its projector enters. */
function weightedBlocks(
  model: Model,
  kernel: KernelName,
): { readonly spins: readonly number[]; readonly weight: number }[] {
  const plan = schedule(model, kernel);
  if (plan.kind === 'mixture') return plan.blocks.map((spins) => ({ spins, weight: 1 / plan.blocks.length }));
  if (plan.kind === 'product' && kernel !== 'alternating-block') {
    const turn = (plan.blocks.length - 1) / 2;
    return plan.blocks.slice(0, turn + 1).map((spins, c) => ({ spins, weight: c === turn ? 1 : BETWEEN }));
  }
  throw new UnsupportedError(
    `The certificate of ${kernel}`,
    kernel === 'metropolis' ? 'its acceptance has kinks where two energies tie' : 'it is not reversible',
    'use one of the reversible Gibbs kernels',
  );
}
