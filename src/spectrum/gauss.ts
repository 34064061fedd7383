import { symmetricEigen } from './symmetric-eigen.js';

/**
 * Gauss quadrature from a Lanczos matrix started at `b` (Golub and Meurant 2010): `<b, q(I - P) b>` is `|b|^2 sum_k weights[k]
 * q(nodes[k])`, exact for polynomials up to twice the matrix's order.
 */
export function gaussQuadrature(diagonal: Float64Array, offDiagonal: Float64Array) {
  const n = diagonal.length;
  const tridiagonal = new Float64Array(n * n);
  for (let k = 0; k < n; k++) {
    tridiagonal[k * n + k] = diagonal[k];
    if (k + 1 < n) tridiagonal[k * n + k + 1] = tridiagonal[(k + 1) * n + k] = offDiagonal[k];
  }
  const { values, vectors } = symmetricEigen(tridiagonal, n);
  return { nodes: values, weights: Float64Array.from(values, (_, k) => vectors[k * n] ** 2) };
}
