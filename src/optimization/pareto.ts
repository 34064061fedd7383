import type { Objective } from '../trainability/routes/log-quantities.js';
import { logEffectiveGap } from '../trainability/routes/log-quantities.js';
import type { Route } from '../trainability/routes/route.js';
import { type DesignSettings, type DesignState, design, designStart } from './design.js';
import type { Parametrization } from './parametrization.js';
import { type TrainSettings, type TrainState, train, trainStart } from './train.js';

/** One way to trade divergence for mixing. */
export type ParetoArm =
  /** The points that plain training passes. */
  | { readonly kind: 'earlyStopping'; readonly name: string; readonly every: number }
  /** Trained again with a penalty, from the smallest weight to the largest. */
  | {
      readonly kind: 'penalty';
      readonly name: string;
      readonly objective: Objective;
      readonly weights: readonly number[];
    }
  /** Designed within a budget of divergence above the trained model, from the smallest to the largest. */
  | {
      readonly kind: 'design';
      readonly name: string;
      /** The objective, its signal held at the trained model's. */
      objective(signal: number): Objective;
      readonly budgets: readonly number[];
    };

/** What all arms share. */
export interface ParetoSettings {
  readonly arms: readonly ParetoArm[];
  /** Where training begins, once per seed. */
  readonly starts: readonly { readonly seed: number; readonly theta: ArrayLike<number> }[];
  readonly train: TrainSettings;
  /** Steps of every training with a penalty, which begins where the one before it ended. */
  readonly steps: number;
  readonly design: Omit<DesignSettings, 'budget' | 'seed'>;
  /** Of designs. */
  readonly parametrization: Parametrization;
}

/** A model that an arm reached. */
export interface ParetoPoint {
  readonly seed: number;
  readonly arm: string;
  /** The step of plain training, the penalty's weight, or the budget in nats. */
  readonly parameter: number;
  /** Nats. */
  readonly kl: number;
  /** Per kernel step. */
  readonly effectiveGap: number;
  readonly theta: readonly number[];
}

/** A model that an arm did not reach. */
export interface MissingPoint extends Pick<ParetoPoint, 'seed' | 'arm' | 'parameter'> {
  readonly reason: string;
}

/** Everything that the rest of the run depends on; plain data. */
export interface ParetoState {
  /** Stages done. */
  readonly stage: number;
  /** Where the current stage begins. */
  readonly theta: readonly number[];
  /** The seed's trained model; null while it is trained. */
  readonly trained: readonly number[] | null;
  /** Inside of the current stage; null at its start. */
  readonly inside: TrainState | DesignState | null;
  readonly points: readonly ParetoPoint[];
  readonly missing: readonly MissingPoint[];
}

/** One step inside of a stage. */
export interface ParetoRecord extends Pick<ParetoPoint, 'seed' | 'arm' | 'parameter'> {
  /** Step of a training or evaluation of a design, within the stage. */
  readonly step: number;
  readonly kl: number | null;
}

/** A training or a design. */
interface Stage {
  readonly seed: number;
  readonly theta: ArrayLike<number>;
  /** Null for plain training. */
  readonly arm: Exclude<ParetoArm, { kind: 'earlyStopping' }> | null;
  readonly parameter: number;
  /** Whether it begins at the trained model. */
  readonly first: boolean;
}

/** All stages in order: per seed the plain training, then the arms. */
function stagesOf({ starts, arms, train: { steps } }: ParetoSettings): Stage[] {
  return starts.flatMap(({ seed, theta }) => [
    { seed, theta, arm: null, parameter: steps, first: true },
    ...arms.flatMap((arm) => {
      if (arm.kind === 'earlyStopping') return [];
      const parameters = arm.kind === 'penalty' ? arm.weights : arm.budgets;
      const sorted = [...parameters].sort((a, b) => a - b);
      return sorted.map((parameter, k) => ({ seed, theta, arm, parameter, first: k === 0 }));
    }),
  ]);
}

/** Steps of all stages together, for progress: those of stage `k` begin at entry `k`. */
export function paretoSteps(settings: ParetoSettings): number[] {
  const sums = [0];
  for (const { arm } of stagesOf(settings)) {
    const { restarts, steps } = settings.design;
    const count = arm === null ? settings.train.steps : arm.kind === 'penalty' ? settings.steps : restarts * steps;
    sums.push(sums[sums.length - 1] + count);
  }
  return sums;
}

/** Before the first stage. */
export function paretoStart({ starts }: ParetoSettings): ParetoState {
  return { stage: 0, theta: Array.from(starts[0].theta), trained: null, inside: null, points: [], missing: [] };
}

/** What {@link pareto} yields: a step inside of a stage, with the state at which it was taken and the number of that stage. */
export interface ParetoStep {
  readonly record: ParetoRecord;
  readonly state: ParetoState;
}

/**
 * Divergence against effective gap (3.1), for several arms from several seeds. Each seed is trained plainly once; the other arms begin there and go on from point to point, from little to
 * much. Yields a record per step; a stopped run goes on from a state to the same result.
 */
