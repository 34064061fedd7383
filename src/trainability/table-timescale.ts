import type { KernelOperator } from '../kernel/operator.js';
import { type Boltzmann, centredObservable } from '../model/boltzmann.js';
import { conjugateGradient, dot } from '../spectrum/conjugate-gradient.js';
import { MAX_DENSE_STATES, transitionMatrix } from '../spectrum/dense-kernel.js';
import { gaussQuadrature } from '../spectrum/gauss.js';
import { groundedSolver } from '../spectrum/grounded.js';
import type { WeightedEigenvalue } from '../spectrum/groups.js';
import type { RouteInfo } from './route.js';

/** Up to this many states elimination is as fast as iteration, and exact at any gap. */
const DIRECT_STATES = 128;
/** Below this effective gap an iteration has lost too many digits to rounding, `eps / gap`, and elimination is used where it fits. */
const DEEP_PLATEAU = 1e-6;
const REFINEMENTS = 2;
/** Lanczos matrices beyond this order are not diagonalised for quadrature. */
const MAX_QUADRATURE_ORDER = 400;

export interface TableTimescale {
  readonly timescale: number;
  readonly variance: number;
  /** `Lbar` of `T` by (5.4). */
  readonly lbar: Float64Array;
  readonly info: Omit<RouteInfo, 'route'>;
}

/** `T = sum_a <fc_a, u_a - fc_a / 2>`, `(I - P) u_a = fc_a`, `E u_a = 0` (3.3), with the cotangent of `T` by (5.4). */
export function tableTimescale(law: Boltzmann, kernel: KernelOperator): TableTimescale {
  if (kernel.states <= DIRECT_STATES) return directTimescale(law, kernel);
  const iterated = iteratedTimescale(law, kernel);
  if (kernel.states > MAX_DENSE_STATES) return iterated;
  const gap = iterated.variance / (iterated.timescale + iterated.variance / 2);
  return iterated.info.converged && !(gap < DEEP_PLATEAU) ? iterated : directTimescale(law, kernel);
}

/**
 * (3.3) by subtraction-free elimination, refined. A solution of the size of the inverse gap is stored with an error of `eps / gap`, in which the differences
 * between states of one well drown; each refinement solves for what the stored part misses, and the parts are kept apart.
 */
export function directTimescale(law: Boltzmann, kernel: KernelOperator): TableTimescale {
  const solver = groundedSolver(transitionMatrix(kernel), kernel.pi, law.logPi);
  const residual = new Float64Array(kernel.states);
  const image = new Float64Array(kernel.states);
  const sums = accumulate(law, kernel, (fc) => {
    if (!solver.irreducible) return null;
    const parts = [solver.solve(fc)];
    residual.set(fc);
    for (let k = 0; k < REFINEMENTS; k++) {
      kernel.applyGenerator(parts[k], image);
      for (let s = 0; s < residual.length; s++) residual[s] -= image[s];
      parts.push(solver.solve(residual));
    }
    return parts;
  });
  return {
    ...sums,
    info: {
      converged: solver.irreducible && sums.finite,
      solver: 'grounded elimination',
      iterations: 0,
      backwardError: 0,
      observables: sums.observables,
    },
  };
}

/** (3.3) by conjugate gradients. */
export function iteratedTimescale(law: Boltzmann, kernel: KernelOperator): TableTimescale {
  let iterations = 0;
  let backwardError = 0;
  let converged = true;
  const sums = accumulate(law, kernel, (fc) => {
    const result = conjugateGradient(kernel, fc);
    iterations += result.iterations;
    backwardError = Math.max(backwardError, result.backwardError);
    converged &&= result.converged;
    return [result.u];
  });
  return {
    ...sums,
    info: {
      converged: converged && sums.finite,
      solver: 'conjugate gradients',
      iterations,
      backwardError,
      observables: sums.observables,
    },
  };
}

/** Nodes and weights of all observables' spectral measure, from the Lanczos matrices of conjugate gradients; for many states. */
export function quadratureMeasure(law: Boltzmann, kernel: KernelOperator, couplings: number): WeightedEigenvalue[] {
  const measure: WeightedEigenvalue[] = [];
  const fc = new Float64Array(kernel.states);
  for (let a = 0; a < law.space.masks.length; a++) {
    const variance = centredObservable(law, a, fc);
    if (variance === 0) continue;
    const { diagonal, offDiagonal } = conjugateGradient(kernel, fc, MAX_QUADRATURE_ORDER);
    const { nodes, weights } = gaussQuadrature(diagonal, offDiagonal);
    nodes.forEach((gap, k) => {
      const weight = variance * weights[k];
      const coupling = a < couplings;
      measure.push({
        gap,
        multiplicity: 1,
        couplingsWeight: coupling ? weight : 0,
        biasesWeight: coupling ? 0 : weight,
      });
    });
  }
  return measure;
}

/** `T` and the cotangent (5.4) from a solver that gives each `u_a` as a sum of parts, largest first, or null where there is none. */
function accumulate(law: Boltzmann, kernel: KernelOperator, solve: (fc: Float64Array) => Float64Array[] | null) {
  const { states: n, pi } = kernel;
  const observables = law.space.masks.length;
  const timescale = new Float64Array(observables);
  const variance = new Float64Array(observables);
  const density = new Float64Array(n);
  const fc = new Float64Array(n);
  const shifted = new Float64Array(n);
  for (let a = 0; a < observables; a++) {
    variance[a] = centredObservable(law, a, fc);
    if (variance[a] === 0) continue;
    const parts = solve(fc);
    if (parts === null) {
      timescale[a] = Number.POSITIVE_INFINITY;
      continue;
    }
    for (let s = 0; s < n; s++) shifted[s] = -fc[s] / 2;
    for (const u of parts) for (let s = 0; s < n; s++) shifted[s] += u[s];
    timescale[a] = dot(pi, fc, shifted);
    for (let s = 0; s < n; s++) density[s] += shifted[s] * fc[s];
    // <u, P u> is quadratic in the sum of the parts.
    parts.forEach((u, k) => {
      kernel.addCotangent(u, u, density);
      const twice = u.map((value) => 2 * value);
      for (const earlier of parts.slice(0, k)) kernel.addCotangent(earlier, twice, density);
    });
  }
  const lbar = density.map((value, s) => pi[s] * value);
  return {
    finite: timescale.every(Number.isFinite) && lbar.every(Number.isFinite),
    timescale: timescale.reduce((sum, t) => sum + t, 0),
    variance: variance.reduce((sum, v) => sum + v, 0),
    lbar,
    observables: { timescale, variance },
  };
}
