import { InputError } from '../errors.js';
import { type KernelName, kernelBlocks } from '../kernel/mixture-kernel.js';
import type { DataLaw } from '../model/data-law.js';
import type { Model } from '../model/model.js';
import { modelToJson } from '../model/model-file.js';
import { MAX_DENSE_STATES } from '../spectrum/dense-kernel.js';
import { createRoute } from './create-route.js';
import { type GradientError, overChains, propagatedError, stationaryError } from './exact-snr.js';
import { logEffectiveGap, logRhat } from './log-quantities.js';
import { DEFAULT_THRESHOLDS } from './mode-sets.js';
import { limitingFactor, type ModePredictors, modePredictors, type Predictor, predict } from './predictors.js';
import type { Relaxation, Route, RouteInfo } from './route.js';
import { type Start, startLaw } from './start.js';
import { TableRoute } from './table-route.js';

/** What `evaluate` is asked; `burnIn` and `window` in kernel steps. */
export interface EvaluateOptions {
  readonly kernel: KernelName;
  readonly burnIn: number;
  readonly window: number;
  readonly chains: number;
  readonly start: Start;
  readonly epsilon: number;
  readonly kappa: number;
  readonly gradient: boolean;
}

export interface Note {
  readonly path: string;
  readonly reason: string;
}

/** The result of {@link evaluateModel}: the JSON object of DESIGN section 9. What has no finite value is null, with a note. */
export interface ModelEvaluation {
  readonly schemaVersion: 1;
  readonly model: object;
  readonly kernel: KernelName;
  readonly stepsPerSweep: number;
  readonly burnIn: number;
  readonly window: number;
  readonly chains: number;
  readonly start: Start;
  readonly signal: number;
  readonly kl: number;
  readonly plateau: boolean | null;
  readonly operational: Operational | null;
  readonly predictors: { readonly full: Predictor } & {
    readonly [name in keyof ModePredictors]: ModePredictors[name] | null;
  };
  readonly trackingBound: null;
  readonly spectralGap: number | null;
  readonly slowestObservable: { readonly parameter: number; readonly integratedTime: number } | null;
  readonly limitingFactor: 'gap' | 'signal' | 'budget' | null;
  readonly gates: Readonly<Record<string, never>>;
  readonly claim: { readonly conditional: 'unchecked'; readonly operational: 'tracked' | 'violated' | 'untested' };
  readonly numerics: Omit<RouteInfo, 'observables'>;
  readonly gradient?: GradientReport;
  readonly notes: readonly Note[];
}

export interface Operational {
  readonly R: number | null;
  readonly mse: number;
  readonly biasSquared: number;
  readonly groups: Readonly<Record<string, { readonly R: number | null; readonly signal: number }>>;
}

/** Gradients in theta order. */
export interface GradientReport {
  readonly logRhatFull: readonly number[] | null;
  readonly logRhatSlowCluster: readonly number[] | null;
  readonly logEffectiveGap: readonly number[] | null;
  readonly kl: readonly number[];
}

