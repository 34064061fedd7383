import { kl } from 'htdml/objectives';
import { UnsupportedError } from '../errors.js';
import { type DesignRecord, type DesignState, design, designStart } from '../optimization/design.js';
import { drive } from './drive.js';
import { estimatedDesign } from './estimated-run.js';
import { finishRun } from './finish-run.js';
import { num } from './format.js';
import { Progress } from './progress.js';
import { RunFolder } from './run-folder.js';
import { checkpointEvery, constraints, type RunFlags, type RunSetup, readRun, setUp } from './run-setup.js';
import { specToJson } from './spec.js';

/** `htdml design`: better mixing within a budget of divergence; returns what to print and the exit code. */
export async function designCommand(specPath: string, flags: RunFlags): Promise<{ output: string; code: number }> {
  const input = readRun(specPath, flags);
  if (input.spec.route === 'estimated') return estimatedDesign(input, flags);
  const setup = setUp(input, flags, ({ design: { objective, restarts, steps } }) => ({
    objectives: [objective],
    signal: restarts * steps,
    timescale: restarts * steps,
  }));
  const { spec, model, route, membership } = setup;
  const within = constraints(specPath, 'design', model, spec.design);
  const objective = membership.objective(spec.design.objective, setup.window, signalAt(setup));
  const settings = { ...spec.design, seed: spec.seed, watch: membership.watch, onEvent: membership.policy };
  const start = designStart(route, objective, kl, settings, within, model.theta);
  if (start === null) {
    throw new UnsupportedError(
      'A design from this model',
      `its ${spec.design.objective} has no finite value`,
      'start from another model',
    );
  }
  const everyCheckpoint = checkpointEvery(flags);
  const folder = new RunFolder<DesignState>(flags.out, 'design', specToJson(spec), {
    resume: flags.resume ?? false,
    force: flags.force ?? false,
  });
  const from = folder.resumed ?? start;
  const total = spec.design.restarts * spec.design.steps;
  const progress = new Progress('design', total, from.restart * spec.design.steps + from.spent);
  const steps = design(route, objective, kl, settings, within, from);
  const final = await drive(
    steps,
    folder,
    progress,
    (record) => ({
      step: record.evaluation,
      detail: `restart ${record.restart + 1}, best ${spec.design.objective} ${num(record.best)}`,
      traced: record,
    }),
    everyCheckpoint,
  );
  const { best } = final;
  if (best === null) {
    throw new UnsupportedError(
      'A feasible design',
      'the start violates maxCoupling and no run found a point within both bound and budget',
      'raise the budget or maxCoupling',
    );
  }

  const trace = folder.readTrace<DesignRecord>();
  return finishRun(setup, folder, flags, {
    command: 'design',
    title: 'Design run',
    subtitle: `${spec.kernel}, ${spec.design.objective}, budget ${num(spec.design.budget)} nats, seed ${spec.seed}`,
    name: 'designed',
    theta: best.theta,
    converged: true,
    results: {
      objective: { name: objective.name, before: start.start.objective, after: best.objective },
      budget: { allowed: spec.design.budget, used: best.kl - start.start.kl },
      improved: best.objective > start.start.objective,
      ...(final.stopped !== undefined && { stopped: final.stopped }),
    },
    events: trace.flatMap(({ evaluation, events = [] }) => events.map((event) => ({ step: evaluation, event }))),
    points: trace.flatMap(({ evaluation, kl: divergence, objective: value }) => {
      if (divergence === null || value === null) return [];
      const effectiveGap = objective.name === 'logEffectiveGap' ? Math.exp(value) : null;
      return [{ step: evaluation, kl: divergence, effectiveGap }];
    }),
  });
}

/** `|g|^2` at the start. */
function signalAt({ route, model }: RunSetup): number {
  return route.evaluate(model.theta, ['signal']).value.signal ?? 0;
}
