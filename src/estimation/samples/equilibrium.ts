import type { KernelName } from '../../kernel/kernels.js';
import { type DataLaw, readPattern } from '../../model/data-law.js';
import type { Model } from '../../model/model.js';
import { type RandomSource, randomSource } from '../random.js';
import { emptySamples, type PackedSamples, writeSample } from './packed-samples.js';
import { sampleChains } from './sample-chains.js';

/** Samples in equilibrium, and how they were made. */
export interface EquilibriumSamples {
  /** Independent chains of equally many samples each. */
  readonly chains: readonly PackedSamples[];
  /** Samples of other chains, from which features are made. */
  readonly pilot: readonly PackedSamples[];
  /** Kinds of start, which the chains take in turn. */
  readonly startKinds: number;
  /** Sweeps of each chain that were not seen. */
  readonly burnIn: number;
  /** Sweeps from sample to sample. */
  readonly apart: number;
  /**
   * What these samples lack to be in equilibrium, a sentence each, where that does not follow from a burn-in in integrated times of the kernel: of tempered ensembles. Whether chains of different
   * starts agree, and whether samples are enough, is left to who reads them.
   */
  readonly missing?: readonly string[] | undefined;
}

/** Chains of {@link sampleEquilibrium}. */
export interface EquilibriumPlan {
  /** Independent chains; a quarter as many more for the pilot. */
  readonly chains: number;
  /** Samples of each. */
  readonly samples: number;
  /** Sweeps of each that are not seen. */
  readonly burnIn: number;
  /** Sweeps from sample to sample. */
  readonly apart: number;
  /** Of {@link randomSource}. */
  readonly seed: number;
}

/** Where chains start, in turn: a pattern of the data with hidden spins at random; all spins at random; a pattern of the data with every visible spin flipped. */
export const START_KINDS = ['data', 'random', 'opposite'] as const;

/**
 * Chains that sweep over the blocks, or over the spins where a block has edges inside: the law is all that matters, not how it is reached. They start from data, at random and from the opposite of data in
 * turn, so that chains which have not forgotten where they came from can be told.
 */
export function sampleEquilibrium(model: Model, data: DataLaw, plan: EquilibriumPlan): EquilibriumSamples {
  const { chains, samples, burnIn, apart } = plan;
  const random = randomSource(plan.seed);
  const starts = equilibriumStarts(model, data, chains, random);
  const pilots = starts.count - chains;
  const seed = random.integer(2 ** 32);
  const run = sampleChains(model, { kernel: sweepOf(model), starts, samples, burnIn, apart, seed });
  return {
    pilot: run.samples.slice(0, pilots),
    chains: run.samples.slice(pilots),
    startKinds: START_KINDS.length,
    burnIn,
    apart,
  };
}

/** Where a quarter as many pilots as chains, and then the chains, start: both take the kinds in turn. */
export function equilibriumStarts(model: Model, data: DataLaw, chains: number, random: RandomSource): PackedSamples {
  const pilots = Math.ceil(chains / 4);
  const starts = emptySamples(model.spins, pilots + chains);
  for (let m = 0; m < starts.count; m++) {
    const kind = (m < pilots ? m : m - pilots) % START_KINDS.length;
    writeSample(starts, m, startOf(model, data, START_KINDS[kind], random));
  }
  return starts;
}

/** A sweep that the compiled chains can do. */
export function sweepOf({ blocks, edges, spins }: Model): KernelName {
  const owner = new Int32Array(spins);
  blocks.forEach((block, c) => {
    for (const i of block) owner[i] = c;
  });
  return edges.some(([i, j]) => owner[i] === owner[j]) ? 'palindrome' : 'alternating-block';
}

function startOf(model: Model, data: DataLaw, kind: (typeof START_KINDS)[number], random: RandomSource): Int8Array {
  const spins = Int8Array.from({ length: model.spins }, () => (random.uniform() < 0.5 ? -1 : 1));
  if (kind === 'random') return spins;
  const pattern = drawPattern(data, random);
  const sign = kind === 'data' ? 1 : -1;
  model.visible.forEach((i, k) => {
    spins[i] = sign * pattern[k];
  });
  return spins;
}

/** A pattern drawn from the law. */
export function drawPattern(data: DataLaw, random: RandomSource): Int8Array {
  let left = random.uniform();
  let k = 0;
  while (k < data.probabilities.length - 1 && left >= data.probabilities[k]) left -= data.probabilities[k++];
  const pattern = new Int8Array(data.spins);
  readPattern(data, k, pattern);
  return pattern;
}