export function* pareto(
  route: Route,
  kl: Objective,
  settings: ParetoSettings,
  from: ParetoState,
): Generator<ParetoStep, ParetoState> {
  const stages = stagesOf(settings);
  const stopping = settings.arms.find((arm) => arm.kind === 'earlyStopping');
  let state = from;
  while (state.stage < stages.length) {
    const stage = stages[state.stage];
    const { seed, arm, parameter } = stage;
    const label = { seed, arm: arm?.name ?? 'plain', parameter };
    let end: readonly number[] | null;
    let reached = { ...label, arm: arm?.name ?? stopping?.name ?? label.arm };
    if (arm?.kind === 'design') {
      end = yield* designed(stage, arm, label);
      if (end === null) {
        const missing = { ...label, reason: 'no finite objective, or no point within the budget and the constraints' };
        state = { ...state, missing: [...state.missing, missing] };
      }
    } else {
      const final: TrainState = yield* trained(arm, label);
      end = final.theta;
      if (arm === null) reached = { ...reached, parameter: final.step };
    }
    const point = end === null || (arm === null && stopping === undefined) ? null : pointAt(route, end);
    const points =
      point === null || end === null ? state.points : [...state.points, { ...reached, ...point, theta: end }];
    const next = stages[state.stage + 1];
    const base = arm === null ? end : state.trained;
    const theta = next === undefined || next.arm === null ? next?.theta : next.first ? base : (end ?? state.theta);
    state = {
      ...state,
      stage: state.stage + 1,
      theta: Array.from(theta ?? state.theta),
      trained: next?.arm === null ? null : base,
      inside: null,
      points,
    };
  }
  return state;

  /** The state at a step inside of a stage; the same object while the inner state is. */
  function within(inside: TrainState | DesignState): ParetoState {
    if (state.inside !== inside) state = { ...state, inside };
    return state;
  }

  function* trained(arm: Stage['arm'], label: Omit<ParetoRecord, 'step' | 'kl'>): Generator<ParetoStep, TrainState> {
    const plain = settings.train;
    const one =
      arm?.kind === 'penalty'
        ? {
            ...plain,
            steps: settings.steps,
            penalties: [...plain.penalties, { objective: arm.objective, weight: label.parameter }],
          }
        : plain;
    const start = (state.inside as TrainState | null) ?? trainStart(state.theta, one.parametrization);
    const run = train(route, kl, one, start);
    for (;;) {
      const next = run.next();
      if (next.done) return next.value;
      const { record, state: inside } = next.value;
      const at = within(inside);
      yield { record: { ...label, step: record.step, kl: record.kl }, state: at };
      if (arm === null && stopping?.kind === 'earlyStopping' && record.step % stopping.every === 0) {
        const point = pointAt(route, inside.theta);
        const passed = { ...label, arm: stopping.name, parameter: record.step };
        if (point !== null)
          state = { ...state, points: [...state.points, { ...passed, ...point, theta: inside.theta }] };
      }
    }
  }

  function* designed(
    { seed }: Stage,
    arm: Extract<ParetoArm, { kind: 'design' }>,
    label: Omit<ParetoRecord, 'step' | 'kl'>,
  ): Generator<ParetoStep, readonly number[] | null> {
    const base = Float64Array.from(state.trained ?? state.theta);
    const { kl: trainedKl = 0, signal = 0 } = route.evaluate(base, ['kl', 'signal']).value;
    const objective = arm.objective(signal);
    const whole = { ...settings.design, seed, budget: 0 };
    const { parametrization } = settings;
    const before = designStart(route, objective, kl, whole, parametrization, state.theta);
    if (before === null) return null;
    const one = { ...whole, budget: Math.max(0, trainedKl + label.parameter - before.start.kl) };
    const start =
      (state.inside as DesignState | null) ??
      designStart(route, objective, kl, one, parametrization, state.theta) ??
      before;
    const run = design(route, objective, kl, one, parametrization, start);
    for (;;) {
      const next = run.next();
      if (next.done) return next.value.best?.theta ?? null;
      const { record, state: inside } = next.value;
      yield { record: { ...label, step: record.evaluation, kl: record.kl }, state: within(inside) };
    }
  }
}

/** Divergence and effective gap; null where they have no finite value. */
function pointAt(route: Route, theta: readonly number[]): Pick<ParetoPoint, 'kl' | 'effectiveGap'> | null {
  const { value, info } = route.evaluate(Float64Array.from(theta), ['kl', 'timescale', 'variance']);
  const gap = info.converged ? logEffectiveGap(value) : null;
  return gap === null || value.kl === undefined ? null : { kl: value.kl, effectiveGap: Math.exp(gap.value) };
}

/** A point held against the others of its seed. */
export interface JudgedPoint extends ParetoPoint {
  /** Whether another point has no more divergence and no smaller gap, and is better in one of them. */
  readonly dominated: boolean;
  /** Its gap over the largest gap that another arm reaches at its divergence or less; null where no other arm does. */
  readonly gain: number | null;
}

/** Compares points within each seed, so that one seed's luck is not another's. */
export function judge(points: readonly ParetoPoint[]): JudgedPoint[] {
  return points.map((point) => {
    const { kl, effectiveGap } = point;
    const within = points.filter((other) => other.seed === point.seed && other.kl <= kl);
    const dominated = within.some(
      (other) => other.effectiveGap >= effectiveGap && (other.kl < kl || other.effectiveGap > effectiveGap),
    );
    const rivals = within.filter(({ arm }) => arm !== point.arm).map((other) => other.effectiveGap);
    return { ...point, dominated, gain: rivals.length === 0 ? null : effectiveGap / Math.max(...rivals) };
  });
}
