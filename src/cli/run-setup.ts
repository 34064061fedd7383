import { randomSource } from '../estimation/random.js';
import { namingFile } from '../model/atomic-file.js';
import type { DataLaw } from '../model/data-law.js';
import { type Model, rbm, withParameters } from '../model/model.js';
import { secondsOf, workload } from '../trainability/cost.js';
import { createRoute } from '../trainability/create-route.js';
import { evaluateModel, type ModelEvaluation } from '../trainability/evaluation.js';
import { DEFAULT_THRESHOLDS } from '../trainability/mode-sets.js';
import type { Route } from '../trainability/route.js';
import { checkSize, inSteps, parseStart, readSource } from './evaluate.js';
import { readModelAt } from './model-path.js';
import { admit, type ResourceFlags } from './resources.js';
import { type RbmStart, readSpec, type Spec } from './spec.js';

export interface RunFlags extends ResourceFlags {
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

/** How many evaluations a run makes beside the reports at both ends: of the signal with the divergence, and of the timescale. */
export interface Evaluations {
  readonly signal: number;
  readonly timescale: number;
}

/** Reads a SPEC and refuses a run that does not fit, before a table is made. */
export function setUp(specPath: string, flags: RunFlags, evaluations: (spec: Spec) => Evaluations): RunSetup {
  const spec = readSpec(specPath);
  const model = typeof spec.model === 'string' ? readModelAt(spec.model) : freshRbm(spec.model, spec.seed);
  const [source, dataPath] =
    'file' in spec.data
      ? [readSource({ data: spec.data.file }), spec.data.file]
      : [readSource({ teacher: spec.data.teacher }), spec.data.teacher];
  checkSize(source, model, dataPath, typeof spec.model === 'string' ? spec.model : specPath);
  const { kernel } = spec;
  const options = {
    kernel,
    burnIn: inSteps(spec.burnIn, model, kernel),
    window: inSteps(spec.window, model, kernel),
    chains: 1,
    start: namingFile(specPath, () => parseStart(spec.start, model, 'start')),
    ...DEFAULT_THRESHOLDS,
    gradient: false,
    gateThresholds: spec.gates,
    references: spec.references,
  };
  const { bytes, report, signal, timescale } = workload(model, options);
  const count = evaluations(spec);
  const visits = source.visits + 2 * report + count.signal * signal + count.timescale * timescale;
  // Not for the record, which is the same whenever a run is made again.
  admit('This run', { bytes: bytes + source.bytes, seconds: secondsOf(visits) }, flags);
  const data = source.law();
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
