import { type CliquePattern, diagonal, multiply } from './clique-matrix.js';
import type { PooledMoments } from './moments.js';
import type { Probes } from './probes.js';

/** What chooses a trial solution beside its samples. */
export interface Smoothing {
  /** Added to the Dirichlet matrix, relative to its diagonal. */
  readonly ridge: number;
  /** Whether covariances of features that share no part of the mixture are taken for zero: with many features they are mostly noise. */
  readonly near: boolean;
}

/** Trial solutions `psi_z = sum_k alpha_zk chi_k` on the first `size` features, one per probe. */
export interface Trial extends Smoothing {
  /** Row `z` has `size` coefficients. */
  readonly alpha: Float64Array;
  /** Length of a row. */
  readonly size: number;
}

/** Up to this many features the system is solved by elimination. */
export const MAX_DENSE = 600;
/**
 * Above them ridges are fewer, and only the first probes choose. Near covariances alone are not those of any law: where features depend on each other they ask for the impossible, and a small ridge would
 * let them.
 */
const FEW = { ridges: [1e-3, 1e-1], probes: 4, nearRidges: [1e-3, 1e-1] } as const;
const RIDGES = [1e-9, 1e-6, 1e-4, 1e-3, 1e-2, 1e-1] as const;
/** Residual, relative to the right-hand side, and steps at which conjugate gradients end: any trial solution gives a bound, and its shortfall is of the order of the residual squared. */
const CG = { tolerance: 1e-3, steps: 100 } as const;

/** What a bound is computed on. */
export interface BoundProblem {
  readonly pattern: CliquePattern;
  readonly probes: Probes;
  /** The first features are those of so many observables. */
  readonly observables: number;
}

/**
 * `alpha_z = (L + ridge diag L)^-1 c_z` on the first `size` features (D8), by Cholesky for few features and else by conjugate gradients with the diagonal as preconditioner.
 * A feature that never changes, or depends on earlier ones, is dropped.
 */
export function fitTrial(
  { pattern, probes, observables }: BoundProblem,
  moments: PooledMoments,
  size: number,
  { ridge, near }: Smoothing,
  count = probes.count,
): Trial {
  const total = pattern.size;
  const alpha = new Float64Array(count * size);
  const solve =
    size <= MAX_DENSE
      ? choleskySolver(pattern, moments.dirichlet, size, ridge)
      : cgSolver(pattern, moments.dirichlet, size, ridge);
  const right = new Float64Array(total);
  for (let z = 0; z < count; z++) {
    if (near) nearRow(pattern, moments.near, probes, observables, z, right);
    else right.set(moments.covariance.subarray(z * total, (z + 1) * total));
    solve(right, alpha.subarray(z * size, (z + 1) * size));
  }
  return { alpha, size, ridge, near };
}

/** `out_k = -sum_a Z_za Cov(chi_a, chi_k)` over what is kept of the covariances. */
function nearRow(
  { rows, columns, size }: CliquePattern,
  near: Float64Array,
  { entry }: Probes,
  observables: number,
  z: number,
  out: Float64Array,
): void {
  out.fill(0);
  for (let k = 0; k < size; k++) {
    const own = k < observables ? entry(z, k) : 0;
    for (let e = rows[k]; e < rows[k + 1]; e++) {
      const l = columns[e];
      if (l >= observables) break;
      out[k] -= entry(z, l) * near[e];
      if (l !== k && own !== 0) out[l] -= own * near[e];
    }
  }
}

type Solve = (right: Float64Array, x: Float64Array) => void;

