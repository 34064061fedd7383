import { UnsupportedError } from '../errors.js';
import { randomSource } from '../estimation/random.js';
import type { Objective } from '../trainability/routes/log-quantities.js';
import type { Route } from '../trainability/routes/route.js';
import { type Differentiable, minimizeInBox } from './lbfgs.js';
import type { EventPolicy, MembershipWatch, StepEvent } from './membership-watch.js';
import { clip, type Parametrization, satisfies } from './parametrization.js';
import { evaluateObjectives, type WeightedSum } from './weighted-sum.js';

/** The budget and the effort of {@link design}. */
export interface DesignSettings {
  /** Allowed rise of the divergence above the start's, in nats. */
  readonly budget: number;
  /** Runs: the first from the start itself, the others from shrunk and perturbed copies of it. */
  readonly restarts: number;
  /** Evaluations per run. */
  readonly steps: number;
  /** Of the perturbations at which restarts begin. */
  readonly seed: number;
  /** Sees the changes of the set of modes; left out where nothing depends on it. With `stop` the design ends before the first. */
  readonly watch?: MembershipWatch | undefined;
  /** What happens at a change that the watch sees: only `stop` ends the design. Left out, it goes on. */
  readonly onEvent?: EventPolicy | undefined;
}

/** Parameters with what they reach. */
export interface DesignPoint {
  /** The parameters. */
  readonly theta: readonly number[];
  /** What is maximised, at these parameters. */
  readonly objective: number;
  /** The divergence there, in nats. */
  readonly kl: number;
}

/** Everything that the rest of the run depends on; plain data, written at every outer iteration. */
export interface DesignState {
  /** The current run, from 0; equal to `restarts` when all are done. */
  readonly restart: number;
  /** Evaluations spent in this run. */
  readonly spent: number;
  /** Where the current outer iteration begins. */
  readonly theta: readonly number[];
  /** Lagrange multiplier of the constraint on the divergence, at least 0. */
  readonly multiplier: number;
  /** Weight of the squared excess in the augmented Lagrangian. */
  readonly penalty: number;
  /** By how much the last outer iteration missed the constraint, in nats. */
  readonly violation: number;
  /** The objective at the last outer iteration's solution. */
  readonly value: number;
  /** The point at which the design began. */
  readonly start: DesignPoint;
  /** The start where it satisfies the constraints, or the best feasible point so far; null where there is none. */
  readonly best: DesignPoint | null;
  /** Why the design ended before its last restart. */
  readonly stopped?: string;
}

/** One evaluation, counted through all runs as if each took all its steps; null where there was no finite value. */
export interface DesignRecord {
  /** Number of this evaluation, from 1. */
  readonly evaluation: number;
  /** The run that it belongs to, from 0. */
  readonly restart: number;
  /** What is maximised. */
  readonly objective: number | null;
  /** The divergence, in nats. */
  readonly kl: number | null;
  /** The objective at the best feasible point so far; null where there is none. */
  readonly best: number | null;
  /** Changes of the set of modes on the step that this evaluation completed; left out where none was seen. */
  readonly events?: readonly StepEvent[];
}

/** What {@link design} yields: an evaluation, and the state at the start of the outer iteration that it belongs to. */
export interface DesignStep {
  /** The evaluation. */
  readonly record: DesignRecord;
  /** From where a stopped run goes on. */
  readonly state: DesignState;
}

/** Evaluations of one inner minimisation before the multiplier is updated. */
const INNER = 60;
/** Newton steps that may draw a solution back onto the constraint. */
const DRAWS = 6;
/** Largest component of the Lagrangian's projected gradient at which an inner minimisation ends. */
const TOLERANCE = 1e-4;
/** A run is over when the divergence, in nats, and the objective change by less than this from one outer iteration to the next. */
const SETTLED = 1e-5;
/**
 * The `k`-th restart begins at `SHRINK^k` times the start plus noise of `NOISE` times its root mean square parameter. Small couplings mix fast and fit
 * badly, so such a run meets the constraint from the other side, past the local optima around a trained start.
 */
