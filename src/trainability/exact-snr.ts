import type { KernelOperator } from '../kernel/operator.js';
import { type Boltzmann, centredObservable } from '../model/boltzmann.js';
import type { WeightedEigenvalue } from '../spectrum/groups.js';
import type { DenseModes } from './routes/dense-modes.js';

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
  const x = Math.max(0, gap);
  // sum_{0<d<K} (1 - d/K) s^d = s (1 - phi) / x with phi = (1 - s^K) / (K x).
  return (1 + 2 * (1 - x) * meanDeficit(x, window)) / window;
}

/** `(1 - phi) / x` with `phi = (1 - (1 - x)^n) / (n x)`, for `x` in [0, 2]; `(n - 1) / 2` at `x = 0`. */
function meanDeficit(x: number, n: number): number {
  if (n * x >= 0.5) return (1 - geometricSum(x, n) / n) / x;
  // By its binomial series, whose terms fall by a factor of at least 6.
  let term = (n - 1) / 2;
  let series = 0;
  for (let i = 2; term !== 0 && series + term !== series; i++) {
    series += term;
    term *= (-(n - i) * x) / (i + 1);
  }
  return series;
}

/** `sum_{k<n} (1 - x)^k`. */
function geometricSum(x: number, n: number): number {
  if (x === 0) return n;
  return x < 0.5 ? -Math.expm1(n * Math.log1p(-x)) / x : (1 - (1 - x) ** n) / x;
}

/**
 * `E|ghat - g|^2` of one chain from any start law by propagation (D10): with `mu_t = mu_0 P^t` and `z_t = sum_{r<t} (mu_r fc) P^{t-r}`,
 * `K^2 mse = sum_t <mu_t, sum_a fc_a^2> + 2 sum_t sum_a <z_ta, fc_a>`, `t` from `B + 1` to `B + K`.
 *
 * Given the modes, steps until the law is stationary to rounding and sums the rest in closed form, so that `B` and `K` beyond the mixing time cost nothing.
 * Work: at most `B + K p` kernel steps on measures, and the modes.
 */
export function propagatedError(
  law: Boltzmann,
  kernel: KernelOperator,
  couplings: number,
  start: Float64Array,
  burnIn: number,
  window: number,
  modes: (() => DenseModes) | null = null,
): GradientError {
  const n = kernel.states;
  const observables = law.space.masks.length;
  let mu = Float64Array.from(start);
  let next = new Float64Array(n);
  const advance = () => {
    kernel.propagate(mu, next);
    [mu, next] = [next, mu];
  };
  const isStationary = (t: number) => modes !== null && t % CHECK_EVERY === 0 && distance(mu, law.pi) <= STATIONARY;
  for (let t = 0; t < burnIn && !isStationary(t); t++) advance();
  const fc = Array.from({ length: observables }, (_, a) => {
    const out = new Float64Array(n);
    centredObservable(law, a, out);
    return out;
  });
  const z = fc.map(() => new Float64Array(n));
  const spare = new Float64Array(n);
  const sums = new Float64Array(observables);
  const means = new Float64Array(observables);
  let t = 0;
  for (; t < window && !isStationary(t); t++) {
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
  if (modes !== null && t < window) {
    const rest = modes();
    for (let a = 0; a < observables; a++) sums[a] += stationaryRest(rest, a, z[a], window - t);
  }
  const error = { couplings: { mse: 0, biasSquared: 0 }, biases: { mse: 0, biasSquared: 0 } };
  for (let a = 0; a < observables; a++) {
    const group = error[a < couplings ? 'couplings' : 'biases'];
    group.mse += sums[a] / window ** 2;
    group.biasSquared += (means[a] / window) ** 2;
  }
  return error;
}

/** Distance `sum |mu - pi|` at which a law counts as stationary: what propagation itself rounds. */
const STATIONARY = 1e-13;
const CHECK_EVERY = 16;

function distance(mu: Float64Array, pi: Float64Array): number {
  let sum = 0;
  for (let s = 0; s < mu.length; s++) sum += Math.abs(mu[s] - pi[s]);
  return sum;
}

/**
 * What `n` further steps from equilibrium add to `K^2 mse` of one observable. In a mode with coefficient `y` of the observable and `z` of the accumulated
 * measure, `z_{k+1} = s z_k + y`, and step `k` adds `y^2 + 2 s y z_k`.
 */
function stationaryRest(modes: DenseModes, a: number, accumulated: Float64Array, n: number): number {
  const { count, states, gaps, functions, coefficients } = modes;
  let total = 0;
  for (let j = 0; j < count; j++) {
    const y = coefficients[a * count + j];
    let z = 0;
    for (let s = 0; s < states; s++) z += accumulated[s] * functions[j * states + s];
    const x = Math.max(0, gaps[j]);
    total += n * y * y + 2 * (1 - x) * y * (z * geometricSum(x, n) + y * n * meanDeficit(x, n));
  }
  return total;
}
