import { type NetworkShape, weightShapes } from './network.js';
import type { TensorLike, TfLike } from './tf-like.js';
import type { TrainingBatch } from './training-batch.js';

/** What training needs of TensorFlow.js beside making tensors. */
export interface TfTraining<T extends TensorLike, S extends T> extends Pick<TfLike<T, S>, 'tensor'> {
  /** As in TensorFlow.js. */
  add(a: T, b: T): T;
  /** As in TensorFlow.js. */
  sub(a: T, b: T): T;
  /** As in TensorFlow.js. */
  mul(a: T, b: T): T;
  /** As in TensorFlow.js. */
  neg(x: T): T;
  /** As in TensorFlow.js. */
  tanh(x: T): T;
  /** As in TensorFlow.js. */
  matMul(a: T, b: T): T;
  /** As in TensorFlow.js. */
  tile(x: T, repeats: number[]): T;
  /** As in TensorFlow.js. */
  sum(x: T): T;
  /** As in TensorFlow.js. */
  tidy(f: () => T[]): T[];
  /** As in TensorFlow.js. */
  valueAndGrads(f: (...inputs: T[]) => S): (inputs: T[]) => {
    /** Of the function. */
    value: S;
    /** In each of the inputs. */
    grads: T[];
  };
}

/**
 * The part of (6.1) that depends on a network `chi`, with trial solutions `psi_z = beta_z . g + alpha_z . chi` held, and its gradient in the weights, in float32:
 *
 *     J = 2 sum_s t_s . chi(x_s) - sum_m p_m (D_m . A D_m + 2 r_m . D_m),   D_m = chi(x_s) - chi(x'_m).
 *
 * Where the trial solutions are the best ones this is the gradient of the bound itself: it is stationary in them.
 */
export function objectiveGradient<T extends TensorLike, S extends T>(
  tf: TfTraining<T, S>,
  shape: NetworkShape,
  weights: ArrayLike<number>,
  batch: TrainingBatch,
): { value: number; gradient: Float64Array } {
  const { spins, count, depth, even } = shape;
  const { samples, moves } = batch;
  let value = Number.NaN;
  const gradient = new Float64Array(weights.length);
  tf.tidy(() => {
    const matrix = (values: Float32Array, rows: number, columns: number) =>
      tf.tensor(values, [rows, columns], 'float32');
    const phi = split(weights, shape).map(({ values, rows, columns }) => matrix(values, rows, columns));
    const here = matrix(batch.here, samples, spins);
    const there = matrix(batch.there, samples * moves, spins);
    const target = matrix(batch.target, samples, count);
    const share = matrix(batch.share, samples * moves, 1);
    const given = matrix(batch.given, samples * moves, count);
    const square = matrix(batch.square, count, count);
    const head = (first: T, layers: T[]) => {
      let layer = tf.tanh(tf.add(first, layers[1]));
      for (let d = 1; d < depth; d++) layer = tf.tanh(tf.add(tf.matMul(layer, layers[2 * d]), layers[2 * d + 1]));
      return tf.matMul(layer, layers[2 * depth]);
    };
    const chi = (x: T, layers: T[]) => {
      const first = tf.matMul(x, layers[0]);
      return even ? tf.add(head(first, layers), head(tf.neg(first), layers)) : head(first, layers);
    };
    const objective = (...layers: T[]) => {
      const at = chi(here, layers);
      const change = tf.sub(tf.tile(at, [moves, 1]), chi(there, layers));
      const quadratic = tf.mul(change, tf.add(tf.matMul(change, square), tf.add(given, given)));
      const linear = tf.sum(tf.mul(target, at));
      return tf.sub(tf.add(linear, linear), tf.sum(tf.mul(share, quadratic))) as S;
    };
    const { value: at, grads } = tf.valueAndGrads(objective)(phi);
    value = Number(at.dataSync()[0]);
    let offset = 0;
    for (const part of grads) {
      const values = part.dataSync() as ArrayLike<number>;
      gradient.set(values, offset);
      offset += values.length;
    }
    return [];
  });
  return { value, gradient };
}

function split(weights: ArrayLike<number>, shape: NetworkShape) {
  const all = Float32Array.from(weights);
  let offset = 0;
  return weightShapes(shape).map(([rows, columns]) => {
    const values = all.slice(offset, offset + rows * columns);
    offset += rows * columns;
    return { values, rows, columns };
  });
}
