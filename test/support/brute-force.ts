import type { DataLaw, Edge, KernelName, Model } from 'htdml';

/**
 * Slow second computations over all 2^N states, straight from the definitions in section 2: no folding, no transforms, no factoring.
 * Spin `i` of state `s` is +1 where bit `i` is set.
 */
export const EPS = Number.EPSILON;

export { lawError } from '../../proofs/tolerance.js';

export type Vector = Float64Array;
export type Matrix = readonly Vector[];

export interface FullSpace {
  readonly model: Model;
  readonly states: number;
  readonly energies: Vector;
  readonly pi: Vector;
  /** `f_a(s)`, and `f_a - E f_a`. */
  readonly observables: readonly Vector[];
  readonly centred: readonly Vector[];
}

export const spinOf = (s: number, i: number): number => (Math.floor(s / 2 ** i) % 2 === 1 ? 1 : -1);

export const vector = (n: number, at: (k: number) => number): Vector =>
  Float64Array.from({ length: n }, (_, k) => at(k));

export const dot = (x: Vector, y: Vector): number => x.reduce((sum, value, k) => sum + value * y[k], 0);

/** `<x, y>` in `L2(pi)`. */
export const inner = (pi: Vector, x: Vector, y: Vector): number =>
  x.reduce((sum, value, k) => sum + pi[k] * value * y[k], 0);

export const largest = (x: Vector): number => x.reduce((top, value) => Math.max(top, Math.abs(value)), 0);

export const distance = (x: Vector, y: Vector): number => largest(x.map((value, k) => value - y[k]));

/** `E(s)` of (2.1). */
export function energyOf(model: Model, s: number): number {
  let energy = 0;
  model.edges.forEach(([i, j]: Edge, a) => (energy -= model.theta[a] * spinOf(s, i) * spinOf(s, j)));
  if (model.biased) for (let i = 0; i < model.spins; i++) energy -= model.theta[model.edges.length + i] * spinOf(s, i);
  return energy;
}

export function fullSpace(model: Model): FullSpace {
  const states = 2 ** model.spins;
  const energies = vector(states, (s) => energyOf(model, s));
  const lowest = energies.reduce((a, b) => Math.min(a, b));
  const weights = energies.map((energy) => Math.exp(-model.beta * (energy - lowest)));
  const total = weights.reduce((a, b) => a + b);
  const pi = weights.map((weight) => weight / total);
  const edges = model.edges.map(([i, j]) => vector(states, (s) => -spinOf(s, i) * spinOf(s, j)));
  const biases = model.biased
    ? Array.from({ length: model.spins }, (_, i) => vector(states, (s) => -spinOf(s, i)))
    : [];
  const observables = [...edges, ...biases];
  const centred = observables.map((f) => {
    const mean = dot(pi, f);
    return f.map((value) => value - mean);
  });
  return { model, states, energies, pi, observables, centred };
}

/** The matrix of `E[f | spins outside the block]`. */
export function conditionalMatrix({ model, states, energies }: FullSpace, block: readonly number[]): Matrix {
  const free = block.reduce((mask, i) => mask + 2 ** i, 0);
  return Array.from({ length: states }, (_, s) => {
    const fibre = Array.from({ length: states }, (_, t) => t).filter((t) => ((s ^ t) & ~free) === 0);
    const lowest = Math.min(...fibre.map((t) => energies[t]));
    const row = new Float64Array(states);
    for (const t of fibre) row[t] = Math.exp(-model.beta * (energies[t] - lowest));
    const total = row.reduce((a, b) => a + b);
    return row.map((weight) => weight / total);
  });
}

/** `(1/C) sum_c P_c`. */
export function kernelMatrix(full: FullSpace, blocks: readonly (readonly number[])[]): Matrix {
  const parts = blocks.map((block) => conditionalMatrix(full, block));
  return parts[0].map((row, s) => row.map((_, t) => parts.reduce((sum, part) => sum + part[s][t], 0) / parts.length));
}

/** `P_1 P_2 ... P_M`, the first factor acting first in time. */
function productMatrix(full: FullSpace, blocks: readonly (readonly number[])[]): Matrix {
  return blocks.map((block) => conditionalMatrix(full, block)).reduce(product);
}

