import { writeFileAtomic } from '../model/atomic-file.js';
import { withParameters } from '../model/model.js';
import { modelToJson } from '../model/model-file.js';
import { version } from '../version.js';
import { membershipRecord, type TracedEvent } from './membership.js';
import type { RunFolder } from './run-folder.js';
import { comparisonText, type RunPoint, renderRun } from './run-report.js';
import type { RunFlags, RunSetup } from './run-setup.js';
import { specToJson } from './spec.js';

export interface FinishedRun {
  readonly command: 'train' | 'design';
  readonly title: string;
  readonly subtitle: string;
  /** What the result is called in tables, and its parameters. */
  readonly name: string;
  readonly theta: ArrayLike<number>;
  /** False where the run ended early for want of a finite value. */
  readonly converged: boolean;
  /** What the record says beside the evaluations before and after. */
  readonly results: object;
  readonly points: readonly RunPoint[];
  readonly events: readonly TracedEvent[];
}

/** Evaluates the start and the result of a run, writes its model, record and report, and says what to print. */
export async function finishRun(
  setup: RunSetup,
  folder: RunFolder<unknown>,
  flags: RunFlags,
  run: FinishedRun,
): Promise<{ output: string; code: number }> {
  const { spec, model, route } = setup;
  const [before, after] = [setup.evaluate(model.theta), setup.evaluate(run.theta)];
  const evaluations = [
    ['start', before],
    [run.name, after],
  ] as const;
  const versions = { htdml: version, node: process.versions.node };
  const record = {
    schemaVersion: 1,
    command: run.command,
    spec: specToJson(spec),
    versions,
    seed: spec.seed,
    results: { before, after, membership: membershipRecord(setup.membership, run.events), ...run.results },
    claims: { before: before.claim, after: after.claim },
  };
  const report = await renderRun({
    title: run.title,
    subtitle: run.subtitle,
    evaluations,
    spectra: [
      ['start', route.relaxation(model.theta)],
      [run.name, route.relaxation(Float64Array.from(run.theta))],
    ],
    path: { name: run.command, points: run.points },
    events: setup.membership.watch === undefined ? null : run.events,
    footer: `htdml ${versions.htdml}, Node ${versions.node}`,
  });
  folder.write('model.json', modelToJson(withParameters(model, run.theta)));
  writeFileAtomic(folder.file('report.html'), report);
  // Last, since a folder with a record counts as finished.
  folder.write('record.json', record);
  return {
    output: flags.json ? JSON.stringify(record) : `${comparisonText(evaluations)}\n\nwritten to ${flags.out}`,
    code: run.converged && after.numerics.converged ? 0 : 3,
  };
}
