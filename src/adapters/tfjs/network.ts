import { InputError, show } from '../../errors.js';
import type { FeatureBlock } from '../../estimation/bound/features.js';

/** Sizes of a network of the spins. */
export interface NetworkShape {
  /** Length of its input. */
  readonly spins: number;
  /** Units of each hidden layer. */
  readonly width: number;
  /** Hidden layers. */
  readonly depth: number;
  /** Functions that it computes. */
  readonly count: number;
  /** Whether they are made even under the global flip: `chi(x) + chi(-x)`. */
  readonly even: boolean;
}

/**
 * A network as plain data, which JSON holds: `chi(x) = V^T tanh(... tanh(W^T x + b) ...)`. A constant would not show in (6.1), so the functions have none of their own.
 */
export interface Network extends NetworkShape {
  /** For each hidden layer its matrix, a row per input, and its biases; then `V`, a row per unit. Numbers that float32 holds. */
  readonly weights: readonly number[];
}

/** Features that a network computes; they can be a member of `functions` of the bound (6.1). */
export interface NeuralFeatures extends FeatureBlock {
  /** What computes them. */
  readonly network: Network;
}

/** Shapes of the matrices and biases, in the order of the weights. */
export function weightShapes({ spins, width, depth, count }: NetworkShape): (readonly [number, number])[] {
  const hidden = Array.from({ length: depth }, (_, k) => [
    [k === 0 ? spins : width, width] as const,
    [1, width] as const,
  ]);
  return [...hidden.flat(), [width, count]];
}

/** Numbers in all of them. */
export function weightCount(shape: NetworkShape): number {
  return weightShapes(shape).reduce((sum, [rows, columns]) => sum + rows * columns, 0);
}

/**
 * The features of a network, evaluated in float64: at another spin value only a row of the first matrix is added, which costs `width` and not `spins * width`. Throws {@link InputError} where the weights are too few or too
 * many, or one is not finite.
 */
export function networkFeatures(network: Network, name = 'neural'): NeuralFeatures {
  checkWeights(network);
  const { spins, width, depth, count, even } = network;
  const weights = Float64Array.from(network.weights);
  const sum = new Float64Array(width);
  const moved = new Float64Array(width);
  let [layer, next] = [new Float64Array(width), new Float64Array(width)];
  const bias = spins * width;
  /** Adds `chi` at the weighted sums `sign * at` of the first layer. */
  const addTo = (out: Float64Array, offset: number, at: Float64Array, sign: number) => {
    for (let k = 0; k < width; k++) layer[k] = Math.tanh(sign * at[k] + weights[bias + k]);
    let start = bias + width;
    for (let d = 1; d < depth; d++) {
      product(weights, start, layer, next, 0, width);
      start += width * width;
      for (let k = 0; k < width; k++) next[k] = Math.tanh(next[k] + weights[start + k]);
      start += width;
      [layer, next] = [next, layer];
    }
    product(weights, start, layer, out, offset, count, false);
  };
  const evaluate = (at: Float64Array, out: Float64Array, offset: number) => {
    out.fill(0, offset, offset + count);
    addTo(out, offset, at, 1);
    if (even) addTo(out, offset, at, -1);
  };
  return {
    name,
    spins,
    count,
    even,
    network,
    load(x, out, offset) {
      product(weights, 0, x, sum, 0, width);
      evaluate(sum, out, offset);
    },
    flipped(i, x, _, out, offset) {
      const change = -2 * x[i];
      for (let k = 0; k < width; k++) moved[k] = sum[k] + change * weights[i * width + k];
      evaluate(moved, out, offset);
    },
  };
}

/** `out = M^T x`, or adds it, with the rows of `M` in `weights` from `start` on. */
function product(
  weights: Float64Array,
  start: number,
  x: ArrayLike<number>,
  out: Float64Array,
  offset: number,
  columns: number,
  fresh = true,
): void {
  if (fresh) out.fill(0, offset, offset + columns);
  for (let i = 0; i < x.length; i++) {
    const value = x[i];
    const row = start + i * columns;
    for (let k = 0; k < columns; k++) out[offset + k] += value * weights[row + k];
  }
}

function checkWeights(network: Network): void {
  const expected = weightCount(network);
  const { weights } = network;
  const bad = weights.findIndex((value) => !Number.isFinite(value));
  if (weights.length === expected && bad < 0) return;
  throw new InputError({
    field: bad < 0 ? 'network.weights' : `network.weights[${bad}]`,
    expected: bad < 0 ? `${expected} numbers` : 'a finite number',
    got: bad < 0 ? `${weights.length}` : show(weights[bad]),
    remedy: 'give the network that training returned',
  });
}