/** Solves with the leading `size x size` part and a ridge relative to its diagonal, by elimination. */
export function choleskySolver(
  { rows, columns }: CliquePattern,
  values: Float64Array,
  size: number,
  ridge: number,
): Solve {
  const lower = new Float64Array(size * size);
  for (let k = 0; k < size; k++) {
    for (let e = rows[k]; e < rows[k + 1]; e++) lower[k * size + columns[e]] = values[e];
  }
  for (let k = 0; k < size; k++) {
    const row = k * size;
    const largest = lower[row + k];
    for (let l = 0; l <= k; l++) {
      const other = l * size;
      let sum = lower[row + l];
      if (l === k) sum += ridge * largest;
      for (let j = 0; j < l; j++) sum -= lower[row + j] * lower[other + j];
      // Below rounding a feature is a combination of earlier ones.
      if (l < k) lower[row + l] = lower[other + l] === 0 ? 0 : sum / lower[other + l];
      else lower[row + k] = sum > 64 * size * Number.EPSILON * largest ? Math.sqrt(sum) : 0;
    }
  }
  return (right, x) => {
    for (let k = 0; k < size; k++) {
      let sum = right[k];
      for (let j = 0; j < k; j++) sum -= lower[k * size + j] * x[j];
      x[k] = lower[k * size + k] === 0 ? 0 : sum / lower[k * size + k];
    }
    for (let k = size - 1; k >= 0; k--) {
      const pivot = lower[k * size + k];
      x[k] = pivot === 0 ? 0 : x[k] / pivot;
      for (let j = 0; j < k; j++) x[j] -= lower[k * size + j] * x[k];
    }
  };
}

function cgSolver(pattern: CliquePattern, values: Float64Array, size: number, ridge: number): Solve {
  const scale = diagonal(pattern, values).subarray(0, size);
  const r = new Float64Array(size);
  const p = new Float64Array(size);
  const q = new Float64Array(size);
  const preconditioned = (k: number) => (scale[k] > 0 ? r[k] / scale[k] : 0);
  return (right, x) => {
    x.fill(0);
    let rho = 0;
    for (let k = 0; k < size; k++) {
      r[k] = scale[k] > 0 ? right[k] : 0;
      p[k] = preconditioned(k);
      rho += r[k] * p[k];
    }
    const target = CG.tolerance ** 2 * rho;
    for (let step = 0; step < CG.steps && rho > target; step++) {
      multiply(pattern, values, size, p, q);
      let curvature = 0;
      for (let k = 0; k < size; k++) {
        q[k] += ridge * scale[k] * p[k];
        curvature += p[k] * q[k];
      }
      if (!(curvature > 0)) break;
      const length = rho / curvature;
      let next = 0;
      for (let k = 0; k < size; k++) {
        x[k] += length * p[k];
        r[k] -= length * q[k];
        next += r[k] * preconditioned(k);
      }
      const turn = next / rho;
      for (let k = 0; k < size; k++) p[k] = preconditioned(k) + turn * p[k];
      rho = next;
    }
  };
}

/** For each probe `2 <F, psi> - <psi, (I - P) psi> - Var F / 2` (6.1), at most `T(F)` in expectation where the trial saw other samples. */
export function boundOf({ pattern }: BoundProblem, moments: PooledMoments, { alpha, size }: Trial): Float64Array {
  const total = pattern.size;
  const image = new Float64Array(total);
  return Float64Array.from({ length: alpha.length / size }, (_, z) => {
    const x = alpha.subarray(z * size, (z + 1) * size);
    multiply(pattern, moments.dirichlet, size, x, image);
    let value = -moments.variance[z] / 2;
    const row = z * total;
    for (let k = 0; k < size; k++) value += x[k] * (2 * moments.covariance[row + k] - image[k]);
    return value;
  });
}

/** The fit whose smoothing does best on held-out samples: each part is fitted and valued on the other, then all are fitted together. */
export function chosenTrial(
  problem: BoundProblem,
  whole: PooledMoments,
  parts: readonly [PooledMoments, PooledMoments],
  size: number,
): Trial {
  const few = size > MAX_DENSE;
  const count = few ? Math.min(FEW.probes, problem.probes.count) : problem.probes.count;
  const candidates: Smoothing[] = (few ? FEW.ridges : RIDGES).map((ridge) => ({ ridge, near: false }));
  if (few && whole.near.length > 0) candidates.push(...FEW.nearRidges.map((ridge) => ({ ridge, near: true })));
  let best = candidates[0];
  let top = Number.NEGATIVE_INFINITY;
  for (const one of candidates) {
    const score =
      sum(boundOf(problem, parts[1], fitTrial(problem, parts[0], size, one, count))) +
      sum(boundOf(problem, parts[0], fitTrial(problem, parts[1], size, one, count)));
    if (score > top) [best, top] = [one, score];
  }
  return fitTrial(problem, whole, size, best);
}

/** Of all values. */
export function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let k = 0; k < values.length; k++) total += values[k];
  return total;
}
