import { KERNELS, type KernelName, stepsPerSweep } from '../kernel/kernels.js';
import type { DataLaw } from '../model/data-law.js';
import type { Model } from '../model/model.js';
import { modelToJson } from '../model/model-file.js';
import { isTabulated } from '../model/state-space.js';
import { detailedBalanceDefect, MAX_DENSE_STATES, transitionMatrix } from '../spectrum/dense-kernel.js';
import { type CertificateReport, certificateReport } from './certificate-report.js';
import { type Claim, checkGates, claim, type Gates, gateNotes, type TableFacts } from './gates.js';
import { type GradientReport, gradientReport } from './gradient-report.js';
import type { Note } from './notes.js';
import {
  type Operational,
  operationalError,
  operationalReport,
  type PositivePhase,
  positivePhase,
} from './operational.js';
import { checkOptions } from './options.js';
import { limitingFactor, type ModePredictors, modePredictors, type Predictor, predict } from './predictors.js';
import { createRoute, type ProbeOptions } from './routes/create-route.js';
import { RESOLVED_GAP, resolvedSignal } from './routes/resolved.js';
import type { ProbeErrors, Relaxation, Route, RouteInfo, SlowEnd, Spectrum } from './routes/route.js';
import { MAX_SLOW_MODES } from './routes/slow-modes.js';
import { TableRoute } from './routes/table-route.js';
import { type SoftPredictor, softReport } from './soft-report.js';
import { type Start, startLaw, startState } from './start.js';
import { type GateThresholds, type References, runThresholds } from './thresholds.js';
import { logChi, startTerm, trackingInterval, windowShare } from './tracking-bound.js';

/** What `evaluate` is asked; `burnIn` and `window` in kernel steps. */
export interface EvaluateOptions {
  /** The chain that estimates the gradient. */
  readonly kernel: KernelName;
  /** `B`, kernel steps discarded, at least 0. */
  readonly burnIn: number;
  /** `K`, kernel steps averaged, at least 1. */
  readonly window: number;
  /** `M`, independent chains averaged, at least 1. */
  readonly chains: number;
  /** Law of the first state. */
  readonly start: Start;
  /** Share of the weight from which a group of modes is relevant, between 0 and 1. */
  readonly epsilon: number;
  /** Width of the slow cluster in gaps of the slowest relevant group, at least 1. */
  readonly kappa: number;
  /** Width `eta > 0` of the soft window (4.2), per kernel step; left out for none. */
  readonly soft?: number | undefined;
  /** Whether to add the gradients in theta. */
  readonly gradient: boolean;
  /** `T` from random probes on a large table, as {@link createRoute} takes them; left out for exact. */
  readonly probes?: ProbeOptions | undefined;
  /** Thresholds of the gates that differ from {@link DEFAULT_GATE_THRESHOLDS}. */
  readonly gateThresholds?: Partial<GateThresholds> | undefined;
  /** References of the limiting factor that differ from {@link DEFAULT_REFERENCES}. */
  readonly references?: Partial<References> | undefined;
}

