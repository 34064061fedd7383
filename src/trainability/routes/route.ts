import { UnsupportedError } from '../../errors.js';
import type { EigenvalueGroup, WeightedEigenvalue } from '../../spectrum/groups.js';

/**
 * What a route computes and differentiates. With `C` all modes but the stationary one:
 * `timescale` is `T` (3.3), in kernel steps; `variance` is `mu_C = sum_a Var f_a` (2.6); `signal` is `|g|^2` (2.3); `kl` is
 * `KL(data || model's visible law)` in nats. `slowClusterTimescale` and `slowClusterMass` are `T_C` and `mu_C` of the slow cluster
 * of section 4, with its membership frozen where it is evaluated; `softTimescale` and `softMass` are those of the soft window (4.2). `totalCorrelation`
 * is (2.8) in nats; `l1` is `sum |J|` and `l2` is `sum J^2 / 2` over the couplings, biases left out.
 */
export type Quantity =
  | 'timescale'
  | 'variance'
  | 'signal'
  | 'kl'
  | 'slowClusterTimescale'
  | 'slowClusterMass'
  | 'softTimescale'
  | 'softMass'
  | 'totalCorrelation'
  | 'l1'
  | 'l2';

/** A number per quantity: values, or cotangents (where a missing one means zero). */
export type Quantities = { readonly [q in Quantity]?: number | undefined };

/** Per observable, in theta order. */
export interface ObservableTimes {
  /** `T_a` (3.3) in kernel steps. */
  readonly timescale: Float64Array;
  /** `Var f_a` (2.6). */
  readonly variance: Float64Array;
}

/** Standard errors of an evaluation that probes observables at random. */
export interface ProbeErrors {
  /** Probes that were solved. */
  readonly count: number;
  /** The share of `T` that was sampled; the rest is exact. */
  readonly sampled: number;
  /** Standard error of `T`, in kernel steps. */
  readonly timescale: number;
  /** Of its gradient in theta order, from the spread between groups of eight probes (at most eight groups); null for one group. */
  readonly gradient: Float64Array | null;
}

/** How an evaluation went. */
export interface RouteInfo {
  /** The route that was taken. */
  readonly route: 'table' | 'factored' | 'estimated';
  /** False where (3.3) was not solved to rounding accuracy or the chain is reducible in double precision. Look before using values. */
  readonly converged: boolean;
  /** What was used for (3.3), and null where no quantity needed it. */
  readonly solver: 'conjugate gradients' | 'grounded elimination' | null;
  /** Iterations over all observables; zero for direct solvers. */
  readonly iterations: number;
  /** Largest normwise backward error of the iteration; zero for direct solvers. */
  readonly backwardError: number;
  /** Per observable `T_a` and `Var f_a`; null where (3.3) was not solved. `2 T_a / Var f_a` is its integrated time (2.7). */
  readonly observables: ObservableTimes | null;
  /** Where `T` was estimated from random probes, its errors; left out where it is exact. */
  readonly probes?: ProbeErrors;
}

/** Values of the quantities asked for, their derivatives in theta, and how it went. */
export interface Evaluation {
  /** A value for each quantity that was asked for. */
  readonly value: Quantities;
  /** `theta_bar = sum_q bar[q] d value[q] / d theta`, in theta order. Throws {@link ConvergenceError} where `info.converged` is false. */
  pullback(bar: Quantities): Float64Array;
  /** How the numerics went. */
  readonly info: RouteInfo;
}

/** The eigenvalues of the kernel in the observables' symmetry sector, below the stationary one, with the observables' weights. */
export interface Spectrum {
  /** Single eigenvalues, or families of equal ones. */
  readonly levels: readonly WeightedEigenvalue[];
  /** What they form, slowest first; `members` index the levels. */
  readonly groups: readonly EigenvalueGroup[];
}

/** The slow end of a spectrum of which not all is known: every group of the observables' sector up to `clear`. */
export interface SlowEnd {
  /** Whole groups, slowest first. */
  readonly groups: readonly EigenvalueGroup[];
  /** Every other mode is faster than this, `1 - s` per kernel step. */
  readonly clear: number;
  /** `sum_a Var f_a`, the weight (2.6) of all modes together, known and not. */
  readonly totalWeight: number;
}

/** The spectrum of the kernel as the observables see it, and what else its modes tell. */
export interface Relaxation {
  /** Groups of the observables' symmetry sector below the stationary state, slowest first; null where there are too many states. */
  readonly groups: readonly EigenvalueGroup[] | null;
  /** Where there are too many states for all groups: the slow ones, null where they were not found. */
  readonly slow?: SlowEnd | null;
  /** The group of the textbook gap `1 - s_2` over all symmetry sectors; null where it is not known. */
  readonly slowest: Pick<EigenvalueGroup, 'gap' | 'multiplicity' | 'weight'> | null;
  /**
   * Nodes and weights with `sum_a <fc_a, q(P) fc_a> = sum_k weight_k q(1 - gap_k)` for smooth `q`, mode by mode where modes are known. Null for a kernel
   * that is not reversible.
   */
  readonly measure: readonly WeightedEigenvalue[] | null;
}

/** Means of the observables, in theta order. */
export interface Moments {
  /** `E_data f`, hidden spins by the posterior. */
  readonly data: Float64Array;
  /** `E_pi f`. */
  readonly model: Float64Array;
}

/**
 * How a model's quantities are computed: by tables over all states, or factored over an RBM's layers. The structure, the data and the kernel
 * are fixed; the parameters vary.
 */
export interface Route {
  /** Which way this is. */
  readonly name: 'table' | 'factored' | 'estimated';
  /** False for a kernel without derivatives: the pullback of `timescale` is then refused. */
  readonly differentiable: boolean;
  /** Values of the quantities at `theta` (theta order, the model's own beta). Non-convergence is in `info`. Throws {@link UnsupportedError} where the route has no such quantity. */
  evaluate(theta: Float64Array, quantities: readonly Quantity[]): Evaluation;
  /** `E_data f` and `E_pi f`, whose difference is `g` (2.3), in theta order. */
  moments(theta: Float64Array): Moments;
  /** The spectrum at `theta`; null where there are too many states for modes, or the kernel is not reversible. */
  spectrum(theta: Float64Array): Spectrum | null;
  /** The spectrum at `theta`, and what else its modes tell; parts that are not known are null. */
  relaxation(theta: Float64Array): Relaxation;
  /** `sum_a E_data Var(f_a | v)` under the model's posterior of the hidden spins; zero where there are none. */
  posteriorVariance(theta: Float64Array): number;
}

/** A part of an evaluation that a pullback needs; refused by name where the quantity was not asked for. */
export function evaluated<T>(part: T | null, quantity: Quantity): T {
  if (part !== null) return part;
  throw new UnsupportedError(
    `The derivative of ${quantity}`,
    'it was not evaluated',
    'list it among the quantities to evaluate',
  );
}
