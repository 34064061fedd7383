import type { KernelOperator } from '../kernel/operator.js';
import { type Boltzmann, centredObservable } from '../model/boltzmann.js';
import type { WeightedEigenvalue } from '../spectrum/groups.js';

/** A mean squared error and the squared bias in it, of one chain. */
export interface SquaredError {
  readonly mse: number;
  readonly biasSquared: number;
}

/** The error of the estimated gradient (2.4) by parameter group. */
export interface GradientError {
  readonly couplings: SquaredError;
  readonly biases: SquaredError;
}

/**
 * `E|ghat - g|^2` of one chain started in equilibrium (D10): `sum_k weight_k meanVariance(gap_k, K)`. There is no bias.
 * The window `K` is in kernel steps.
 */
export function stationaryError(measure: readonly WeightedEigenvalue[], window: number): GradientError {
  let couplings = 0;
  let biases = 0;
  for (const { gap, couplingsWeight, biasesWeight } of measure) {
    const factor = meanVariance(gap, window);
    couplings += couplingsWeight * factor;
    biases += biasesWeight * factor;
  }
  return { couplings: { mse: couplings, biasSquared: 0 }, biases: { mse: biases, biasSquared: 0 } };
}

/** The error of the mean over `chains` independent chains: variance divides, bias stays. */
export function overChains(error: SquaredError, chains: number): SquaredError {
  return { mse: error.biasSquared + (error.mse - error.biasSquared) / chains, biasSquared: error.biasSquared };
}

/**
 * Variance of the mean of `K` consecutive values of a unit-variance mode with autocorrelation `s = 1 - gap`:
 * `(1/K) (1 + 2 sum_{d<K} (1 - d/K) s^d) = (2/K) (tau(s) - s (1 - s^K) / (K gap^2))`, without the cancellation of that form at slow modes.
 */
export function meanVariance(gap: number, window: number): number {
  const x = Math.min(1, Math.max(0, gap));
  const s = 1 - x;
  // sum_{d<K} (1 - d/K) s^d = s (1 - phi) / x with phi = (1 - s^K) / (K x).
  let sum: number;
  if (window * x < 0.5) {
    // (1 - phi) / x by its binomial series, whose terms fall by a factor of at least 6.
    let term = (window - 1) / 2;
    let series = 0;
    for (let i = 2; term !== 0 && series + term !== series; i++) {
      series += term;
      term *= (-(window - i) * x) / (i + 1);
    }
    sum = s * series;
  } else {
    const phi = -Math.expm1(window * Math.log1p(-x)) / (window * x);
    sum = (s * (1 - phi)) / x;
  }
  return (1 + 2 * sum) / window;
}

/**
 * `E|ghat - g|^2` of one chain from any start law by propagation (D10): with `mu_t = mu_0 P^t` and `z_t = sum_{r<t} (mu_r fc) P^{t-r}`,
 * `K^2 mse = sum_t <mu_t, sum_a fc_a^2> + 2 sum_t sum_a <z_ta, fc_a>`, `t` from `B + 1` to `B + K`. Work: `B + K p` kernel steps on measures.
 */
export function propagatedError(
  law: Boltzmann,
  kernel: KernelOperator,
  couplings: number,
  start: Float64Array,
  burnIn: number,
  window: number,
): GradientError {
  const n = kernel.states;
  const observables = law.space.masks.length;
  let mu = Float64Array.from(start);
  let next = new Float64Array(n);
  const advance = () => {
    kernel.propagate(mu, next);
    [mu, next] = [next, mu];
  };
  for (let t = 0; t < burnIn; t++) advance();
  const fc = Array.from({ length: observables }, (_, a) => {
    const out = new Float64Array(n);
    centredObservable(law, a, out);
    return out;
  });
  const z = fc.map(() => new Float64Array(n));
  const spare = new Float64Array(n);
  const sums = new Float64Array(observables);
  const means = new Float64Array(observables);
  for (let t = 0; t < window; t++) {
    advance();
    for (let a = 0; a < observables; a++) {
      const [f, za] = [fc[a], z[a]];
      if (t > 0) {
        kernel.propagate(za, spare);
        za.set(spare);
      }
      let inner = 0;
      let mean = 0;
      let square = 0;
      for (let s = 0; s < n; s++) {
        const moment = mu[s] * f[s];
        inner += za[s] * f[s];
        mean += moment;
        square += moment * f[s];
        za[s] += moment;
      }
      means[a] += mean;
      sums[a] += square + 2 * inner;
    }
  }
  const error = { couplings: { mse: 0, biasSquared: 0 }, biases: { mse: 0, biasSquared: 0 } };
  for (let a = 0; a < observables; a++) {
    const group = error[a < couplings ? 'couplings' : 'biases'];
    group.mse += sums[a] / window ** 2;
    group.biasSquared += (means[a] / window) ** 2;
  }
  return error;
}
