import type { KernelName } from '../../kernel/kernels.js';
import { stepsPerSweep } from '../../kernel/kernels.js';
import type { Model } from '../../model/model.js';
import { chain } from '../chain.js';
import type { RandomSource } from '../random.js';

/**
 * Moves every state, in place, by that many sweeps of one reversible kernel at its own beta: all states of a step of all ensembles at once. All that is random must come
 * from `random`, else a run cannot be resumed.
 */
export type LocalMove = (
  states: readonly Int8Array[],
  betas: ArrayLike<number>,
  sweeps: number,
  random: RandomSource,
) => void;

/** The local move by chains of a kernel, one after another. */
export function chainMove(model: Model, kernel: KernelName): LocalMove {
  const known = new Map<Int8Array, { beta: number; random: RandomSource; step: () => void }>();
  const steps = stepsPerSweep(model, kernel);
  return (states, betas, sweeps, random) => {
    states.forEach((spins, row) => {
      let mover = known.get(spins);
      if (mover?.beta !== betas[row] || mover.random !== random) {
        const beta = betas[row];
        mover = { beta, random, step: chain({ ...model, beta }, kernel, random, spins).step };
        known.set(spins, mover);
      }
      for (let t = 0; t < sweeps * steps; t++) mover.step();
    });
  };
}