/** The result of {@link evaluateModel}: the JSON object that `htdml evaluate --json` prints. What has no finite value is null, with a note. */
export interface ModelEvaluation {
  /** Version of this layout. */
  readonly schemaVersion: 1;
  /** The model as in its file. */
  readonly model: object;
  /** As asked. */
  readonly kernel: KernelName;
  /** Kernel steps that visit every spin. */
  readonly stepsPerSweep: number;
  /** `B` in kernel steps (2.4). */
  readonly burnIn: number;
  /** `K` in kernel steps (2.4). */
  readonly window: number;
  /** `M` (2.4). */
  readonly chains: number;
  /** As asked. */
  readonly start: Start;
  /** `|g|^2` (2.3); 0 where it is rounding. */
  readonly signal: number;
  /** `KL(data || model)` over the visible spins, in nats. */
  readonly kl: number;
  /** Whether `R < 1`. */
  readonly plateau: boolean | null;
  /** The exact `R` with its error (3.4). */
  readonly operational: Operational | null;
  /** What the positive phase would add to the error where it is sampled. */
  readonly positivePhase: PositivePhase;
  /** `R_hat` (3.2) over five sets of modes. */
  readonly predictors: {
    /** Over all modes; needs none of them. */
    readonly full: Predictor;
    /** Over the soft window of width `eta` at the edge of the slow cluster (4.2), where it was asked for. */
    readonly soft?: SoftPredictor | null;
  } & { readonly [name in keyof ModePredictors]: ModePredictors[name] | null };
  /** The proven interval of `R / R_hat_full` (D11). */
  readonly trackingBound: readonly [number, number] | null;
  /** Within which distance in theta the slow cluster provably stays the same set (4.1). */
  readonly certificate: CertificateReport | null;
  /** `1 - s_2` per kernel step, over all symmetry sectors. */
  readonly spectralGap: number | null;
  /** The observable of the longest integrated time. */
  readonly slowestObservable: {
    /** Index into theta. */
    readonly parameter: number;
    /** `2 T_a / Var f_a` (2.7) in kernel steps. */
    readonly integratedTime: number;
  } | null;
  /** The factor of (3.2) that would lift `R_hat` most if set to its reference alone. */
  readonly limitingFactor: 'gap' | 'signal' | 'budget' | null;
  /** The assumptions, each with its value. */
  readonly gates: Gates;
  /** What the gates were held against. */
  readonly gateThresholds: GateThresholds;
  /** References of the limiting factor. */
  readonly references: References;
  /** What the gates allow to claim. */
  readonly claim: Claim;
  /** How the solve of (3.3) went. */
  readonly numerics: Omit<RouteInfo, 'observables' | 'probes'> & {
    /** Standard errors where `T` comes from probes. */
    readonly probes?: Omit<ProbeErrors, 'gradient'> & {
      /** Of the gradient of `T`, in theta order; null where all probes are one group. */
      readonly gradient: readonly number[] | null;
    };
  };
  /** Gradients in theta order, where they were asked for. */
  readonly gradient?: GradientReport;
  /** Why something is null, by its path in this object. */
  readonly notes: readonly Note[];
}

/**
 * Everything that `htdml evaluate` reports of one model on one data law. Throws {@link InputError} for an option out of range or data of another size, and
 * {@link UnsupportedError} for a model beyond every route. Where the numerics did not converge, `numerics.converged` is false and what hangs on it null.
 */
