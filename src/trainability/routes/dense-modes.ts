import type { KernelOperator } from '../../kernel/operator.js';
import { type Boltzmann, centredObservable } from '../../model/boltzmann.js';
import { generatorEigen, transitionMatrix } from '../../spectrum/dense-kernel.js';
import type { WeightedEigenvalue } from '../../spectrum/groups.js';

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
  const { values, vectors } = generatorEigen(transitionMatrix(kernel), n, pi);
  const count = n - 1;
  const root = pi.map(Math.sqrt);
  const observables = law.space.masks.length;
  const coefficients = new Float64Array(observables * count);
  const fc = new Float64Array(n);
  for (let a = 0; a < observables; a++) {
    centredObservable(law, a, fc);
    for (let s = 0; s < n; s++) fc[s] *= root[s];
    for (let j = 0; j < count; j++) {
      let sum = 0;
      for (let s = 0; s < n; s++) sum += vectors[j * n + s] * fc[s];
      coefficients[a * count + j] = sum;
    }
  }
  const functions = vectors.map((value, k) => (root[k % n] > 0 ? value / root[k % n] : 0));
  return { count, states: n, gaps: values, functions, coefficients };
}

/** The weight (2.6) of the observables in every mode. */
export function weightedModes(modes: DenseModes, couplings: number): WeightedEigenvalue[] {
  const observables = modes.coefficients.length / modes.count;
  return Array.from(modes.gaps, (gap, j) => {
    let couplingsWeight = 0;
    let biasesWeight = 0;
    for (let a = 0; a < observables; a++) {
      const w = modes.coefficients[a * modes.count + j] ** 2;
      if (a < couplings) couplingsWeight += w;
      else biasesWeight += w;
    }
    return { gap, multiplicity: 1, couplingsWeight, biasesWeight };
  });
}
