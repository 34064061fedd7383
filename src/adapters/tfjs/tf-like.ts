import { InputError, show } from '../../errors.js';

/** What the adapter needs of a tensor; every `tf.Tensor` and `tf.Variable` has it. */
export interface TensorLike {
  /** Sizes of the dimensions. */
  readonly shape: readonly number[];
  /** Must be `float32`, the one floating type of TensorFlow.js. */
  readonly dtype: string;
  /** The values, read at once: the backend must be able to read synchronously. */
  dataSync(): ArrayLike<unknown>;
}

/**
 * What the adapter needs of TensorFlow.js, which it is handed and never imports: `tf` of `@tensorflow/tfjs`, of `@tensorflow/tfjs-node` and `-node-gpu`, or the module
 * `@tensorflow/tfjs-core` itself. `T` is its tensor and `S` its scalar.
 */
export interface TfLike<T extends TensorLike, S extends T> {
  /** As in TensorFlow.js. */
  tensor(values: Float32Array, shape: number[], dtype: 'float32'): T;
  /** As in TensorFlow.js. */
  scalar(value: number, dtype: 'float32'): S;
  /** As in TensorFlow.js. */
  customGrad(f: (...inputs: (T | SaveTensors<T>)[]) => WithGradient<T>): (...inputs: T[]) => T;
}

/** How TensorFlow.js is told to keep tensors for the gradient. */
export type SaveTensors<T> = (tensors: T[]) => void;

/** What a function given to `tf.customGrad` returns. */
export interface WithGradient<T> {
  /** The function's value. */
  readonly value: T;
  /** The cotangent of every input from that of the value. */
  gradFunc(dy: T, saved: T[]): T[];
}

/** Throws {@link InputError} where what was handed over is not TensorFlow.js. */
export function checkTf(tf: unknown, names: readonly string[] = ['tensor', 'scalar', 'customGrad']): void {
  const parts = (tf ?? {}) as Record<string, unknown>;
  for (const name of names) {
    if (typeof parts[name] === 'function') continue;
    throw new InputError({
      field: 'tf',
      expected: `the TensorFlow.js module, with a function ${name}`,
      got: show(typeof tf === 'object' ? typeof parts[name] : tf),
      remedy: 'pass the namespace of @tensorflow/tfjs',
    });
  }
}
