import type { Boltzmann } from '../model/boltzmann.js';
import { BlockExpectation } from './block-expectation.js';
import { forColumns, type KernelOperator } from './operator.js';

/**
 * `P = P_1 P_2 ... P_M` over a sequence of blocks, the first of them resampled first: palindromes, which are reversible, and alternating scans, which
 * are not.
 */
export class ProductKernel implements KernelOperator {
  readonly states: number;
  readonly pi: Float64Array;
  private readonly sequence: readonly BlockExpectation[];
  private readonly work: Float64Array;
  private readonly work2: Float64Array;

  constructor(
    sequence: readonly BlockExpectation[],
    { states, pi }: { readonly states: number; readonly pi: Float64Array },
  ) {
    this.states = states;
    this.pi = pi;
    this.sequence = sequence;
    this.work = new Float64Array(states);
    this.work2 = new Float64Array(states);
  }

  /** `sector` -1 gives the operator on odd functions of the global flip; the space must then be folded. */
  static of(law: Boltzmann, blocks: readonly (readonly number[])[], sector: 1 | -1 = 1): ProductKernel {
    // A palindrome visits most blocks twice and shares their tables.
    const made = new Map<readonly number[], BlockExpectation>();
    const sequence = blocks.map((block) => {
      const known = made.get(block) ?? new BlockExpectation(law, block, sector);
      made.set(block, known);
      return known;
    });
    return new ProductKernel(sequence, { states: law.space.states, pi: law.pi });
  }

  adjoint(): ProductKernel {
    const backwards = [...this.sequence].reverse();
    const palindrome = backwards.every((block, m) => block === this.sequence[m]);
    return palindrome ? this : new ProductKernel(backwards, this);
  }

  apply(x: Float64Array, y: Float64Array, count = 1): void {
    forColumns(this.states, x, y, count, (xk, yk) => {
      yk.set(xk);
      for (const block of [...this.sequence].reverse()) block.apply(yk, yk);
    });
  }

  propagate(mu: Float64Array, out: Float64Array): void {
    out.set(mu);
    for (const block of this.sequence) block.propagate(out);
  }

  /** By `I - P_k ... P_M = (I - P_k) + P_k (I - P_{k+1} ... P_M)`. */
  applyGenerator(x: Float64Array, y: Float64Array, count = 1): void {
    forColumns(this.states, x, y, count, (xk, yk) => {
      yk.fill(0);
      for (const block of [...this.sequence].reverse()) {
        block.apply(yk, yk);
        block.difference(xk, this.work);
        for (let s = 0; s < this.states; s++) yk[s] += this.work[s];
      }
    });
  }

  /** By the product rule, from the right: the derivative of `P_m z` is `P_m dz + dP_m z`. */
  applyDerivative(x: Float64Array, l: Float64Array, y: Float64Array): void {
    const work = [this.work, this.work2, new Float64Array(this.states)];
    const z = Float64Array.from(x);
    y.fill(0);
    for (const block of [...this.sequence].reverse()) {
      block.apply(y, y);
      block.addDerivative(z, l, 1, y, work);
      block.apply(z, z);
    }
  }

  /** (D2): the sum of (D1) over the factors, `v` carried in from the left and `w` from the right. */
  addCotangent(v: Float64Array, w: Float64Array, out: Float64Array): void {
    // right[m] = P_{m+1} ... P_M w.
    const right: Float64Array[] = [Float64Array.from(w)];
    for (const block of [...this.sequence].reverse().slice(0, -1)) {
      const next = new Float64Array(this.states);
      block.apply(right[0], next);
      right.unshift(next);
    }
    const left = Float64Array.from(v);
    this.sequence.forEach((block, m) => {
      block.addCotangent(left, right[m], this.work, this.work2, 1, out);
      for (let s = 0; s < this.states; s++) left[s] -= this.work[s];
    });
  }
}
