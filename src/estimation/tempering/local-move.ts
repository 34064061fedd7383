import type { KernelName } from '../../kernel/kernels.js';
import { stepsPerSweep } from '../../kernel/kernels.js';
import type { Model } from '../../model/model.js';
import { type Chain, chain } from '../chain.js';
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

/** The local move by a chain of a kernel for each beta, one state after another. */
export function chainMove(model: Model, kernel: KernelName): LocalMove {
  const steps = stepsPerSweep(model, kernel);
  let chains = new Map<number, Chain>();
  let made: { readonly betas: ArrayLike<number>; readonly random: RandomSource } | null = null;
  return (states, betas, sweeps, random) => {
    if (made?.betas !== betas || made.random !== random) {
      chains = new Map();
      made = { betas, random };
    }
    states.forEach((spins, row) => {
      const beta = betas[row];
      let mover = chains.get(beta);
      if (mover === undefined) {
        mover = chain({ ...model, beta }, kernel, random, new Int8Array(model.spins));
        chains.set(beta, mover);
      }
      mover.spins.set(spins);
      for (let t = 0; t < sweeps * steps; t++) mover.step();
      spins.set(mover.spins);
    });
  };
}
