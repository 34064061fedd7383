import { InputError, show } from '../errors.js';
import { randomSource } from '../estimation/random.js';
import { namingFile, oneLine } from '../model/atomic-file.js';
import type { DataLaw } from '../model/data-law.js';
import { type Model, rbm, withParameters } from '../model/model.js';
import { parametrization } from '../optimization/parametrization.js';
import { secondsOf, workload } from '../trainability/cost.js';
import { type EvaluateOptions, evaluateModel, type ModelEvaluation } from '../trainability/evaluation.js';
import type { Route } from '../trainability/routes/route.js';
import { type RunMembership, runMembership, withPolicy } from './membership.js';
import { readModelAt } from './model-path.js';
import { inSteps, parseStart } from './options.js';
import { admit, type ResourceFlags } from './resources.js';
import { checkSize, readSource, type Source } from './source.js';
import { type RbmStart, readSpec, type Spec } from './spec.js';
import type { Constraints, PenaltyName } from './spec-training.js';

export interface RunFlags extends ResourceFlags {
  readonly out: string;
  readonly resume?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly onEvent?: string;
  readonly checkpointEvery?: string;
}

/** A SPEC and the model and data that it names, before anything is computed. */
export interface RunInput {
  readonly specPath: string;
  readonly spec: Spec;
  readonly model: Model;
  readonly source: Source;
  /** For the evaluations at both ends; durations in kernel steps. */
  readonly options: EvaluateOptions;
}

/** A SPEC made into the objects that it names. */
export interface RunSetup {
  readonly spec: Spec;
  readonly model: Model;
  readonly data: DataLaw;
  readonly route: Route;
  readonly membership: RunMembership;
  /** `B` and `K` in kernel steps. */
  readonly burnIn: number;
  readonly window: number;
  evaluate(theta: ArrayLike<number>): ModelEvaluation;
}

/**
 * What a run will do: the objectives that it evaluates, and how many evaluations it makes beside the reports at both ends: of the signal with the divergence, and of the timescale; of
 * the spectrum, which counts as a report.
 */
export interface RunPlan {
  readonly objectives: readonly PenaltyName[];
  readonly signal: number;
  readonly timescale: number;
  readonly spectrum?: number;
}

/** Steps from one checkpoint to the next; null where time decides. */
export function checkpointEvery({ checkpointEvery: text }: RunFlags): number | null {
  if (text === undefined) return null;
  const steps = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(steps) && steps >= 1) return steps;
  throw new InputError({
    field: '--checkpoint-every',
    expected: 'a whole number of at least 1',
    got: oneLine(show(text)),
    remedy: 'give the steps from one checkpoint to the next, or leave it out for one every few seconds',
  });
}

/** Reads a SPEC, its model and its data, which must fit one another. */
export function readRun(specPath: string, flags: RunFlags): RunInput {
  const spec = withPolicy(readSpec(specPath), flags.onEvent);
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
    epsilon: spec.membership.epsilon,
    kappa: spec.membership.kappa,
    gradient: false,
    gateThresholds: spec.gates,
    references: spec.references,
  };
  return { specPath, spec, model, source, options };
}

/** Refuses a run that does not fit, before a table is made. */
export function setUp(input: RunInput, flags: RunFlags, plan: (spec: Spec) => RunPlan): RunSetup {
  const { specPath, spec, model, source, options } = input;
  const { bytes, report, signal, timescale } = workload(model, options);
  const count = plan(spec);
  const visits =
    source.visits + (2 + (count.spectrum ?? 0)) * report + count.signal * signal + count.timescale * timescale;
  // Not for the record, which is the same whenever a run is made again.
  admit('This run', { bytes: bytes + source.bytes, seconds: secondsOf(visits) }, flags);
  const data = source.law();
  const membership = namingFile(specPath, () => runMembership(spec, model, data, count.objectives));
  return {
    spec,
    model,
    data,
    route: membership.route,
    membership,
    burnIn: options.burnIn,
    window: options.window,
    evaluate: (theta) => evaluateModel(withParameters(model, theta), data, options),
  };
}

/** The constraints of a section of the SPEC, checked on the model; errors name the file and the field. */
export function constraints(specPath: string, section: 'train' | 'design', model: Model, options: Constraints) {
  return namingFile(specPath, () => {
    try {
      return parametrization(model, options);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw new InputError({ ...error.problem, field: `${section}.${error.problem.field}` });
    }
  });
}

/** An RBM with normal weights of the given standard deviation, and biases, if any, at zero. */
export function freshRbm({ visible, hidden, biases, initialScale }: RbmStart, seed: number): Model {
  const random = randomSource(seed);
  return rbm({
    visible,
    hidden,
    weights: Float64Array.from({ length: visible * hidden }, () => initialScale * random.normal()),
    visibleBiases: biases ? new Float64Array(visible) : undefined,
    hiddenBiases: biases ? new Float64Array(hidden) : undefined,
  });
}