export function evaluateModel(model: Model, data: DataLaw, options: EvaluateOptions): ModelEvaluation {
  checkOptions(options, ['burnIn', 'window', 'chains', 'epsilon', 'kappa']);
  if (options.soft !== undefined) checkOptions({ eta: options.soft }, ['eta'], { eta: 'soft' });
  startState(model, options.start);
  const { gateThresholds, references } = runThresholds(options.gateThresholds, options.references);
  const { kernel, window, burnIn, chains, start } = options;
  const thresholds = { epsilon: options.epsilon, kappa: options.kappa };
  const route = createRoute(model, data, { kernel, thresholds, probes: options.probes });
  const table = smallTable(route, model, data, options);
  const notes: Note[] = [];
  const noted = <T>(value: T | null, path: string, reason: string): T | null => {
    if (value === null) notes.push({ path, reason });
    return value;
  };
  const { theta } = model;

  const evaluation = route.evaluate(theta, ['timescale', 'variance', 'signal', 'kl']);
  const { timescale = 0, variance = 0, kl = 0 } = evaluation.value;
  const { observables, probes, ...numerics } = evaluation.info;
  const signal = resolvedSignal(evaluation.value.signal ?? 0, theta.length);
  const samples = chains * window;
  const full = predict(timescale, variance, signal, samples);
  const stuck = numerics.converged
    ? 'no observable fluctuates in double precision'
    : 'the chain is too slow in double precision';
  if (full.Rhat === null) notes.push({ path: 'predictors.full', reason: stuck });

  const probed = probes !== undefined;
  const relaxation = probed ? UNKNOWN : route.relaxation(theta);
  const resolved = isResolved(relaxation);
  const slow = resolvedSlowEnd(relaxation);
  const modes = resolved || slow !== null ? modePredictors(relaxation, thresholds, signal, samples) : null;
  const { measure } = relaxation;
  const unresolved = probed ? PROBED : (whyUnresolved(kernel, relaxation, resolved) ?? stuck);
  if (modes === null) {
    notes.push({ path: 'predictors', reason: relaxation.slow === undefined ? unresolved : NO_CLUSTER });
  } else {
    const lacking = modes.singleGap !== 'symmetry-zero' && modes.singleGap.Rhat === null;
    if (modes.relevant?.Rhat === null || modes.slowCluster.Rhat === null || lacking) {
      notes.push({ path: 'predictors', reason: stuck });
    }
    if (modes.relevant === null) notes.push({ path: 'predictors.relevant', reason: SLOW_END_ONLY });
  }

  const error = operationalError(
    model,
    data,
    kernel,
    { start, burnIn, window },
    relaxation,
    resolved,
    route,
    table,
    notes,
  );
  const operational = error && operationalReport(route, theta, model.edges.length, error, chains, signal, notes);
  const R = operational?.R ?? null;
  const sweep = stepsPerSweep(model, kernel);
  const slowest = relaxation.slowest !== null && relaxation.slowest.gap > RESOLVED_GAP ? relaxation.slowest.gap : null;
  const slowestTime = observables && slowestObservable(observables);
  const share =
    full.effectiveGap !== null && measure !== null && (resolved || relaxation.groups === null)
      ? windowShare(measure, timescale, window)
      : null;
  const gates = checkGates({
    spins: model.spins,
    stepsPerSweep: sweep,
    burnIn,
    window,
    stationary: start === 'stationary',
    thresholds,
    gateThresholds,
    exemption: kernel === 'alternating-block' && model.blocks.length === 2 ? 'two-block (5.6)' : undefined,
    variance,
    integratedTime: numerics.converged ? (slowestTime?.integratedTime ?? null) : null,
    delta1: share === null ? null : 1 - share,
    spectralGap: relaxation.slowest?.gap ?? null,
    groups: relaxation.groups,
    resolved,
    slow,
    nonnegative: KERNELS[kernel].reversible && KERNELS[kernel].differentiable,
    table: table && tableFacts(table, model, data, start),
    R,
    relevantRhat: modes?.relevant?.Rhat ?? null,
    reasons: { table: NO_TABLE, modes: unresolved, timescale: probed ? PROBED : stuck },
  });
  const soft =
    options.soft !== undefined && resolved && table !== null && relaxation.groups !== null
      ? softReport(model, data, kernel, relaxation.groups, thresholds, options.soft, signal, samples)
      : null;
  if (options.soft !== undefined && soft === null) {
    notes.push({ path: 'predictors.soft', reason: resolved ? NO_TABLE : unresolved });
  }
  const spectrum = resolved ? spectrumOf(relaxation) : null;
  const certificate = spectrum && certificateReport(model, kernel, spectrum, thresholds);
  if (certificate === null || 'reason' in certificate) {
    notes.push({ path: 'certificate', reason: certificate?.reason ?? unresolved });
  }
  const bound = trackingBound(table, model, data, options, resolved ? share : null, timescale, unresolved);
  if ('reason' in bound) notes.push({ path: 'trackingBound', reason: bound.reason });
  notes.push(...gateNotes(gates));
  return {
    schemaVersion: 1,
    model: modelToJson(model),
    kernel,
    stepsPerSweep: sweep,
    burnIn,
    window,
    chains,
    start,
    signal,
    kl,
    plateau: noted(R === null ? null : R < 1, 'plateau', 'R is not known'),
    operational,
    positivePhase: positivePhase(route.posteriorVariance(theta), chains, operational, notes),
    predictors: {
      full,
      relevant: modes?.relevant ?? null,
      slowCluster: modes?.slowCluster ?? null,
      singleRelevantGap: modes?.singleRelevantGap ?? null,
      singleGap: modes?.singleGap ?? null,
      ...(options.soft !== undefined && { soft: soft?.predictor ?? null }),
    },
    trackingBound: 'reason' in bound ? null : bound.interval,
    certificate: certificate === null || 'reason' in certificate ? null : certificate,
    spectralGap: noted(slowest, 'spectralGap', unresolved),
    slowestObservable: noted(slowestTime, 'slowestObservable', probed ? PROBED : stuck),
    limitingFactor: noted(limitingFactor(full, signal, window, sweep, references), 'limitingFactor', stuck),
    gates,
    gateThresholds,
    references,
    claim: claim(gates),
    numerics: {
      ...numerics,
      ...(probes && { probes: { ...probes, gradient: probes.gradient && [...probes.gradient] } }),
    },
    ...(options.gradient && {
      gradient: gradientReport(
        evaluation,
        route.differentiable,
        table ?? (modes === null ? null : largeTable(route, model, data, options)),
        soft,
        theta,
        samples,
        signal,
        modes !== null,
        notes,
      ),
    }),
    notes,
  };
}

