import { z } from 'zod';
import { InputError } from '../errors.js';
import { exactObject, says } from '../model/schema.js';
import { nonNegative, positive, whole } from './spec-fields.js';
import { type ObjectiveName, objective, type PenaltyName, penaltyName } from './spec-training.js';

/** An arm of `pareto`. */
export type ParetoArmSpec =
  | { readonly kind: 'earlyStopping' }
  | { readonly kind: 'penalty'; readonly objective: PenaltyName; readonly weights: readonly number[] }
  | { readonly kind: 'design'; readonly objective: ObjectiveName; readonly budgets: readonly number[] };

/** What `pareto` is to do. */
export interface ParetoSpec {
  /** Fresh models to begin from: those of `seed`, `seed + 1` and so on. */
  readonly seeds: number;
  /** Steps of plain training from one point of early stopping to the next. */
  readonly every: number;
  /** Steps of every training with a penalty. */
  readonly steps: number;
  readonly arms: readonly ParetoArmSpec[];
}

const weights = z
  .array(positive('give the weights of the penalty'), says('a list of weights', 'write it as [0.01, 0.02]'))
  .min(1, says('a list of at least one weight', 'add one'));
const budgets = z
  .array(nonNegative('give the budgets in nats'), says('a list of budgets', 'write it as [0.01, 0.02]'))
  .min(1, says('a list of at least one budget', 'add one'));
const kinds = says('"earlyStopping", "penalty" or "design"', 'choose one of them');
const arm = z.discriminatedUnion(
  'kind',
  [
    exactObject({ kind: z.literal('earlyStopping') }, 'an arm', 'write it as {"kind":"earlyStopping"}'),
    exactObject(
      { kind: z.literal('penalty'), objective: penaltyName, weights },
      'an arm',
      'write it as {"kind":"penalty","objective":"l2","weights":[0.01]}',
    ),
    exactObject(
      { kind: z.literal('design'), objective, budgets },
      'an arm',
      'write it as {"kind":"design","objective":"logEffectiveGap","budgets":[0.02]}',
    ),
  ],
  kinds,
);

/** Weight decay is the penalty `l2`. */
const ARMS: z.input<typeof arm>[] = [
  { kind: 'earlyStopping' },
  { kind: 'penalty', objective: 'l2', weights: [0.002, 0.005, 0.01, 0.02, 0.04] },
  { kind: 'penalty', objective: 'totalCorrelation', weights: [0.01, 0.02, 0.05, 0.1, 0.2] },
  { kind: 'penalty', objective: 'logEffectiveGap', weights: [0.005, 0.01, 0.02, 0.05, 0.1] },
  { kind: 'design', objective: 'logEffectiveGap', budgets: [0.01, 0.02, 0.05, 0.1, 0.2] },
];
export const paretoSection = exactObject(
  {
    seeds: whole(1, 'seeds').nullable().default(null),
    every: whole(1, 'steps from one point to the next').default(20),
    steps: whole(1, 'steps of each training with a penalty').default(500),
    arms: z
      .array(arm, says('a list of arms', 'leave it out for the usual ones'))
      .min(1, says('a list of at least one arm', 'leave it out for the usual ones'))
      .default(ARMS),
  },
  'an object with the settings of pareto',
  'write it between braces, or leave it out',
);

/** Names tell the arms apart, so each comes once. */
export function checkArms(arms: readonly ParetoArmSpec[]): void {
  const k = arms.findIndex((one, at) => arms.findIndex((other) => armName(other) === armName(one)) < at);
  if (k < 0) return;
  throw new InputError({
    field: `pareto.arms[${k}]`,
    expected: 'an arm not listed before',
    got: armName(arms[k]),
    remedy: 'put its weights or budgets into one list',
  });
}

/** What an arm is called in tables and figures. */
export function armName(arm: ParetoArmSpec): string {
  switch (arm.kind) {
    case 'earlyStopping':
      return 'early stopping';
    case 'penalty':
      return arm.objective === 'l2' ? 'weight decay' : `penalty ${arm.objective}`;
    case 'design':
      return `design ${arm.objective}`;
  }
  return arm satisfies never;
}

/** Three seeds by default, and one for a model from a file, which is the same for each. */
export function seedsOf(fromFile: boolean, seed: number, given: number | null): number {
  const most = fromFile ? 1 : 2 ** 31 - seed;
  const seeds = given ?? Math.min(3, most);
  if (seeds <= most) return seeds;
  throw new InputError({
    field: 'pareto.seeds',
    expected: fromFile ? '1 where the model is a file' : `at most ${most} from this seed on`,
    got: String(seeds),
    remedy: fromFile ? 'use a fresh model, {"kind":"rbm",...}, for more' : 'choose another seed',
  });
}
