import { InputError, show } from '../../errors.js';
import { KERNEL_NAMES, type KernelName } from '../../kernel/kernels.js';
import type { DataLaw } from '../../model/data-law.js';
import type { Model } from '../../model/model.js';
import { MembershipWatch, type StepEvent } from '../../optimization/membership-watch.js';
import { DEFAULT_THRESHOLDS, type ModeThresholds } from '../../trainability/membership/mode-sets.js';
import type { SoftWindow } from '../../trainability/membership/soft-window.js';
import { createRoute, type RouteOptions } from '../../trainability/routes/create-route.js';
import { logEffectiveGap as gap, logRhat, type Objective } from '../../trainability/routes/log-quantities.js';
import { resolvedSignal } from '../../trainability/routes/resolved.js';
import type { Quantity } from '../../trainability/routes/route.js';
import { differentiable, evaluateObjective } from './differentiable.js';
import type { TensorLike, TfLike } from './tf-like.js';
import type { ThetaTensors } from './theta.js';

/** The data whose gradient is estimated, and the chain that estimates it. */
export interface ChainOptions {
  /** The law of the visible spins. */
  readonly data: DataLaw;
  /** The chain. */
  readonly kernel: KernelName;
}

/** What `log R_hat` is asked of. */
export interface RHatOptions extends ChainOptions {
  /** `M K`: chains times window, in kernel steps. It shifts the value only. */
  readonly samples: number;
}

/** What `log R_hat` with soft membership is asked of. */
export interface SoftRHatOptions extends RHatOptions {
  /** The window of (4.2), fixed numbers per kernel step. */
  readonly soft: SoftWindow;
}

/** What `log R_hat` of the slow cluster is asked of. */
export interface SlowClusterOptions extends RHatOptions {
  /** Which modes are in the cluster; `epsilon` 1e-3 and `kappa` 2.5 by default. */
  readonly thresholds?: ModeThresholds | undefined;
  /** Told of every change of the set of modes on the straight line from the last evaluation to this one, before the operation returns. What it throws ends the evaluation. */
  readonly onEvents: (events: readonly StepEvent[]) => void;
}

/** What {@link objective} is asked of. */
export interface ObjectiveOptions extends RouteOptions {
  /** The law of the visible spins. */
  readonly data: DataLaw;
  /** The function, for example one of `htdml/objectives`. One that needs the slow cluster's quantities does not see its events: use {@link logRHatSlowCluster}. */
  readonly objective: Objective;
}

/**
 * Any function of a route's quantities as a differentiable scalar of `theta`. The model says structure and temperature, its own parameters do not count unless `theta` is its couplings alone.
 *
 * Precision: `theta` is float32 and read exactly; everything is computed in float64; the value is rounded to float32 once, and so is the gradient times the incoming cotangent.
 * Throws {@link InputError} for tensors of another shape or type and for parameters that are not finite, `ConvergenceError` where the chain is too slow in double precision, and
 * `UnsupportedError` where the function has no finite value or float32 cannot hold it; never gives NaN.
 */
export function objective<T extends TensorLike, S extends T>(
  tf: TfLike<T, S>,
  theta: ThetaTensors,
  model: Model,
  { data, objective: wanted, ...options }: ObjectiveOptions,
): S {
  checkKernel(options.kernel);
  const route = createRoute(model, data, options);
  return differentiable(tf, theta, model, wanted.name, (values) => evaluateObjective(route, wanted, values));
}

/** `log R_hat = log (M K / 2) + log |g|^2 - log T` of the full predictor (3.2), with the gradient (5.4); precision and errors as of {@link objective}. */
export function logRHat<T extends TensorLike, S extends T>(
  tf: TfLike<T, S>,
  theta: ThetaTensors,
  model: Model,
  { samples, ...options }: RHatOptions,
): S {
  return objective(tf, theta, model, { ...options, objective: rHat('logRhat', 'timescale', samples, model) });
}

/** `log R_hat` with soft membership (4.2), smooth everywhere. At most 1,024 states; precision and errors as of {@link objective}. */
export function logRHatSoft<T extends TensorLike, S extends T>(
  tf: TfLike<T, S>,
  theta: ThetaTensors,
  model: Model,
  { samples, ...options }: SoftRHatOptions,
): S {
  checkSoft(options.soft);
  const wanted = rHat('logRhatSoft', 'softTimescale', samples, model);
  return objective(tf, theta, model, { ...options, route: 'table', objective: wanted });
}

