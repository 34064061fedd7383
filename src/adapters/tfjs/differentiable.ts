import { ConvergenceError, UnsupportedError } from '../../errors.js';
import type { Model } from '../../model/model.js';
import type { Objective } from '../../trainability/routes/log-quantities.js';
import type { Route } from '../../trainability/routes/route.js';
import { checkTf, type SaveTensors, type TensorLike, type TfLike } from './tf-like.js';
import { modelAt, type ThetaTensors, tensorList } from './theta.js';

/** A value in float64, and its gradient in theta order. */
interface Evaluated {
  readonly value: number;
  gradient(): Float64Array;
}

/**
 * A function of a model's parameters as a differentiable operation. Parameters are float32 and read exactly; `evaluate` computes in float64; the value is rounded to float32 once, and so
 * is the product of the gradient with the incoming cotangent. A second derivative is refused, not zero.
 */
export function differentiable<T extends TensorLike, S extends T>(
  tf: TfLike<T, S>,
  theta: ThetaTensors,
  model: Model,
  name: string,
  evaluate: (theta: Float64Array) => Evaluated,
): S {
  checkTf(tf);
  const inputs = tensorList(theta) as readonly T[];
  const point = modelAt(model, inputs).theta;
  const operation = tf.customGrad((...given) => {
    const { value, gradient } = evaluate(point);
    (given[inputs.length] as SaveTensors<T>)(given.slice(0, inputs.length) as T[]);
    return {
      value: tf.scalar(rounded([value], name)[0], 'float32'),
      gradFunc: (dy, saved) => cotangents(tf, dy, saved, name, gradient),
    };
  });
  return operation(...inputs) as S;
}

/** `dy` times the gradient, a tensor for each of the inputs. */
function cotangents<T extends TensorLike, S extends T>(
  tf: TfLike<T, S>,
  dy: T,
  inputs: readonly T[],
  name: string,
  gradient: () => Float64Array,
): T[] {
  const factor = Number(dy.dataSync()[0]);
  const bar = rounded(
    gradient().map((slope) => factor * slope),
    `The gradient of ${name}`,
  );
  let offset = 0;
  return inputs.map((input) => {
    const size = input.shape.reduce((product, n) => product * n, 1);
    const part = bar.slice(offset, offset + size);
    offset += size;
    // An operation of its inputs, so that to differentiate it is noticed.
    const operation = tf.customGrad(() => ({
      value: tf.tensor(part, [...input.shape], 'float32'),
      gradFunc: () => {
        throw new UnsupportedError(
          `A second derivative of ${name}`,
          'htdml has first derivatives only',
          'differentiate once',
        );
      },
    }));
    return operation(dy, ...inputs);
  });
}

/** Float64 rounded to float32; what is not finite there is refused. */
function rounded(values: ArrayLike<number>, name: string): Float32Array {
  const out = Float32Array.from(values);
  const bad = out.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return out;
  throw new UnsupportedError(
    name,
    `it is ${values[bad]}, which float32 cannot hold`,
    'use parameters of moderate size, or compute in float64 without TensorFlow.js',
  );
}

/** An objective of a route at a parameter vector. Throws {@link ConvergenceError} or {@link UnsupportedError} where it has no finite value, never gives NaN. */
export function evaluateObjective(route: Route, objective: Objective, theta: Float64Array): Evaluated {
  const { value: values, pullback, info } = route.evaluate(theta, objective.quantities);
  if (!info.converged) {
    throw new ConvergenceError(objective.name, 'the chain is too slow in double precision at these parameters');
  }
  const at = objective.evaluate(values);
  if (at === null || !Number.isFinite(at.value)) {
    const shown = Object.entries(values).map(([quantity, value]) => `${quantity} ${value}`);
    throw new UnsupportedError(
      objective.name,
      `it has no finite value where the model has ${new Intl.ListFormat('en').format(shown)}`,
      'use parameters at which the gradient has a signal and every observable fluctuates',
    );
  }
  return { value: at.value, gradient: () => pullback(at.bar) };
}
