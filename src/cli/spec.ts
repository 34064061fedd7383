import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { InputError } from '../errors.js';
import { KERNEL_NAMES, type KernelName } from '../kernel/kernels.js';
import { namingFile } from '../model/atomic-file.js';
import { checkLayers, MAX_INDEXED_SPINS, MAX_SPINS } from '../model/model.js';
import { checked, exactObject, number, readJson, says, schemaVersion } from '../model/schema.js';
import { EVENT_POLICIES, type EventPolicy } from '../optimization/membership-watch.js';
import { DEFAULT_THRESHOLDS } from '../trainability/membership/mode-sets.js';
import type { Start } from '../trainability/start.js';
import { type GateThresholds, gateSchema, type References, referenceSchema } from '../trainability/thresholds.js';
import { type Duration, duration, durationText, nonNegative, parseDuration, positive } from './spec-fields.js';
import { likelihoodOf, likelihoodToJson } from './spec-likelihood.js';
import { checkArms, type ParetoSpec, paretoSection, seedsOf } from './spec-pareto.js';
import { type RouteSpec, route, type SamplingSpec, samplingSection } from './spec-route.js';
import {
  checkTraining,
  type DesignSpec,
  designSection,
  penaltyOf,
  type TrainSpec,
  trainSection,
} from './spec-training.js';

/** A fresh restricted Boltzmann machine; `initialScale` is the scale of its random weights. */
export interface RbmStart {
  readonly kind: 'rbm';
  readonly visible: number;
  readonly hidden: number;
  readonly biases: boolean;
  readonly initialScale: number;
}

/** What `train`, `design` and `pareto` are to do, with every default filled in and every path absolute. */
export interface Spec {
  /** A model file, or a fresh model. */
  readonly model: string | RbmStart;
  readonly data: { readonly file: string } | { readonly teacher: string };
  readonly kernel: KernelName;
  /** Exact, or by the samples of `sampling`. */
  readonly route: RouteSpec;
  readonly sampling: SamplingSpec;
  readonly burnIn: Duration;
  readonly window: Duration;
  readonly start: Start;
  readonly seed: number;
  /**
   * How the slow cluster is chosen, and what a run does when it changes: null is `refreeze` where an objective depends on it, and not to look otherwise.
   * `eta` is the width of a soft window per kernel step, a tenth of its centre where null.
   */
  readonly membership: {
    readonly epsilon: number;
    readonly kappa: number;
    readonly onEvent: EventPolicy | null;
    readonly eta: number | null;
  };
  readonly gates: GateThresholds;
  readonly references: References;
  readonly train: TrainSpec;
  readonly design: DesignSpec;
  readonly pareto: ParetoSpec;
}

const filePath = z
  .string(says('a path', 'give the path of a file, relative to this one'))
  .min(1, says('a path', 'give one'));
const spins = number(
  (value) => Number.isInteger(value) && value >= 1 && value <= MAX_SPINS,
  `a whole number from 1 to ${MAX_SPINS}`,
  'give the number of spins',
);
const rbmStart = exactObject(
  {
    kind: z.literal('rbm', says('"rbm"', 'name a model file for any other kind')),
    visible: spins,
    hidden: spins,
    biases: z.boolean(says('true or false', 'say whether the spins have biases')).default(true),
    initialScale: nonNegative('give the scale of the random weights, for example 0.1').default(0.1),
  },
  'a model object',
  'write it between braces',
);

const membership = exactObject(
  {
    epsilon: number(
      (value) => value > 0 && value < 1,
      'a number between 0 and 1',
      'give the weight share from which a group is relevant, 1e-3 by default',
    ).default(DEFAULT_THRESHOLDS.epsilon),
    kappa: number(
      (value) => value >= 1,
      'a number of at least 1',
      'give the width of the slow cluster, 2.5 by default',
    ).default(DEFAULT_THRESHOLDS.kappa),
    onEvent: z
      .enum(EVENT_POLICIES, says('"refreeze", "stop", "soft" or null', 'say what to do when the slow cluster changes'))
      .nullable()
      .default(null),
    eta: positive('give the width of the soft window per kernel step, or null').nullable().default(null),
  },
  'an object with the membership settings',
  'write it between braces, or leave it out',
);

