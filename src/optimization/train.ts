import { ConvergenceError, UnsupportedError } from '../errors.js';
import type { Objective } from '../trainability/routes/log-quantities.js';
import type { Route } from '../trainability/routes/route.js';
import { type AdamMemory, adamStart, adamStep } from './adam.js';
import { type CurvaturePair, type Evaluated, minimizeOnce } from './lbfgs.js';
import type { EventPolicy, MembershipWatch, StepEvent } from './membership-watch.js';
import { clip, type Parametrization } from './parametrization.js';
import { evaluateObjectives, type Term } from './weighted-sum.js';

/** All optimisers of {@link train}. */
export const OPTIMIZERS = ['adam', 'lbfgs'] as const;
/** Adam with a fixed learning rate, or limited-memory BFGS with a line search, which never raises the loss. */
export type Optimizer = (typeof OPTIMIZERS)[number];

/** The state of a rule that sets a weight; plain data. */
export interface WeightControl {
  /** The weight that it has come to. */
  readonly weight: number;
}

/** A penalty whose weight follows a rule. */
export interface ControlledTerm {
  /** The objective. */
  readonly objective: Objective;
  /** Steps from one look to the next; the first is before the first step. */
  readonly every: number;
  /** The state before the first look. */
  readonly start: WeightControl;
  /** The state after a look at the parameters. */
  next(control: WeightControl, theta: Float64Array): WeightControl;
}

/** The loss and the steps of {@link train}. */
export interface TrainSettings {
  /** Steps in all. */
  readonly steps: number;
  /** Adam by default. A step of L-BFGS is a line search, of one or two evaluations as a rule. */
  readonly optimizer?: Optimizer | undefined;
  /** Adam's step size. */
  readonly learningRate: number;
  /** Objectives that count beside the likelihood: to the loss, `weight * objective` is added where less of it is better, and subtracted elsewhere. */
  readonly penalties: readonly (Term | ControlledTerm)[];
  /** What of theta moves, and how far; all of it by default. */
  readonly parametrization?: Parametrization | undefined;
  /** Sees the changes of the set of modes; left out where nothing depends on it. With `stop` the run ends before the first. */
  readonly watch?: MembershipWatch | undefined;
  /** What happens at a change that the watch sees: only `stop` ends the run. Left out, it goes on. */
  readonly onEvent?: EventPolicy | undefined;
}

/** Everything that the next step depends on; plain data, so that a run can be stopped and resumed exactly. */
export interface TrainState {
  /** Steps taken. */
  readonly step: number;
  /** The parameters after them, as the model has them. */
  readonly theta: readonly number[];
  /** What the optimiser moves: the `u` of the parametrisation, of which `theta` is the image. */
  readonly free: readonly number[];
  /** What Adam keeps; null before the first step and with another optimiser. */
  readonly adam: AdamMemory | null;
  /** What L-BFGS keeps. */
  readonly pairs: readonly CurvaturePair[];
  /** The states of controlled weights, in the order of their terms. */
  readonly controls: readonly WeightControl[];
  /** Why the run ended before its last step, at the last point where everything was finite. */
  readonly stopped?: string;
  /** Whether it ended where it should: at a change of the set of modes that was to stop it, or where L-BFGS finds nothing lower. */
  readonly settled?: boolean;
}

/** What training passes at every step. */
export interface TrainRecord {
  /** Steps taken before this point was evaluated. */
  readonly step: number;
  /** `KL(data || model)` in nats (2.3). */
  readonly kl: number;
  /** What is minimised: `KL +- sum_k weight_k objective_k`. */
  readonly loss: number;
  /** Length of the loss's gradient in `u`. */
  readonly gradientNorm: number;
  /** Values of the penalties' objectives. */
  readonly penalties: readonly number[];
  /** Their weights; left out where none is controlled. */
  readonly weights?: readonly number[];
  /** Changes of the set of modes on the step taken from here; left out where none was seen. */
  readonly events?: readonly StepEvent[];
}

/** What {@link train} yields: a step, and the state at which it was evaluated. */
export interface TrainStep {
  /** What the step passed. */
  readonly record: TrainRecord;
  /** From where a stopped run goes on. */
  readonly state: TrainState;
}