/**
 * `log R_hat` of the slow cluster `C*` (section 4), whose membership is frozen wherever it is evaluated: the value jumps where the set changes, and the gradient (5.2) is of the set as it is. So
 * this returns an operation that remembers where it was evaluated last and reports every change in between. At most 1,024 states; precision and errors as of {@link objective}.
 */
export function logRHatSlowCluster<T extends TensorLike, S extends T>(
  tf: TfLike<T, S>,
  model: Model,
  { data, kernel, samples, thresholds = DEFAULT_THRESHOLDS, onEvents }: SlowClusterOptions,
): (theta: ThetaTensors) => S {
  checkKernel(kernel);
  if (typeof onEvents !== 'function') {
    throw new InputError({
      field: 'onEvents',
      expected: 'a function that is told of membership events',
      got: show(onEvents),
      remedy: 'give one, or use logRHatSoft, which has no events',
    });
  }
  const route = createRoute(model, data, { kernel, thresholds, route: 'table' });
  const watch = new MembershipWatch(route, model, kernel, 'window', thresholds);
  const wanted = rHat('logRhatSlowCluster', 'slowClusterTimescale', samples, model);
  return (theta) =>
    differentiable(tf, theta, model, wanted.name, (values) => {
      const at = evaluateObjective(route, wanted, values);
      const events = watch.move(values);
      if (events.length > 0) onEvents(events);
      return at;
    });
}

/** `log gamma` of the full predictor (3.1), per kernel step; precision and errors as of {@link objective}. */
export function logEffectiveGap<T extends TensorLike, S extends T>(
  tf: TfLike<T, S>,
  theta: ThetaTensors,
  model: Model,
  options: ChainOptions,
): S {
  return objective(tf, theta, model, { ...options, objective: EFFECTIVE_GAP });
}

/** `KL(data || model)` in nats over the visible spins, with the gradient `beta g` (2.3); precision and errors as of {@link objective}. */
export function kl<T extends TensorLike, S extends T>(
  tf: TfLike<T, S>,
  theta: ThetaTensors,
  model: Model,
  { data }: Pick<ChainOptions, 'data'>,
): S {
  // The divergence depends on no chain; this one is factored for an RBM.
  return objective(tf, theta, model, { data, kernel: 'random-block', objective: DIVERGENCE });
}

/** `log gamma` (3.1) as a function of quantities. */
export const EFFECTIVE_GAP: Objective = {
  name: 'logEffectiveGap',
  quantities: ['timescale', 'variance'],
  evaluate: gap,
};

const DIVERGENCE: Objective = {
  name: 'kl',
  quantities: ['kl'],
  evaluate: ({ kl: value = Number.NaN }) => (Number.isFinite(value) ? { value, bar: { kl: 1 } } : null),
};

/** `log R_hat` (3.2) from one of a route's timescales; none where the signal is rounding. */
export function rHat(
  name: string,
  time: Extract<Quantity, 'timescale' | 'slowClusterTimescale' | 'softTimescale'>,
  samples: number,
  { theta }: Model,
): Objective {
  if (!(samples > 0) || !Number.isFinite(samples)) {
    throw new InputError({
      field: 'samples',
      expected: 'a positive finite number',
      got: show(samples),
      remedy: 'give chains times window, in kernel steps',
    });
  }
  return {
    name,
    quantities: [time, 'signal'],
    evaluate(values) {
      const signal = resolvedSignal(values.signal ?? 0, theta.length);
      const at = logRhat({ timescale: values[time], signal }, samples);
      return at && { value: at.value, bar: { [time]: at.bar.timescale, signal: at.bar.signal } };
    },
  };
}

/** The kernel's name may come from a file. */
export function checkKernel(kernel: unknown): void {
  if ((KERNEL_NAMES as readonly unknown[]).includes(kernel)) return;
  throw new InputError({
    field: 'kernel',
    expected: `one of ${KERNEL_NAMES.join(', ')}`,
    got: show(kernel),
    remedy: 'name the chain that estimates the gradient',
  });
}

/** A soft objective has no default window. */
export function checkSoft(soft: SoftWindow | undefined): void {
  if (typeof soft === 'object' && soft !== null) return;
  throw new InputError({
    field: 'soft',
    expected: 'a window { center, eta } of gaps per kernel step',
    got: show(soft),
    remedy: 'give numbers, or use an objective without one',
  });
}
