import { random } from './models.js';

/** A symmetric row-major matrix with given eigenvalues in a random orthonormal basis, which Gram-Schmidt makes twice over. */
export function withSpectrum(values: readonly number[], seed: number): Float64Array {
  const n = values.length;
  const { normal } = random(seed);
  const basis = values.map(() => Float64Array.from({ length: n }, normal));
  for (let pass = 0; pass < 2; pass++) {
    basis.forEach((row, j) => {
      for (const other of basis.slice(0, j)) {
        const overlap = row.reduce((sum, x, s) => sum + x * other[s], 0);
        for (let s = 0; s < n; s++) row[s] -= overlap * other[s];
      }
      const norm = Math.hypot(...row);
      for (let s = 0; s < n; s++) row[s] /= norm;
    });
  }
  const out = new Float64Array(n * n);
  values.forEach((value, j) => {
    for (let s = 0; s < n; s++) for (let t = 0; t < n; t++) out[s * n + t] += value * basis[j][s] * basis[j][t];
  });
  return out;
}

/** A random symmetric row-major matrix of spectral norm at most 1 (Frobenius norm 1). */
export function symmetricDirection(n: number, seed: number): Float64Array {
  const { normal } = random(seed);
  const raw = Float64Array.from({ length: n * n }, normal);
  const out = raw.map((x, k) => x + raw[(k % n) * n + Math.floor(k / n)]);
  const norm = Math.hypot(...out);
  return out.map((x) => x / norm);
}

/** Row-major product of `n x n` matrices. */
export function product(a: Float64Array, b: Float64Array, n: number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, k) => {
    const [s, t] = [Math.floor(k / n), k % n];
    let sum = 0;
    for (let m = 0; m < n; m++) sum += a[s * n + m] * b[m * n + t];
    return sum;
  });
}

export const trace = (a: Float64Array, n: number): number =>
  Array.from({ length: n }, (_, s) => a[s * n + s]).reduce((x, y) => x + y, 0);
