import type { Boltzmann } from '../model/boltzmann.js';
import { BlockExpectation } from './block-expectation.js';
import { forColumns, type KernelOperator } from './operator.js';

/** `P = sum_c P_c / C`: `random-scan` (blocks of one spin) and `random-block`. */
export class MixtureKernel implements KernelOperator {
  readonly states: number;
  readonly pi: Float64Array;
  private readonly blocks: readonly BlockExpectation[];
  private readonly work: Float64Array;
  private readonly work2: Float64Array;

  /** `sector` -1 gives the operator on odd functions of the global flip; the space must then be folded. */
  constructor(law: Boltzmann, blocks: readonly (readonly number[])[], sector: 1 | -1 = 1) {
    this.states = law.space.states;
    this.pi = law.pi;
    this.blocks = blocks.map((block) => new BlockExpectation(law, block, sector));
    this.work = new Float64Array(this.states);
    this.work2 = new Float64Array(this.states);
  }

  apply(x: Float64Array, y: Float64Array, count = 1): void {
    y.fill(0, 0, count * this.states);
    forColumns(this.states, x, y, count, (xk, yk) => {
      for (const block of this.blocks) {
        block.apply(xk, this.work);
        this.addWork(yk);
      }
    });
  }

  adjoint(): this {
    return this;
  }

  propagate(mu: Float64Array, out: Float64Array): void {
    out.fill(0);
    for (const block of this.blocks) {
      this.work.set(mu);
      block.propagate(this.work);
      this.addWork(out);
    }
  }

  applyGenerator(x: Float64Array, y: Float64Array, count = 1): void {
    y.fill(0, 0, count * this.states);
    forColumns(this.states, x, y, count, (xk, yk) => {
      for (const block of this.blocks) {
        if (block.addSiteDifference(xk, yk, 1 / this.blocks.length)) continue;
        block.difference(xk, this.work);
        this.addWork(yk);
      }
    });
  }

  applyDerivative(x: Float64Array, l: Float64Array, y: Float64Array): void {
    const work = [this.work, this.work2, new Float64Array(this.states)];
    y.fill(0);
    for (const block of this.blocks) block.addDerivative(x, l, 1 / this.blocks.length, y, work);
  }

  addCotangent(v: Float64Array, w: Float64Array, out: Float64Array): void {
    for (const block of this.blocks) block.addCotangent(v, w, this.work, this.work2, 1 / this.blocks.length, out);
  }

  private addWork(y: Float64Array): void {
    const weight = 1 / this.blocks.length;
    for (let s = 0; s < this.states; s++) y[s] += weight * this.work[s];
  }
}
