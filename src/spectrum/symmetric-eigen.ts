import { EigenvalueDecomposition, Matrix } from 'ml-matrix';

/** `A = sum_j x_j phi_j phi_j^T` of a symmetric `n x n` matrix. */
export interface SymmetricEigen {
  /** Ascending. */
  readonly values: Float64Array;
  /** Row `j`, from `j * n`, is the orthonormal eigenvector of `values[j]`. */
  readonly vectors: Float64Array;
}

/** Eigendecomposition of a symmetric row-major `n x n` matrix by ml-matrix (Householder tridiagonalisation and QL). */
export function symmetricEigen(a: Float64Array, n: number): SymmetricEigen {
  const evd = new EigenvalueDecomposition(Matrix.from1DArray(n, n, a), { assumeSymmetric: true });
  const raw = evd.realEigenvalues;
  const order = Array.from({ length: n }, (_, j) => j).sort((x, y) => raw[x] - raw[y]);
  const matrix = evd.eigenvectorMatrix;
  const vectors = new Float64Array(n * n);
  order.forEach((column, j) => {
    for (let s = 0; s < n; s++) vectors[j * n + s] = matrix.get(s, column);
  });
  return { values: Float64Array.from(order, (j) => raw[j]), vectors };
}
