import { InputError, show } from '../errors.js';
import type { DataLaw } from '../model/data-law.js';
import type { Model } from '../model/model.js';
import { checkOptions } from '../trainability/options.js';
import { plainJackknife, sampleVariance } from './bound/cross-fit.js';
import { addObservables, dataMoments } from './data-moments.js';
import type { MeasuredSnr, MeasureOptions } from './measure.js';
import type { PositiveMoments } from './positive-phase.js';
import { randomSource } from './random.js';
import type { ReferenceMoments } from './reference-moments.js';
import { runChains } from './run-chains.js';
import { sampledSignal } from './signal.js';
import { startSampler } from './start-sampler.js';
import type { Verdict } from './verdict.js';

/** The estimator (2.4), how often it is run, and its data term. */
export interface EstimatedSnrOptions extends MeasureOptions {
  /** `E_data f` where it has no exact value: an estimate as the mean of independent groups. By default exact, which hidden spins on a large graph rule out. The error of the estimator is that of the chain alone. */
  readonly positive?: Pick<PositiveMoments, 'means' | 'groups'> | undefined;
}

/** `R` (2.5) where `g` itself is estimated; standard errors are those of repetitions and references together. */
export interface EstimatedSnr extends Omit<MeasuredSnr, 'R' | 'standardError'>, Verdict {
  /** `|g|^2` over `mse`, each an unbiased estimate; may be negative where the signal drowns in its error. Null where the estimate of `mse` is not positive. */
  readonly R: number | null;
  /** Of `R`, to first order. */
  readonly standardError: number | null;
  /** Unbiased estimate of `|g|^2`. */
  readonly signal: number;
  /** Of that. */
  readonly signalStandardError: number;
  /** Independent estimates of `E_pi f` that `g` rests on. */
  readonly references: number;
}

/** What a resolved estimate needs. */
export const SNR_THRESHOLDS = {
  /** Least number of references. */
  references: 8,
  /** Largest standard error of the mean squared error, relative to it. */
  relativeError: 0.5,
  /** Variance of the references over what their halves predict; 1 is expected where a half forgets the other. */
  spread: 1.5,
  /** Standard deviations by which spread and drift of the references must exceed what is expected, to count. */
  sigmas: 3.5,
} as const;

/**
 * Runs the estimator (2.4) again and again and measures `R = |g|^2 / E|ghat - g|^2` (2.5) at any size. The data term is exact unless it is given, the model's is known from independent
 * references `m_i`, and pairs of different ones make both squares unbiased: with the data term `d` and an estimator's mean `x`, `|g|^2` is the mean over `i != j` of
 * `<d - m_i, d - m_j>`, and `|ghat - g|^2` that of `<x - m_i, x - m_j>`. Errors are the repetitions' own and the jackknife over references. References that were not in equilibrium make
 * both wrong; the verdict sees a start that is not forgotten and chains that disagree, not a part of the states that none of them has seen.
 *
 * Throws {@link InputError} for options out of range, fewer than 8 references, or data of another size, and UnsupportedError where the data term has no exact value and is not given.
 */
export function estimateSnr(
  model: Model,
  data: DataLaw,
  options: EstimatedSnrOptions,
  reference: ReferenceMoments,
): EstimatedSnr {
  checkOptions(options, ['burnIn', 'window', 'chains', 'repetitions', 'seed']);
  const estimates = checkReference(model, reference);
  const positive = options.positive ?? { means: dataMoments(model, data), groups: null };
  const { value: signal, withoutModel, withoutData } = sampledSignal(positive, estimates);
  const centre = meanOf(estimates);
  const { errors, offset } = repeat(model, data, options, centre);
  const about = errors.reduce((sum, error) => sum + error, 0) / errors.length;
  const mseError = Math.sqrt(sampleVariance(errors) / errors.length);

  const deviations = estimates.map((m) => m.map((value, a) => value - centre[a]));
  const count = deviations.length;
  const total = squares(deviations);
  const mse = about - total / (count * (count - 1));
  // Without m_i the mean of the references moves by -(m_i - mean) / (n - 1).
  const mseWithout = Float64Array.from(deviations, (left) => {
    const own = dot(left, left);
    const variance = (total - (own * count) / (count - 1)) / ((count - 1) * (count - 2));
    return about + (2 * dot(offset, left)) / (count - 1) + own / (count - 1) ** 2 - variance;
  });
  const mseStandardError = Math.hypot(jackknife(mseWithout), mseError);
  const dataError = jackknife(withoutData);
  const R = mse > 0 && mseWithout.every((value) => value > 0) ? signal / mse : null;
  const missing = whatIsMissing(reference, deviations, mse, mseStandardError);
  return {
    R,
    standardError:
      R === null
        ? null
        : Math.hypot(
            jackknife(withoutModel.map((value, i) => value / mseWithout[i])),
            dataError / mse,
            (R * mseError) / mse,
          ),
    mse,
    mseStandardError,
    signal,
    signalStandardError: Math.hypot(jackknife(withoutModel), dataError),
    repetitions: options.repetitions,
    references: count,
    verdict: missing.length === 0 ? 'resolved' : 'unresolved',
    missing,
  };
}

