import type { KernelOperator } from '../kernel/operator.js';
import { type Boltzmann, centredObservable } from '../model/boltzmann.js';
import { generatorEigen, transitionMatrix } from '../spectrum/dense-kernel.js';

/** All modes below the stationary one of a reversible kernel, slowest first, and the observables in their basis. */
export interface DenseModes {
  readonly count: number;
  readonly states: number;
  /** `1 - s_j`. */
  readonly gaps: Float64Array;
  /** Row `j`: `phi_j` as a function, orthonormal in `L2(pi)`; zero where `pi` underflows. */
  readonly functions: Float64Array;
  /** `y[a * count + j] = <fc_a, phi_j>`, so `w_aj = y^2` (2.6). */
  readonly coefficients: Float64Array;
}

/** Full eigendecomposition; at most MAX_DENSE_STATES states. */
export function denseModes(law: Boltzmann, kernel: KernelOperator): DenseModes {
  const n = kernel.states;
  const { pi } = kernel;
  const { values, vectors } = generatorEigen(transitionMatrix(kernel), n, true);
  const count = n - 1;
  const root = pi.map(Math.sqrt);
  const stationary = stationaryIndex(vectors, root, n);
  const keep = Array.from({ length: n }, (_, j) => j).filter((j) => j !== stationary);
  const observables = law.space.masks.length;
  const coefficients = new Float64Array(observables * count);
  const fc = new Float64Array(n);
  for (let a = 0; a < observables; a++) {
    centredObservable(law, a, fc);
    for (let s = 0; s < n; s++) fc[s] *= root[s];
    keep.forEach((j, k) => {
      let sum = 0;
      for (let s = 0; s < n; s++) sum += vectors[j * n + s] * fc[s];
      coefficients[a * count + k] = sum;
    });
  }
  const functions = new Float64Array(count * n);
  keep.forEach((j, k) => {
    for (let s = 0; s < n; s++) functions[k * n + s] = root[s] > 0 ? vectors[j * n + s] / root[s] : 0;
  });
  return { count, states: n, gaps: Float64Array.from(keep, (j) => values[j]), functions, coefficients };
}

/** The eigenvector nearest to `sqrt(pi)`; the first one unless another mode is as slow as rounding. */
function stationaryIndex(vectors: Float64Array, root: Float64Array, n: number): number {
  let best = 0;
  let largest = -1;
  for (let j = 0; j < n; j++) {
    let overlap = 0;
    for (let s = 0; s < n; s++) overlap += vectors[j * n + s] * root[s];
    if (Math.abs(overlap) > largest) {
      largest = Math.abs(overlap);
      best = j;
    }
  }
  return best;
}
