import { schedule, stepsPerSweep } from '../kernel/kernels.js';
import type { DataLaw } from '../model/data-law.js';
import type { Model } from '../model/model.js';
import { checkOptions } from '../trainability/options.js';
import { exactMoments } from '../trainability/routes/exact-moments.js';
import type { Start } from '../trainability/start.js';
import { addObservables } from './data-moments.js';
import { type RandomSource, randomSource } from './random.js';
import { type ChainPlan, runChains } from './run-chains.js';
import { type StartSampler, startSampler } from './start-sampler.js';

/** The estimator (2.4), `B` and `K` in kernel steps, and how often it is run. */
export interface MeasureOptions extends ChainPlan {
  /** Law of the first state, drawn anew for every chain. */
  readonly start: Start;
  /** Independent repetitions of the estimator, at least 2. */
  readonly repetitions: number;
  /** Of {@link randomSource}; the same seed gives the same numbers. */
  readonly seed: number;
}

/** `R` as a sampler sees it, with standard errors over the repetitions. */
export interface MeasuredSnr {
  /** `|g|^2` over {@link mse} (2.5). */
  readonly R: number;
  /** Of `R`, to first order in that of the mean squared error. */
  readonly standardError: number;
  /** Mean over the repetitions of `|ghat - g|^2`. */
  readonly mse: number;
  /** Its standard error. */
  readonly mseStandardError: number;
  /** Independent repetitions that were run. */
  readonly repetitions: number;
}

/**
 * Runs the estimator (2.4) again and again and measures `R = |g|^2 / E|ghat - g|^2` (2.5). The data term and `g` are exact, so the error is that of the
 * chain alone. The error of `R` is carried over from that of the mean squared error to first order.
 * Throws {@link InputError} for an option out of range or data of another size, and {@link UnsupportedError} where `g` has no exact value.
 */
export function measureSnr(model: Model, data: DataLaw, options: MeasureOptions): MeasuredSnr {
  const { repetitions } = options;
  checkOptions(options, ['burnIn', 'window', 'chains', 'repetitions', 'seed']);
  const moments = exactMoments(model, data);
  const signal = moments.data.reduce((sum, value, a) => sum + (value - moments.model[a]) ** 2, 0);
  const draw = startSampler(model, data, options.start);
  const random = randomSource(options.seed);
  let sum = 0;
  let squares = 0;
  for (let r = 0; r < repetitions; r++) {
    const error = squaredError(model, options, draw, moments.model, random);
    sum += error;
    squares += error * error;
  }
  const mse = sum / repetitions;
  const variance = Math.max(0, squares / repetitions - mse * mse) * (repetitions / (repetitions - 1));
  const mseStandardError = Math.sqrt(variance / repetitions);
  return {
    R: signal / mse,
    standardError: (signal / mse) * (mseStandardError / mse),
    mse,
    mseStandardError,
    repetitions,
  };
}

/** The work of running the estimator so often, in the visits of `secondsOf`: a spin that is resampled costs about twenty, and one for each of its edges. */
export function measureVisits(model: Model, options: ChainPlan & Pick<MeasureOptions, 'repetitions'>): number {
  const { kernel, burnIn, window, chains, repetitions } = options;
  const plan = schedule(model, kernel);
  const perSweep = plan.kind === 'metropolis' ? plan.spins : plan.blocks.reduce((sum, { length }) => sum + length, 0);
  const perStep = plan.kind === 'product' ? perSweep : perSweep / stepsPerSweep(model, kernel);
  const step = perStep * (20 + (2 * model.edges.length) / model.spins);
  return repetitions * chains * ((burnIn + window) * step + window * 2 * model.theta.length);
}

/** `|ghat - g|^2` of one run of all chains. */
function squaredError(
  model: Model,
  options: MeasureOptions,
  draw: StartSampler,
  means: Float64Array,
  random: RandomSource,
): number {
  const sums = new Float64Array(means.length);
  runChains(model, options, draw, random, (spins) => addObservables(model, spins, 1, sums));
  const samples = options.chains * options.window;
  return sums.reduce((total, sum, a) => total + (sum / samples - means[a]) ** 2, 0);
}
