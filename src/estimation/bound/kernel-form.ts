import { UnsupportedError } from '../../errors.js';
import { type KernelName, schedule, stepsPerSweep } from '../../kernel/kernels.js';
import type { Model } from '../../model/model.js';
import type { SampledDerivative, SampledDerivatives } from './derivatives.js';

/** A kernel by way of a mixture: what a bound on the mixture's `T` says of the kernel's. */
export interface KernelForm {
  /** Blocks of the mixture. */
  readonly blocks: readonly (readonly number[])[];
  /** Of the kernel. */
  readonly stepsPerSweep: number;
  /** Derivative of the kernel's `T` in the mixture's. */
  readonly scale: number;
  /** The kernel's `T` from the mixture's and `sum_a Var f_a`. */
  timescale(mixture: number, variance: number): number;
  /** What the kernel's `T` may be above that, from `sum <f_a, (I - P) f_a>` of the mixture over the couplings' observables. */
  slack(dirichlet: number): number;
  /** The same for an integrated time `2 T_a / Var f_a`. */
  time(mixture: number): number;
  derivatives(of: SampledDerivatives): SampledDerivatives;
}

/**
 * Mixtures stand for themselves. For the sweep `P_1 P_2` over two blocks,
 *
 *     T = T_mixture / 4 + sum_a Var f_a / 8 + |f_0|^2 / 4,
 *
 * with `f_0` the part of the observables orthogonal to all functions of either block alone: in the two-dimensional invariant subspaces of the projections (Halmos 1969) the mixture has eigenvalues `s = (1 +- c)/2` and the
 * symmetric part of `sum_{k >= 1} (P_1 P_2)^k` is `(2 s - 1) / (4 (1 - s))`, which holds for `s = 1/2` too; where both projections vanish, `s = 0`, it is 0 and not -1/4. Leaving `|f_0|^2 >= 0` out keeps a lower bound. It is short by
 * little where the chain is slow: `|f_0|^2 <= min_c E Var_c f`, which is at most `<f, (I - P) f>` of the mixture, and zero for a single spin.
 *
 * Throws {@link UnsupportedError} for other kernels.
 */
export function mixtureOf(model: Model, kernel: KernelName): KernelForm {
  const plan = schedule(model, kernel);
  const steps = stepsPerSweep(model, kernel);
  if (plan.kind === 'mixture') {
    return {
      blocks: plan.blocks,
      stepsPerSweep: steps,
      scale: 1,
      timescale: (mixture) => mixture,
      slack: () => 0,
      time: (mixture) => mixture,
      derivatives: (of) => of,
    };
  }
  if (kernel === 'alternating-block' && model.blocks.length === 2) {
    return {
      blocks: model.blocks,
      stepsPerSweep: steps,
      scale: 1 / 4,
      timescale: (mixture, variance) => mixture / 4 + variance / 8,
      slack: (dirichlet) => dirichlet / 4,
      time: (mixture) => (mixture + 1) / 4,
      derivatives: (of) => ({ ...of, timescale: combined(of.timescale, of.variance) }),
    };
  }
  throw new UnsupportedError(
    `The bound (6.1) for ${kernel}`,
    'it holds for mixtures of conditional expectations, and for sweeps over two blocks',
    `use ${kernel === 'palindrome' || kernel === 'metropolis' ? 'random-scan' : 'random-block'}`,
  );
}

/** Errors add up, as if of one sign: the two come from the same samples. */
function combined(timescale: SampledDerivative, variance: SampledDerivative): SampledDerivative {
  const mix = (a: Float64Array, b: Float64Array) => a.map((value, k) => value / 4 + b[k] / 8);
  return {
    value: mix(timescale.value, variance.value),
    standardError:
      timescale.standardError && variance.standardError && mix(timescale.standardError, variance.standardError),
  };
}
