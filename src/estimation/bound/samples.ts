import { stepsPerSweep } from '../../kernel/kernels.js';
import type { DataLaw } from '../../model/data-law.js';
import type { Model } from '../../model/model.js';
import { chain } from '../chain.js';
import { type RandomSource, randomSource } from '../random.js';
import { emptySamples, type PackedSamples, writeSample } from '../samples/packed-samples.js';
import type { EquilibriumSamples } from './timescale-bound.js';

/** Where chains start, in turn: a pattern of the data with hidden spins at random; all spins at random; a pattern of the data with every spin flipped. */
export const START_KINDS = ['data', 'random', 'opposite'] as const;

/** Independent chains and pilot chains, a quarter as many. `burnIn` and `apart` in sweeps. */
export function sampleEquilibrium(
  model: Model,
  data: DataLaw,
  options: { chains: number; samples: number; burnIn: number; apart: number; seed: number },
): EquilibriumSamples {
  const random = randomSource(options.seed);
  const run = (_: unknown, m: number) => sampleChain(model, data, { ...options, kind: m }, random.split());
  return {
    pilot: Array.from({ length: Math.ceil(options.chains / 4) }, run),
    chains: Array.from({ length: options.chains }, run),
    startKinds: START_KINDS.length,
    burnIn: options.burnIn,
    apart: options.apart,
  };
}

function sampleChain(
  model: Model,
  data: DataLaw,
  { burnIn, apart, samples, kind }: { burnIn: number; apart: number; samples: number; kind: number },
  random: RandomSource,
): PackedSamples {
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
  const { step } = chain(model, 'alternating-block', random, spins);
  const perSweep = stepsPerSweep(model, 'alternating-block');
  for (let t = 0; t < burnIn * perSweep; t++) step();
  const out = emptySamples(model.spins, samples);
  for (let s = 0; s < samples; s++) {
    for (let t = 0; t < apart * perSweep; t++) step();
    writeSample(out, s, spins);
  }
  return out;
}
