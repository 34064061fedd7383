import { stepsPerSweep } from '../kernel/kernels.js';
import type { DataLaw } from '../model/data-law.js';
import type { Model } from '../model/model.js';
import { modelToJson } from '../model/model-file.js';
import { type Claim, claim, gateNotes } from '../trainability/gates.js';
import type { Note } from '../trainability/notes.js';
import { checkOptions } from '../trainability/options.js';
import { limitingFactor } from '../trainability/predictors.js';
import { type GateThresholds, type References, runThresholds } from '../trainability/thresholds.js';
import type { SampledDerivative } from './bound/derivatives.js';
import { FEATURE_NAMES, type FeatureName } from './bound/features.js';
import type { BoundedTimescale } from './bound/timescale-bound.js';
import type { Verdict } from './bound/verdict.js';
import {
  type Estimated,
  type EstimatedRhat,
  type EstimateOptions,
  estimateTrainability,
  type TrainabilityEstimate,
} from './estimate.js';
import { type EstimatedGates, estimatedGates } from './estimate-gates.js';
import { START_KINDS, sweepOf } from './samples/equilibrium.js';
import type { TemperingReport } from './tempering/sample-tempered.js';

/** What `htdml estimate` is asked. */
export interface EstimateReportOptions extends Omit<EstimateOptions, 'functions'> {
  /** `B` (2.4), kernel steps that the estimator discards, for gate A5 alone. */
  readonly estimatorBurnIn: number;
  /** How {@link EstimateOptions.equilibrium} was tempered, where it was. */
  readonly tempering?: TemperingReport | undefined;
  /** Where a gate is held against another threshold than the default; known before the run. */
  readonly gateThresholds?: Partial<GateThresholds> | undefined;
  /** What the limiting factor is found against, where other than the default. */
  readonly references?: Partial<References> | undefined;
}

/** A derivative in theta order, with standard errors where they are known. */
export interface ReportedDerivative {
  /** One component per parameter. */
  readonly value: readonly number[];
  /** Of each. */
  readonly standardError: readonly number[] | null;
}

/** The result of {@link estimateReport}: the JSON object that `htdml estimate --json` prints. Times and gaps are in kernel steps. What has no finite value is null, with a note. */
export interface EstimateReport extends Verdict {
  /** Version of this layout. */
  readonly schemaVersion: 1;
  /** The model as in its file. */
  readonly model: object;
  /** As asked. */
  readonly kernel: EstimateOptions['kernel'];
  /** Kernel steps that visit every spin. */
  readonly stepsPerSweep: number;
  /** `B` (2.4) of the estimator that the report is about. */
  readonly burnIn: number;
  /** Its `K`. */
  readonly window: number;
  /** Its `M`. */
  readonly chains: number;
  /** `|g|^2` (2.3), unbiased: it may be negative where `g` is small. */
  readonly signal: TrainabilityEstimate['signal'];
  /** The bound (6.1) on `T`. */
  readonly timescale: Omit<BoundedTimescale, 'timescale' | keyof Verdict | 'splitRhat'> & {
    /** What `T` is at least, in expectation. */
    readonly bound: number;
    /** Null where a feature is frozen in every chain, at different values. */
    readonly splitRhat: number | null;
  };
  /** `gamma` (3.1); an upper bound where `T` is bounded from below. */
  readonly effectiveGap: Estimated | null;
  /** (3.2); an upper bound where `T` is bounded from below. */
  readonly Rhat: EstimatedRhat | null;
  /** What `R_hat` is at most, by two standard errors of the signal and of the bound: known where the signal is not told from zero too. */
  readonly RhatAtMost: number | null;
  /** Whether `R_hat < 1`, and whether that is certain. */
  readonly plateau: {
    /** `R_hat < 1`. */
    readonly below: boolean;
    /** The bound is resolved, and the interval does not hold 1. */
    readonly certain: boolean;
  } | null;
  /** The factors of (3.2). */
  readonly factors: {
    /** Effective gap per sweep. */
    readonly gap: number | null;
    /** `|g|^2 / sum_a Var f_a`. */
    readonly signal: number | null;
    /** The windows of all chains that are averaged, in sweeps. */
    readonly budget: number;
  };
  /** The one that would lift `R_hat` most if set to its reference alone. */
  readonly limitingFactor: 'gap' | 'signal' | 'budget' | null;
  /** The assumptions, as far as samples tell. */
  readonly gates: EstimatedGates;
  /** What the gates were held against. */
  readonly gateThresholds: GateThresholds;
  /** References of the limiting factor. */
  readonly references: References;
  /** What the gates allow to claim. */
  readonly claim: Claim;
  /** Where asked for. */
  readonly gradient?: {
    /** Of the bound on `T`. */
    readonly timescale: ReportedDerivative | null;
    /** Of `log gamma` (3.1). */
    readonly logEffectiveGap: ReportedDerivative | null;
    /** Of `log R_hat` (3.2). */
    readonly logRhat: ReportedDerivative | null;
  };
  /** How the samples were made. */
  readonly sampling: {
    /** Independent chains that are read; those that make features come on top. */
    readonly chains: number;
    /** Samples of each. */
    readonly samples: number;
    /** Sweeps of each chain that were not seen. */
    readonly burnIn: number;
    /** Sweeps from sample to sample. */
    readonly apart: number;
    /** Kernel whose sweeps they are. */
    readonly kernel: string;
    /** Kinds of start, which the chains take in turn. */
    readonly starts: readonly string[];
    /** As asked. */
    readonly seed: number;
    /** Of all chains together. */
    readonly sweeps: number;
    /** Where samples are tempered; `burnIn` and `apart` then count steps of `tempering`, and each takes a sweep of every replica. */
    readonly tempering?: TemperingReport;
  };
  /** How far the sequence of feature sets was to go. */
  readonly features: FeatureName;
  /** Why something is null, by its path in this object. */
  readonly notes: readonly Note[];
}

