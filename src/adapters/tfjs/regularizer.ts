import { InputError, show, UnsupportedError } from '../../errors.js';
import type { KernelName } from '../../kernel/kernels.js';
import { type DataLaw, dataLawFromCounts } from '../../model/data-law.js';
import type { Model } from '../../model/model.js';
import { modelToJson, parseModel } from '../../model/model-file.js';
import type { SoftWindow } from '../../trainability/membership/soft-window.js';
import { createRoute } from '../../trainability/routes/create-route.js';
import type { Objective } from '../../trainability/routes/log-quantities.js';
import { differentiable, evaluateObjective } from './differentiable.js';
import { checkKernel, checkSoft, EFFECTIVE_GAP, rHat } from './operations.js';
import { checkTf, type TensorLike, type TfLike } from './tf-like.js';

/** The objectives that a regulariser raises. */
export const REGULARIZER_OBJECTIVES = ['logRhat', 'logRhatSoft', 'logEffectiveGap'] as const;

/** What an {@link HtdmlRegularizer} is made of. */
export interface RegularizerOptions {
  /** Structure and temperature; its biases hold where the layer's weight is the couplings alone. */
  readonly model: Model;
  /** The law of the visible spins. */
  readonly data: DataLaw;
  /** The chain that estimates the gradient. */
  readonly kernel: KernelName;
  /** What to raise: `log R_hat` (3.2), the same with soft membership (4.2), or `log gamma` (3.1). */
  readonly objective: (typeof REGULARIZER_OBJECTIVES)[number];
  /** `lambda`: the loss grows by `-lambda` times the objective. */
  readonly weight: number;
  /** `M K` of `log R_hat`, in kernel steps; 1 by default. It shifts the loss only. */
  readonly samples?: number | undefined;
  /** The window of `logRhatSoft`. */
  readonly soft?: SoftWindow | undefined;
}

/** A value that JSON holds. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A Keras-style regulariser: the loss `-lambda log R_hat`, or of another objective, of a layer's weight that holds couplings. */
export interface HtdmlRegularizer<T extends TensorLike, S extends T> {
  /** The loss of a weight: the couplings, an RBM's of shape `[visible, hidden]` as in a dense layer from visible to hidden spins, or all of `theta`. Precision and errors as of {@link objective}. */
  apply(weight: T): S;
  /** `HtdmlRegularizer`. */
  getClassName(): string;
  /** What a saved layer keeps: the {@link RegularizerOptions} as JSON, the model as in its file. */
  getConfig(): { [key: string]: Json };
}

/** The class that {@link registerRegularizer} makes. */
export interface HtdmlRegularizerClass<T extends TensorLike, S extends T> {
  /** Throws {@link InputError} for an option that is wrong. */
  new (options: RegularizerOptions): HtdmlRegularizer<T, S>;
  /** `HtdmlRegularizer`. */
  readonly className: string;
  /** The regulariser of a saved layer. Throws {@link InputError} naming what is wrong. */
  // biome-ignore lint/suspicious/noExplicitAny: TensorFlow.js passes the class that it has registered, whatever its type.
  fromConfig(cls: any, config: { [key: string]: unknown }): any;
}

/** What the regulariser needs of TensorFlow.js beside {@link TfLike}: layers, and how classes are registered. */
export interface TfLayersLike<T extends TensorLike, S extends T> extends TfLike<T, S> {
  /** As in TensorFlow.js. */
  readonly regularizers: {
    /** As in TensorFlow.js. */
    l2(args?: { l2: number }): object;
  };
  /** As in TensorFlow.js. */
  readonly serialization: {
    /** As in TensorFlow.js. */
    // biome-ignore lint/suspicious/noExplicitAny: the class extends one that only TensorFlow.js knows.
    registerClass(cls: any): unknown;
  };
}

const made = new WeakMap<object, unknown>();

/**
 * The class of regularisers for this TensorFlow.js, registered with it under the name `HtdmlRegularizer`, so that saved layers load again; call it before loading one. The class is the same at every
 * call.
 */
