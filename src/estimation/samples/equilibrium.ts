import { InputError, show } from '../../errors.js';
import type { KernelName } from '../../kernel/kernels.js';
import type { DataLaw } from '../../model/data-law.js';
import type { Model } from '../../model/model.js';
import { checkDataSize } from '../../trainability/routes/create-route.js';
import { type RandomSource, randomSource } from '../random.js';
import { emptySamples, type PackedSamples, wordsPerSample } from './packed-samples.js';
import { sampleChains } from './sample-chains.js';
import { drawStarts } from './starts.js';

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

/** Where a run of {@link EquilibriumRun} stands. */
export interface EquilibriumState {
  /** Sweeps that every chain has taken. */
  readonly sweeps: number;
  /** Spins of the chains, one row each, the pilot's first. */
  readonly last: PackedSamples;
  /** Of each chain, the pilot's first, the samples so far. */
  readonly samples: readonly PackedSamples[];
}

/**
 * Chains that sweep over the blocks, or over the spins where a block has edges inside: the law is all that matters, not how it is reached. They start from data, at random and from the opposite of data in
 * turn, so that chains which have not forgotten where they came from can be told. Throws {@link InputError} for a plan out of range or data of another size.
 */
export function sampleEquilibrium(model: Model, data: DataLaw, plan: EquilibriumPlan): EquilibriumSamples {
  const run = new EquilibriumRun(model, data, plan);
  run.advance(run.total);
  return run.result();
}

/** The chains of {@link sampleEquilibrium} in parts: the same numbers however they are cut, and from a saved state. */
export class EquilibriumRun {
  /** Sweeps of each chain, all in all. */
  readonly total: number;
  private readonly pilots: number;
  private readonly seed: number;
  private readonly samples: readonly PackedSamples[];
  private last: PackedSamples;
  private taken = 0;

  /** Goes on from `state`, which must be of the same model, data and plan; from the starts where it is left out. */
  constructor(
    private readonly model: Model,
    data: DataLaw,
    private readonly plan: EquilibriumPlan,
    state?: EquilibriumState,
  ) {
    checkDataSize(model, data);
    checkPlan(plan);
    const { chains, samples, burnIn, apart } = plan;
    this.total = burnIn + samples * apart;
    const random = randomSource(plan.seed);
    const starts = equilibriumStarts(model, data, chains, random);
    this.pilots = starts.count - chains;
    this.seed = random.integer(2 ** 32);
    this.last = starts;
    this.samples = Array.from({ length: starts.count }, () => emptySamples(model.spins, samples));
    if (state !== undefined) this.restore(state);
  }

  /** Sweeps that every chain has taken. */
  get sweeps(): number {
    return this.taken;
  }

  /** Goes on by about so many sweeps: at least to the next sample, and not beyond the end. */
  advance(sweeps: number): void {
    const { burnIn, apart } = this.plan;
    const unseen = Math.min(Math.max(1, sweeps), burnIn - this.taken);
    if (unseen > 0) this.sample(unseen, 0);
    const wanted = Math.max(unseen > 0 ? 0 : 1, Math.floor((sweeps - Math.max(0, unseen)) / apart));
    const left = Math.floor((this.total - this.taken) / apart);
    if (this.taken >= burnIn && wanted > 0 && left > 0) this.sample(0, Math.min(wanted, left));
  }

  private sample(burnIn: number, samples: number): void {
    const { model, plan, seed } = this;
    const { apart } = plan;
    const kept = this.kept();
    const run = sampleChains(model, {
      kernel: sweepOf(model),
      starts: this.last,
      samples,
      burnIn,
      apart,
      seed,
      from: this.taken,
    });
    const words = wordsPerSample(model.spins);
    run.samples.forEach((chain, m) => {
      this.samples[m].words.set(chain.words, kept * words);
    });
    this.last = run.last;
    this.taken = run.sweeps;
  }

  private kept(): number {
    return Math.max(0, (this.taken - this.plan.burnIn) / this.plan.apart);
  }

  /** From where another run goes on. */
  state(): EquilibriumState {
    const count = this.kept();
    const words = count * wordsPerSample(this.model.spins);
    const { taken, last, samples } = this;
    return {
      sweeps: taken,
      last,
      samples: samples.map((one) => ({ ...one, count, words: one.words.subarray(0, words) })),
    };
  }

  private restore({ sweeps, last, samples }: EquilibriumState): void {
    const { burnIn, apart } = this.plan;
    const { count, words } = this.last;
    const kept = Math.max(0, (sweeps - burnIn) / apart);
    const each = kept * wordsPerSample(this.model.spins);
    const sound =
      Number.isSafeInteger(sweeps) &&
      sweeps >= 0 &&
      Number.isInteger(kept) &&
      sweeps <= this.total &&
      last.words.length === words.length &&
      samples.length === count &&
      samples.every((one) => one.words.length === each);
    if (!sound) {
      throw new InputError({
        field: 'the saved state',
        expected: 'that of a run of this model and plan',
        got: `${show(sweeps)} sweeps of ${show(last.count)} chains`,
        remedy: 'start over without it',
      });
    }
    this.taken = sweeps;
    this.last = last;
    samples.forEach((one, m) => {
      this.samples[m].words.set(one.words);
    });
  }

  /** The samples, once all sweeps are taken. */
  result(): EquilibriumSamples {
    const { samples, pilots, plan } = this;
    const { burnIn, apart } = plan;
    return {
      pilot: samples.slice(0, pilots),
      chains: samples.slice(pilots),
      startKinds: START_KINDS.length,
      burnIn,
      apart,
    };
  }
}

function checkPlan(plan: EquilibriumPlan): void {
  const { burnIn, samples, apart } = plan;
  for (const [field, least] of [
    ['chains', 1],
    ['samples', 1],
    ['burnIn', 0],
    ['apart', 1],
    ['seed', 0],
  ] as const) {
    const value = plan[field];
    if (Number.isSafeInteger(value) && value >= least) continue;
    throw new InputError({
      field,
      expected: `a whole number of at least ${least}`,
      got: show(value),
      remedy: 'give one',
    });
  }
  if (Number.isSafeInteger(burnIn + samples * apart)) return;
  throw new InputError({
    field: 'samples',
    expected: `at most ${Number.MAX_SAFE_INTEGER} sweeps of a chain`,
    got: String(burnIn + samples * apart),
    remedy: 'give fewer, or less apart',
  });
}

/** Where a quarter as many pilots as chains, and then the chains, start: both take the kinds in turn. */
export function equilibriumStarts(model: Model, data: DataLaw, chains: number, random: RandomSource): PackedSamples {
  const turns = (count: number) => Array.from({ length: count }, (_, m) => START_KINDS[m % START_KINDS.length]);
  return drawStarts(model, data, [...turns(Math.ceil(chains / 4)), ...turns(chains)], random);
}

/** A sweep that the compiled chains can do. */
export function sweepOf({ blocks, edges, spins }: Model): KernelName {
  const owner = new Int32Array(spins);
  blocks.forEach((block, c) => {
    for (const i of block) owner[i] = c;
  });
  return edges.some(([i, j]) => owner[i] === owner[j]) ? 'palindrome' : 'alternating-block';
}
