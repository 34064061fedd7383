import { InputError, show } from '../errors.js';
import type { SymmetricEigen } from './symmetric-eigen.js';

/**
 * A function of a symmetric matrix, given mode by mode: `q_j` at the eigenvalue `j`, and the divided difference `q[1]_jk = (q_j - q_k) / (x_j - x_k)`, which at
 * coinciding eigenvalues is the derivative (5.2).
 *
 * `divided` is asked for every pair and must not subtract where that cancels: the point of a closed form is that it is finite at any degeneracy.
 */
export interface SpectralFunction {
  /** `q_j`. */
  value(j: number): number;
  /** `q[1]_jk` (5.2), symmetric in `j` and `k`. */
  divided(j: number, k: number): number;
}

/**
 * The indicator of a set of modes, whose matrix is the Riesz projector: divided differences vanish inside and outside, and cross the edge as `1 / (x_j - x_k)`.
 * {@link InputError} where a derivative is asked of a set that holds one of two equal eigenvalues: its projector has none.
 */
export function indicator(values: ArrayLike<number>, members: ReadonlySet<number>): SpectralFunction {
  return {
    value: (j) => (members.has(j) ? 1 : 0),
    divided: (j, k) => {
      if (members.has(j) === members.has(k)) return 0;
      if (values[j] === values[k]) {
        throw new InputError({
          field: 'members',
          expected: 'a set that holds all modes of an eigenvalue or none',
          got: `one of ${show([j, k])}, both at ${show(values[j])}`,
          remedy: 'take both or neither',
        });
      }
      return (members.has(j) ? 1 : -1) / (values[j] - values[k]);
    },
  };
}

/** `F = sum_j q_j phi_j phi_j^T`, row-major. */
export function spectralMatrix({ values, vectors }: SymmetricEigen, q: SpectralFunction): Float64Array {
  const n = values.length;
  const out = new Float64Array(n * n);
  for (let j = 0; j < n; j++) {
    const value = q.value(j);
    if (value === 0) continue;
    for (let s = 0; s < n; s++) {
      const factor = value * vectors[j * n + s];
      for (let t = 0; t < n; t++) out[s * n + t] += factor * vectors[j * n + t];
    }
  }
  return out;
}

/** `dF = phi (q[1] o (phi^T dA phi)) phi^T` (Daleckii and Krein 1965; 5.2) for a symmetric direction `dA`, row-major. Linear in `dA` and self-adjoint. */
export function spectralDerivative(
  { values, vectors }: SymmetricEigen,
  q: SpectralFunction,
  direction: Float64Array,
): Float64Array {
  const n = values.length;
  // Row j of `rotated` is phi_j^T dA, then inner products with the other modes.
  const rotated = multiply(vectors, direction, n);
  const inner = new Float64Array(n * n);
  for (let j = 0; j < n; j++) {
    for (let k = 0; k < n; k++) {
      let sum = 0;
      for (let s = 0; s < n; s++) sum += rotated[j * n + s] * vectors[k * n + s];
      inner[j * n + k] = sum * q.divided(j, k);
    }
  }
  const half = multiply(inner, vectors, n);
  const out = new Float64Array(n * n);
  for (let j = 0; j < n; j++) {
    for (let s = 0; s < n; s++) {
      const factor = vectors[j * n + s];
      for (let t = 0; t < n; t++) out[s * n + t] += factor * half[j * n + t];
    }
  }
  return out;
}

function multiply(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < n; k++) {
      const factor = a[i * n + k];
      if (factor === 0) continue;
      for (let j = 0; j < n; j++) out[i * n + j] += factor * b[k * n + j];
    }
  }
  return out;
}