/** Largest component of the loss's projected gradient at which L-BFGS has converged: the divergence is within its square over the curvature of the optimum. */
const TOLERANCE = 1e-6;
/**
 * A loss that jumps where the set of modes changes may be lowest at a jump, where no gradient vanishes and the watch can certify ever less of a step: L-BFGS ends where a step
 * lowers it by a smaller share of `1 + |loss|` than this.
 */
const JUMPY = 1e-8;
/** Evaluations of one line search, which shrinks its step to 1e-12 of the first in at most this many, twice. */
const LINE_SEARCH = 100;

/** The state before the first step: the given parameters, in theta order, made to satisfy the constraints where there are any. */
export function trainStart(theta: ArrayLike<number>, parametrization?: Parametrization): TrainState {
  const free =
    parametrization === undefined ? Float64Array.from(theta) : clip(parametrization.free(theta), parametrization);
  const image = parametrization?.theta(free) ?? free;
  return { step: 0, theta: [...image], free: [...free], adam: null, pairs: [], controls: [] };
}

/**
 * Exact-gradient maximum likelihood with penalties: minimises `KL + sum_k weight_k objective_k` over what is to be lowered, with a minus over what is to be raised.
 * Steps that leave the box of the parametrisation are projected onto it.
 *
 * Yields one record per step with the state at which it was evaluated. Where an objective loses its finite value, the run ends at the last point that had one.
 * Throws {@link ConvergenceError} where the start has none, and {@link UnsupportedError} for L-BFGS where the loss is rounded or its weights are controlled.
 */
export function* train(
  route: Route,
  kl: Objective,
  settings: TrainSettings,
  start: TrainState,
): Generator<TrainStep, TrainState> {
  if (start.stopped !== undefined || start.settled) return start;
  const { optimizer = 'adam', penalties, parametrization } = settings;
  if (optimizer === 'lbfgs') checkSmooth(settings);
  const controlled = penalties.filter((term) => 'next' in term);
  const box = parametrization ?? everywhere(start.free.length);
  const thetaOf = (u: Float64Array) => parametrization?.theta(u) ?? u;
  let state: TrainState = { ...start, controls: controlled.map((term, k) => start.controls[k] ?? term.start) };
  let finite: TrainState | null = null;
  const losses = new WeakMap<Float64Array, Loss>();
  const lossAt = (u: Float64Array): Loss | null => {
    const known = losses.get(u);
    if (known !== undefined) return known;
    const inTheta = evaluateLoss(route, kl, settings, weightsOf(penalties, state.controls), thetaOf(u));
    if (inTheta === null) return null;
    const loss = { ...inTheta, gradient: parametrization?.pullback(inTheta.gradient) ?? inTheta.gradient };
    losses.set(u, loss);
    return loss;
  };
  let u: Float64Array = Float64Array.from(state.free);
  while (state.step < settings.steps) {
    const { step } = state;
    const before = state;
    if (controlled.some(({ every }) => step % every === 0)) {
      const controls = controlled.map((term, k) =>
        step % term.every === 0 ? term.next(state.controls[k], Float64Array.from(state.theta)) : state.controls[k],
      );
      state = { ...state, controls };
    }
    const at = lossAt(u);
    if (at === null) {
      if (finite === null)
        throw new ConvergenceError('The start of training', 'an objective has no finite value there');
      return { ...finite, stopped: `an objective has no finite value at step ${step}` };
    }
    finite = before;
    let next: { readonly x: Float64Array; readonly status?: string } & Partial<TrainState>;
    if (optimizer === 'adam') {
      const moved = adamStep(state.adam ?? adamStart(u.length), u, at.gradient, settings.learningRate);
      next = { x: clip(moved.x, box), adam: moved.memory };
    } else {
      next = searched(lossAt, u, at, state.pairs, box);
      const fall = at.value - (lossAt(next.x)?.value ?? at.value);
      if (settings.watch !== undefined && next.status === 'moved' && fall < JUMPY * (1 + Math.abs(at.value))) {
        next = { ...next, status: 'jumpy' };
      }
    }
    const { x, status = 'moved', ...memory } = next;
    const theta = thetaOf(x);
    const events = status === 'moved' ? watchStep(settings, Float64Array.from(state.theta), theta) : [];
    const record = {
      step,
      kl: at.kl,
      loss: at.value,
      gradientNorm: Math.sqrt(at.gradient.reduce((sum, g) => sum + g * g, 0)),
      penalties: at.penalties,
      ...(controlled.length > 0 && { weights: weightsOf(penalties, state.controls) }),
      ...(events.length > 0 && { events }),
    };
    yield { record, state: before };
    if (events.length > 0 && settings.onEvent === 'stop') {
      return { ...before, stopped: `the set of modes changes on the step from ${step}`, settled: true };
    }
    if (status !== 'moved') return { ...before, stopped: SETTLED[status], settled: true };
    // Where the set of modes has changed so has the function, and what was learned of its curvature is of no use.
    const forget = optimizer === 'lbfgs' && events.length > 0;
    state = { ...state, ...memory, ...(forget && { pairs: [] }), step: step + 1, theta: [...theta], free: [...x] };
    u = x;
  }
  return state;
}