const SHRINK = 0.5;
const NOISE = 0.1;

/** The state before the first evaluation; null where the start has no finite objective. */
export function designStart(
  route: Route,
  objective: Objective,
  kl: Objective,
  settings: DesignSettings,
  parametrization: Parametrization,
  theta: ArrayLike<number>,
): DesignState | null {
  const at = evaluateObjectives(route, [objective, kl], Float64Array.from(theta));
  if (at === null) return null;
  const start = { theta: Array.from(theta), objective: at.values[0], kl: at.values[1] };
  const inside = satisfies(parametrization, theta);
  return { ...firstOuter(settings, 0, start.theta), start, best: inside ? start : null };
}

/**
 * Maximises an objective subject to `KL <= KL_start + budget` over the image of a parametrisation, by an augmented Lagrangian
 * (Rockafellar 1973) whose inner minimisations are limited-memory BFGS in its box.
 *
 * Every feasible point met is a candidate, and each inner solution is drawn back onto the constraint by Newton steps along the gradient of
 * the divergence, so the result is never worse than a feasible start. Yields a record per evaluation; `state` is that at the start of the
 * current outer iteration, from which a stopped run goes on to the same result. {@link UnsupportedError} where couplings are rounded.
 */
export function* design(
  route: Route,
  objective: Objective,
  kl: Objective,
  settings: DesignSettings,
  parametrization: Parametrization,
  from: DesignState,
): Generator<DesignStep, DesignState> {
  if (from.stopped !== undefined) return from;
  if (parametrization.rounded) {
    throw new UnsupportedError(
      'A design of rounded couplings',
      'its values are constant between their levels',
      'train',
    );
  }
  const limit = from.start.kl + settings.budget;
  const { lower, upper } = parametrization;
  let state = from;
  let best = from.best;
  let last: DesignPoint | null = from.start;
  const evaluated = new WeakMap<Float64Array, WeightedSum>();
  const inBox = (theta: ArrayLike<number>) => clip(parametrization.free(theta), parametrization);
  const { watch } = settings;
  const stops = settings.onEvent === 'stop';
  let seen: readonly StepEvent[] = [];
  let stopped = false;

  /** Evaluates a point and keeps it if it is the best feasible one. Where the design is to stop at an event, nothing beyond one is looked at. */
  const visit = (u: Float64Array) => {
    const theta = parametrization.theta(u);
    if (stops && watch !== undefined) {
      seen = watch.eventsTo(theta, true);
      stopped ||= seen.length > 0;
      if (stopped) {
        last = null;
        return null;
      }
    }
    const at = evaluateObjectives(route, [objective, kl], theta);
    last = at && { theta: [...theta], objective: at.values[0], kl: at.values[1] };
    if (at === null || last === null) return null;
    const inside = { ...at, gradient: (weights: readonly number[]) => parametrization.pullback(at.gradient(weights)) };
    evaluated.set(u, inside);
    if (last.kl <= limit && (best === null || last.objective > best.objective)) best = last;
    return inside;
  };
  const onStep = (u: Float64Array) => {
    if (watch === undefined) return false;
    seen = watch.move(parametrization.theta(u));
    return seen.length > 0;
  };
  const record = (spent: number) => {
    const events = seen;
    seen = [];
    return {
      record: {
        evaluation: state.restart * settings.steps + spent,
        restart: state.restart,
        objective: last?.objective ?? null,
        kl: last?.kl ?? null,
        best: best?.objective ?? null,
        ...(events.length > 0 && { events }),
      },
      state,
    };
  };

  while (state.restart < settings.restarts) {
    const { multiplier, penalty } = state;
    const lagrangian: Differentiable = (u) => {
      const at = visit(u);
      if (at === null) return null;
      const [value, divergence] = at.values;
      const force = Math.max(0, multiplier + penalty * (divergence - limit));
      return {
        value: -value + (force * force - multiplier * multiplier) / (2 * penalty),
        gradient: at.gradient([-1, force]),
      };
    };
    const start = inBox(state.theta);
    const left = settings.steps - state.spent;
    const maxEvaluations = Math.min(INNER, left - Math.min(DRAWS, Math.floor(left / 4)));
    watch?.start(parametrization.theta(start));
    const inner = minimizeInBox(lagrangian, start, { lower, upper, maxEvaluations, tolerance: TOLERANCE, onStep });
    const outer = state;
    let spent = state.spent;
    let result = inner.next();
    for (; !result.done; result = inner.next()) {
      yield record(++spent);
      if (stopped) return { ...state, best, stopped: `the set of modes changes at evaluation ${spent}` };
    }
    const { x, converged } = result.value;
    const at = evaluated.get(x) ?? null;
    const divergence = at?.values[1] ?? Number.POSITIVE_INFINITY;
    const draws = Math.min(DRAWS, settings.steps - spent);
    const draw: Visit = (u) => {
      const there = visit(u);
      if (there !== null) onStep(u);
      return there;
    };
    for (const _ of drawBack(x, at, draws, limit, parametrization, draw)) {
      yield record(++spent);
      if (stopped) return { ...state, best, stopped: `the set of modes changes at evaluation ${spent}` };
    }

    const violation = Math.abs(Math.max(divergence - limit, -multiplier / penalty));
    const value = at?.values[0] ?? Number.NEGATIVE_INFINITY;
    const settled = converged && violation < SETTLED && Math.abs(value - outer.value) < SETTLED;
    if (settled || spent >= settings.steps || at === null) {
      const restart = state.restart + 1;
      const begin = restartPoint(from.start.theta, settings.seed, restart);
      state = { ...state, ...firstOuter(settings, restart, begin), best };
    } else {
      const slow = violation > SETTLED && violation > 0.25 * outer.violation;
      state = {
        ...state,
        spent,
        theta: [...parametrization.theta(x)],
        multiplier: Math.max(0, multiplier + penalty * (divergence - limit)),
        penalty: slow ? 4 * penalty : penalty,
        violation,
        value,
        best,
      };
    }
  }
  return state;
}

