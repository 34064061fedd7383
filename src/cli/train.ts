import { kl } from 'htdml/objectives';
import { type TrainRecord, type TrainState, train, trainStart } from '../optimization/train.js';
import { logEffectiveGap as logGap } from '../trainability/routes/log-quantities.js';
import { drive } from './drive.js';
import { finishRun } from './finish-run.js';
import { num } from './format.js';
import { Progress } from './progress.js';
import { RunFolder } from './run-folder.js';
import { type RunFlags, type RunSetup, setUp } from './run-setup.js';
import { specToJson } from './spec.js';

/** Points along a run at which the effective gap is computed for the trace and the figures. */
const GAP_POINTS = 100;

interface TraceLine extends TrainRecord {
  readonly effectiveGap: number | null;
}

/** `htdml train`: exact-gradient maximum likelihood; returns what to print and the exit code. */
export async function trainCommand(specPath: string, flags: RunFlags): Promise<{ output: string; code: number }> {
  const setup = setUp(specPath, flags, ({ train: { steps, penalties } }) => ({
    objectives: penalties.map(({ objective }) => objective),
    signal: steps,
    timescale: Math.min(steps, GAP_POINTS) + (penalties.length > 0 ? steps : 0),
  }));
  const { spec, model, route, membership } = setup;
  const folder = new RunFolder<TrainState>(flags.out, 'train', specToJson(spec), {
    resume: flags.resume ?? false,
    force: flags.force ?? false,
  });
  const from = folder.resumed ?? trainStart(model.theta);
  const penalties = spec.train.penalties.map(({ objective, weight }) => ({
    weight,
    objective: membership.objective(objective, setup.window),
  }));
  const settings = { ...spec.train, penalties, watch: membership.watch, onEvent: membership.policy };
  const every = Math.max(1, Math.round(spec.train.steps / GAP_POINTS));
  const progress = new Progress('train', spec.train.steps, from.step);
  const steps = train(route, kl, model.edges.length, settings, from);
  const final = await drive(steps, folder, progress, (record, before) => ({
    step: record.step + 1,
    detail: `KL ${num(record.kl)}`,
    traced: { ...record, effectiveGap: record.step % every === 0 ? effectiveGap(setup, before.theta) : null },
  }));
  const trace = folder.readTrace<TraceLine>();
  return finishRun(setup, folder, flags, {
    command: 'train',
    title: 'Training run',
    subtitle: `${spec.kernel}, ${spec.train.steps} steps, seed ${spec.seed}`,
    name: 'trained',
    theta: final.theta,
    results: final.stopped === undefined ? {} : { stopped: final.stopped },
    converged: final.stopped === undefined || final.atEvent === true,
    points: trace,
    events: trace.flatMap(({ step, events = [] }) => events.map((event) => ({ step, event }))),
  });
}

function effectiveGap({ route }: RunSetup, theta: ArrayLike<number>): number | null {
  const at = route.evaluate(Float64Array.from(theta), ['timescale', 'variance']);
  const gap = at.info.converged ? logGap(at.value) : null;
  return gap && Math.exp(gap.value);
}
