import { InputError, show } from '../errors.js';
import type { DataLaw } from '../model/data-law.js';
import type { Model } from '../model/model.js';
import { checkOptions } from '../trainability/options.js';
import { jackknifeVariance, plainJackknife } from './bound/cross-fit.js';
import type { SampledDerivative } from './bound/derivatives.js';
import type { BoundedTimescale, BoundOptions } from './bound/timescale-bound.js';
import { boundFromSamples, LEAST_CHAINS } from './bound/timescale-bound.js';
import { type PositiveMoments, positivePhase } from './positive-phase.js';
import { type EquilibriumPlan, type EquilibriumSamples, sampleEquilibrium } from './samples/equilibrium.js';
import { type SampledSignal, sampledSignal } from './signal.js';

/** How {@link estimateTrainability} samples, and of which estimator (2.4) it speaks. */
export interface EstimateOptions extends Omit<BoundOptions, 'seed' | 'progress'>, EquilibriumPlan {
  /** `K` (2.4), kernel steps that the estimator averages. */
  readonly window: number;
  /** `M` (2.4), chains that the estimator averages; 1 by default. Not those that are sampled here. */
  readonly estimatorChains?: number | undefined;
  /** Whether derivatives are computed. */
  readonly gradient: boolean;
  /** Equilibrium samples of the model from elsewhere, such as tempering; sampled by the plan where left out. */
  readonly equilibrium?: EquilibriumSamples | undefined;
  /** Called with the share of the work that is done. */
  readonly progress?: ((share: number) => void) | undefined;
}

/** A number and its standard error. */
export interface Estimated {
  /** The estimate. */
  readonly value: number;
  /** By the jackknife over groups of chains. */
  readonly standardError: number;
}

/** `R_hat` of `full` (3.2) with an interval. */
export interface EstimatedRhat extends Estimated {
  /** Two-sided, 95%: two standard errors of the logarithm, widened at the lower end by what more samples would add to the timescale. */
  readonly interval: readonly [number, number];
}

/** Trainability of a model of any size, with errors and a verdict. Times and gaps are in kernel steps. */
export interface TrainabilityEstimate {
  /** `|g|^2` (2.3), unbiased, of all observables and by parameter group. */
  readonly signal: Estimated & {
    /** Of the couplings' observables alone. */
    readonly couplings: Estimated;
    /** Of the biases'; null without biases. */
    readonly biases: Estimated | null;
  };
  /** The bound (6.1) on `T`, and its verdict. */
  readonly timescale: BoundedTimescale;
  /** `gamma = mu / (T + mu/2)` (3.1); with a lower bound of `T` an upper bound. */
  readonly effectiveGap: Estimated | null;
  /** With a lower bound of `T` an upper bound; null where the signal is not told from zero. */
  readonly Rhat: EstimatedRhat | null;
  /** In theta order; null where not asked for, or where the quantity is null. Of the features' bound: what its residual adds to the value of a model of many observables is held. */
  readonly gradient: {
    /** Of the bound on `T`. */
    readonly timescale: SampledDerivative;
    /** Of `log gamma` (3.1). */
    readonly logEffectiveGap: SampledDerivative | null;
    /** Of `log R_hat` (3.2). */
    readonly logRhat: SampledDerivative | null;
  } | null;
  /** Sweeps over the model that all chains took together. */
  readonly sweeps: number;
}

/** Standard errors from zero below which a signal counts as unknown. */
const SIGNAL_SIGMAS = 2;

/**
 * `R_hat = (M K / 2) |g|^2 / T` (3.2) beyond enumeration: `|g|^2` from pairs of independent groups of chains, `T` from the bound (6.1) on the same equilibrium samples, and their derivatives by D8 and D5. No integrated
 * time is fitted to a series. Throws InputError for options out of range or data of another size, and UnsupportedError for a kernel without the bound.
 */
