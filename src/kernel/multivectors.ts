import type { KernelOperator } from './operator.js';

/** Functions in a multivector. Eight interleaved doubles are one cache line and four vector registers of two. */
export const LANES = 8;

/** {@link LANES} functions of the states side by side: entry `[s * LANES + k]` is function `k` at state `s`. */
export type Multivector = Float64Array;

/** What block Krylov methods need of a kernel: its generator on multivectors, and dense algebra between them, in `L2(pi)`. Small matrices are row-major, LANES x LANES. */
export interface MultivectorSpace {
  readonly states: number;
  readonly pi: Float64Array;
  /** A multivector of zeros, which belongs to this space. */
  multivector(): Multivector;
  /** `y = (I - P) x`, from differences (D9). */
  applyGenerator(x: Multivector, y: Multivector): void;
  /** `out[i * LANES + j] = <x_i, y_j>`. */
  gram(x: Multivector, y: Multivector, out: Float64Array): void;
  /** `y_j += sum_i x_i c[i * LANES + j]`. */
  addProduct(x: Multivector, c: Float64Array, y: Multivector): void;
}

/** The reference implementation, on any kernel. */
export function plainMultivectorSpace(kernel: KernelOperator): MultivectorSpace {
  const { states, pi } = kernel;
  const column = new Float64Array(states);
  const image = new Float64Array(states);
  return {
    states,
    pi,
    multivector: () => new Float64Array(states * LANES),
    applyGenerator(x, y) {
      for (let k = 0; k < LANES; k++) {
        for (let s = 0; s < states; s++) column[s] = x[s * LANES + k];
        kernel.applyGenerator(column, image);
        for (let s = 0; s < states; s++) y[s * LANES + k] = image[s];
      }
    },
    gram(x, y, out) {
      out.fill(0);
      for (let s = 0; s < states; s++) {
        for (let i = 0; i < LANES; i++) {
          const weighted = pi[s] * x[s * LANES + i];
          for (let j = 0; j < LANES; j++) out[i * LANES + j] += weighted * y[s * LANES + j];
        }
      }
    },
    addProduct(x, c, y) {
      for (let s = 0; s < states; s++) {
        for (let i = 0; i < LANES; i++) {
          const value = x[s * LANES + i];
          for (let j = 0; j < LANES; j++) y[s * LANES + j] += value * c[i * LANES + j];
        }
      }
    },
  };
}
