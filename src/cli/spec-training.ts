import { z } from 'zod';
import { InputError, show } from '../errors.js';
import { oneLine } from '../model/atomic-file.js';
import { exactObject, number, says } from '../model/schema.js';
import { OPTIMIZERS, type Optimizer } from '../optimization/train.js';
import { type Duration, duration, nonNegative, parseDuration, positive, whole } from './spec-fields.js';
import { type LikelihoodSpec, likelihood } from './spec-likelihood.js';

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

/** What `train` is to do. */
export interface TrainSpec extends Constraints {
  readonly steps: number;
  readonly optimizer: Optimizer;
  readonly learningRate: number;
  readonly likelihood: LikelihoodSpec;
  readonly weightDecay: number;
  readonly penalties: readonly Penalty[];
  /** Of the converter that sets couplings; null for couplings that are not rounded. */
  readonly bits: number | null;
}

/** What `design` is to do. */
export interface DesignSpec extends Constraints {
  readonly objective: ObjectiveName;
  readonly budget: number;
  readonly restarts: number;
  readonly steps: number;
  /** Adam's step size, on the estimated route. */
  readonly learningRate: number;
}

export const objective = z.enum(
  OBJECTIVE_NAMES,
  says('"logEffectiveGap", "logRhat" or "logRhatSlowCluster"', 'name one of the objectives'),
);
export const penaltyName = z.enum(
  PENALTY_NAMES,
  says(PENALTY_NAMES.map((name) => `"${name}"`).join(', '), 'name one of the objectives'),
);

const penalty = exactObject(
  {
    objective: penaltyName,
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

export const trainSection = exactObject(
  {
    steps: whole(1, 'gradient steps').default(3000),
    optimizer: z.enum(OPTIMIZERS, says('"adam" or "lbfgs"', 'choose one of them')).default('adam'),
    learningRate: positive('give a learning rate, for example 0.05').default(0.05),
    likelihood: likelihood.default('exact'),
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

export const designSection = exactObject(
  {
    objective: objective.default('logEffectiveGap'),
    budget: nonNegative('give the KL divergence that the design may cost, for example 0.02').default(0.02),
    ...constraints,
    restarts: whole(1, 'restarts').default(4),
    steps: whole(1, 'steps').default(800),
    learningRate: positive('give a learning rate for the estimated route, for example 0.01').default(0.01),
  },
  'an object with the design settings',
  'write it between braces, or leave it out',
);

/** Rule of the published runs, whose thresholds are 0.008 to 0.06. */
const ADAPTIVE = { threshold: 0.016, lag: null, every: 50 };

/** A penalty with its defaults; only the adaptive one has a threshold, a lag and an interval. */
export function penaltyOf(one: z.infer<typeof penalty>, k: number): Penalty {
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

/** A sampled likelihood is followed by Adam, beside penalties on the couplings alone. */
function checkSampled({ likelihood: given, optimizer, penalties }: TrainSpec): void {
  if (given === 'exact') return;
  const refuse = (field: string, expected: string, got: unknown, remedy: string) => {
    throw new InputError({ field: `train.${field}`, expected, got: show(got), remedy });
  };
  if (optimizer !== 'adam') refuse('optimizer', '"adam" where the likelihood is sampled', optimizer, 'use adam');
  const other = penalties.findIndex(({ objective: name }) => name !== 'l1' && name !== 'l2');
  if (other < 0) return;
  const got = penalties[other].objective;
  refuse(`penalties[${other}].objective`, '"l1" or "l2" where the likelihood is sampled', got, 'leave it out');
}

/** L-BFGS needs a loss that is smooth and stays the same, a converter needs a range. */
export function checkTraining(spec: TrainSpec): void {
  const { optimizer, penalties, bits, maxCoupling: range } = spec;
  checkSampled(spec);
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