/** Everything that `htdml evaluate` reports of one model on one data law. */
export function evaluateModel(model: Model, data: DataLaw, options: EvaluateOptions): ModelEvaluation {
  const { kernel, window, burnIn, chains } = options;
  const thresholds = { epsilon: options.epsilon, kappa: options.kappa };
  const route = createRoute(model, data, { kernel, thresholds });
  const bits = model.biased ? model.spins : model.spins - 1;
  const table = 2 ** bits <= MAX_DENSE_STATES ? new TableRoute(model, data, kernel, thresholds) : null;
  const notes: Note[] = [];
  const { theta } = model;

  const evaluation = route.evaluate(theta, ['timescale', 'variance', 'signal', 'kl']);
  const { timescale = 0, variance = 0, signal = 0, kl = 0 } = evaluation.value;
  const { observables, ...numerics } = evaluation.info;
  const samples = chains * window;
  const full = predict(timescale, variance, signal, samples);
  if (variance === 0) notes.push({ path: 'predictors', reason: 'no observable fluctuates in double precision' });
  else if (!numerics.converged) {
    notes.push({
      path: 'predictors.full',
      reason: 'the equations for T were not solved: the chain is too slow in double precision',
    });
  }

  const relaxation = route.relaxation(theta);
  const resolved = isResolved(relaxation, full);
  const modes = resolved ? modePredictors(relaxation, thresholds, signal, samples) : null;
  if (relaxation.groups === null) {
    notes.push({
      path: 'predictors',
      reason: `predictors other than full need modes, known up to ${MAX_DENSE_STATES} states`,
    });
  } else if (!resolved) {
    notes.push({ path: 'predictors', reason: 'the slowest gap is below the resolution of the eigensolver' });
  }

  const error = operationalError(model, data, options, relaxation, route, table, notes);
  const operational = error && operationalReport(route, theta, model.edges.length, error, chains, notes);
  const R = operational?.R ?? null;
  const stepsPerSweep = kernelBlocks(model, kernel).length;
  const { slowest } = relaxation;
  notes.push({ path: 'trackingBound', reason: 'not computed by this version' });
  notes.push({ path: 'gates', reason: 'not checked by this version, so the conditional claim is unchecked' });
  return {
    schemaVersion: 1,
    model: modelToJson(model),
    kernel,
    stepsPerSweep,
    burnIn,
    window,
    chains,
    start: options.start,
    signal,
    kl,
    plateau: R === null ? null : R < 1,
    operational,
    predictors: {
      full,
      relevant: modes?.relevant ?? null,
      slowCluster: modes?.slowCluster ?? null,
      singleRelevantGap: modes?.singleRelevantGap ?? null,
      singleGap: modes?.singleGap ?? null,
    },
    trackingBound: null,
    spectralGap: resolved ? (slowest?.gap ?? null) : null,
    slowestObservable: observables && slowestObservable(observables),
    limitingFactor: limitingFactor(full, signal, window, stepsPerSweep),
    gates: {},
    claim: { conditional: 'unchecked', operational: tracking(R, modes?.relevant.Rhat ?? null) },
    numerics,
    ...(options.gradient && { gradient: gradientReport(route, table, theta, samples, resolved, notes) }),
    notes,
  };
}

/** Eigensolvers resolve gaps to a few eps; below that a number would be rounding. */
function isResolved({ groups, slowest }: Relaxation, full: Predictor): boolean {
  if (groups === null || slowest === null || full.effectiveGap === null) return false;
  const floor = 64 * Number.EPSILON;
  return groups.every((group) => group.gap > floor) && slowest.gap > floor;
}

/** The exact error of one chain, or null with a note. */
function operationalError(
  model: Model,
  data: DataLaw,
  options: EvaluateOptions,
  relaxation: Relaxation,
  route: Route,
  table: TableRoute | null,
  notes: Note[],
): GradientError | null {
  const { start, window, burnIn } = options;
  if (start === 'stationary') return stationaryError(relaxation.measure, window);
  if (table === null) {
    notes.push({
      path: 'operational',
      reason: `R from start ${start} is computed up to ${MAX_DENSE_STATES} states on the ${route.name} route; use --start stationary`,
    });
    return null;
  }
  const law = table.law(model.theta);
  const mu = startLaw(model, data, law, start);
  return propagatedError(law, table.kernel(law), model.edges.length, mu, burnIn, window);
}

function operationalReport(
  route: Route,
  theta: Float64Array,
  couplings: number,
  error: GradientError,
  chains: number,
  notes: Note[],
): Operational {
  const { data, model } = route.moments(theta);
  const signals = { couplings: 0, biases: 0 };
  data.forEach((value, a) => {
    signals[a < couplings ? 'couplings' : 'biases'] += (value - model[a]) ** 2;
  });
  const parts = { couplings: overChains(error.couplings, chains), biases: overChains(error.biases, chains) };
  const ratio = (path: string, numerator: number, mse: number) => {
    if (mse > 0) return numerator / mse;
    notes.push({ path, reason: 'the error is zero in double precision' });
    return null;
  };
  const names = (['couplings', 'biases'] as const).filter((name) =>
    name === 'couplings' ? couplings > 0 : theta.length > couplings,
  );
  const mse = parts.couplings.mse + parts.biases.mse;
  return {
    R: ratio('operational.R', signals.couplings + signals.biases, mse),
    mse,
    biasSquared: parts.couplings.biasSquared + parts.biases.biasSquared,
    groups: Object.fromEntries(
      names.map((name) => [
        name,
        { R: ratio(`operational.groups.${name}.R`, signals[name], parts[name].mse), signal: signals[name] },
      ]),
    ),
  };
}