export function estimateTrainability(model: Model, data: DataLaw, options: EstimateOptions): TrainabilityEstimate {
  checkEstimate(options);
  const { progress } = options;
  progress?.(0);
  const positive = positivePhase(model, data, {
    patterns: 8 * options.chains,
    samples: 8,
    burnIn: options.burnIn,
    seed: options.seed + 1,
  });
  const equilibrium = options.equilibrium ?? sampleEquilibrium(model, data, options);
  progress?.(SAMPLING);
  const sampled = boundFromSamples(model, equilibrium, {
    ...options,
    progress: progress && ((done, of) => progress(SAMPLING + ((READING - SAMPLING) * done) / of)),
  });
  const { bound, means, leftOut, probeVariance } = sampled;
  const couplings = model.edges.length;
  const signal = sampledSignal(positive, means);
  const T = bound.timescale;
  const tells = signal.value > SIGNAL_SIGMAS * errorOf(signal) && T > 0;
  const probes = T > 0 ? probeVariance / T ** 2 : 0;
  const logError = Math.sqrt(
    jackknifeVariance(signal.withoutModel.map((value, m) => Math.log(value) - Math.log(leftOut[m]))) +
      plainJackknife(signal.withoutData.map(Math.log)) +
      probes,
  );
  const scale = (options.window * (options.estimatorChains ?? 1)) / 2;
  progress?.(READING);
  const result: TrainabilityEstimate = {
    signal: {
      ...estimated(signal),
      couplings: estimated(sampledSignal(positive, means, 0, couplings)),
      biases: model.biased ? estimated(sampledSignal(positive, means, couplings)) : null,
    },
    timescale: bound,
    effectiveGap: T > 0 ? gapOf(bound) : null,
    Rhat: tells && Number.isFinite(logError) ? rhatOf((scale * signal.value) / T, logError, bound) : null,
    gradient: options.gradient && T > 0 ? gradientOf(model, sampled, positive, tells ? signal.value : null) : null,
    sweeps: equilibrium.chains.length * (equilibrium.burnIn + equilibrium.chains[0].count * equilibrium.apart),
  };
  progress?.(1);
  return result;
}

/** Shares of the work that are done after sampling, and after reading the samples. */
const SAMPLING = 0.2;
const READING = 0.7;

function errorOf({ withoutModel, withoutData }: SampledSignal): number {
  return Math.sqrt(jackknifeVariance(withoutModel) + plainJackknife(withoutData));
}

function estimated(signal: SampledSignal): Estimated {
  return { value: signal.value, standardError: errorOf(signal) };
}

function gapOf({ timescale, variance, standardError }: BoundedTimescale): Estimated {
  const value = variance / (timescale + variance / 2);
  return { value, standardError: (value * standardError) / (timescale + variance / 2) };
}

function rhatOf(value: number, logError: number, bound: BoundedTimescale): EstimatedRhat {
  // What the interval allows above the bound beside its noise.
  const above = bound.interval[1] - bound.timescale - 1.96 * bound.standardError;
  const low = (value * bound.timescale) / (bound.timescale + above);
  return {
    value,
    standardError: value * logError,
    interval: [low * Math.exp(-1.96 * logError), value * Math.exp(1.96 * logError)],
  };
}

function gradientOf(
  model: Model,
  { bound, derivatives }: ReturnType<typeof boundFromSamples>,
  positive: PositiveMoments,
  signal: number | null,
): TrainabilityEstimate['gradient'] {
  const of = derivatives(positive.means);
  const T = bound.timescale;
  const half = T + bound.variance / 2;
  return {
    timescale: of.timescale,
    logEffectiveGap: combined([
      [of.timescale, -1 / half],
      [of.variance, 1 / bound.variance - 1 / (2 * half)],
    ]),
    logRhat:
      signal === null
        ? null
        : combined([
            [signalDerivative(model, of.signal, positive, of.signalDirection), 1 / signal],
            [of.timescale, -1 / T],
          ]),
  };
}

/** `d|g|^2 / dtheta_b = 2 beta [ Cov_pi(G, f_b) - E_data Cov(G, f_b | v) ]`, `G = sum_a g_a f_a` (D5). */
export function signalDerivative(
  { beta }: Model,
  { value, standardError }: SampledDerivative,
  positive: PositiveMoments,
  g: Float64Array,
): SampledDerivative {
  const data = positive.covariance(g);
  return {
    value: value.map((x, b) => 2 * (x - beta * data[b])),
    standardError: standardError === null ? null : standardError.map((x) => 2 * x),
  };
}

/** A linear combination; errors add up, as if of one sign, since all come from the same samples. */
function combined(terms: readonly (readonly [SampledDerivative, number])[]): SampledDerivative {
  const [[{ value }]] = terms;
  const errors = terms.flatMap(([{ standardError }, weight]) =>
    standardError ? [[standardError, weight] as const] : [],
  );
  return {
    value: value.map((_, b) => terms.reduce((sum, [one, weight]) => sum + weight * one.value[b], 0)),
    standardError:
      errors.length < terms.length
        ? null
        : value.map((_, b) => errors.reduce((sum, [one, weight]) => sum + Math.abs(weight) * one[b], 0)),
  };
}

function checkEstimate(options: EstimateOptions): void {
  checkOptions(options, ['burnIn', 'window', 'seed']);
  for (const [field, least] of [
    ['chains', LEAST_CHAINS],
    ['samples', 4],
    ['apart', 1],
    ['estimatorChains', 1],
    ['probes', 2],
  ] as const) {
    const value = options[field];
    if (value === undefined || (Number.isSafeInteger(value) && value >= least)) continue;
    throw new InputError({
      field,
      expected: `a whole number of at least ${least}`,
      got: show(value),
      remedy: 'give more',
    });
  }
}
