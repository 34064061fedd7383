import { type Boltzmann, centredObservable } from '../model/boltzmann.js';
import type { WeightedEigenvalue } from '../spectrum/groups.js';
import { stationaryError } from './exact-snr.js';
import type { DenseModes } from './routes/dense-modes.js';

/**
 * The proven interval of `R / R_hat_full` for one chain (D11): `K mse / (2 T)` lies within `delta2` of `1 - delta1`, so the ratio lies in
 * `[1 / (1 - delta1 + delta2), 1 / (1 - delta1 - delta2)]`. `share` is `1 - delta1`. Null where the upper end does not exist.
 */
export function trackingInterval(share: number, delta2: number): readonly [number, number] | null {
  const [low, high] = [1 / (share + delta2), 1 / (share - delta2)];
  return share > delta2 && low > 0 && Number.isFinite(high) ? [low, high] : null;
}

/**
 * `1 - delta1 = K mse_stationary / (2 T)`, which is `1 - (1 / (K T)) sum_j mu_j s_j (1 - s_j^K) / (1 - s_j)^2` without its cancellation: what a window
 * of `K` steps sees of the timescale.
 */
export function windowShare(measure: readonly WeightedEigenvalue[], timescale: number, window: number): number {
  const { couplings, biases } = stationaryError(measure, window);
  return (window * (couplings.mse + biases.mse)) / (2 * timescale);
}

/** The largest `|s|` as `1 - |s|`, over the modes of the observables' sector. */
export function slowestGap(modes: readonly { readonly gap: number }[]): number {
  return modes.reduce((least, { gap }) => Math.min(least, gap, 2 - gap), 1);
}

/** `log chi`, `chi^2 = sum_s (mu_0 - pi)^2 / pi`, in logarithms: finite where `pi` underflows, minus infinity at equilibrium. */
export function logChi(law: Boltzmann, start: Float64Array): number {
  const logs = start.map((mass, s) => 2 * Math.log(Math.abs(mass - law.pi[s])) - law.logPi[s]);
  const top = logs.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (top === Number.NEGATIVE_INFINITY) return top;
  return (top + Math.log(logs.reduce((sum, x) => sum + Math.exp(x - top), 0))) / 2;
}

/**
 * `delta2 = (F / (2 K T)) sqrt(sum_j mu_j q_j^2) sum_{t=B+1}^{B+K} D_t` of a start law (D11). Null where it has mass on states whose probability underflows.
 *
 * `D_t^2 = sum_j r_j^2 s_j^(2t)`, `r_j` the coefficients of `mu_0 / pi - 1`. Eigenvectors are known to rounding, so each `r_j` is taken larger by what that
 * can amount to: the bound stays one.
 */
export function startTerm(
  law: Boltzmann,
  modes: DenseModes,
  start: Float64Array,
  { burnIn, window }: { readonly burnIn: number; readonly window: number },
  timescale: number,
): number | null {
  const { count, states, gaps, functions, coefficients } = modes;
  if (start.some((mass, s) => mass > 0 && law.pi[s] === 0)) return null;
  const excess = start.map((mass, s) => mass - law.pi[s]);
  const size = excess.reduce((sum, x, s) => sum + (x === 0 ? 0 : Math.abs(x) / Math.sqrt(law.pi[s])), 0);
  const rounding = states * Number.EPSILON * size;
  const squares = new Float64Array(count);
  let amplification = 0;
  for (let j = 0; j < count; j++) {
    let r = 0;
    for (let s = 0; s < states; s++) r += excess[s] * functions[j * states + s];
    squares[j] = (Math.abs(r) + rounding) ** 2;
    let mu = 0;
    for (let k = j; k < coefficients.length; k += count) mu += coefficients[k] ** 2;
    amplification += mu * Math.max(1, (2 - gaps[j]) / gaps[j]) ** 2;
  }
  const sum = deviationSum(squares, gaps.map(logModulus), burnIn, window);
  return (largestFluctuation(law) / (2 * window * timescale)) * Math.sqrt(amplification) * sum;
}

/** `F = max_x sqrt(sum_a fc_a(x)^2)`. */
function largestFluctuation(law: Boltzmann): number {
  const fc = new Float64Array(law.space.states);
  const squares = new Float64Array(law.space.states);
  for (let a = 0; a < law.space.masks.length; a++) {
    centredObservable(law, a, fc);
    for (let s = 0; s < fc.length; s++) squares[s] += fc[s] ** 2;
  }
  return Math.sqrt(squares.reduce((top, x) => Math.max(top, x), 0));
}

/** `log |1 - gap|`. */
function logModulus(gap: number): number {
  return gap < 1 ? Math.log1p(-gap) : Math.log(gap - 1);
}

/** One stretch of {@link deviationSum} per this many steps behind it. */
const STRETCHES = 64;

/**
 * `sum_{t=B+1}^{B+K} D_t`, `D_t^2 = sum_j squares_j exp(2 t logs_j)`, never below it, in a number of terms that grows with `log K`: step by step at
 * first, then in stretches that grow with `t`. `D_t` is log-convex, so that within a stretch it lies below the geometric sequence through the two ends.
 */
export function deviationSum(squares: Float64Array, logs: Float64Array, burnIn: number, window: number): number {
  const at = (t: number) => Math.sqrt(squares.reduce((sum, x, j) => sum + x * Math.exp(2 * t * logs[j]), 0));
  const end = burnIn + window + 1;
  let total = 0;
  let t = burnIn + 1;
  let d = at(t);
  while (t < end) {
    const steps = Math.min(end - t, Math.max(1, Math.floor((t - burnIn) / STRETCHES)));
    const next = at(t + steps);
    total += geometric(d, next, steps);
    t += steps;
    d = next;
    const rest = d * (end - t);
    if (rest <= Number.EPSILON * total) return total + rest;
  }
  return total;
}

/** `sum_{m<n} d (next/d)^(m/n)`. */
function geometric(d: number, next: number, n: number): number {
  if (n === 1 || d === 0) return d;
  const fall = Math.log(next / d);
  return fall === 0 ? n * d : (d * Math.expm1(fall)) / Math.expm1(fall / n);
}
