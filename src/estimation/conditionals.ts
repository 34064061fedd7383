import { adjacency } from '../kernel/chains/chain-program.js';
import type { Model } from '../model/model.js';

/** The conditional laws of single spins, edges listed spin by spin. */
export interface Conditionals {
  /** Log odds of `x_i = +1` given the others. */
  logOdds(i: number, spins: ArrayLike<number>): number;
  /** Whether an edge joins two spins of the block. */
  coupled(block: readonly number[]): boolean;
}

/** At the model's own parameters. */
export function conditionals(model: Model): Conditionals {
  const { bias, first, near, strength } = adjacency(model, 2 * model.beta);
  return {
    logOdds(i, x) {
      let sum = bias[i];
      for (let k = first[i]; k < first[i + 1]; k++) sum += strength[k] * x[near[k]];
      return sum;
    },
    coupled(block) {
      if (block.length === 1) return false;
      const inside = new Set(block);
      return block.some((i) => near.subarray(first[i], first[i + 1]).some((j) => inside.has(j)));
    },
  };
}
