import { centre } from './conjugate-gradient.js';

/**
 * A direct solver for `(I - P) u = b`, `E u = 0`, from the transition rates alone (D9): the most probable state is grounded and the
 * others are eliminated, least probable first. Pivots are sums of rates, never differences (Grassmann, Taksar and Heyman 1985),
 * so no accuracy is lost however small the gap is.
 */
export interface GroundedSolver {
  /** False where some state has no positive rate to any state left: in double precision the chain is reducible. */
  readonly irreducible: boolean;
  /** Solves for one right-hand side with `E b = 0`; not to be called when `irreducible` is false. */
  solve(b: Float64Array): Float64Array;
}

/** `rates[s * n + t]` is `P(s, t)` for `s != t`; diagonal entries are ignored. `logPi` may be given to order states where `pi` underflows. O(n^3 / 3) work. */
export function groundedSolver(rates: Float64Array, pi: Float64Array, logPi = pi): GroundedSolver {
  const n = pi.length;
  const order = Array.from({ length: n }, (_, s) => s).sort((a, b) => logPi[b] - logPi[a]);
  const q = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) q[i * n + j] = i === j ? 0 : rates[order[i] * n + order[j]];
  const pivots = new Float64Array(n);
  let irreducible = true;
  for (let k = n - 1; k > 0 && irreducible; k--) {
    let pivot = 0;
    for (let j = 0; j < k; j++) pivot += q[k * n + j];
    pivots[k] = pivot;
    if (!(pivot > 0)) irreducible = false;
    for (let i = 0; i < k && irreducible; i++) {
      const factor = q[i * n + k] / pivot;
      q[i * n + k] = factor;
      if (factor === 0) continue;
      for (let j = 0; j < k; j++) q[i * n + j] += factor * q[k * n + j];
    }
  }
  return {
    irreducible,
    solve(b) {
      const rhs = Float64Array.from(order, (s) => b[s]);
      for (let k = n - 1; k > 0; k--) for (let i = 0; i < k; i++) rhs[i] += q[i * n + k] * rhs[k];
      const x = new Float64Array(n);
      for (let k = 1; k < n; k++) {
        let sum = rhs[k];
        for (let j = 0; j < k; j++) sum += q[k * n + j] * x[j];
        x[k] = sum / pivots[k];
      }
      const u = new Float64Array(n);
      order.forEach((s, k) => {
        u[s] = x[k];
      });
      centre(pi, u);
      return u;
    },
  };
}
