import type { Arbitrary } from 'fast-check';
import { randomSource } from 'htdml';
import { between } from './arbitraries.js';
import { fc } from './fast-check.js';

/** A symmetric matrix made from its eigenvalues. */
export interface SpectralMatrix {
  readonly kind: 'separated' | 'degenerate' | 'clustered' | 'near a boundary' | 'gap 1e-10';
  readonly n: number;
  /** Row-major, symmetric to the last bit. */
  readonly matrix: Float64Array;
  /** The prescribed eigenvalues, ascending. */
  readonly values: Float64Array;
  /** Row `j`, from `j * n`: an orthonormal eigenvector of `values[j]`. */
  readonly vectors: Float64Array;
  /** The cluster is the first `inside` eigenvalues; `edge` lies between it and the rest, which is `distance` away. */
  readonly inside: number;
  readonly edge: number;
  readonly distance: number;
}

/** `n` orthonormal rows: Gram-Schmidt, twice, on normal numbers, which gives the uniform law on rotations up to signs. */
export function randomBasis(n: number, seed: number): Float64Array {
  const { normal } = randomSource(seed);
  const rows: Float64Array[] = [];
  while (rows.length < n) {
    const row = Float64Array.from({ length: n }, normal);
    for (const other of [...rows, ...rows]) {
      const overlap = row.reduce((sum, x, k) => sum + x * other[k], 0);
      other.forEach((x, k) => {
        row[k] -= overlap * x;
      });
    }
    const norm = Math.hypot(...row);
    // A row that lies in the span of the others to half the digits is drawn anew.
    if (norm > 1e-8) rows.push(row.map((x) => x / norm));
  }
  return Float64Array.from(rows.flatMap((row) => [...row]));
}

/** `sum_j values_j v_j v_j^T`; eigenvalues are right to `n eps` times the largest. */
export function matrixFromSpectrum(values: Float64Array, vectors: Float64Array): Float64Array {
  const n = values.length;
  const matrix = new Float64Array(n * n);
  for (let s = 0; s < n; s++) {
    for (let t = 0; t <= s; t++) {
      let sum = 0;
      for (let j = 0; j < n; j++) sum += values[j] * vectors[j * n + s] * vectors[j * n + t];
      matrix[s * n + t] = matrix[t * n + s] = sum;
    }
  }
  return matrix;
}

/** How far the members of a cluster are from each other, by kind; `clustered` spreads them over a thousandth. */
const SPREAD = { separated: 0.3, degenerate: 0, clustered: 1e-3, 'near a boundary': 0.2, 'gap 1e-10': 1e-10 } as const;
const KINDS = Object.keys(SPREAD) as readonly (keyof typeof SPREAD)[];

/**
 * Symmetric matrices with prescribed eigenvalues in [0, 1) in a random basis: a cluster at the lower end and the rest. Members of the cluster are separated,
 * equal, within a thousandth or within 1e-10 of each other; or its last member and the first of the rest are within 1e-8 of the edge. What is drawn, and shrinks, is
 * sizes, positions and a seed, so that a shrunk case is of the same kind.
 */
export const spectralMatrices: Arbitrary<SpectralMatrix> = fc
  .record({
    kind: fc.constantFrom(...KINDS),
    positions: fc.array(between(0, 1), { minLength: 1, maxLength: 4 }),
    rest: fc.array(between(0, 1), { minLength: 1, maxLength: 6 }),
    seed: fc.nat(100_000),
  })
  .map(({ kind, positions, rest, seed }) => {
    const ascending = (list: readonly number[]) => [...list].sort((x, y) => x - y);
    const cluster = ascending(positions).map((x) => 0.1 + SPREAD[kind] * x);
    const outside = ascending(rest).map((x) => 0.5 + 0.49 * x);
    if (kind === 'near a boundary') {
      cluster[cluster.length - 1] = 0.45 - 1e-8;
      outside[0] = 0.45 + 1e-8;
    }
    const values = Float64Array.from([...cluster, ...outside]);
    const [last, next] = [cluster[cluster.length - 1], outside[0]];
    const vectors = randomBasis(values.length, seed);
    const matrix = matrixFromSpectrum(values, vectors);
    return {
      kind,
      n: values.length,
      matrix,
      values,
      vectors,
      inside: cluster.length,
      edge: (last + next) / 2,
      distance: next - last,
    };
  });
