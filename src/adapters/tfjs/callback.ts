import { InputError, show } from '../../errors.js';
import type { DataLaw } from '../../model/data-law.js';
import type { Model } from '../../model/model.js';
import { MembershipWatch, type StepEvent } from '../../optimization/membership-watch.js';
import { type EvaluateOptions, evaluateModel, type ModelEvaluation } from '../../trainability/evaluation.js';
import { MEMBERSHIP_RULES, type MembershipRule } from '../../trainability/membership/mode-sets.js';
import { checkOptions } from '../../trainability/options.js';
import { createRoute } from '../../trainability/routes/create-route.js';
import { checkKernel } from './operations.js';
import { modelAt, type ThetaTensors, tensorList } from './theta.js';

/** What a {@link trainabilityCallback} is made of. */
export interface TrainabilityCallbackOptions {
  /** Structure and temperature; its biases hold where the tensors are the couplings alone. */
  readonly model: Model;
  /** The law of the visible spins. */
  readonly data: DataLaw;
  /** How to evaluate: chain, estimator and thresholds, as for `evaluateModel`. */
  readonly evaluate: Omit<EvaluateOptions, 'gradient'>;
  /** The parameters as they are, for example `() => layer.getWeights()[0]`. What it returns stays the caller's. */
  readonly theta: () => ThetaTensors;
  /** Evaluate every so many epochs, and after the last; 1 by default. */
  readonly every?: number | undefined;
  /** Watch the set of modes of this rule over every batch (4.1): one spectrum per batch or more. Left out, events are not watched and `events` of a record is null. */
  readonly watch?: MembershipRule | undefined;
  /** Told of every evaluation. What it throws ends the training. */
  readonly report: (record: TrainabilityRecord) => void;
}

/** How trainable the model is after an epoch. */
export interface TrainabilityRecord {
  /** The epoch, counted from 0 as TensorFlow.js does; -1 before the first. */
  readonly epoch: number;
  /** The exact `R` (2.5); null with a note in the evaluation where it is not known. */
  readonly R: number | null;
  /** `R_hat` of the full predictor (3.2). */
  readonly Rhat: number | null;
  /** The assumptions, each with its value. */
  readonly gates: ModelEvaluation['gates'];
  /** What they allow to claim. */
  readonly claim: ModelEvaluation['claim'];
  /** Changes of the set of modes since the last record, batch by batch; null where they are not watched. */
  readonly events: readonly StepEvent[] | null;
  /** Everything else. */
  readonly evaluation: ModelEvaluation;
}

/** The callbacks that `model.fit` takes in its `callbacks`. */
export interface TrainabilityCallback {
  /** Evaluates the start. */
  onTrainBegin(): Promise<void>;
  /** Watches the batch's step. */
  onBatchEnd(): Promise<void>;
  /** Evaluates, and adds `R`, `Rhat` and `membershipEvents` to the epoch's logs where they are known, so that they are in the history that `fit` returns. */
  onEpochEnd(epoch: number, logs?: { [name: string]: unknown }): Promise<void>;
  /** Evaluates the end where the last epoch was not. */
  onTrainEnd(): Promise<void>;
}

/**
 * A training callback that reports `R`, `R_hat`, gates and membership events (section 7) of the couplings that a model learns. Evaluated in float64 at the float32 parameters. Throws
 * {@link InputError} for an option out of range, and where training has made a parameter that is not finite.
 */
export function trainabilityCallback(options: TrainabilityCallbackOptions): TrainabilityCallback {
  const { model, data, evaluate: how, theta, every = 1, watch: rule, report } = options;
  const wrong = (field: string, expected: string, got: unknown, remedy: string) =>
    new InputError({ field, expected, got: show(got), remedy });
  if (typeof theta !== 'function') {
    throw wrong('theta', 'a function that returns tensors', theta, 'write () => layer.getWeights()[0]');
  }
  if (typeof report !== 'function') throw wrong('report', 'a function', report, 'give what is told of every record');
  if (!Number.isSafeInteger(every) || every < 1) {
    throw wrong('every', 'a whole number of at least 1', every, 'give the number of epochs between evaluations');
  }
  if (rule !== undefined && !MEMBERSHIP_RULES.includes(rule)) {
    throw wrong('watch', `one of ${MEMBERSHIP_RULES.join(', ')}`, rule, 'name a rule, or leave it out');
  }
  checkOptions(how, ['burnIn', 'window', 'chains', 'epsilon', 'kappa']);
  const { kernel, epsilon, kappa } = how;
  checkKernel(kernel);
  const thresholds = { epsilon, kappa };
  const route = createRoute(model, data, { kernel, thresholds });
  const watch = rule && new MembershipWatch(route, model, kernel, rule, thresholds);
  let events: StepEvent[] = [];
  let last = -1;
  let reported = -1;
  const current = () => modelAt(model, tensorList(theta()));
  const evaluate = (epoch: number): TrainabilityRecord => {
    const evaluation = evaluateModel(current(), data, { ...how, gradient: false });
    const record = {
      epoch,
      R: evaluation.operational?.R ?? null,
      Rhat: evaluation.predictors.full.Rhat,
      gates: evaluation.gates,
      claim: evaluation.claim,
      events: watch ? events : null,
      evaluation,
    };
    events = [];
    reported = epoch;
    report(record);
    return record;
  };
  return {
    async onTrainBegin() {
      last = -1;
      events = [];
      watch?.start(current().theta);
      evaluate(-1);
    },
    async onBatchEnd() {
      if (watch) events.push(...watch.move(current().theta));
    },
    async onEpochEnd(epoch, logs) {
      last = epoch;
      if ((epoch + 1) % every !== 0) return;
      const { R, Rhat, events: seen } = evaluate(epoch);
      if (logs === undefined) return;
      if (R !== null) logs.R = R;
      if (Rhat !== null) logs.Rhat = Rhat;
      if (seen !== null) logs.membershipEvents = seen.length;
    },
    async onTrainEnd() {
      if (reported !== last) evaluate(last);
    },
  };
}