export function registerRegularizer<T extends TensorLike, S extends T>(
  tf: TfLayersLike<T, S>,
): HtdmlRegularizerClass<T, S> {
  checkTf(tf);
  const Base = regularizerBase(tf);
  const known = made.get(Base);
  if (known !== undefined) return known as HtdmlRegularizerClass<T, S>;

  class Regularizer extends Base implements HtdmlRegularizer<T, S> {
    static readonly className = 'HtdmlRegularizer';
    private readonly loss: (weight: T) => S;

    constructor(private readonly options: RegularizerOptions) {
      super();
      this.loss = lossOf(tf, options);
    }

    static fromConfig(cls: new (options: RegularizerOptions) => unknown, config: { [key: string]: unknown }) {
      return new cls(fromJson(config));
    }

    apply(weight: T): S {
      return this.loss(weight);
    }

    getClassName(): string {
      return Regularizer.className;
    }

    getConfig() {
      return toJson(this.options);
    }
  }
  tf.serialization.registerClass(Regularizer);
  made.set(Base, Regularizer);
  return Regularizer;
}

/** The class that a layer's regulariser must extend. TensorFlow.js does not export it; it is what its own ones extend. */
function regularizerBase(tf: Pick<TfLayersLike<never, never>, 'regularizers' | 'serialization'>): new () => object {
  const own = tf.regularizers?.l2?.({ l2: 0 });
  const base: unknown = own && Object.getPrototypeOf(Object.getPrototypeOf(own))?.constructor;
  if (typeof base === 'function' && base !== Object && typeof tf.serialization?.registerClass === 'function') {
    return base as new () => object;
  }
  throw new UnsupportedError(
    'A regulariser',
    'this TensorFlow.js has no tf.regularizers and tf.serialization as version 4 has them',
    'use @tensorflow/tfjs, or the modules of tfjs-core and tfjs-layers spread into one object',
  );
}

function lossOf<T extends TensorLike, S extends T>(
  tf: TfLayersLike<T, S>,
  options: RegularizerOptions,
): (weight: T) => S {
  const { model, data, kernel, weight: lambda, soft } = options;
  checkKernel(kernel);
  if (typeof lambda !== 'number' || !Number.isFinite(lambda)) {
    throw new InputError({
      field: 'weight',
      expected: 'a finite number',
      got: show(lambda),
      remedy: 'give the factor of the objective in the loss, for example 0.02',
    });
  }
  const wanted = objectiveOf(options);
  const route = createRoute(model, data, { kernel, ...(wanted.name === 'logRhatSoft' && { soft, route: 'table' }) });
  return (tensor) =>
    differentiable(tf, tensor, model, wanted.name, (theta) => {
      const { value, gradient } = evaluateObjective(route, wanted, theta);
      return { value: -lambda * value, gradient: () => gradient().map((slope) => -lambda * slope) };
    });
}

function objectiveOf({ objective, model, samples = 1, soft }: RegularizerOptions): Objective {
  switch (objective) {
    case 'logRhat':
      return rHat(objective, 'timescale', samples, model);
    case 'logRhatSoft':
      checkSoft(soft);
      return rHat(objective, 'softTimescale', samples, model);
    case 'logEffectiveGap':
      return EFFECTIVE_GAP;
    default:
      throw new InputError({
        field: 'objective',
        expected: `one of ${REGULARIZER_OBJECTIVES.join(', ')}`,
        got: show(objective satisfies never),
        remedy: 'name what the regulariser raises',
      });
  }
}

function toJson({ model, data, kernel, objective, weight, samples, soft }: RegularizerOptions): {
  [key: string]: Json;
} {
  return {
    model: modelToJson(model) as Json,
    data: { spins: data.spins, patterns: [...data.patterns], probabilities: [...data.probabilities] },
    kernel,
    objective,
    weight,
    samples: samples ?? null,
    soft: soft === undefined ? null : { center: soft.center, eta: soft.eta },
  };
}

/** A saved configuration; the constructor checks what it makes of it. */
function fromJson(config: { [key: string]: unknown }): RegularizerOptions {
  const { model, data, samples, soft, ...rest } = config;
  return {
    ...(rest as Pick<RegularizerOptions, 'kernel' | 'objective' | 'weight'>),
    model: parseModel(model),
    data: dataFromJson(data),
    ...(samples !== null && { samples: samples as number }),
    ...(soft !== null && { soft: soft as SoftWindow }),
  };
}

function dataFromJson(json: unknown): DataLaw {
  const { spins, patterns, probabilities } = (json ?? {}) as { [key: string]: unknown };
  if (
    typeof spins === 'number' &&
    Array.isArray(patterns) &&
    Array.isArray(probabilities) &&
    patterns.length === probabilities.length
  ) {
    return dataLawFromCounts(
      spins,
      patterns.map((pattern, k) => [pattern, probabilities[k]]),
    );
  }
  throw new InputError({
    field: 'data',
    expected: 'a law with spins, and patterns and probabilities of one length',
    got: show(json),
    remedy: 'use a configuration that getConfig gave',
  });
}
