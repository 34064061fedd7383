import { UnsupportedError } from '../../errors.js';
import { loops } from '../../kernel/compiled/loops.js';
import { observableSteps, type Steps, solveObservables } from '../../kernel/compiled/solve-observables.js';
import type { Program } from '../../kernel/compiled/table.js';
import type { KernelOperator } from '../../kernel/operator.js';
import { type Boltzmann, centredObservable } from '../../model/boltzmann.js';
import { conjugateGradient, dot, lanczosMatrix } from '../../spectrum/conjugate-gradient.js';
import { MAX_DENSE_STATES, transitionMatrix } from '../../spectrum/dense-kernel.js';
import { gaussQuadrature } from '../../spectrum/gauss.js';
import { groundedSolver } from '../../spectrum/grounded.js';
import type { WeightedEigenvalue } from '../../spectrum/groups.js';
import { probedTimescale } from './probed-timescale.js';
import type { ObservableTimes, RouteInfo } from './route.js';

/** Up to this many states elimination is as fast as iteration, and exact at any gap. */
export const DIRECT_STATES = 16;
/** Below this effective gap an iteration has lost too many digits to rounding, `eps / gap`, and elimination is used where it fits. */
const DEEP_PLATEAU = 1e-6;
/** The same where elimination costs next to nothing, up to so many states. */
const CHEAP_STATES = 128;
const SHALLOW_PLATEAU = 1e-3;
const REFINEMENTS = 2;
/** The gradient's error is about that of the solutions. */
const COMPILED_LIMITS = { tolerance: 1e-12, maxIterations: 5000 };
/** Residuals as small as the tolerance leaves them. */
const LARGEST_BACKWARD_ERROR = 1e-11;
/** Lanczos matrices beyond this order are not diagonalised for quadrature. */
const MAX_QUADRATURE_ORDER = 400;

export interface TableTimescale {
  readonly timescale: number;
  readonly variance: number;
  /** `Lbar` of `T`; null for a kernel without derivatives. */
  readonly lbar: Float64Array | null;
  readonly info: Omit<RouteInfo, 'route'>;
}

/**
 * `T = sum_a <fc_a, u_a - fc_a / 2>`, `(I - P) u_a = fc_a`, `E u_a = 0` (3.3), with the cotangent of `T` by (5.4) or, for a kernel that is not
 * reversible, by two solves (D2). With signs it is estimated from probes. A kernel without derivatives is not differentiated. The kernel is made only where its program does not do.
 */
export function tableTimescale(
  law: Boltzmann,
  kernel: () => KernelOperator,
  program: Program | null,
  differentiable: boolean,
  signs: readonly Float64Array[] | null = null,
): TableTimescale {
  const { states } = law.space;
  if (states <= DIRECT_STATES) return directTimescale(law, kernel(), differentiable);
  const probed = signs && program && estimatedTimescale(law, program, signs);
  if (probed !== null) return probed;
  const compiled = program && compiledTimescale(law, program);
  if (compiled === null && kernel().adjoint() !== kernel()) return irreversibleTimescale(law, kernel(), differentiable);
  const iterated = compiled ?? iteratedTimescale(law, kernel(), differentiable);
  if (states > MAX_DENSE_STATES) return iterated;
  const plateau = states > CHEAP_STATES ? DEEP_PLATEAU : SHALLOW_PLATEAU;
  const gap = iterated.variance / (iterated.timescale + iterated.variance / 2);
  return iterated.info.converged && !(gap < plateau) ? iterated : directTimescale(law, kernel(), differentiable);
}

/** By elimination, where the table is not too large for it. */
function irreversibleTimescale(law: Boltzmann, kernel: KernelOperator, differentiable: boolean): TableTimescale {
  if (kernel.states <= MAX_DENSE_STATES) return directTimescale(law, kernel, differentiable);
  throw new UnsupportedError(
    'The timescale of a kernel that is not reversible',
    `the table has ${kernel.states} states and elimination stops at ${MAX_DENSE_STATES}`,
    'use palindrome-block, or a smaller model',
  );
}