function slowestObservable({ timescale, variance }: { timescale: Float64Array; variance: Float64Array }) {
  let parameter = -1;
  let integratedTime = 0;
  timescale.forEach((t, a) => {
    const time = (2 * t) / variance[a];
    if (Number.isFinite(time) && time > integratedTime) {
      integratedTime = time;
      parameter = a;
    }
  });
  return parameter < 0 ? null : { parameter, integratedTime };
}

/** F4: whether `R_hat` of the relevant modes is within a factor of two of `R`. */
function tracking(R: number | null, predicted: number | null): 'tracked' | 'violated' | 'untested' {
  if (R === null || predicted === null || R === 0 || predicted === 0) return 'untested';
  return Math.abs(Math.log(R / predicted)) <= Math.LN2 ? 'tracked' : 'violated';
}

function gradientReport(
  route: Route,
  table: TableRoute | null,
  theta: Float64Array,
  samples: number,
  resolved: boolean,
  notes: Note[],
): GradientReport {
  const at = route.evaluate(theta, ['timescale', 'variance', 'signal', 'kl']);
  const gap = at.info.converged ? logEffectiveGap(at.value) : null;
  const rhat = at.info.converged ? logRhat(at.value, samples) : null;
  const cluster = rhat !== null && resolved ? table?.evaluate(theta, ['signal', 'slowClusterTimescale']) : undefined;
  const { signal, slowClusterTimescale } = cluster?.value ?? {};
  const clusterRhat = cluster && logRhat({ signal, timescale: slowClusterTimescale }, samples);
  if (!gap) notes.push({ path: 'gradient.logEffectiveGap', reason: 'the effective gap has no finite value' });
  if (!rhat) notes.push({ path: 'gradient.logRhatFull', reason: 'R_hat is zero or has no finite value' });
  if (!clusterRhat) {
    const reason = rhat ? `modes are known up to ${MAX_DENSE_STATES} states` : 'R_hat is zero or has no finite value';
    notes.push({ path: 'gradient.logRhatSlowCluster', reason });
  }
  return {
    logRhatFull: rhat && [...at.pullback(rhat.bar)],
    logRhatSlowCluster:
      cluster && clusterRhat
        ? [...cluster.pullback({ signal: clusterRhat.bar.signal, slowClusterTimescale: clusterRhat.bar.timescale })]
        : null,
    logEffectiveGap: gap && [...at.pullback(gap.bar)],
    kl: [...at.pullback({ kl: 1 })],
  };
}

/** Checks the numbers that a caller may get wrong. */
export function checkEvaluateOptions(options: EvaluateOptions): EvaluateOptions {
  const require = (field: string, ok: boolean, expected: string, got: unknown) => {
    if (!ok) throw new InputError({ field, expected, got: String(got), remedy: 'give another value' });
  };
  const { burnIn, window, chains, epsilon, kappa } = options;
  require('burnIn', Number.isInteger(burnIn) && burnIn >= 0, 'a whole number of kernel steps, 0 or more', burnIn);
  require('window', Number.isInteger(window) && window >= 1, 'a whole number of kernel steps, 1 or more', window);
  require('chains', Number.isInteger(chains) && chains >= 1, 'a whole number, 1 or more', chains);
  require('epsilon', epsilon > 0 && epsilon < 1, 'a number between 0 and 1', epsilon);
  require('kappa', kappa >= 1 && Number.isFinite(kappa), 'a finite number, 1 or more', kappa);
  return options;
}

export const DEFAULT_EVALUATION = { chains: 1, start: 'uniform', ...DEFAULT_THRESHOLDS } as const;
