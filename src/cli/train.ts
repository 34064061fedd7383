import { kl, logEffectiveGap, logRhat } from 'htdml/objectives';
import { writeFileAtomic } from '../model/atomic-file.js';
import { type TrainRecord, type TrainState, train, trainStart } from '../optimization/train.js';
import { logEffectiveGap as logGap } from '../trainability/log-quantities.js';
import { drive } from './drive.js';
import { num } from './format.js';
import { Progress } from './progress.js';
import { RunFolder } from './run-folder.js';
import { comparisonText, renderRun } from './run-report.js';
import { modelFile, type RunFlags, type RunSetup, setUp, versions } from './run-setup.js';
import { specToJson } from './spec.js';

/** Points along a run at which the effective gap is computed for the trace and the figures. */
const GAP_POINTS = 100;

interface TraceLine extends TrainRecord {
  readonly effectiveGap: number | null;
}

/** `htdml train`: exact-gradient maximum likelihood; returns what to print and the exit code. */
export async function trainCommand(specPath: string, flags: RunFlags): Promise<{ output: string; code: number }> {
  const setup = setUp(specPath);
  const { spec, model, route } = setup;
  const folder = new RunFolder<TrainState>(flags.out, 'train', specToJson(spec), {
    resume: flags.resume ?? false,
    force: flags.force ?? false,
  });
  const from = folder.resumed ?? trainStart(model.theta);
  const settings = { ...spec.train, penalties: penaltyTerms(setup) };
  const every = Math.max(1, Math.round(spec.train.steps / GAP_POINTS));
  const progress = new Progress('train', spec.train.steps, from.step);
  const steps = train(route, kl, model.edges.length, settings, from);
  const final = await drive(steps, folder, progress, (record, before) => ({
    step: record.step + 1,
    detail: `KL ${num(record.kl)}`,
    traced: { ...record, effectiveGap: record.step % every === 0 ? effectiveGap(setup, before.theta) : null },
  }));
  const { theta } = final;

  const evaluations = [
    ['start', setup.evaluate(model.theta)],
    ['trained', setup.evaluate(theta)],
  ] as const;
  const [[, before], [, after]] = evaluations;
  folder.write('model.json', modelFile(model, theta));
  const record = {
    schemaVersion: 1,
    command: 'train',
    spec: specToJson(spec),
    versions,
    seed: spec.seed,
    results: { before, after },
    claims: { before: before.claim, after: after.claim },
  };
  const report = await renderRun({
    title: 'Training run',
    subtitle: `${spec.kernel}, ${spec.train.steps} steps, seed ${spec.seed}`,
    evaluations,
    spectra: evaluations.map(([name, e]) => [name, route.relaxation(thetaOf(e === before ? model.theta : theta))]),
    path: { name: 'training', points: folder.readTrace<TraceLine>() },
    footer: `htdml ${versions.htdml}, Node ${versions.node}`,
  });
  writeFileAtomic(folder.file('report.html'), report);
  folder.write('record.json', record);
  return {
    output: flags.json ? JSON.stringify(record) : `${comparisonText(evaluations)}\n\nwritten to ${flags.out}`,
    code: after.numerics.converged ? 0 : 3,
  };
}

function penaltyTerms({ spec, window }: RunSetup) {
  return spec.train.penalties.map(({ objective, weight }) => ({
    weight,
    objective: objective === 'logRhat' ? logRhat({ samples: window }) : logEffectiveGap,
  }));
}

function effectiveGap({ route }: RunSetup, theta: ArrayLike<number>): number | null {
  const at = route.evaluate(thetaOf(theta), ['timescale', 'variance']);
  const gap = at.info.converged ? logGap(at.value) : null;
  return gap && Math.exp(gap.value);
}

function thetaOf(values: ArrayLike<number>): Float64Array {
  return Float64Array.from(values);
}
