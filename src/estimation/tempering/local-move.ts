import type { KernelName } from '../../kernel/kernels.js';
import { stepsPerSweep } from '../../kernel/kernels.js';
import type { Model } from '../../model/model.js';
import { type Chain, chain } from '../chain.js';
import type { RandomSource } from '../random.js';
import { emptySamples, readSample, writeSample } from '../samples/packed-samples.js';
import { sampleChains } from '../samples/sample-chains.js';

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

/**
 * The local move by the compiled chains, all states side by side: for many states of many spins, with the limits of `sampleChains`. Its spins are not those of {@link chainMove} from the same
 * random source, but of the same law.
 */
export function compiledMove(model: Model, kernel: KernelName): LocalMove {
  return (states, betas, sweeps, random) => {
    const starts = emptySamples(model.spins, states.length);
    states.forEach((spins, row) => {
      writeSample(starts, row, spins);
    });
    const seed = random.integer(Number.MAX_SAFE_INTEGER);
    const { last } = sampleChains(model, { kernel, starts, samples: 0, burnIn: sweeps, apart: 1, seed, betas });
    states.forEach((spins, row) => {
      readSample(last, row, spins);
    });
  };
}