/** One spin proposed at random, flipped with probability `min(1, exp(-beta dE))`. */
function metropolisMatrix({ model, states, energies }: FullSpace): Matrix {
  return Array.from({ length: states }, (_, s) => {
    const row = new Float64Array(states);
    for (let i = 0; i < model.spins; i++) {
      const t = s ^ (1 << i);
      row[t] += Math.min(1, Math.exp(-model.beta * (energies[t] - energies[s]))) / model.spins;
    }
    row[s] = 1 - row.reduce((sum, value) => sum + value, 0);
    return row;
  });
}

/** Any kernel of the library, from its definition in words. */
export function matrixOf(full: FullSpace, kernel: KernelName): Matrix {
  const sites = Array.from({ length: full.model.spins }, (_, i) => [i]);
  const back = <T>(list: readonly T[]) => [...list, ...[...list].reverse().slice(1)];
  switch (kernel) {
    case 'random-scan':
      return kernelMatrix(full, sites);
    case 'random-block':
      return kernelMatrix(full, full.model.blocks);
    case 'palindrome':
      return productMatrix(full, back(sites));
    case 'palindrome-block':
      return productMatrix(full, back(full.model.blocks));
    case 'alternating-block':
      return productMatrix(full, full.model.blocks);
    case 'metropolis':
      return metropolisMatrix(full);
  }
  return kernel satisfies never;
}

export const times = (p: Matrix, x: Vector): Vector => vector(p.length, (s) => dot(p[s], x));

export const fromLeft = (mu: Vector, p: Matrix): Vector =>
  vector(mu.length, (t) => mu.reduce((sum, mass, s) => sum + mass * p[s][t], 0));

export const product = (p: Matrix, q: Matrix): Matrix => p.map((row) => fromLeft(row, q));

/** A function on the folded states (last spin -1) as a function of all states: even, or odd under the global flip. */
export function unfold(model: Model, x: Vector, sector: 1 | -1 = 1): Vector {
  if (model.biased) return x;
  const last = 2 ** model.spins - 1;
  return vector(last + 1, (s) => (spinOf(s, model.spins - 1) < 0 ? x[s] : sector * x[last - s]));
}

/** A measure on all states as one on the folded states. */
export function fold(model: Model, mu: Vector): Vector {
  if (model.biased) return mu;
  return vector(mu.length / 2, (s) => mu[s] + mu[mu.length - 1 - s]);
}

/** Gaussian elimination with partial pivoting. */
export function linearSolve(matrix: Matrix, b: Vector): Vector {
  const n = b.length;
  const rows = matrix.map((row, k) => Float64Array.from([...row, b[k]]));
  for (let k = 0; k < n; k++) {
    let best = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(rows[i][k]) > Math.abs(rows[best][k])) best = i;
    [rows[k], rows[best]] = [rows[best], rows[k]];
    for (let i = k + 1; i < n; i++) {
      const factor = rows[i][k] / rows[k][k];
      for (let j = k; j <= n; j++) rows[i][j] -= factor * rows[k][j];
    }
  }
  const x = new Float64Array(n);
  for (let k = n - 1; k >= 0; k--) {
    let sum = rows[k][n];
    for (let j = k + 1; j < n; j++) sum -= rows[k][j] * x[j];
    x[k] = sum / rows[k][k];
  }
  return x;
}

/** `(I - P) u = b`, `E u = 0`, from `I - P + 1 pi^T`, which is regular and maps the two conditions to one. */
export function poisson(p: Matrix, pi: Vector, b: Vector): Vector {
  return linearSolve(
    p.map((row, s) => row.map((value, t) => (s === t ? 1 : 0) - value + pi[t])),
    b,
  );
}