/** (3.3) by subtraction-free elimination, refined. */
export function directTimescale(law: Boltzmann, kernel: KernelOperator, differentiable = true): TableTimescale {
  const forwards = refinedSolver(law, kernel);
  const adjoint = kernel.adjoint();
  const backwards = adjoint === kernel ? null : refinedSolver(law, adjoint);
  const irreducible = forwards !== null && (adjoint === kernel || backwards !== null);
  const sums = accumulate(law, kernel, differentiable, (fc) => {
    if (!irreducible) return null;
    const u = forwards(fc);
    return { u, adjoint: backwards === null ? u : backwards(fc) };
  });
  return {
    ...sums,
    info: {
      converged: irreducible && sums.finite,
      solver: 'grounded elimination',
      iterations: 0,
      backwardError: 0,
      observables: sums.observables,
    },
  };
}

/**
 * Solves as a sum of parts, largest first; null where the chain is reducible in double precision. A solution of the size of the inverse gap is stored
 * with an error of `eps / gap`, in which the differences between states of one well drown; each refinement solves for what the stored part misses, and the
 * parts are kept apart.
 */
function refinedSolver(law: Boltzmann, kernel: KernelOperator): ((b: Float64Array) => Float64Array[]) | null {
  const solver = groundedSolver(transitionMatrix(kernel), kernel.pi, law.logPi);
  if (!solver.irreducible) return null;
  const image = new Float64Array(kernel.states);
  return (b) => {
    const parts = [solver.solve(b)];
    const residual = Float64Array.from(b);
    for (let k = 0; k < REFINEMENTS; k++) {
      kernel.applyGenerator(parts[k], image);
      for (let s = 0; s < residual.length; s++) residual[s] -= image[s];
      parts.push(solver.solve(residual));
    }
    return parts;
  };
}

/** (3.3) by the compiled conjugate gradients; null where this machine cannot run them or their memory does not reach. */
export function compiledTimescale(law: Boltzmann, program: Program): TableTimescale | null {
  const compiled = loops();
  const found = compiled && solveObservables(compiled, law, program, COMPILED_LIMITS);
  if (found === null) return null;
  const { iterations, error, backwardError } = found;
  const { finite, observables, ...sums } = summed(law, found);
  return {
    ...sums,
    info: {
      converged: finite && error <= COMPILED_LIMITS.tolerance && backwardError <= LARGEST_BACKWARD_ERROR,
      solver: 'conjugate gradients',
      iterations,
      backwardError,
      observables,
    },
  };
}

/** (3.3) from random probes; null where this machine cannot run the compiled loops or their memory does not reach. */
function estimatedTimescale(law: Boltzmann, program: Program, signs: readonly Float64Array[]): TableTimescale | null {
  const compiled = loops();
  const found = compiled && probedTimescale(compiled, law, program, signs);
  if (found === null) return null;
  const { timescale, variance, density, errors, ...numerics } = found;
  return {
    timescale,
    variance,
    lbar: density.map((value, s) => law.pi[s] * value),
    info: { ...numerics, solver: 'conjugate gradients', observables: null, probes: errors },
  };
}