/**
 * Everything that `htdml estimate` reports of one model on one data law: {@link estimateTrainability} with gates, claim and limiting factor. Throws {@link InputError} for options out of range or data of another size, and
 * {@link UnsupportedError} for a kernel without the bound (6.1).
 */
export function estimateReport(model: Model, data: DataLaw, options: EstimateReportOptions): EstimateReport {
  checkOptions({ burnIn: options.estimatorBurnIn }, ['burnIn'], { burnIn: 'estimatorBurnIn' });
  const { gateThresholds, references } = runThresholds(options.gateThresholds, options.references);
  const estimate = estimateTrainability(model, data, options);
  const { kernel, window, estimatorChains: chains = 1, estimatorBurnIn: burnIn, tempering } = options;
  const { verdict: _, missing: lacking, timescale: bound, splitRhat, ...timescale } = estimate.timescale;
  const { signal, Rhat, effectiveGap, gradient, sweeps } = estimate;
  const notes: Note[] = [];
  const noted = <T>(value: T | null, path: string, reason: string): T | null => {
    if (value === null) notes.push({ path, reason });
    return value;
  };
  const missing = [...lacking];
  if (Rhat === null && bound > 0) missing.push(`${NO_SIGNAL}: more samples are needed, or there is none`);
  const verdict = missing.length === 0 ? 'resolved' : 'unresolved';
  const why = bound > 0 ? NO_SIGNAL : NO_BOUND;
  if (!model.biased) noted(signal.biases, 'signal.biases', 'the model has no biases');
  const sweep = stepsPerSweep(model, kernel);
  const least = bound - 1.96 * timescale.standardError;
  const most = Math.max(0, signal.value) + 1.96 * signal.standardError;
  const atMost = least > 0 ? finite((chains * window * most) / (2 * least)) : null;
  const full = {
    Rhat: null,
    timescale: bound,
    slowMass: timescale.variance,
    effectiveGap: effectiveGap?.value ?? null,
  };
  const gates = estimatedGates({
    kernel,
    biased: model.biased,
    burnIn,
    window,
    variance: timescale.variance,
    tauMax: timescale.tauMax > 0 ? timescale.tauMax : null,
    resolved: lacking.length === 0,
    thresholds: gateThresholds,
  });
  const derivative = (name: 'timescale' | 'logEffectiveGap' | 'logRhat') => {
    const one = noted(gradient?.[name] ?? null, `gradient.${name}`, name === 'logRhat' ? why : NO_BOUND);
    return one && reported(one);
  };
  return {
    schemaVersion: 1,
    model: modelToJson(model),
    kernel,
    stepsPerSweep: sweep,
    burnIn,
    window,
    chains,
    signal,
    timescale: {
      bound,
      ...timescale,
      splitRhat: noted(finite(splitRhat), 'timescale.splitRhat', 'a feature is frozen at different values'),
    },
    effectiveGap: noted(effectiveGap, 'effectiveGap', NO_BOUND),
    Rhat: noted(Rhat, 'Rhat', why),
    RhatAtMost: noted(atMost, 'RhatAtMost', NO_BOUND),
    plateau: noted(plateauOf(Rhat, atMost, lacking.length === 0), 'plateau', why),
    factors: {
      gap: noted(effectiveGap && effectiveGap.value * sweep, 'factors.gap', NO_BOUND),
      signal: noted(Rhat && signal.value / timescale.variance, 'factors.signal', why),
      budget: (chains * window) / sweep,
    },
    limitingFactor: noted(Rhat && limitingFactor(full, signal.value, window, sweep, references), 'limitingFactor', why),
    gates,
    gateThresholds,
    references,
    claim: claim(gates),
    verdict,
    missing,
    ...(options.gradient && {
      gradient: {
        timescale: derivative('timescale'),
        logEffectiveGap: derivative('logEffectiveGap'),
        logRhat: derivative('logRhat'),
      },
    }),
    sampling: {
      chains: options.chains,
      samples: options.samples,
      burnIn: options.burnIn,
      apart: options.apart,
      kernel: tempering === undefined ? sweepOf(model) : 'tempering',
      starts: START_KINDS,
      seed: options.seed,
      sweeps: sweeps * (tempering?.betas.length ?? 1),
      ...(tempering && { tempering }),
    },
    features: options.features ?? FEATURE_NAMES[FEATURE_NAMES.length - 1],
    notes: [...notes, ...gateNotes(gates)],
  };
}

const NO_SIGNAL = 'the signal is not told from zero';
const NO_BOUND = 'the bound on T is not positive';

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function plateauOf(Rhat: EstimatedRhat | null, atMost: number | null, resolved: boolean) {
  if (Rhat === null) return atMost !== null && atMost < 1 ? { below: true, certain: resolved } : null;
  const [low, high] = Rhat.interval;
  return { below: Rhat.value < 1, certain: resolved && (high < 1 || low >= 1) };
}

function reported({ value, standardError }: SampledDerivative): ReportedDerivative {
  return { value: [...value], standardError: standardError && [...standardError] };
}