type Visit = (u: Float64Array) => WeightedSum | null;

/** Newton steps along the gradient of the divergence until the point is feasible; yields once per evaluation. */
function* drawBack(
  from: Float64Array,
  evaluated: WeightedSum | null,
  draws: number,
  limit: number,
  box: Parametrization,
  visit: Visit,
): Generator<void> {
  let x = from;
  let at = evaluated;
  for (let draw = 0; draw < draws && at !== null && at.values[1] > limit; draw++) {
    const slope = at.gradient([0, 1]);
    const square = slope.reduce((sum, g) => sum + g * g, 0);
    if (square === 0) return;
    // A little beyond the limit, so that rounding does not leave it on the wrong side.
    const step = (at.values[1] - limit + 1e-9) / square;
    x = clip(
      x.map((value, k) => value - step * slope[k]),
      box,
    );
    at = visit(x);
    yield;
  }
}

function firstOuter(settings: DesignSettings, restart: number, theta: readonly number[]) {
  // The penalty at which overshooting by the whole budget costs a tenth: small against the gains sought, large enough to hold the first step.
  const penalty = 0.2 / Math.max(settings.budget, 1e-3) ** 2;
  return { restart, spent: 0, theta, multiplier: 0, penalty, violation: Number.MAX_VALUE, value: -Number.MAX_VALUE };
}

function restartPoint(theta: readonly number[], seed: number, restart: number): number[] {
  const source = randomSource(seed);
  let random = source;
  for (let k = 0; k < restart; k++) random = source.split();
  const noise = NOISE * Math.sqrt(theta.reduce((sum, value) => sum + value * value, 0) / theta.length);
  return theta.map((value) => SHRINK ** restart * value + noise * random.normal());
}