/** (3.3) by conjugate gradients, for a reversible kernel. */
export function iteratedTimescale(law: Boltzmann, kernel: KernelOperator, differentiable = true): TableTimescale {
  let iterations = 0;
  let backwardError = 0;
  let converged = true;
  const sums = accumulate(law, kernel, differentiable, (fc) => {
    const result = conjugateGradient(kernel, fc);
    iterations += result.iterations;
    backwardError = Math.max(backwardError, result.backwardError);
    converged &&= result.converged;
    return { u: [result.u], adjoint: [result.u] };
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
export function quadratureMeasure(
  law: Boltzmann,
  kernel: () => KernelOperator,
  program: Program | null,
  couplings: number,
): WeightedEigenvalue[] {
  const compiled = loops();
  const steps = compiled && program && observableSteps(compiled, law, program, MAX_QUADRATURE_ORDER);
  return (steps ?? plainSteps(law, kernel())).flatMap(({ variance, alphas, betas }, a) => {
    if (variance === 0 || alphas.length === 0) return [];
    const { diagonal, offDiagonal } = lanczosMatrix(alphas, betas);
    const { nodes, weights } = gaussQuadrature(diagonal, offDiagonal);
    return Array.from(nodes, (gap, k) => {
      const weight = variance * weights[k];
      const coupling = a < couplings;
      return { gap, multiplicity: 1, couplingsWeight: coupling ? weight : 0, biasesWeight: coupling ? 0 : weight };
    });
  });
}

function plainSteps(law: Boltzmann, kernel: KernelOperator): readonly Steps[] {
  const fc = new Float64Array(kernel.states);
  return Array.from(law.space.masks, (_, a) => {
    const variance = centredObservable(law, a, fc);
    return { variance, ...conjugateGradient(kernel, fc, MAX_QUADRATURE_ORDER) };
  });
}

/** `u = (I - P)^+ fc` and `(I - P*)^+ fc`, each as a sum of parts; the same array where the kernel is reversible. */
interface Solution {
  readonly u: readonly Float64Array[];
  readonly adjoint: readonly Float64Array[];
}

/** `T` and its cotangent, `Lbar = pi sum_a [fc (u + u* - fc) / 2 + (D1 or D2 with V = u*, W = u)]`, from a solver that gives null where there is none. */
function accumulate(
  law: Boltzmann,
  kernel: KernelOperator,
  differentiable: boolean,
  solve: (fc: Float64Array) => Solution | null,
) {
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
    const solution = solve(fc);
    if (solution === null) {
      timescale[a] = Number.POSITIVE_INFINITY;
      continue;
    }
    const { u, adjoint } = solution;
    for (let s = 0; s < n; s++) shifted[s] = -fc[s] / 2;
    for (const part of u) for (let s = 0; s < n; s++) shifted[s] += part[s] / 2;
    for (const part of adjoint) for (let s = 0; s < n; s++) shifted[s] += part[s] / 2;
    // <fc, u> = <u*, fc>, so their mean serves both T and its cotangent.
    timescale[a] = dot(pi, fc, shifted);
    if (!differentiable) continue;
    for (let s = 0; s < n; s++) density[s] += shifted[s] * fc[s];
    addBilinear(kernel, adjoint, u, density);
  }
  return summed(law, { timescale, variance, density: differentiable ? density : null });
}

/** The sums over observables of what was found for each, `Lbar` from `Lbar / pi`, and whether all of it is finite. */
function summed(
  law: Boltzmann,
  { timescale, variance, density }: ObservableTimes & { readonly density: Float64Array | null },
) {
  const lbar = density?.map((value, s) => law.pi[s] * value) ?? null;
  return {
    finite: timescale.every(Number.isFinite) && (lbar === null || lbar.every(Number.isFinite)),
    timescale: timescale.reduce((sum, t) => sum + t, 0),
    variance: variance.reduce((sum, v) => sum + v, 0),
    lbar,
    observables: { timescale, variance },
  };
}

/** The cotangent of `<v, P w>` for sums of parts; for `v = w` it is symmetric, and each pair of parts is met once. */
function addBilinear(
  kernel: KernelOperator,
  v: readonly Float64Array[],
  w: readonly Float64Array[],
  density: Float64Array,
): void {
  v.forEach((left, i) => {
    w.forEach((right, j) => {
      if (v !== w || i === j) kernel.addCotangent(left, right, density);
      else if (j < i) {
        kernel.addCotangent(
          right,
          left.map((value) => 2 * value),
          density,
        );
      }
    });
  });
}
