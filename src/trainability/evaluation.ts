import { type KernelName, kernelBlocks } from '../kernel/mixture-kernel.js';
import type { DataLaw } from '../model/data-law.js';
import type { Model } from '../model/model.js';
import { modelToJson } from '../model/model-file.js';
import { MAX_DENSE_STATES } from '../spectrum/dense-kernel.js';
import { createRoute } from './create-route.js';
import { type GradientReport, gradientReport } from './gradient-report.js';
import type { Note } from './notes.js';
import { type Operational, operationalError, operationalReport } from './operational.js';
import { checkOptions } from './options.js';
import { limitingFactor, type ModePredictors, modePredictors, type Predictor, predict } from './predictors.js';
import type { Relaxation, Route, RouteInfo } from './route.js';
import { type Start, startState } from './start.js';
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

/** Everything that `htdml evaluate` reports of one model on one data law. */
export function evaluateModel(model: Model, data: DataLaw, options: EvaluateOptions): ModelEvaluation {
  checkOptions(options, ['burnIn', 'window', 'chains', 'epsilon', 'kappa']);
  startState(model, options.start);
  const { kernel, window, burnIn, chains, start } = options;
  const thresholds = { epsilon: options.epsilon, kappa: options.kappa };
  const route = createRoute(model, data, { kernel, thresholds });
  const table = smallTable(route, model, data, options);
  const notes: Note[] = [];
  const noted = <T>(value: T | null, path: string, reason: string): T | null => {
    if (value === null) notes.push({ path, reason });
    return value;
  };
  const { theta } = model;

  const evaluation = route.evaluate(theta, ['timescale', 'variance', 'signal', 'kl']);
  const { timescale = 0, variance = 0, kl = 0 } = evaluation.value;
  const { observables, ...numerics } = evaluation.info;
  const signal = signalOf(evaluation.value.signal ?? 0, theta.length);
  const samples = chains * window;
  const full = predict(timescale, variance, signal, samples);
  const stuck = numerics.converged
    ? 'no observable fluctuates in double precision'
    : 'the chain is too slow in double precision';
  if (full.Rhat === null) notes.push({ path: 'predictors.full', reason: stuck });

  const relaxation = route.relaxation(theta);
  const resolved = isResolved(relaxation);
  const modes = resolved ? modePredictors(relaxation, thresholds, signal, samples) : null;
  const unresolved =
    relaxation.groups === null
      ? `modes are known up to ${MAX_DENSE_STATES} states`
      : resolved
        ? stuck
        : 'a gap is below what the eigensolver resolves';
  if (modes === null) notes.push({ path: 'predictors', reason: unresolved });
  else if (modes.relevant.Rhat === null || (modes.singleGap !== 'symmetry-zero' && modes.singleGap.Rhat === null)) {
    notes.push({ path: 'predictors', reason: stuck });
  }

  const error = operationalError(model, data, { start, burnIn, window }, relaxation, resolved, route, table, notes);
  const operational = error && operationalReport(route, theta, model.edges.length, error, chains, signal === 0, notes);
  const R = operational?.R ?? null;
  const stepsPerSweep = kernelBlocks(model, kernel).length;
  const slowest = relaxation.slowest !== null && relaxation.slowest.gap > RESOLVED_GAP ? relaxation.slowest.gap : null;
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
    start,
    signal,
    kl,
    plateau: noted(R === null ? null : R < 1, 'plateau', 'R is not known'),
    operational,
    predictors: {
      full,
      relevant: modes?.relevant ?? null,
      slowCluster: modes?.slowCluster ?? null,
      singleRelevantGap: modes?.singleRelevantGap ?? null,
      singleGap: modes?.singleGap ?? null,
    },
    trackingBound: null,
    spectralGap: noted(slowest, 'spectralGap', unresolved),
    slowestObservable: noted(observables && slowestObservable(observables), 'slowestObservable', stuck),
    limitingFactor: noted(limitingFactor(full, signal, window, stepsPerSweep), 'limitingFactor', stuck),
    gates: {},
    claim: { conditional: 'unchecked', operational: tracking(R, modes?.relevant.Rhat ?? null) },
    numerics,
    ...(options.gradient && { gradient: gradientReport(route, table, theta, samples, signal, resolved, notes) }),
    notes,
  };
}

/** The route on a table small enough for modes and propagation; null for larger models. */
function smallTable(route: Route, model: Model, data: DataLaw, { kernel, epsilon, kappa }: EvaluateOptions) {
  if (2 ** (model.biased ? model.spins : model.spins - 1) > MAX_DENSE_STATES) return null;
  return route instanceof TableRoute ? route : new TableRoute(model, data, kernel, { epsilon, kappa });
}

/** Every component of `g` is a difference of means known to a few eps: a signal of that size is zero (the model is its own teacher). */
function signalOf(squared: number, parameters: number): number {
  return squared <= parameters * (64 * Number.EPSILON) ** 2 ? 0 : squared;
}

/** Eigensolvers know a gap to a few eps; from here on it has at least six digits. */
const RESOLVED_GAP = 1e6 * Number.EPSILON;

function isResolved({ groups }: Relaxation): boolean {
  return groups?.every((group) => group.gap > RESOLVED_GAP) ?? false;
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
