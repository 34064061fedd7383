import { kl, logEffectiveGap, logRhat } from 'htdml/objectives';
import { InputError, UnsupportedError } from '../errors.js';
import { namingFile, writeFileAtomic } from '../model/atomic-file.js';
import { type DesignRecord, type DesignState, design, designStart } from '../optimization/design.js';
import { drive } from './drive.js';
import { num } from './format.js';
import { Progress } from './progress.js';
import { RunFolder } from './run-folder.js';
import { comparisonText, renderRun } from './run-report.js';
import { modelFile, type RunFlags, type RunSetup, setUp, versions } from './run-setup.js';
import { specToJson } from './spec.js';

/** `htdml design`: better mixing within a budget of divergence; returns what to print and the exit code. */
export async function designCommand(specPath: string, flags: RunFlags): Promise<{ output: string; code: number }> {
  const setup = setUp(specPath);
  const { spec, model, route } = setup;
  namingFile(specPath, () => checkFrozen(setup));
  const before = setup.evaluate(model.theta);
  const objective =
    spec.design.objective === 'logRhat'
      ? logRhat({ samples: setup.window, heldSignal: before.signal })
      : logEffectiveGap;
  const settings = { ...spec.design, seed: spec.seed };
  const start = designStart(route, objective, kl, settings, model.theta, model.edges.length);
  if (start === null) {
    throw new UnsupportedError(
      'A design from this model',
      `its ${spec.design.objective} has no finite value`,
      'start from another model',
    );
  }
  const folder = new RunFolder<DesignState>(flags.out, 'design', specToJson(spec), {
    resume: flags.resume ?? false,
    force: flags.force ?? false,
  });
  const from = folder.resumed ?? start;
  const total = spec.design.restarts * spec.design.steps;
  const progress = new Progress('design', total, from.restart * spec.design.steps + from.spent);
  const steps = design(route, objective, kl, settings, model.edges.length, from);
  const final = await drive(steps, folder, progress, (record) => ({
    step: record.evaluation,
    detail: `restart ${record.restart + 1}, best ${spec.design.objective} ${num(record.best)}`,
    traced: record,
  }));
  const { best } = final;
  if (best === null) {
    throw new UnsupportedError(
      'A feasible design',
      'the start violates maxCoupling and no run found a point within both bound and budget',
      'raise the budget or maxCoupling',
    );
  }

  const evaluations = [
    ['start', before],
    ['designed', setup.evaluate(best.theta)],
  ] as const;
  const after = evaluations[1][1];
  folder.write('model.json', modelFile(model, best.theta));
  const record = {
    schemaVersion: 1,
    command: 'design',
    spec: specToJson(spec),
    versions,
    seed: spec.seed,
    results: {
      before,
      after,
      objective: { name: objective.name, before: start.start.objective, after: best.objective },
      budget: { allowed: spec.design.budget, used: best.kl - start.start.kl },
      improved: best.objective > start.start.objective,
    },
    claims: { before: before.claim, after: after.claim },
  };
  const report = await renderRun({
    title: 'Design run',
    subtitle: `${spec.kernel}, ${spec.design.objective}, budget ${num(spec.design.budget)} nats, seed ${spec.seed}`,
    evaluations,
    spectra: [
      ['start', route.relaxation(model.theta)],
      ['designed', route.relaxation(Float64Array.from(best.theta))],
    ],
    path: {
      name: 'design',
      points: folder.readTrace<DesignRecord>().flatMap(({ evaluation, kl: divergence, objective: value }) => {
        if (divergence === null || value === null) return [];
        const effectiveGap = objective.name === 'logEffectiveGap' ? Math.exp(value) : null;
        return [{ step: evaluation, kl: divergence, effectiveGap }];
      }),
    },
    footer: `htdml ${versions.htdml}, Node ${versions.node}`,
  });
  writeFileAtomic(folder.file('report.html'), report);
  folder.write('record.json', record);
  return {
    output: flags.json ? JSON.stringify(record) : `${comparisonText(evaluations)}\n\nwritten to ${flags.out}`,
    code: after.numerics.converged ? 0 : 3,
  };
}

function checkFrozen({ spec, model }: RunSetup): void {
  const k = spec.design.frozen.findIndex((a) => a >= model.theta.length);
  if (k < 0) return;
  throw new InputError({
    field: `design.frozen[${k}]`,
    expected: `a parameter index from 0 to ${model.theta.length - 1}`,
    got: String(spec.design.frozen[k]),
    remedy: 'parameters are counted from 0 in theta order: couplings, then biases',
  });
}
