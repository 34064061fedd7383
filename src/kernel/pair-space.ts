import type { KernelOperator } from './operator.js';

/**
 * Functions of the states in panels of two, in numbered slots, with what an eigensolver does to them. Inner products are those of `L2(pi)`. A 2 x 2 matrix is four
 * numbers, row by row; a list of panels has one after the other.
 */
export interface PairSpace {
  readonly states: number;
  /** Writes one function of a panel. */
  write(slot: number, lane: 0 | 1, values: Float64Array): void;
  read(slot: number, lane: 0 | 1): Float64Array;
  copy(from: number, to: number): void;
  clear(slot: number): void;
  /** `before = a ((I - P) x - c x) + b before`, from rates (D9). */
  step(before: number, x: number, a: number, c: number, b: number): void;
  /** `x -= E x`. */
  centre(slot: number): void;
  /** `<v_i, w_j>` for `count` panels `v` from `first` on. */
  gram(first: number, count: number, w: number): Float64Array;
  /** `w += sum_k v_k m_k`. */
  add(first: number, count: number, matrices: Float64Array, w: number): void;
}

/** A reversible kernel on functions of one symmetry sector, for an eigensolver. */
export interface PairOperator {
  readonly states: number;
  readonly pi: Float64Array;
  /** Whether constants, the stationary mode, are in the sector. */
  readonly stationary: boolean;
  /** `I - P` has no eigenvalue above this. */
  readonly largest: number;
  /** A space of so many panels, valid until the next one is opened; null where memory does not reach. */
  open(slots: number): PairSpace | null;
}

/** The operator by the plain loops of a kernel. */
export function plainPairs(kernel: KernelOperator, stationary: boolean, largest: number): PairOperator {
  const { states, pi } = kernel;
  return { states, pi, stationary, largest, open: (slots) => new PlainPairs(kernel, slots) };
}

class PlainPairs implements PairSpace {
  readonly states: number;
  private readonly panels: Float64Array[];
  private readonly image: Float64Array;

  constructor(
    private readonly kernel: KernelOperator,
    slots: number,
  ) {
    this.states = kernel.states;
    this.panels = Array.from({ length: slots }, () => new Float64Array(2 * kernel.states));
    this.image = new Float64Array(2 * kernel.states);
  }

  write(slot: number, lane: 0 | 1, values: Float64Array): void {
    this.panels[slot].set(values, lane * this.states);
  }

  read(slot: number, lane: 0 | 1): Float64Array {
    return this.panels[slot].slice(lane * this.states, (lane + 1) * this.states);
  }

  copy(from: number, to: number): void {
    this.panels[to].set(this.panels[from]);
  }

  clear(slot: number): void {
    this.panels[slot].fill(0);
  }

  step(before: number, x: number, a: number, c: number, b: number): void {
    const [y, from] = [this.panels[before], this.panels[x]];
    this.kernel.applyGenerator(from, this.image, 2);
    for (let s = 0; s < y.length; s++) y[s] = a * (this.image[s] - c * from[s]) + b * y[s];
  }

  centre(slot: number): void {
    const { pi } = this.kernel;
    for (const lane of [0, 1]) {
      const x = this.panels[slot].subarray(lane * this.states, (lane + 1) * this.states);
      let mean = 0;
      for (let s = 0; s < x.length; s++) mean += pi[s] * x[s];
      for (let s = 0; s < x.length; s++) x[s] -= mean;
    }
  }

  gram(first: number, count: number, w: number): Float64Array {
    const { states: n, panels } = this;
    const { pi } = this.kernel;
    const y = panels[w];
    const out = new Float64Array(4 * count);
    for (let k = 0; k < count; k++) {
      const v = panels[first + k];
      let [g00, g01, g10, g11] = [0, 0, 0, 0];
      for (let s = 0; s < n; s++) {
        const y0 = pi[s] * y[s];
        const y1 = pi[s] * y[n + s];
        g00 += v[s] * y0;
        g01 += v[s] * y1;
        g10 += v[n + s] * y0;
        g11 += v[n + s] * y1;
      }
      out.set([g00, g01, g10, g11], 4 * k);
    }
    return out;
  }

  add(first: number, count: number, matrices: Float64Array, w: number): void {
    const { states: n, panels } = this;
    const y = panels[w];
    for (let k = 0; k < count; k++) {
      const v = panels[first + k];
      const [m00, m01, m10, m11] = matrices.subarray(4 * k, 4 * k + 4);
      for (let s = 0; s < n; s++) {
        const v0 = v[s];
        const v1 = v[n + s];
        y[s] += v0 * m00 + v1 * m10;
        y[n + s] += v0 * m01 + v1 * m11;
      }
    }
  }
}
