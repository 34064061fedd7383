import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { InputError, show } from '../errors.js';
import { KERNEL_NAMES, type KernelName } from '../kernel/kernels.js';
import { namingFile, oneLine } from '../model/atomic-file.js';
import { MAX_SPINS } from '../model/model.js';
import { checked, exactObject, number, readJson, says, schemaVersion } from '../model/schema.js';
import { EVENT_POLICIES, type EventPolicy } from '../optimization/membership-watch.js';
import { OPTIMIZERS, type Optimizer } from '../optimization/train.js';
import { DEFAULT_THRESHOLDS } from '../trainability/membership/mode-sets.js';
import type { Start } from '../trainability/start.js';
import { type GateThresholds, gateSchema, type References, referenceSchema } from '../trainability/thresholds.js';

/** A number of kernel steps, or of sweeps, which the kernel turns into steps. */
export interface Duration {
  readonly amount: number;
  readonly unit: 'steps' | 'sweeps';
}

/** A fresh restricted Boltzmann machine; `initialScale` is the scale of its random weights. */
export interface RbmStart {
  readonly kind: 'rbm';
  readonly visible: number;
  readonly hidden: number;
  readonly biases: boolean;
  readonly initialScale: number;
}

const OBJECTIVE_NAMES = ['logEffectiveGap', 'logRhat', 'logRhatSlowCluster'] as const;
export type ObjectiveName = (typeof OBJECTIVE_NAMES)[number];

const PENALTY_NAMES = [...OBJECTIVE_NAMES, 'totalCorrelation', 'l1', 'l2'] as const;
export type PenaltyName = (typeof PENALTY_NAMES)[number];

/** Makes training raise the objective, or lower it where less of it is better, at `weight` nats for one of it. */
export interface FixedPenalty {
  readonly objective: PenaltyName;
  readonly weight: number;
}

/** The adaptive correlation penalty: looks at the autocorrelation at a lag (null: burn-in plus window) every so many steps. */
export interface AdaptivePenalty {
  readonly objective: 'totalCorrelation';
  readonly weight: 'adaptive';
  readonly threshold: number;
  readonly lag: Duration | null;
  readonly every: number;
}

export type Penalty = FixedPenalty | AdaptivePenalty;

/** What of theta moves, and how far. */
export interface Constraints {
  /** Largest `|J|`: null, one for all, or one per edge. */
  readonly maxCoupling: number | readonly number[] | null;
  /** Indices into theta of the parameters that stay as they are. */
  readonly frozen: readonly number[];
  /** Groups of indices into theta that have one value. */
  readonly tied: readonly (readonly number[])[];
  /** One per edge: 0 holds the coupling at zero. */
  readonly mask: readonly number[] | null;
}

/** What `train` and `design` are to do, with every default filled in and every path absolute. */
export interface Spec {
  /** A model file, or a fresh model. */
  readonly model: string | RbmStart;
  readonly data: { readonly file: string } | { readonly teacher: string };
  readonly kernel: KernelName;
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
  readonly train: Constraints & {
    readonly steps: number;
    readonly optimizer: Optimizer;
    readonly learningRate: number;
    readonly weightDecay: number;
    readonly penalties: readonly Penalty[];
    /** Of the converter that sets couplings; null for couplings that are not rounded. */
    readonly bits: number | null;
  };
  readonly design: Constraints & {
    readonly objective: ObjectiveName;
    readonly budget: number;
    readonly restarts: number;
    readonly steps: number;
  };
}

const filePath = z
  .string(says('a path', 'give the path of a file, relative to this one'))
  .min(1, says('a path', 'give one'));
const whole = (least: number, what: string) =>
  number(
    (value) => Number.isSafeInteger(value) && value >= least,
    `a whole number of at least ${least}`,
    `give the number of ${what}`,
  );
