import { InputError, show } from '../../errors.js';
import { chainProgram } from '../../kernel/chains/chain-program.js';
import { openChains } from '../../kernel/chains/chains.js';
import { MAX_PLACES } from '../../kernel/chains/counters.js';
import type { KernelName } from '../../kernel/kernels.js';
import type { Model } from '../../model/model.js';
import { type PackedSamples, wordsPerSample } from './packed-samples.js';

/** Chains of a kernel from given spins, and which of their states to keep. */
export interface SampleOptions {
  /** Any but `metropolis`; blocks must have no edge between free spins. */
  readonly kernel: KernelName;
  /** The first state of every chain, one row each. */
  readonly starts: PackedSamples;
  /** Samples of each chain, at least 0. */
  readonly samples: number;
  /** Sweeps before the first interval, at least 0. */
  readonly burnIn: number;
  /** Sweeps from one sample to the next, at least 1; the first one is kept so long after the burn-in. */
  readonly apart: number;
  /** Whole number. */
  readonly seed: number;
  /** Spins that keep their first values, each chain its own; none by default. */
  readonly clamped?: readonly number[] | undefined;
  /** Inverse temperature of every chain, at least 0; the model's own by default. */
  readonly betas?: ArrayLike<number> | undefined;
  /** Sweeps taken before, 0 by default: with the `last` and `sweeps` of a run, the next one goes on bit by bit. */
  readonly from?: number | undefined;
}

/** What {@link sampleChains} returns. */
export interface SampledChains {
  /** Per chain its samples, in the order of time. */
  readonly samples: readonly PackedSamples[];
  /** The last state of every chain, one row each. */
  readonly last: PackedSamples;
  /** Sweeps taken: `from + burnIn + samples * apart`. */
  readonly sweeps: number;
}

/**
 * Independent chains of a kernel of section 2, side by side: `burnIn` sweeps, then a sample of every chain each `apart` sweeps. With clamped spins the kernel is that of the
 * law of the free spins given them, and a sweep visits free spins.
 *
 * Each spin is drawn from `P(x_i = +1 | rest) = 1 / (1 + exp(-2 beta field))` (2.1) as double precision computes it; a probability is resolved to `2^-69`. A chain's numbers
 * depend on the seed, its place among the chains and the sweep alone, not on how many chains and threads there are. Throws {@link InputError} for options out of range and
 * {@link UnsupportedError} for a kernel that has no such loop.
 */
export function sampleChains(model: Model, options: SampleOptions): SampledChains {
  const { kernel, starts, samples, burnIn, apart, seed, clamped, from = 0 } = options;
  checkWhole('samples', samples, 0, 'how many samples to keep of each chain');
  checkWhole('burnIn', burnIn, 0, 'sweeps before the first interval');
  checkWhole('apart', apart, 1, 'sweeps from one sample to the next');
  checkWhole('from', from, 0, 'the sweeps that the last run returned');
  checkWhole('seed', seed, Number.MIN_SAFE_INTEGER, 'the seed');
  checkStarts(model, starts);
  const program = chainProgram(model, kernel, clamped);
  const places = program.blocks.reduce((sum, block) => sum + block.length, 0);
  if (places > MAX_PLACES) {
    throw new InputError({
      field: 'spins of a step',
      expected: `at most ${MAX_PLACES}`,
      got: String(places),
      remedy: 'use a smaller model',
    });
  }
  const { stepsPerSweep } = program;
  const sweeps = from + burnIn + samples * apart;
  checkWhole('apart times the kernel steps of a sweep', apart * stepsPerSweep, 1, 'fewer sweeps', 2 ** 31);
  checkWhole('kernel steps of a chain', sweeps * stepsPerSweep, 0, 'fewer sweeps');
  const betas = checkBetas(options.betas, starts.count) ?? new Float64Array(starts.count).fill(model.beta);
  const chains = openChains(program, starts.words, betas);
  const words = chains.run({
    seed,
    before: from * stepsPerSweep,
    lead: burnIn * stepsPerSweep,
    interval: apart * stepsPerSweep,
    samples,
  });
  const row = wordsPerSample(model.spins);
  const each = samples * row;
  // The last state is the last sample, where there is one.
  const last = samples === 0 ? chains.spins() : new Uint32Array(starts.count * row);
  for (let chain = 0; samples > 0 && chain < starts.count; chain++) {
    last.set(words.subarray((chain + 1) * each - row, (chain + 1) * each), chain * row);
  }
  return {
    samples: Array.from({ length: starts.count }, (_, chain) => ({
      spins: model.spins,
      count: samples,
      words: words.subarray(chain * each, (chain + 1) * each),
    })),
    last: { spins: model.spins, count: starts.count, words: last },
    sweeps,
  };
}

function checkWhole(field: string, value: number, least: number, what: string, most = Number.MAX_SAFE_INTEGER): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new InputError({
    field,
    expected: `a whole number from ${least} to ${most}`,
    got: show(value),
    remedy: `give ${what}`,
  });
}

function checkStarts({ spins }: Model, starts: PackedSamples): void {
  if (starts.spins !== spins || starts.count < 1 || !Number.isInteger(starts.count)) {
    throw new InputError({
      field: 'starts',
      expected: `at least one row of ${spins} spins`,
      got: `${show(starts.count)} of ${show(starts.spins)}`,
      remedy: 'give one row per chain',
    });
  }
  if (starts.words.length === starts.count * wordsPerSample(spins)) return;
  throw new InputError({
    field: 'starts.words',
    expected: `${starts.count * wordsPerSample(spins)} words, ${wordsPerSample(spins)} per row`,
    got: String(starts.words.length),
    remedy: 'make them with emptySamples and writeSample',
  });
}

function checkBetas(betas: ArrayLike<number> | undefined, chains: number): ArrayLike<number> | undefined {
  if (betas === undefined) return undefined;
  if (betas.length !== chains) {
    throw new InputError({
      field: 'betas',
      expected: `a list of ${chains} numbers (one per chain)`,
      got: String(betas.length),
      remedy: 'give one inverse temperature per row of starts',
    });
  }
  for (let chain = 0; chain < chains; chain++) {
    if (typeof betas[chain] === 'number' && Number.isFinite(betas[chain]) && betas[chain] >= 0) continue;
    throw new InputError({
      field: `betas[${chain}]`,
      expected: 'a finite number of at least 0',
      got: show(betas[chain]),
      remedy: 'give an inverse temperature',
    });
  }
  return betas;
}
