import { randomSource } from '../estimation/random.js';
import { namingFile } from '../model/atomic-file.js';
import type { DataLaw } from '../model/data-law.js';
import { type Model, rbm, withParameters } from '../model/model.js';
import { createRoute } from '../trainability/create-route.js';
import { evaluateModel, type ModelEvaluation } from '../trainability/evaluation.js';
import { DEFAULT_THRESHOLDS } from '../trainability/mode-sets.js';
import type { Route } from '../trainability/route.js';
import { checkSize, inSteps, parseStart, readSource } from './evaluate.js';
import { readModelAt } from './model-path.js';
import { type RbmStart, readSpec, type Spec } from './spec.js';

export interface RunFlags {
  readonly out: string;
  readonly resume?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** A SPEC made into the objects that it names. */
export interface RunSetup {
  readonly spec: Spec;
  readonly model: Model;
  readonly data: DataLaw;
  readonly route: Route;
  /** `K` in kernel steps. */
  readonly window: number;
  evaluate(theta: ArrayLike<number>): ModelEvaluation;
}

export function setUp(specPath: string): RunSetup {
  const spec = readSpec(specPath);
  const model = typeof spec.model === 'string' ? readModelAt(spec.model) : freshRbm(spec.model, spec.seed);
  const [data, dataPath] =
    'file' in spec.data
      ? [readSource({ data: spec.data.file }), spec.data.file]
      : [readSource({ teacher: spec.data.teacher }), spec.data.teacher];
  checkSize(data, model, dataPath, typeof spec.model === 'string' ? spec.model : specPath);
  const { kernel } = spec;
  const options = {
    kernel,
    burnIn: inSteps(spec.burnIn, model, kernel),
    window: inSteps(spec.window, model, kernel),
    chains: 1,
    start: namingFile(specPath, () => parseStart(spec.start, model, 'start')),
    ...DEFAULT_THRESHOLDS,
    gradient: false,
  };
  return {
    spec,
    model,
    data,
    route: createRoute(model, data, { kernel }),
    window: options.window,
    evaluate: (theta) => evaluateModel(withParameters(model, theta), data, options),
  };
}

/** An RBM with normal weights of the given standard deviation, and biases, if any, at zero. */
function freshRbm({ visible, hidden, biases, initialScale }: RbmStart, seed: number): Model {
  const random = randomSource(seed);
  return rbm({
    visible,
    hidden,
    weights: Array.from({ length: visible * hidden }, () => initialScale * random.normal()),
    visibleBiases: biases ? Array.from({ length: visible }, () => 0) : undefined,
    hiddenBiases: biases ? Array.from({ length: hidden }, () => 0) : undefined,
  });
}