const SETTLED: Readonly<Record<string, string>> = {
  converged: `every component of the loss's gradient is below ${TOLERANCE}`,
  stalled: 'no step along the gradient lowers the loss',
  jumpy: `the loss falls by less than ${JUMPY} a step, as it does beside a jump`,
  spent: 'no step along the gradient lowers the loss',
};

interface Loss extends Evaluated {
  readonly kl: number;
  readonly penalties: readonly number[];
}

/** The loss and its gradient in theta; null where something has no finite value. */
function evaluateLoss(
  route: Route,
  kl: Objective,
  { penalties }: TrainSettings,
  weights: readonly number[],
  theta: Float64Array,
): Loss | null {
  if (!isSound(theta)) return null;
  const objectives = [kl, ...penalties.map((term) => term.objective)];
  const signed = [1, ...penalties.map(({ objective }, k) => (objective.goal === 'lower' ? weights[k] : -weights[k]))];
  const at = evaluateObjectives(route, objectives, theta);
  if (at === null) return null;
  const [divergence, ...rest] = at.values;
  const value = at.values.reduce((sum, one, k) => sum + signed[k] * one, 0);
  return { value, gradient: at.gradient(signed), kl: divergence, penalties: rest };
}

function weightsOf(penalties: TrainSettings['penalties'], controls: readonly WeightControl[]): number[] {
  let k = 0;
  return penalties.map((term) => ('next' in term ? (controls[k++]?.weight ?? term.start.weight) : term.weight));
}

/** Where one line search of L-BFGS ends. */
function searched(
  f: (u: Float64Array) => Evaluated | null,
  u: Float64Array,
  at: Evaluated,
  pairs: readonly CurvaturePair[],
  box: Pick<Parametrization, 'lower' | 'upper'>,
) {
  const options = { lower: box.lower, upper: box.upper, maxEvaluations: LINE_SEARCH, tolerance: TOLERANCE };
  const search = minimizeOnce(f, u, at, pairs, options);
  let result = search.next();
  while (!result.done) result = search.next();
  const { x, pairs: known, status } = result.value;
  return { x, pairs: known, status };
}

/** Parameters whose energies, times beta where it is given, would overflow make no model. */
export function isSound(theta: Float64Array, beta = 1): boolean {
  return Number.isFinite(2 * (beta * theta.reduce((sum, value) => sum + Math.abs(value), 0)));
}

function everywhere(size: number): Pick<Parametrization, 'lower' | 'upper'> {
  const upper = new Float64Array(size).fill(Number.POSITIVE_INFINITY);
  return { lower: upper.map((x) => -x), upper };
}

function checkSmooth({ parametrization, penalties }: TrainSettings): void {
  const [what, reason] = parametrization?.rounded
    ? ['L-BFGS on rounded couplings', 'the loss is constant between their levels']
    : ['L-BFGS with a controlled weight', 'the loss changes on the way'];
  if (parametrization?.rounded || penalties.some((term) => 'next' in term)) {
    throw new UnsupportedError(what, reason, 'use adam');
  }
}

/** What the watch sees from one point to the next, where both make a model. */
function watchStep({ watch }: TrainSettings, from: Float64Array, to: Float64Array): readonly StepEvent[] {
  if (watch === undefined || !isSound(to)) return [];
  watch.start(from);
  return watch.move(to);
}