/** Eigenvalues (not sorted) and orthonormal eigenvectors of a symmetric matrix by cyclic Jacobi rotations. */
export function jacobiEigen(matrix: Matrix): { readonly values: Vector; readonly vectors: Matrix } {
  const n = matrix.length;
  const a = matrix.map((row) => Float64Array.from(row));
  const v = a.map((_, j) => vector(n, (k) => (k === j ? 1 : 0)));
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0;
    for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) off = Math.max(off, Math.abs(a[i][j]));
    if (off < EPS / 8) break;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < i; j++) {
        if (a[i][j] === 0) continue;
        const theta = (a[j][j] - a[i][i]) / (2 * a[i][j]);
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
        const c = 1 / Math.hypot(t, 1);
        const rotate = (x: Vector, y: Vector) => {
          for (let k = 0; k < n; k++) [x[k], y[k]] = [c * x[k] - t * c * y[k], t * c * x[k] + c * y[k]];
        };
        rotate(a[i], a[j]);
        for (const row of a) [row[i], row[j]] = [c * row[i] - t * c * row[j], t * c * row[i] + c * row[j]];
        rotate(v[i], v[j]);
      }
    }
  }
  return { values: vector(n, (k) => a[k][k]), vectors: v };
}

/** `A = D^{1/2} P D^{-1/2}`. */
export function symmetrised(p: Matrix, pi: Vector): Matrix {
  return p.map((row, s) => row.map((value, t) => value * Math.sqrt(pi[s] / pi[t])));
}

/** `1 - s` and `mu` (2.6) of every mode but the stationary one, slowest first. */
export function weightedGaps(full: FullSpace, p: Matrix): { gap: number; weight: number }[] {
  const { values, vectors } = jacobiEigen(symmetrised(p, full.pi));
  const root = full.pi.map(Math.sqrt);
  const modes = Array.from(values, (value, j) => ({
    gap: 1 - value,
    weight: full.centred.reduce(
      (sum, f) =>
        sum +
        dot(
          vectors[j],
          f.map((x, s) => x * root[s]),
        ) **
          2,
      0,
    ),
    stationary: Math.abs(dot(vectors[j], root)),
  }));
  const top = Math.max(...modes.map((mode) => mode.stationary));
  return modes.filter((mode) => mode.stationary < top).sort((x, y) => x.gap - y.gap);
}

/** Index of a state's visible pattern: bit `k` is the `k`-th visible spin. */
export const visiblePattern = (model: Model, s: number): number =>
  model.visible.reduce((pattern, i, k) => pattern + (spinOf(s, i) > 0 ? 2 ** k : 0), 0);

/** `data(v) pi(h | v)` on all states, with the model's visible marginal. */
export function jointLaw({ model, states, pi }: FullSpace, data: DataLaw): { joint: Vector; visible: Vector } {
  const visible = new Float64Array(2 ** model.visible.length);
  for (let s = 0; s < states; s++) visible[visiblePattern(model, s)] += pi[s];
  const given = new Float64Array(visible.length);
  data.patterns.forEach((v, k) => (given[v] += data.probabilities[k]));
  const joint = vector(states, (s) => (given[visiblePattern(model, s)] * pi[s]) / visible[visiblePattern(model, s)]);
  return { joint, visible };
}

/** `E|ghat - g|^2` and `|E ghat - g|^2` of (2.4), observable by observable, from every path `x_0 ... x_{B+K}` and its probability. */
export function errorOverAllPaths(
  full: FullSpace,
  p: Matrix,
  joint: Vector,
  start: Vector,
  burnIn: number,
  window: number,
) {
  const { observables, pi, states } = full;
  const positive = observables.map((f) => dot(joint, f));
  const g = observables.map((f, a) => positive[a] - dot(pi, f));
  const mse = new Float64Array(observables.length);
  const mean = new Float64Array(observables.length);
  const visit = (t: number, s: number, probability: number, sums: readonly number[]): void => {
    if (probability === 0) return;
    const next = t > burnIn ? sums.map((sum, a) => sum + observables[a][s]) : sums;
    if (t < burnIn + window) {
      for (let r = 0; r < states; r++) visit(t + 1, r, probability * p[s][r], next);
      return;
    }
    next.forEach((sum, a) => {
      const estimate = positive[a] - sum / window;
      mse[a] += probability * (estimate - g[a]) ** 2;
      mean[a] += probability * estimate;
    });
  };
  for (let s = 0; s < states; s++) visit(0, s, start[s], Array(observables.length).fill(0));
  return { mse, biasSquared: mean.map((value, a) => (value - g[a]) ** 2) };
}