const version = z.looseObject({ schemaVersion }, says('a JSON object', 'write a SPEC as in {"schemaVersion":1,...}'));

const specFile = exactObject(
  {
    schemaVersion,
    model: z.union([filePath, rbmStart], says('the path of a model file or a model object', 'give one of the two')),
    data: exactObject(
      { file: filePath.optional(), teacher: filePath.optional() },
      'an object with the data',
      'write {"file":"data.csv"} or {"teacher":"model.json"}',
    ),
    kernel: z
      .enum(
        KERNEL_NAMES as [KernelName, ...KernelName[]],
        says(KERNEL_NAMES.map((name) => `"${name}"`).join(', '), 'choose one of them'),
      )
      .default('random-block'),
    route,
    sampling: samplingSection.prefault({}),
    burnIn: duration.default('100sweeps'),
    window: duration.default('1000sweeps'),
    start: z
      .string(says(`"uniform", "stationary", "data" or "state:<index>"`, 'choose one of them'))
      .refine(isStart, says(`"uniform", "stationary", "data" or "state:<index>"`, 'choose one of them'))
      .default('stationary'),
    seed: number(
      (value) => Number.isInteger(value) && value >= 0 && value < 2 ** 31,
      'a whole number from 0 to 2147483647',
      'choose any such number',
    ).default(1),
    membership: membership.prefault({}),
    gates: gateSchema.prefault({}),
    references: referenceSchema.prefault({}),
    train: trainSection.prefault({}),
    design: designSection.prefault({}),
    pareto: paretoSection.prefault({}),
  },
  'a JSON object',
  'write it between braces',
);

/** The SPEC in a file, complete. Throws {@link InputError} naming the file and the field that is wrong. */
export function readSpec(path: string): Spec {
  return namingFile(path, () => {
    const json = readJson(path);
    checked(version, json, 'the SPEC');
    const { schemaVersion: _, ...file } = checked(specFile, json, 'the SPEC');
    const { model } = file;
    const folder = dirname(resolve(path));
    if (typeof model !== 'string') checkLayers(model.visible, model.hidden, 'model.');
    const penalties = file.train.penalties.map(penaltyOf);
    const train = { ...file.train, penalties, likelihood: likelihoodOf(file.train.likelihood) };
    checkTraining(train);
    checkArms(file.pareto.arms);
    const seeds = seedsOf(typeof model === 'string', file.seed, file.pareto.seeds);
    return {
      ...file,
      model: typeof model === 'string' ? resolve(folder, model) : model,
      data: oneSource(file.data, folder),
      burnIn: parseDuration('burnIn', file.burnIn),
      window: parseDuration('window', file.window, 1),
      train,
      pareto: { ...file.pareto, seeds },
    };
  });
}

/** The SPEC as used, defaults included, for records; {@link readSpec} reads it back to the same SPEC. */
export function specToJson(spec: Spec): object {
  const penalties = spec.train.penalties.map((one) =>
    one.weight === 'adaptive' ? { ...one, lag: one.lag && durationText(one.lag) } : one,
  );
  const train = { ...spec.train, penalties, likelihood: likelihoodToJson(spec.train.likelihood) };
  return { schemaVersion: 1, ...spec, burnIn: durationText(spec.burnIn), window: durationText(spec.window), train };
}

export function isStart(text: string): text is Start {
  if (text === 'uniform' || text === 'stationary' || text === 'data') return true;
  return /^state:\d{1,10}$/.test(text) && Number(text.slice('state:'.length)) < 2 ** MAX_INDEXED_SPINS;
}

function oneSource(data: { file?: string | undefined; teacher?: string | undefined }, folder: string): Spec['data'] {
  const { file, teacher } = data;
  if (file !== undefined && teacher === undefined) return { file: resolve(folder, file) };
  if (teacher !== undefined && file === undefined) return { teacher: resolve(folder, teacher) };
  throw new InputError({
    field: 'data',
    expected: 'an object with either "file" or "teacher"',
    got: file === undefined ? 'neither' : 'both',
    remedy: 'name a data file as "file", or a model file as "teacher"',
  });
}