const spins = number(
  (value) => Number.isInteger(value) && value >= 1 && value <= MAX_SPINS,
  `a whole number from 1 to ${MAX_SPINS}`,
  'give the number of spins',
);
const positive = (remedy: string) => number((value) => value > 0, 'a positive number', remedy);
const nonNegative = (remedy: string) => number((value) => value >= 0, 'a number of at least 0', remedy);
const objective = z.enum(
  OBJECTIVE_NAMES,
  says('"logEffectiveGap", "logRhat" or "logRhatSlowCluster"', 'name one of the objectives'),
);
const duration = z.union(
  [z.string(), z.number()],
  says('a duration', 'write it as "100sweeps", "2500steps" or a number of kernel steps'),
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

const penalty = exactObject(
  {
    objective: z.enum(
      PENALTY_NAMES,
      says(PENALTY_NAMES.map((name) => `"${name}"`).join(', '), 'name one of the objectives'),
    ),
    weight: z.union(
      [positive(''), z.literal('adaptive')],
      says('a positive number or "adaptive"', 'leave the penalty out where it should not count'),
    ),
    threshold: number(
      (value) => value > 0 && value < 1,
      'a number between 0 and 1',
      'give the autocorrelation from which the penalty may rise, 0.016 by default',
    ).optional(),
    lag: duration.nullable().optional(),
    every: whole(1, 'steps from one look to the next').optional(),
  },
  'a penalty',
  'write it as {"objective":"logEffectiveGap","weight":0.02}',
);

const index = number(
  (value) => Number.isSafeInteger(value) && value >= 0,
  'a parameter index',
  'parameters are counted from 0',
);
const maxCoupling = 'give the largest coupling allowed, one for all or one per edge, or null for no limit';
const constraints = {
  maxCoupling: z
    .union(
      [positive(maxCoupling), z.array(positive(maxCoupling))],
      says('a positive number, a list of them or null', maxCoupling),
    )
    .nullable()
    .default(null),
  frozen: z.array(index, says('a list of parameter indices', 'write [] for none')).default([]),
  tied: z
    .array(
      z.array(index, says('a group of parameter indices', 'write it as [0, 3]')),
      says('a list of groups of parameter indices', 'write [] for none'),
    )
    .default([]),
  mask: z
    .array(
      number((value) => value === 0 || value === 1, '0 or 1', 'write 0 where the coupling is held at zero'),
      says('a list of 0 and 1, one per edge, or null', 'write null for none'),
    )
    .nullable()
    .default(null),
};

const train = exactObject(
  {
    steps: whole(1, 'gradient steps').default(3000),
    optimizer: z.enum(OPTIMIZERS, says('"adam" or "lbfgs"', 'choose one of them')).default('adam'),
    learningRate: positive('give a learning rate, for example 0.05').default(0.05),
    weightDecay: nonNegative('give 0 for none').default(0),
    penalties: z.array(penalty, says('a list of penalties', 'write [] for none')).default([]),
    ...constraints,
    bits: number(
      (value) => Number.isInteger(value) && value >= 2 && value <= 32,
      'a whole number from 2 to 32, or null',
      'give the bits of the converter, its sign included',
    )
      .nullable()
      .default(null),
  },
  'an object with the training settings',
  'write it between braces, or leave it out',
);

const design = exactObject(
  {
    objective: objective.default('logEffectiveGap'),
    budget: nonNegative('give the KL divergence that the design may cost, for example 0.02').default(0.02),
    ...constraints,
    restarts: whole(1, 'restarts').default(4),
    steps: whole(1, 'steps').default(800),
  },
  'an object with the design settings',
  'write it between braces, or leave it out',
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
    train: train.prefault({}),
    design: design.prefault({}),
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
    if (typeof model !== 'string' && model.visible + model.hidden > MAX_SPINS) {
      throw new InputError({
        field: 'model.visible + model.hidden',
        expected: `at most ${MAX_SPINS}`,
        got: String(model.visible + model.hidden),
        remedy: 'use a smaller model',
      });
    }
    const penalties = file.train.penalties.map(penaltyOf);
    checkTraining({ ...file.train, penalties });
    return {
      ...file,
      model: typeof model === 'string' ? resolve(folder, model) : model,
      data: oneSource(file.data, folder),
      burnIn: parseDuration('burnIn', file.burnIn),
      window: parseDuration('window', file.window, 1),
      train: { ...file.train, penalties },
    };
  });
}