/** The route on a table small enough for modes and propagation; null for larger models. */
function smallTable(route: Route, model: Model, data: DataLaw, { kernel, epsilon, kappa }: EvaluateOptions) {
  if (2 ** (model.biased ? model.spins : model.spins - 1) > MAX_DENSE_STATES) return null;
  return route instanceof TableRoute ? route : new TableRoute(model, data, kernel, { epsilon, kappa });
}

/** The route on a table of any size, for what the layers of an RBM do not give; null where there is none. */
function largeTable(route: Route, model: Model, data: DataLaw, { kernel, epsilon, kappa }: EvaluateOptions) {
  if (route instanceof TableRoute) return route;
  if (!isTabulated(model)) return null;
  return new TableRoute(model, data, kernel, { epsilon, kappa });
}

function isResolved({ groups }: Relaxation): boolean {
  return groups?.every((group) => group.gap > RESOLVED_GAP) ?? false;
}

/** The slow end where its gaps are above rounding. */
function resolvedSlowEnd({ slow }: Relaxation): SlowEnd | null {
  return slow?.groups.every(({ gap }) => gap > RESOLVED_GAP) ? slow : null;
}

function spectrumOf({ groups, measure }: Relaxation): Spectrum | null {
  return groups === null || measure === null ? null : { groups, levels: measure };
}

/** Why modes are not known; null where they are. */
function whyUnresolved(kernel: KernelName, { groups }: Relaxation, resolved: boolean): string | null {
  if (!KERNELS[kernel].reversible) return `${kernel} is not reversible and has no modes; use palindrome-block`;
  if (groups === null) return `all modes are known up to ${MAX_DENSE_STATES} states`;
  return resolved ? null : 'a gap is below what the eigensolver resolves';
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

const PROBED = 'random probes tell the sum over observables alone';
const UNKNOWN: Relaxation = { groups: null, slowest: null, measure: null };
const NO_CLUSTER = `beyond ${MAX_DENSE_STATES} states slow clusters of up to ${MAX_SLOW_MODES} modes are found`;
const SLOW_END_ONLY = 'beyond the slow modes that are known there is weight enough for others that are relevant';
const NO_TABLE = `it is computed from a table of at most ${MAX_DENSE_STATES} states`;

/** What the gates need of all states. */
function tableFacts(table: TableRoute, model: Model, data: DataLaw, start: Start): TableFacts {
  const { law, kernel } = table.at(model.theta);
  const { pi, space } = law;
  const top = pi[law.ground];
  return {
    detailedBalanceDefect: detailedBalanceDefect(transitionMatrix(kernel), pi),
    logChi: logChi(law, startLaw(model, data, law, start)),
    // A folded state stands for both, equally probable.
    flipDefect: space.folded
      ? 0
      : pi.reduce((defect, p, s) => Math.max(defect, Math.abs(p - pi[pi.length - 1 - s]) / top), 0),
  };
}

/** D11 for the estimator at hand, or why there is none; `share` is `1 - delta1` from resolved modes. */
function trackingBound(
  table: TableRoute | null,
  model: Model,
  data: DataLaw,
  { start, burnIn, window, chains }: EvaluateOptions,
  share: number | null,
  timescale: number,
  unresolved: string,
): { readonly interval: readonly [number, number] } | { readonly reason: string } {
  const stationary = start === 'stationary';
  if (table === null) return { reason: NO_TABLE };
  if (share === null) return { reason: unresolved };
  if (chains > 1 && !stationary) {
    return { reason: 'the bound is for one chain: the mean over chains divides the variance and keeps the bias' };
  }
  const { law } = table.at(model.theta);
  const delta2 = stationary
    ? 0
    : startTerm(law, table.modes(model.theta), startLaw(model, data, law, start), { burnIn, window }, timescale);
  if (delta2 === null) return { reason: 'the chain starts at states whose probability underflows' };
  const interval = trackingInterval(share, delta2);
  return interval === null ? { reason: 'delta1 + delta2 reaches 1, so there is no upper end' } : { interval };
}
