import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import {
  type Configured,
  parseConfiguration,
  readConfiguration,
  standardConfiguration,
} from '../experiments/configuration.js';
import { EXPERIMENT_NAMES, type ExperimentName, isExperiment, loadExperiment } from '../experiments/registry.js';
import { mergeShards, type ResultLine, readResults, resultsName } from '../experiments/results-file.js';
import { cellsOf, concludeExperiment, runCells } from '../experiments/run-experiment.js';
import { type Shard, shardOf, WHOLE } from '../experiments/shard.js';
import { overall } from '../experiments/table.js';
import { writeFileAtomic } from '../model/atomic-file.js';
import { version } from '../version.js';
import { Interrupted } from './drive.js';
import { Progress } from './progress.js';
import { type ExperimentRecord, experimentText, renderExperiments } from './reproduce-report.js';
import { makeFolder } from './run-folder.js';

export interface MergeFlags {
  readonly out: string;
  readonly force?: boolean;
  readonly report?: boolean;
  readonly json?: boolean;
}

export interface ReproduceFlags extends MergeFlags {
  readonly config?: string;
  readonly shard?: string;
  readonly jobs?: string;
}

/** `htdml reproduce`: runs an experiment or all of them, or a shard; returns what to print and the exit code. */
export async function reproduceCommand(name: string, flags: ReproduceFlags): Promise<{ output: string; code: number }> {
  const names = experimentsNamed(name);
  if (flags.config !== undefined && name === 'all') {
    refuse('--config', 'given with one experiment', 'all', 'name the experiment that it is for');
  }
  const shard = shardOf(flags.shard, process.env);
  if (shard.of > 1 && flags.report) {
    refuse('--report', 'given without a shard', `shard ${shard.index}/${shard.of}`, 'give it to htdml merge');
  }
  const jobs = jobsOf(flags.jobs);
  // All configurations are read before the first cell is computed.
  const configured = new Map<ExperimentName, Configured>();
  for (const one of names)
    configured.set(one, await readConfiguration(flags.config ?? standardConfiguration(one), one));
  makeFolder(flags.out);
  const records: ExperimentRecord[] = [];
  const shards: string[] = [];
  for (const [one, each] of configured) {
    const path = join(flags.out, resultsName(one, shard));
    const lines = await compute(each, path, shard, jobs, flags.force ?? false);
    if (shard.of === 1) records.push(writeRecord(each, lines, flags.out));
    else shards.push(`${one}: ${lines.length} cells of shard ${shard.index} of ${shard.of} in ${path}`);
  }
  if (shard.of === 1) return concluded(records, flags);
  const output = flags.json
    ? JSON.stringify({ schemaVersion: 1, command: 'reproduce', shard, experiments: names })
    : `${shards.join('\n')}\njoin all shards with htdml merge`;
  return { output, code: 0 };
}

/** `htdml merge`: joins the shards of one or several experiments. */
export async function mergeCommand(
  paths: readonly string[],
  flags: MergeFlags,
): Promise<{ output: string; code: number }> {
  const files = paths.map((path) => ({ path, ...readResults(path) }));
  const merged: { readonly each: Configured; readonly lines: readonly ResultLine[]; readonly content: string }[] = [];
  for (const name of EXPERIMENT_NAMES) {
    const own = files.filter(({ header }) => header.experiment === name);
    if (own.length === 0) continue;
    const experiment = await loadExperiment(name);
    const configuration = parseConfiguration(own[0].header.configuration, name, experiment);
    const lines = mergeShards(own, cellsOf(experiment, configuration));
    const content = [{ ...own[0].header, shard: WHOLE }, ...lines].map((line) => `${JSON.stringify(line)}\n`).join('');
    merged.push({ each: { configuration, experiment }, lines, content });
  }
  makeFolder(flags.out);
  for (const { each } of merged) {
    const path = join(flags.out, resultsName(each.configuration.experiment, WHOLE));
    if (existsSync(path) && !flags.force) {
      refuse('--out', 'a folder without these results', path, 'choose another folder, or overwrite with --force');
    }
  }
  const records = merged.map(({ each, lines, content }) => {
    writeFileAtomic(join(flags.out, resultsName(each.configuration.experiment, WHOLE)), content);
    return writeRecord(each, lines, flags.out);
  });
  return concluded(records, flags);
}

/** Computes what a results file lacks, with a line of progress; on SIGINT or SIGTERM throws {@link Interrupted}: every finished cell is in the file. */
async function compute(
  { experiment, configuration }: Configured,
  path: string,
  shard: Shard,
  jobs: number,
  force: boolean,
): Promise<readonly ResultLine[]> {
  const abort = new AbortController();
  const interrupt = () => abort.abort();
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  let progress: Progress | null = null;
  try {
    const lines = await runCells(experiment, configuration, {
      path,
      shard,
      jobs,
      force,
      signal: abort.signal,
      progress: (done, total, key) => {
        const percent = Math.floor((100 * done) / total);
        progress ??= new Progress(configuration.experiment, 100, percent);
        progress.update(percent, key);
      },
    });
    if (lines === null) throw new Interrupted('the same command');
    return lines;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
    (progress as Progress | null)?.finish();
  }
}

function writeRecord(
  { experiment, configuration }: Configured,
  lines: readonly ResultLine[],
  out: string,
): ExperimentRecord {
  const { experiment: name, title, settings, ours, sourceCost, sha256 } = configuration;
  const table = concludeExperiment(experiment, configuration, lines);
  const record: ExperimentRecord = {
    schemaVersion: 1,
    command: 'reproduce',
    experiment: name,
    title,
    configuration: { sha256, settings, ours },
    versions: { htdml: version, node: process.versions.node },
    cells: lines.length,
    seconds: lines.reduce((sum, { seconds }) => sum + seconds, 0),
    sourceCost,
    table,
    outcome: overall(table),
  };
  writeFileAtomic(join(out, `${name}.json`), `${JSON.stringify(record, null, 1)}\n`);
  return record;
}

async function concluded(
  records: readonly ExperimentRecord[],
  flags: MergeFlags,
): Promise<{ output: string; code: number }> {
  if (flags.report) writeFileAtomic(join(flags.out, 'report.html'), await renderExperiments(records));
  const whole = { schemaVersion: 1, command: 'reproduce', experiments: records };
  const output = flags.json
    ? JSON.stringify(records.length === 1 ? records[0] : whole)
    : `${records.map(experimentText).join('\n\n')}\n\nwritten to ${flags.out}`;
  return { output, code: 0 };
}

function experimentsNamed(name: string): readonly ExperimentName[] {
  if (name === 'all') return EXPERIMENT_NAMES;
  if (isExperiment(name)) return [name];
  return refuse('the experiment', `${EXPERIMENT_NAMES.join(', ')} or all`, `"${name}"`, 'name one of them');
}

function jobsOf(flag: string | undefined): number {
  if (flag === undefined) return availableParallelism();
  const jobs = Number(flag);
  if (Number.isSafeInteger(jobs) && jobs >= 1) return jobs;
  return refuse('--jobs', 'a whole number of at least 1', `"${flag}"`, 'give the number of threads');
}

function refuse(field: string, expected: string, got: string, remedy: string): never {
  throw new InputError({ field, expected, got, remedy });
}
