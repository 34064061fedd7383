import { adaptiveTotalCorrelation, kl, l2 } from 'htdml/objectives';
import { type ControlledTerm, type TrainRecord, type TrainState, train, trainStart } from '../optimization/train.js';
import type { Term } from '../optimization/weighted-sum.js';
import { logEffectiveGap as logGap } from '../trainability/routes/log-quantities.js';
import { drive } from './drive.js';
import { estimatedTraining } from './estimated-run.js';
import { finishRun } from './finish-run.js';
import { num } from './format.js';
import { inSteps } from './options.js';
import { Progress } from './progress.js';
import { RunFolder } from './run-folder.js';
import {
  checkpointEvery,
  constraints,
  type RunFlags,
  type RunPlan,
  type RunSetup,
  readRun,
  setUp,
} from './run-setup.js';
import { type Spec, specToJson } from './spec.js';
import type { PenaltyName } from './spec-training.js';
import { sampledTraining } from './train-sampled.js';

/** Points along a run at which the effective gap is computed for the trace and the figures. */
const GAP_POINTS = 100;

interface TraceLine extends TrainRecord {
  readonly effectiveGap: number | null;
}

/** `htdml train`: maximum likelihood by exact gradients, or by sampled ones where the SPEC says so; returns what to print and the exit code. */
export async function trainCommand(specPath: string, flags: RunFlags): Promise<{ output: string; code: number }> {
  const input = readRun(specPath, flags);
  if (input.spec.route === 'estimated') return estimatedTraining(input, flags);
  const { likelihood } = input.spec.train;
  if (likelihood !== 'exact') return sampledTraining(input, likelihood, flags);
  const setup = setUp(input, flags, planOf);
  const { spec, model, route, membership } = setup;
  const parametrization = constraints(specPath, 'train', model, spec.train);
  const penalties = penaltiesOf(setup);
  const { steps: total, optimizer, learningRate } = spec.train;
  const everyCheckpoint = checkpointEvery(flags);
  const folder = new RunFolder<TrainState>(flags.out, 'train', specToJson(spec), {
    resume: flags.resume ?? false,
    force: flags.force ?? false,
  });
  const from = folder.resumed ?? trainStart(model.theta, parametrization);
  const settings = {
    steps: total,
    optimizer,
    learningRate,
    penalties,
    parametrization,
    watch: membership.watch,
    onEvent: membership.policy,
  };
  const every = Math.max(1, Math.round(total / GAP_POINTS));
  const progress = new Progress('train', total, from.step);
  const steps = train(route, kl, settings, from);
  const final = await drive(
    steps,
    folder,
    progress,
    (record, before) => ({
      step: record.step + 1,
      detail: `KL ${num(record.kl)}`,
      traced: { ...record, effectiveGap: record.step % every === 0 ? effectiveGap(setup, before.theta) : null },
    }),
    everyCheckpoint,
  );
  const trace = folder.readTrace<TraceLine>();
  return finishRun(setup, folder, flags, {
    command: 'train',
    title: 'Training run',
    subtitle: `${spec.kernel}, ${spec.train.steps} steps, seed ${spec.seed}`,
    name: 'trained',
    theta: final.theta,
    results: {
      steps: final.step,
      ...(final.controls.length > 0 && { controls: final.controls }),
      ...(final.stopped !== undefined && { stopped: final.stopped }),
    },
    converged: final.stopped === undefined || final.settled === true,
    points: trace,
    events: trace.flatMap(({ step, events = [] }) => events.map((event) => ({ step, event }))),
  });
}

/** Whether an objective costs a solve for the timescale, or for modes, at every step. */
export function isTimed(name: PenaltyName): boolean {
  return name === 'logEffectiveGap' || name === 'logRhat' || name === 'logRhatSlowCluster';
}

/** What training by a SPEC evaluates. */
export function planOf({ train: { steps, penalties } }: Spec): RunPlan {
  const names = penalties.map(({ objective }) => objective);
  const looks = penalties.map((one) => (one.weight === 'adaptive' ? Math.ceil(steps / one.every) : 0));
  return {
    objectives: names,
    signal: steps * (names.includes('totalCorrelation') ? 2 : 1),
    timescale: Math.min(steps, GAP_POINTS) + (names.some(isTimed) ? steps : 0),
    spectrum: looks.reduce((sum, count) => sum + count, 0),
  };
}

/** The penalties of a SPEC, weight decay last. */
export function penaltiesOf({ spec, model, route, membership, window, burnIn }: RunSetup): (Term | ControlledTerm)[] {
  const { penalties, weightDecay } = spec.train;
  const terms = penalties.map((one) => {
    if (one.weight !== 'adaptive')
      return { weight: one.weight, objective: membership.objective(one.objective, window) };
    const lag = one.lag === null ? burnIn + window : inSteps(one.lag, model, spec.kernel);
    const term = adaptiveTotalCorrelation(route, { ...one, lag });
    // Looks once, so that a kernel without modes is refused before the run.
    term.next(term.start, model.theta);
    return term;
  });
  return weightDecay > 0 ? [...terms, { weight: weightDecay, objective: l2 }] : terms;
}

export function effectiveGap({ route }: Pick<RunSetup, 'route'>, theta: ArrayLike<number>): number | null {
  const at = route.evaluate(Float64Array.from(theta), ['timescale', 'variance']);
  const gap = at.info.converged ? logGap(at.value) : null;
  return gap && Math.exp(gap.value);
}
