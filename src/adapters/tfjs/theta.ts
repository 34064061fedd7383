import { InputError, show } from '../../errors.js';
import { type Model, withParameters } from '../../model/model.js';
import type { TensorLike } from './tf-like.js';

/**
 * A model's parameters as tensors of type float32: all of `theta` in one of shape `[p]` (J in edge order, then h), or the couplings in one of shape `[edges]`, an RBM's `[visible, hidden]`,
 * alone or followed by the biases, in one of shape `[spins]`, an RBM's in two of `[visible]` and `[hidden]`. Where a model has biases and the couplings come alone, the biases
 * are the model's own.
 */
export type ThetaTensors = TensorLike | readonly TensorLike[];

/** One tensor is a list of one. */
export function tensorList(theta: ThetaTensors): readonly TensorLike[] {
  return isList(theta) ? theta : [theta];
}

function isList(theta: ThetaTensors): theta is readonly TensorLike[] {
  return Array.isArray(theta);
}

/** The lists of shapes that hold a model's parameters. */
function layouts({ layers, edges, spins, biased, theta }: Model): readonly (readonly (readonly number[])[])[] {
  const couplings = layers === null ? [edges.length] : [layers.visible, layers.hidden];
  const biases = layers === null ? [[spins]] : [[layers.visible], [layers.hidden]];
  return [[[theta.length]], [couplings], ...(biased ? [[couplings, ...biases]] : [])];
}

/** Refuses what are not a model's parameters in tensors of type float32, with {@link InputError}. */
export function checkTheta(model: Model, tensors: readonly TensorLike[], field = 'theta'): void {
  tensors.forEach((tensor, k) => {
    const name = tensors.length === 1 ? field : `${field}[${k}]`;
    const { shape, dtype } = (tensor ?? {}) as Partial<TensorLike>;
    if (!Array.isArray(shape) || typeof tensor.dataSync !== 'function') {
      throw new InputError({
        field: name,
        expected: 'a tensor',
        got: show(tensor),
        remedy: 'make one with tf.tensor, tf.variable or an operation',
      });
    }
    if (dtype !== 'float32') {
      throw new InputError({
        field: `${name}.dtype`,
        expected: 'float32',
        got: show(dtype),
        remedy: 'convert it with tf.cast first',
      });
    }
  });
  const given = shapeList(tensors.map(({ shape }) => shape));
  const possible = [...new Set(layouts(model).map(shapeList))];
  if (possible.includes(given)) return;
  throw new InputError({
    field,
    expected: `of shape ${possible.join(' or ')}`,
    got: given === '' ? 'no tensor' : given,
    remedy: 'give the couplings, or the couplings and then the biases',
  });
}

function shapeList(shapes: readonly (readonly number[])[]): string {
  return shapes.map((shape) => show(shape)).join(' with ');
}

/**
 * The model with the parameters that tensors hold, each float32 as the float64 that it is. Throws {@link InputError} naming the parameter that is not
 * finite.
 */
export function modelAt(model: Model, tensors: readonly TensorLike[], field = 'theta'): Model {
  checkTheta(model, tensors, field);
  const theta = Float64Array.from(model.theta);
  let offset = 0;
  for (const tensor of tensors) {
    const values = Float64Array.from(tensor.dataSync() as ArrayLike<number>);
    theta.set(values, offset);
    offset += values.length;
  }
  return withParameters(model, theta);
}
