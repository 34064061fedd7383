import type { Objective } from '../trainability/routes/log-quantities.js';
import type { Route } from '../trainability/routes/route.js';
import { type AdamMemory, adamStart, adamStep } from './adam.js';
import { clip, type Parametrization } from './parametrization.js';
import { evaluateObjectives } from './weighted-sum.js';

/** The budget and the effort of {@link designSampled}. */
export interface SampledDesignSettings {
  /** Allowed rise of the divergence above the start's, in nats. */
  readonly budget: number;
  /** Steps in all. */
  readonly steps: number;
  /** Adam's step size. */
  readonly learningRate: number;
}

/** Everything that the rest of the run depends on; plain data. */
export interface SampledDesignState {
  /** Steps taken. */
  readonly step: number;
  /** The parameters after them. */
  readonly theta: readonly number[];
  /** What Adam moves, of which `theta` is the image. */
  readonly free: readonly number[];
  /** What Adam keeps; null before the first step. */
  readonly adam: AdamMemory | null;
  /** Lagrange multiplier of the constraint on the divergence, at least 0. */
  readonly multiplier: number;
  /** Mean of the free parameters over the last third of the run so far. */
  readonly average: readonly number[];
  /** How many steps it is over. */
  readonly averaged: number;
  /** Why the run ended before its last step. */
  readonly stopped?: string;
}

/** What a step passes: both values as they were estimated there. */
export interface SampledDesignRecord {
  /** Steps taken before this point was evaluated. */
  readonly step: number;
  /** What is maximised. */
  readonly objective: number;
  /** The divergence above the start's, in nats. */
  readonly kl: number;
  /** Lagrange multiplier of the constraint. */
  readonly multiplier: number;
}

/** What {@link designSampled} yields: a step, and the state at which it was evaluated. */
export interface SampledDesignStep {
  /** What the step passed. */
  readonly record: SampledDesignRecord;
  /** From where a stopped run goes on. */
  readonly state: SampledDesignState;
}

/** The state before the first step, at parameters that satisfy the constraints or are made to. */
export function sampledDesignStart(parametrization: Parametrization, theta: ArrayLike<number>): SampledDesignState {
  const free = clip(parametrization.free(theta), parametrization);
  return {
    step: 0,
    theta: [...parametrization.theta(free)],
    free: [...free],
    adam: null,
    multiplier: 0,
    average: [...free],
    averaged: 0,
  };
}

/**
 * Maximises an objective subject to `kl <= budget` on a route whose values are noisy and whose `kl` counts from the start: Adam on the augmented Lagrangian (Rockafellar 1973), the multiplier following the
 * constraint. Line searches, which noise misleads, are not used. The design is the average of the parameters over the last third, at which noise averages out; whether it keeps the budget is for an
 * independent estimate to say. Where a value is lost the run ends at the last point that had one.
 */
export function* designSampled(
  route: Route,
  objective: Objective,
  kl: Objective,
  settings: SampledDesignSettings,
  parametrization: Parametrization,
  from: SampledDesignState,
): Generator<SampledDesignStep, SampledDesignState> {
  const { budget, steps, learningRate } = settings;
  // Overshooting by the whole budget costs a tenth.
  const penalty = 0.2 / Math.max(budget, 1e-3) ** 2;
  let state = from;
  while (state.step < steps && state.stopped === undefined) {
    const at = evaluateObjectives(route, [objective, kl], Float64Array.from(state.theta));
    if (at === null) return { ...state, stopped: `no finite value at step ${state.step}` };
    const [value, divergence] = at.values;
    const { step, multiplier } = state;
    yield { record: { step, objective: value, kl: divergence, multiplier }, state };
    const force = Math.max(0, multiplier + penalty * (divergence - budget));
    const gradient = parametrization.pullback(at.gradient([-1, force]));
    const u = Float64Array.from(state.free);
    const { x, memory } = adamStep(state.adam ?? adamStart(u.length), u, gradient, learningRate);
    const free = clip(x, parametrization);
    const last = 3 * (step + 1) > 2 * steps;
    const averaged = last ? state.averaged + 1 : 0;
    state = {
      step: step + 1,
      theta: [...parametrization.theta(free)],
      free: [...free],
      adam: memory,
      multiplier: Math.max(0, multiplier + RELAXATION * penalty * (divergence - budget)),
      average: last
        ? state.average.map((mean, k) => (averaged === 1 ? free[k] : mean + (free[k] - mean) / averaged))
        : [...free],
      averaged,
    };
  }
  return state;
}

/** Share of the augmented Lagrangian's own update of the multiplier that every step takes. */
const RELAXATION = 0.05;