/** The SPEC as used, defaults included, for records; {@link readSpec} reads it back to the same SPEC. */
export function specToJson(spec: Spec): object {
  const text = ({ amount, unit }: Duration) => `${amount}${unit}`;
  const penalties = spec.train.penalties.map((one) =>
    one.weight === 'adaptive' ? { ...one, lag: one.lag && text(one.lag) } : one,
  );
  const train = { ...spec.train, penalties };
  return { schemaVersion: 1, ...spec, burnIn: text(spec.burnIn), window: text(spec.window), train };
}

/**
 * `100sweeps`, `100 sweeps`, `2500steps`, or a plain number of kernel steps: a whole number of at least `least`.
 * Throws {@link InputError} that names `field`.
 */
export function parseDuration(field: string, value: string | number, least = 0): Duration {
  const [, digits, unit] =
    String(value)
      .trim()
      .match(/^(\d+)\s*(steps|sweeps)?$/) ?? [];
  const amount = digits === undefined ? NaN : Number(digits);
  if (!Number.isSafeInteger(amount) || amount < least) {
    throw new InputError({
      field,
      expected: `a whole number of at least ${least} steps or sweeps`,
      got: oneLine(show(value)),
      remedy: 'write it as 100sweeps, 2500steps or a plain number of kernel steps',
    });
  }
  return { amount, unit: unit === 'sweeps' ? 'sweeps' : 'steps' };
}

export function isStart(text: string): text is Start {
  if (text === 'uniform' || text === 'stationary' || text === 'data') return true;
  return /^state:\d{1,10}$/.test(text) && Number(text.slice('state:'.length)) < 2 ** MAX_SPINS;
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

/** Rule of the published runs, whose thresholds are 0.008 to 0.06. */
const ADAPTIVE = { threshold: 0.016, lag: null, every: 50 };

/** A penalty with its defaults; only the adaptive one has a threshold, a lag and an interval. */
function penaltyOf(one: z.infer<typeof penalty>, k: number): Penalty {
  const { objective: name, weight, ...rest } = one;
  const field = `train.penalties[${k}]`;
  if (weight !== 'adaptive') {
    const [extra] = Object.entries(rest).find(([, value]) => value !== undefined) ?? [];
    if (extra === undefined) return { objective: name, weight };
    throw new InputError({
      field: `${field}.${extra}`,
      expected: 'left out where the weight is a number',
      got: oneLine(show(rest[extra as keyof typeof rest])),
      remedy: 'write "weight":"adaptive", or leave it out',
    });
  }
  if (name !== 'totalCorrelation') {
    throw new InputError({
      field: `${field}.weight`,
      expected: `a positive number for ${name}`,
      got: '"adaptive"',
      remedy: 'only totalCorrelation has an adaptive weight',
    });
  }
  const { threshold = ADAPTIVE.threshold, every = ADAPTIVE.every } = rest;
  const lag = (rest.lag ?? null) === null ? null : parseDuration(`${field}.lag`, rest.lag as string | number, 1);
  return { objective: name, weight, threshold, lag, every };
}

/** L-BFGS needs a loss that is smooth and stays the same, a converter needs a range. */
function checkTraining({ optimizer, penalties, bits, maxCoupling: range }: Spec['train']): void {
  const adaptive = penalties.findIndex(({ weight }) => weight === 'adaptive');
  if (optimizer === 'lbfgs' && (bits !== null || adaptive >= 0)) {
    throw new InputError({
      field: 'train.optimizer',
      expected: bits !== null ? '"adam" where couplings are rounded' : '"adam" where a penalty is adaptive',
      got: '"lbfgs"',
      remedy: bits !== null ? 'leave bits out, or use adam' : 'give the penalty a fixed weight, or use adam',
    });
  }
  if (bits !== null && range === null) {
    throw new InputError({
      field: 'train.maxCoupling',
      expected: 'given where there are bits',
      got: 'null',
      remedy: 'give the range of the converter',
    });
  }
}
