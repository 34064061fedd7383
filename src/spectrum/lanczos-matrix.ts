import { eigenRows } from './eigen-rows.js';

/** Ritz values of the filter, largest first, with their residuals. */
export interface Ritz {
  readonly theta: Float64Array;
  readonly rho: Float64Array;
}

/** Two columns of a symmetric matrix, from 2 x 2 blocks; the entries beyond the diagonal are mirrored. */
export function writeColumn(h: Float64Array, size: number, panel: number, blocks: Float64Array): void {
  for (let k = 0; 4 * k < blocks.length; k++) {
    for (const a of [0, 1]) {
      for (const b of [0, 1]) {
        const [i, j] = [2 * k + a, 2 * panel + b];
        h[i * size + j] = blocks[4 * k + 2 * a + b];
        if (k < panel) h[j * size + i] = blocks[4 * k + 2 * a + b];
      }
    }
  }
}

/** The leading part of the Lanczos matrix, negative so that the largest Ritz values come first. */
export function leading(h: Float64Array, size: number, order: number): Float64Array {
  const a = new Float64Array(order * order);
  for (let i = 0; i < order; i++) {
    for (let j = 0; j < order; j++) a[i * order + j] = -(h[i * size + j] + h[j * size + i]) / 2;
  }
  return a;
}

/** A residual is what the last panel's part of a Ritz vector leads to, by `r` (upper triangular), in the panel after it. */
export function ritzValues(h: Float64Array, size: number, order: number, r: Float64Array): Ritz {
  const last = new Float64Array(2 * order);
  last[order - 2] = 1;
  last[2 * order - 1] = 1;
  const { values, rows } = eigenRows(leading(h, size, order), order, last, 2);
  const rho = values.map((_, i) => Math.hypot(r[0] * rows[i] + r[1] * rows[order + i], r[3] * rows[order + i]));
  return { theta: values.map((value) => -value), rho };
}

/** Row-major, of order `n`. */
export function transpose(a: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) out[j * n + i] = a[i * n + j];
  return out;
}
