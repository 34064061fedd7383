import { UnsupportedError } from '../../errors.js';
import type { KernelName } from '../../kernel/kernels.js';
import { schedule, stepsPerSweep } from '../../kernel/kernels.js';
import type { DataLaw } from '../../model/data-law.js';
import type { Model } from '../../model/model.js';
import { chain } from '../chain.js';
import type { RandomSource } from '../random.js';
import type { ChainMoments } from './moments.js';

/** Where chains start, in turn: a pattern of the data with hidden spins at random; all spins at random; a pattern of the data with every spin flipped. */
export const START_KINDS = ['data', 'random', 'opposite'] as const;

/** The blocks of a mixture, the only kernels that (6.1) bounds. Throws {@link UnsupportedError} for others. */
export function mixtureBlocks(model: Model, kernel: KernelName): readonly (readonly number[])[] {
  const plan = schedule(model, kernel);
  if (plan.kind === 'mixture') return plan.blocks;
  throw new UnsupportedError(
    `The bound (6.1) for ${kernel}`,
    'it holds for mixtures of conditional expectations only',
    `use ${kernel === 'palindrome' || kernel === 'metropolis' ? 'random-scan' : 'random-block'}`,
  );
}

/** One chain's samples, a sweep apart after `burnIn` steps: `count` rows of `model.spins` spins. */
export function sampleChain(
  model: Model,
  data: DataLaw,
  { kernel, burnIn, count, kind }: { kernel: KernelName; burnIn: number; count: number; kind: number },
  random: RandomSource,
): Int8Array {
  const spins = Int8Array.from({ length: model.spins }, () => (random.uniform() < 0.5 ? -1 : 1));
  const name = START_KINDS[kind % START_KINDS.length];
  if (name !== 'random') {
    let left = random.uniform();
    let k = 0;
    while (k < data.patterns.length - 1 && left >= data.probabilities[k]) left -= data.probabilities[k++];
    const sign = name === 'data' ? 1 : -1;
    model.visible.forEach((i, bit) => {
      spins[i] = (Math.floor(data.patterns[k] / 2 ** bit) % 2 === 1 ? 1 : -1) * sign;
    });
  }
  const { step } = chain(model, kernel, random, spins);
  for (let t = 0; t < burnIn; t++) step();
  const out = new Int8Array(count * model.spins);
  const apart = stepsPerSweep(model, kernel);
  for (let s = 0; s < count; s++) {
    for (let t = 0; t < apart; t++) step();
    out.set(spins, s * model.spins);
  }
  return out;
}

/** Largest split R-hat (Gelman et al. 2013) over the features, and largest difference between chains of different starts, in standard errors. */
export function convergence(chains: readonly ChainMoments[], samplesPerChain: number) {
  const count = chains[0].mean.length;
  const halves = chains.flatMap((one) => one.halves);
  const n = samplesPerChain / 2;
  let rhat = 1;
  let startSigmas = 0;
  for (let k = 0; k < count; k++) {
    const { mean, variance } = spread(halves.map((half) => half.mean[k]));
    const within = halves.reduce((total, half) => total + half.variance[k], 0) / halves.length;
    // What never changes within the chains: the same everywhere, or frozen at different values.
    if (within > 0) rhat = Math.max(rhat, Math.sqrt((n - 1) / n + variance / within));
    else if (variance > 1e-20 * (1 + mean * mean)) rhat = Number.POSITIVE_INFINITY;
    const groups = START_KINDS.map((_, kind) =>
      spread(chains.flatMap((one, m) => (m % START_KINDS.length === kind ? [one.mean[k]] : []))),
    );
    groups.forEach((one, g) => {
      for (const other of groups.slice(0, g)) {
        const error = Math.sqrt(one.variance / one.size + other.variance / other.size);
        if (error > 0) startSigmas = Math.max(startSigmas, Math.abs(one.mean - other.mean) / error);
      }
    });
  }
  return { rhat, startSigmas };
}

function spread(values: readonly number[]) {
  const size = values.length;
  const mean = values.reduce((total, value) => total + value, 0) / size;
  const variance = values.reduce((total, value) => total + (value - mean) ** 2, 0) / Math.max(1, size - 1);
  return { size, mean, variance };
}
