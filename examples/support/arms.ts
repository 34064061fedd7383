import {
  type DesignSettings,
  design,
  designStart,
  logEffectiveGap as logGap,
  type Model,
  parametrization,
  type Route,
  train,
  trainStart,
} from 'htdml';
import { kl, l2, logEffectiveGap } from 'htdml/objectives';

export interface PathPoint {
  readonly step: number;
  readonly kl: number;
  readonly effectiveGap: number;
}

export interface TrainedArm {
  readonly theta: Float64Array;
  readonly path: readonly PathPoint[];
}

/** Trains by exact likelihood and notes divergence and effective gap every few steps: each point is a model that early stopping could give. */
export function trainArm(
  route: Route,
  model: Model,
  { steps, weightDecay }: { readonly steps: number; readonly weightDecay: number },
  every: number,
): TrainedArm {
  const penalties = weightDecay > 0 ? [{ objective: l2, weight: weightDecay }] : [];
  const run = train(route, kl, { steps, learningRate: 0.05, penalties }, trainStart(model.theta));
  const path: PathPoint[] = [];
  for (;;) {
    const next = run.next();
    const step = next.done ? next.value.step : next.value.record.step;
    const theta = Float64Array.from((next.done ? next.value : next.value.state).theta);
    if (next.done || step % every === 0) path.push({ step, ...point(route, theta) });
    if (next.done) return { theta, path };
  }
}

/** Divergence and effective gap of a model. */
export function point(route: Route, theta: Float64Array): { kl: number; effectiveGap: number } {
  const { value, info } = route.evaluate(theta, ['kl', 'timescale', 'variance']);
  const gap = info.converged ? logGap(value) : null;
  return { kl: value.kl ?? Number.NaN, effectiveGap: gap === null ? 0 : Math.exp(gap.value) };
}

/** The model of largest effective gap within a budget of divergence above the given one. */
export function designArm(route: Route, model: Model, theta: Float64Array, settings: DesignSettings): Float64Array {
  const free = parametrization(model);
  const start = designStart(route, logEffectiveGap, kl, settings, free, theta);
  if (start === null) throw new Error('the trained model has no finite effective gap');
  const run = design(route, logEffectiveGap, kl, settings, free, start);
  for (;;) {
    const next = run.next();
    if (next.done) return Float64Array.from((next.value.best ?? start.start).theta);
  }
}

/** The largest effective gap among points with at most this divergence; null where there are none. */
export function bestWithin(points: readonly PathPoint[], divergence: number): PathPoint | null {
  return points
    .filter((candidate) => candidate.kl <= divergence)
    .reduce<PathPoint | null>(
      (best, next) => (best === null || next.effectiveGap > best.effectiveGap ? next : best),
      null,
    );
}