/** `|x - centre|^2` of the means `x` of every repetition, and the mean of `x - centre`. */
function repeat(model: Model, data: DataLaw, options: MeasureOptions, centre: Float64Array) {
  const { repetitions, chains, window } = options;
  const draw = startSampler(model, data, options.start);
  const random = randomSource(options.seed);
  const offset = new Float64Array(centre.length);
  const errors = Float64Array.from({ length: repetitions }, () => {
    const mean = new Float64Array(centre.length);
    runChains(model, options, draw, random, (spins) => addObservables(model, spins, 1, mean));
    let square = 0;
    for (let a = 0; a < mean.length; a++) {
      const away = mean[a] / (chains * window) - centre[a];
      square += away * away;
      offset[a] += away / repetitions;
    }
    return square;
  });
  return { errors, offset };
}

function whatIsMissing(
  { first, second }: ReferenceMoments,
  deviations: readonly Float64Array[],
  mse: number,
  mseStandardError: number,
): string[] {
  const { relativeError, sigmas, spread } = SNR_THRESHOLDS;
  const changes = first.map((half, i) => half.map((value, a) => second[i][a] - value));
  const apart = disagreement(first, changes, deviations);
  const drift = driftOf(changes);
  const found: [boolean, string][] = [
    [
      !(mse > 0) || mseStandardError > relativeError * mse,
      `the mean squared error, ${digits(mse)}, is known to ${digits(mseStandardError)} only: more repetitions or longer references are needed`,
    ],
    [
      apart.ratio > spread && apart.sigmas > sigmas,
      `the references disagree: their variance is ${digits(apart.ratio)} times what their halves predict`,
    ],
    [
      drift.sigmas > sigmas,
      `the references have not forgotten their start: from their first to their second halves they move by ${digits(drift.size)}`,
    ],
  ];
  return found.flatMap(([missing, sentence]) => (missing ? [sentence] : []));
}

/** Variance of the references, summed over observables, over that of a mean of independent halves as different as theirs. */
function disagreement(
  first: readonly Float64Array[],
  changes: readonly Float64Array[],
  deviations: readonly Float64Array[],
): { readonly ratio: number; readonly sigmas: number } {
  const count = first.length;
  const between = squares(deviations) / (count - 1);
  const within = squares(changes) / (4 * count);
  // Equal but for the rounding of their sums.
  if (between <= 1e-26 * squares(first)) return { ratio: 1, sigmas: 0 };
  const ratio = between / within;
  const dimension = effectiveDimension(deviations);
  return { ratio, sigmas: varianceRatioSigmas(ratio, dimension * (count - 1), dimension * count) };
}

/** Mean change from the first to the second halves against its error. */
function driftOf(changes: readonly Float64Array[]): { readonly size: number; readonly sigmas: number } {
  const count = changes.length;
  const mean = meanOf(changes);
  const centred = changes.map((own) => own.map((value, a) => value - mean[a]));
  const square = dot(mean, mean);
  const noise = squares(centred) / (count - 1) / count;
  if (square <= 1e-26 * squares(changes)) return { size: 0, sigmas: 0 };
  const dimension = effectiveDimension(centred);
  return { size: Math.sqrt(square), sigmas: varianceRatioSigmas(square / noise, dimension, dimension * (count - 1)) };
}

/**
 * Of how many equal independent numbers the squared length of such vectors has the spread: `(tr C)^2 / tr C^2` for their covariance `C`, by pairs of different ones
 * (Satterthwaite 1946).
 */
function effectiveDimension(vectors: readonly Float64Array[]): number {
  const count = vectors.length;
  let products = 0;
  for (let i = 0; i < count; i++) for (let j = 0; j < i; j++) products += dot(vectors[i], vectors[j]) ** 2;
  const trace = squares(vectors) / (count - 1);
  const traceOfSquare = products / ((count * (count - 1)) / 2);
  return traceOfSquare > 0 ? Math.max(1, trace ** 2 / traceOfSquare) : 1;
}

/** A ratio of two mean squares as a standard normal number, 0 where they are equal (Paulson 1942). */
function varianceRatioSigmas(ratio: number, freedom: number, referenceFreedom: number): number {
  if (ratio > 1e12) return Number.POSITIVE_INFINITY;
  const [own, other] = [2 / (9 * freedom), 2 / (9 * referenceFreedom)];
  const root = Math.cbrt(ratio);
  return ((1 - other) * root - (1 - own)) / Math.sqrt(own + root * root * other);
}

function checkReference(model: Model, { first, second }: ReferenceMoments): Float64Array[] {
  const count = model.theta.length;
  const sound = (list: readonly Float64Array[]) =>
    list.length === first.length && list.every((one) => one.length === count && one.every(Number.isFinite));
  if (first.length >= SNR_THRESHOLDS.references && sound(first) && sound(second)) {
    return first.map((half, i) => half.map((value, a) => (value + second[i][a]) / 2));
  }
  throw new InputError({
    field: 'reference',
    expected: `two halves of at least ${SNR_THRESHOLDS.references} estimates of ${count} finite numbers`,
    got: show([first.length, second.length]),
    remedy: 'run more reference chains of this model',
  });
}

function meanOf(vectors: readonly Float64Array[]): Float64Array {
  return vectors[0].map((_, a) => vectors.reduce((sum, x) => sum + x[a], 0) / vectors.length);
}

function squares(vectors: readonly Float64Array[]): number {
  return vectors.reduce((sum, x) => sum + dot(x, x), 0);
}

function dot(x: Float64Array, y: Float64Array): number {
  return x.reduce((sum, value, a) => sum + value * y[a], 0);
}

/** Standard error from the values without each of `n`; zero for none. */
function jackknife(values: ArrayLike<number>): number {
  return Math.sqrt(plainJackknife(values));
}

function digits(value: number): string {
  return String(Number(value.toPrecision(4)));
}
