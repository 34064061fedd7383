/**
 * A Markov kernel `P` as an operator on functions of the states, in `L2(pi)`. Every kernel of the library has this interface.
 *
 * Several functions are stored one after the other in one array; `count` says how many.
 */
export interface KernelOperator {
  readonly states: number;
  /** The stationary law. */
  readonly pi: Float64Array;
  /** `y = P x`. */
  apply(x: Float64Array, y: Float64Array, count?: number): void;
  /** `P*`, the adjoint in `L2(pi)`: the chain run backwards. The kernel itself where it is reversible. */
  adjoint(): KernelOperator;
  /** `out = mu P`: one step of the chain on a measure. Needs no division by `pi`. */
  propagate(mu: Float64Array, out: Float64Array): void;
  /** `y = (I - P) x`, formed from differences of `x` and rates, never by subtracting `P x` (D9). */
  applyGenerator(x: Float64Array, y: Float64Array, count?: number): void;
  /**
   * `y` is the derivative of `P x` in a direction with `d log pi = l`, with `sqrt(pi) x` held fixed, as a function times `1 / sqrt(pi)`: the
   * symmetric matrix `A = D^{1/2} P D^{-1/2}` changes by `dA`, and `sqrt(pi) y = dA (sqrt(pi) x)`.
   */
  applyDerivative(x: Float64Array, l: Float64Array, y: Float64Array): void;
  /** Adds to `out` the density `Lbar / pi` of the derivative of `<v, P w>` with `sqrt(pi) v` and `sqrt(pi) w` held fixed (D1). */
  addCotangent(v: Float64Array, w: Float64Array, out: Float64Array): void;
}

/** Calls `body` with each of `count` functions stored one after the other in `x` and `y`. */
export function forColumns(
  states: number,
  x: Float64Array,
  y: Float64Array,
  count: number,
  body: (xk: Float64Array, yk: Float64Array) => void,
): void {
  for (let k = 0; k < count; k++) {
    body(x.subarray(k * states, (k + 1) * states), y.subarray(k * states, (k + 1) * states));
  }
}
