/** Sokal's constant: a window is long enough when it reaches this many integrated times. */
export const WINDOW_FACTOR = 5;

/**
 * The smallest window `W >= c max(tau_int(W), q(W))` of autocovariances `C(0), C(1), ...`, `c = 5` (Sokal 1989); null where not even the longest lag is
 * long enough.
 *
 * Here `tau_int(W)` is {@link windowedSum} over `C(0)`, and `q(W) = 1 + 2 sum_(t<=W) rho(t)^2`. Where no correlation is negative, `q` is below `tau_int` and changes
 * nothing; where they alternate, `tau_int` falls below 1 however long they last, and `q` is the time in which they die out.
 */
export function sokalWindow(covariance: Float64Array): number | null {
  let inside = 1;
  let q = 1;
  for (let w = 1; w < covariance.length; w++) {
    const rho = covariance[w] / covariance[0];
    q += 2 * rho * rho;
    if (w >= WINDOW_FACTOR * Math.max(inside + rho, q)) return w;
    inside += 2 * rho;
  }
  return null;
}

/**
 * `C(0) + 2 sum_(t<W) C(t) + C(W)`, the variance times `tau_int`. The last lag has half its weight so that a mode of eigenvalue `s` contributes
 * `(1 + s)/(1 - s) (1 - s^W)`: an alternating one would otherwise swing between -1 and 1 with `W`.
 */
export function windowedSum(covariance: Float64Array, window: number): number {
  let sum = covariance[0];
  for (let t = 1; t < window; t++) sum += 2 * covariance[t];
  return window === 0 ? sum : sum + covariance[window];
}

/**
 * Relative standard error of a windowed `tau_int`, `sqrt(2 (2W + 1) / n)` (Madras and Sokal 1988). Of `n` samples in all, `pairs` are those at the window's
 * middle lag.
 */
export function relativeErrorOfTime(window: number, pairs: number): number {
  return Math.sqrt((2 * (2 * window + 1)) / pairs);
}

/** Variance of the mean of `steps` steps from autocovariances within the window. */
export function varianceOfMean(covariance: Float64Array, window: number, steps: number): number {
  let sum = covariance[0];
  for (let t = 1; t <= window; t++) sum += (t < window ? 2 : 1) * (1 - t / steps) * covariance[t];
  // Where correlations alternate the sum may come out negative; a mean of n values is not known better than one of them over n.
  return Math.max(sum / steps, covariance[0] / steps ** 2);
}
