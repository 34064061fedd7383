import { ConvergenceError } from '../errors.js';
import type { Objective } from '../trainability/routes/log-quantities.js';
import type { Route } from '../trainability/routes/route.js';
import type { EventPolicy, MembershipWatch, StepEvent } from './membership-watch.js';
import { evaluateObjectives, type Term } from './weighted-sum.js';

/** The loss and the steps of {@link train}. */
export interface TrainSettings {
  /** Gradient steps in all. */
  readonly steps: number;
  /** Adam's step size. */
  readonly learningRate: number;
  /** `lambda` of the penalty `(lambda / 2) sum J^2` on couplings; biases are free (Hinton 2010, section 10). */
  readonly weightDecay: number;
  /** Objectives to raise beside the likelihood: `weight * objective` is subtracted from what is minimised. */
  readonly penalties: readonly Term[];
  /** Sees the changes of the set of modes; left out where nothing depends on it. With `stop` the run ends before the first. */
  readonly watch?: MembershipWatch | undefined;
  /** What happens at a change that the watch sees: only `stop` ends the run. Left out, it goes on. */
  readonly onEvent?: EventPolicy | undefined;
}

/** Everything that the next step depends on; plain data, so that a run can be stopped and resumed exactly. */
export interface TrainState {
  /** Steps taken. */
  readonly step: number;
  /** The parameters after them. */
  readonly theta: readonly number[];
  /** Adam's running means of the gradient and of its square. */
  readonly first: readonly number[];
  /** And of its square. */
  readonly second: readonly number[];
  /** Why the run ended before its last step, at the last point where everything was finite. */
  readonly stopped?: string;
  /** Whether that was a change of the set of modes. */
  readonly atEvent?: boolean;
}

/** What training passes at every step. */
export interface TrainRecord {
  /** Steps taken before this point was evaluated. */
  readonly step: number;
  /** `KL(data || model)` in nats (2.3). */
  readonly kl: number;
  /** What is minimised: `KL + (lambda / 2) sum J^2 - sum_k weight_k objective_k`. */
  readonly loss: number;
  /** Length of the loss's gradient in theta. */
  readonly gradientNorm: number;
  /** Values of the penalties' objectives. */
  readonly penalties: readonly number[];
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

/** The state before the first step: the given parameters, in theta order, and no gradient seen. */
export function trainStart(theta: ArrayLike<number>): TrainState {
  const zeros = Array.from({ length: theta.length }, () => 0);
  return { step: 0, theta: Array.from(theta), first: zeros, second: zeros };
}

/**
 * Exact-gradient maximum likelihood by Adam (Kingma and Ba 2015): minimises `KL + (lambda/2) sum J^2 - sum_k weight_k objective_k`.
 * Yields one record per step with the state at which it was
 * evaluated. Where an objective loses its finite value, the run ends at the last point that had one.
 * Throws {@link ConvergenceError} where the start has none.
 */
export function* train(
  route: Route,
  kl: Objective,
  couplings: number,
  settings: TrainSettings,
  start: TrainState,
): Generator<TrainStep, TrainState> {
  const objectives = [kl, ...settings.penalties.map((term) => term.objective)];
  const weights = [1, ...settings.penalties.map((term) => -term.weight)];
  const theta = Float64Array.from(start.theta);
  const first = Float64Array.from(start.first);
  const second = Float64Array.from(start.second);
  let state = start;
  let finite: TrainState | null = null;
  for (let step = start.step; step < settings.steps; step++) {
    // Parameters whose energies would overflow make no model.
    const sound = Number.isFinite(2 * theta.reduce((sum, value) => sum + Math.abs(value), 0));
    const at = sound ? evaluateObjectives(route, objectives, theta) : null;
    if (at === null) {
      if (finite === null)
        throw new ConvergenceError('The start of training', 'an objective has no finite value there');
      return { ...finite, stopped: `an objective has no finite value at step ${step}` };
    }
    finite = state;
    const gradient = at.gradient(weights);
    let loss = at.values.reduce((sum, value, k) => sum + weights[k] * value, 0);
    let square = 0;
    for (let a = 0; a < theta.length; a++) {
      if (a < couplings) {
        loss += (settings.weightDecay / 2) * theta[a] ** 2;
        gradient[a] += settings.weightDecay * theta[a];
      }
      square += gradient[a] ** 2;
      first[a] = 0.9 * first[a] + 0.1 * gradient[a];
      second[a] = 0.999 * second[a] + 0.001 * gradient[a] ** 2;
      const mean = first[a] / (1 - 0.9 ** (step + 1));
      const scale = Math.sqrt(second[a] / (1 - 0.999 ** (step + 1))) + 1e-8;
      theta[a] -= (settings.learningRate * mean) / scale;
    }
    const [divergence, ...penalties] = at.values;
    const events = watchStep(settings, Float64Array.from(state.theta), theta);
    const record = { step, kl: divergence, loss, gradientNorm: Math.sqrt(square), penalties };
    yield { record: events.length === 0 ? record : { ...record, events }, state };
    if (events.length > 0 && settings.onEvent === 'stop') {
      return { ...state, stopped: `the set of modes changes on the step from ${step}`, atEvent: true };
    }
    state = { step: step + 1, theta: [...theta], first: [...first], second: [...second] };
  }
  return state;
}

/** What the watch sees from one point to the next, where both make a model. */
function watchStep({ watch }: TrainSettings, from: Float64Array, to: Float64Array): readonly StepEvent[] {
  if (watch === undefined || !Number.isFinite(2 * to.reduce((sum, value) => sum + Math.abs(value), 0))) return [];
  watch.start(from);
  return watch.move(to);
}
