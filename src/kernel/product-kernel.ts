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

  /**
   * (D2): the sum of (D1) over the factors, `v` carried in from the left and `w` from the right, each written with the differences that its factor makes.
   *
   * In a deep plateau `v` and `w` are of the size of the inverse gap and what counts are their differences within a well. After the first factor these would be those of rounded
   * numbers, so what a factor leaves is kept in two parts, the rounded one and the rest.
   */
  addCotangent(v: Float64Array, w: Float64Array, out: Float64Array): void {
    const n = this.states;
    // Per factor m from the last: w_m - P_m w_m and P_m w_m, w_m = P_{m+1} ... P_M w.
    const right = new Carried(w, this.work);
    const passed = [...this.sequence].reverse().map((block) => {
      const difference = right.pass(block);
      return { difference, rest: Float64Array.from(right.high) };
    });
    const left = new Carried(v, this.work);
    this.sequence.forEach((block, m) => {
      const { difference, rest } = passed[passed.length - 1 - m];
      const own = left.pass(block);
      for (let s = 0; s < n; s++) out[s] += 0.5 * (rest[s] * own[s] + left.high[s] * difference[s]);
    });
  }
}

/** A function that factors of a product are applied to one after the other, as an unevaluated sum. */
class Carried {
  readonly high: Float64Array;
  private readonly low: Float64Array;

  constructor(
    x: Float64Array,
    private readonly work: Float64Array,
  ) {
    this.high = Float64Array.from(x);
    this.low = new Float64Array(x.length);
  }

  /** Replaces `x` by `P_c x` and returns `x - P_c x`. */
  pass(block: BlockExpectation): Float64Array {
    const { high, low, work } = this;
    const difference = new Float64Array(high.length);
    block.difference(high, difference);
    block.difference(low, work);
    for (let s = 0; s < high.length; s++) {
      const d = difference[s] + work[s];
      difference[s] = d;
      // high - d exactly, as a sum of two (Knuth 1969).
      const sum = high[s] - d;
      const back = sum - high[s];
      low[s] += high[s] - (sum - back) + (-d - back);
      high[s] = sum;
    }
    return difference;
  }
}
