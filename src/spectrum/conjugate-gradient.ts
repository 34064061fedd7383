import type { KernelOperator } from '../kernel/operator.js';

const EPS = Number.EPSILON;

export interface CgResult {
  /** The solution of `(I - P) u = b` with `E u = 0`. */
  readonly u: Float64Array;
  readonly iterations: number;
  /** Normwise backward error `|b - (I - P) u| / (|b| + 2 |u|)` in `L2(pi)`, from a residual that is computed anew at the end. */
  readonly backwardError: number;
  /** Whether the backward error is at the level of rounding. The error of `u` is at most that over the spectral gap. */
  readonly converged: boolean;
  /** What the steps were: their Lanczos matrix is {@link lanczosMatrix}. */
  readonly alphas: readonly number[];
  readonly betas: readonly number[];
}

/**
 * Conjugate gradients in `L2(pi)` for `(I - P) u = b`, `E u = 0` (3.3), with `E b = 0` and `P` reversible.
 * Hestenes and Stiefel 1952; the coefficients give the Lanczos matrix (Golub and Meurant 2010, chapter 4).
 */
export function conjugateGradient(kernel: KernelOperator, b: Float64Array, maxIterations = 5000): CgResult {
  const { states: n, pi } = kernel;
  const u = new Float64Array(n);
  const r = Float64Array.from(b);
  const p = Float64Array.from(b);
  const q = new Float64Array(n);
  const bNorm2 = dot(pi, b, b);
  const alphas: number[] = [];
  const betas: number[] = [];
  let rho = bNorm2;
  while (alphas.length < maxIterations && rho > EPS * EPS * bNorm2) {
    kernel.applyGenerator(p, q);
    const curvature = dot(pi, p, q);
    if (!(curvature > 0) || !Number.isFinite(rho / curvature)) break;
    const alpha = rho / curvature;
    let mean = 0;
    for (let s = 0; s < n; s++) {
      u[s] += alpha * p[s];
      r[s] -= alpha * q[s];
      mean += pi[s] * r[s];
    }
    for (let s = 0; s < n; s++) r[s] -= mean;
    const next = dot(pi, r, r);
    const beta = next / rho;
    for (let s = 0; s < n; s++) p[s] = r[s] + beta * p[s];
    alphas.push(alpha);
    betas.push(beta);
    rho = next;
  }
  centre(pi, u);
  kernel.applyGenerator(u, q);
  for (let s = 0; s < n; s++) q[s] = b[s] - q[s];
  const scale = Math.sqrt(bNorm2) + 2 * Math.sqrt(dot(pi, u, u));
  const backwardError = scale === 0 ? 0 : Math.sqrt(dot(pi, q, q)) / scale;
  return {
    u,
    iterations: alphas.length,
    backwardError,
    // A few operations per spin and iteration each round once.
    converged: backwardError <= 64 * EPS * Math.sqrt(n),
    alphas,
    betas,
  };
}

/** Subtracts the mean `E x`. */
export function centre(pi: Float64Array, x: Float64Array): void {
  let mean = 0;
  for (let s = 0; s < x.length; s++) mean += pi[s] * x[s];
  for (let s = 0; s < x.length; s++) x[s] -= mean;
}

/** `<x, y>` in `L2(pi)`. */
export function dot(pi: Float64Array, x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let s = 0; s < x.length; s++) sum += pi[s] * x[s] * y[s];
  return sum;
}

/** The Lanczos matrix of conjugate gradients without a preconditioner, from what their steps were (Golub and Meurant 2010, chapter 4). */
export function lanczosMatrix(alphas: readonly number[], betas: readonly number[]) {
  const diagonal = Float64Array.from(alphas, (alpha, k) => 1 / alpha + (k > 0 ? betas[k - 1] / alphas[k - 1] : 0));
  const offDiagonal = Float64Array.from(
    { length: Math.max(0, alphas.length - 1) },
    (_, k) => Math.sqrt(betas[k]) / alphas[k],
  );
  return { diagonal, offDiagonal };
}
