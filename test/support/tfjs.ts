import * as core from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers'; // its import registers the gradients of core
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import type { Model } from 'htdml';

/** What the union package `@tensorflow/tfjs` gives, of a third of its size. */
export const tf = { ...core, ...layers };

export const BACKENDS = ['cpu', 'wasm'] as const;

/** Rounded to float32, as tensors are. */
export const float32 = (values: ArrayLike<number>) => Float64Array.from(Float32Array.from(values));

/** The same model with parameters that float32 holds. */
export const inFloat32 = (model: Model): Model => ({ ...model, theta: float32(model.theta) });

/** A model's parameters as tensors: all in one, or couplings and biases apart. */
export function tensorsOf({ theta, layers: sizes, edges, biased, spins }: Model, apart: boolean): core.Tensor[] {
  if (!apart) return [tf.tensor1d(Float32Array.from(theta))];
  const part = (from: number, shape: number[]) =>
    tf.tensor(Float32Array.from(theta.subarray(from, shape.reduce((product, n) => product * n, 1) + from)), shape);
  const couplings = part(0, sizes === null ? [edges.length] : [sizes.visible, sizes.hidden]);
  if (!biased) return [couplings];
  if (sizes === null) return [couplings, part(edges.length, [spins])];
  return [couplings, part(edges.length, [sizes.visible]), part(edges.length + sizes.visible, [sizes.hidden])];
}
