import { UnsupportedError } from '../errors.js';

/**
 * `t(s)`, the expected number of steps from state `s` to the first state of a target: `(I - P_restricted) t = 1` on the states outside it (Levin and Peres 2017, section 10), zero
 * inside. `p` is `P(s, t)`, row-major over `pi.length` states; its diagonal is ignored.
 *
 * By elimination of the states outside, least probable first, from rates alone: pivots are sums of rates to what is left and to the target, never differences (Grassmann, Taksar and
 * Heyman 1985), so a time of 1e12 steps is as accurate as one of ten. O(n^3 / 3) work. Throws {@link UnsupportedError} where a state never gets there in double precision.
 */
export function hittingTimes(p: Float64Array, pi: Float64Array, inTarget: (state: number) => boolean): Float64Array {
  const states = pi.length;
  const outside = Array.from({ length: states }, (_, s) => s)
    .filter((s) => !inTarget(s))
    .sort((a, b) => pi[b] - pi[a]);
  const n = outside.length;
  const q = new Float64Array(n * n);
  const toTarget = new Float64Array(n);
  const rhs = new Float64Array(n).fill(1);
  outside.forEach((s, i) => {
    outside.forEach((t, j) => {
      if (i !== j) q[i * n + j] = p[s * states + t];
    });
    for (let t = 0; t < states; t++) if (inTarget(t)) toTarget[i] += p[s * states + t];
  });
  const pivots = new Float64Array(n);
  for (let k = n - 1; k >= 0; k--) {
    let pivot = toTarget[k];
    for (let j = 0; j < k; j++) pivot += q[k * n + j];
    if (!(pivot > 0)) {
      throw new UnsupportedError(
        'The hitting time',
        'the target is out of reach in double precision',
        'use a smaller beta',
      );
    }
    pivots[k] = pivot;
    for (let i = 0; i < k; i++) {
      const factor = q[i * n + k] / pivot;
      if (factor === 0) continue;
      rhs[i] += factor * rhs[k];
      toTarget[i] += factor * toTarget[k];
      for (let j = 0; j < k; j++) if (j !== i) q[i * n + j] += factor * q[k * n + j];
    }
  }
  const times = new Float64Array(states);
  const x = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    let sum = rhs[k];
    for (let j = 0; j < k; j++) sum += q[k * n + j] * x[j];
    x[k] = sum / pivots[k];
    times[outside[k]] = x[k];
  }
  return times;
}
