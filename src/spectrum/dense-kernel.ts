import type { KernelOperator } from '../kernel/operator.js';
import { type SymmetricEigen, symmetricEigen } from './symmetric-eigen.js';

/** Dense work (tables of rates, eigendecompositions) is done up to this many states. */
export const MAX_DENSE_STATES = 1024;

/** `P(s, t)`, row-major. Off-diagonal entries are sums of products of probabilities and hence accurate however small. */
export function transitionMatrix(kernel: KernelOperator): Float64Array {
  const n = kernel.states;
  const p = new Float64Array(n * n);
  const unit = new Float64Array(n);
  const column = new Float64Array(n);
  for (let t = 0; t < n; t++) {
    unit[t] = 1;
    kernel.apply(unit, column);
    unit[t] = 0;
    for (let s = 0; s < n; s++) p[s * n + t] = column[s];
  }
  return p;
}

/** `max |pi_x P_xy - pi_y P_yx| / max pi_x P_xy` over `x != y`: the measured defect of detailed balance. */
export function detailedBalanceDefect(p: Float64Array, pi: Float64Array): number {
  const n = pi.length;
  let defect = 0;
  let largest = 0;
  for (let s = 0; s < n; s++) {
    for (let t = 0; t < s; t++) {
      const forward = pi[s] * p[s * n + t];
      const backward = pi[t] * p[t * n + s];
      defect = Math.max(defect, Math.abs(forward - backward));
      largest = Math.max(largest, forward, backward);
    }
  }
  return largest === 0 ? 0 : defect / largest;
}

/**
 * Eigenvalues `1 - s` (ascending) and eigenvectors `sqrt(pi) phi` of `I - A`, `A = D^{1/2} P D^{-1/2}`, for a reversible `P`.
 *
 * `A(s,t) = sqrt(P(s,t) P(t,s))` needs no division by `pi`. With a stationary law `pi`, the diagonal of `I - A` is the sum of the rates
 * rather than a subtraction from one, and the stationary mode is left out: it is moved to the eigenvalue 3, beyond all others, so that it cannot mix
 * with a mode whose gap is below rounding. In a sector without one (`pi` null), all modes are given.
 */
export function generatorEigen(p: Float64Array, n: number, pi: Float64Array | null): SymmetricEigen {
  const b = new Float64Array(n * n);
  for (let s = 0; s < n; s++) {
    let exit = 0;
    for (let t = 0; t < n; t++) {
      if (t === s) continue;
      exit += p[s * n + t];
      b[s * n + t] = -Math.sign(p[s * n + t]) * Math.sqrt(Math.abs(p[s * n + t]) * Math.abs(p[t * n + s]));
    }
    b[s * n + s] = pi !== null ? exit : 1 - p[s * n + s];
  }
  if (pi === null) return symmetricEigen(b, n);
  const root = pi.map(Math.sqrt);
  for (let s = 0; s < n; s++) for (let t = 0; t < n; t++) b[s * n + t] += 3 * root[s] * root[t];
  const { values, vectors } = symmetricEigen(b, n);
  return { values: values.subarray(0, n - 1), vectors: vectors.subarray(0, (n - 1) * n) };
}
