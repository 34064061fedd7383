import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { InputError } from '../errors.js';
import { namingFile, readText } from '../model/atomic-file.js';
import { checked, exactObject, number, readJson, says, schemaVersion } from '../model/schema.js';
import type { Experiment } from './experiment.js';
import { EXPERIMENT_NAMES, type ExperimentName, loadExperiment } from './registry.js';

const text = (remedy: string) => z.string(says('a text', remedy)).min(1, says('a text', remedy));
const end = z.number(says('a number or null', 'null leaves this end open')).nullable();

const source = exactObject(
  {
    text: text('write the figure as the source gives it'),
    low: end,
    high: end,
    within: number((value) => value >= 0, 'a number of at least 0', 'give the distance up to which ours agrees'),
  },
  'a figure of the source',
  'write null where the source has none',
);

const row = exactObject(
  {
    figure: text('name a figure of the experiment'),
    what: text('say what the figure is'),
    source: source.nullable(),
    /** The outcome named in advance: `pass` inside this interval, `fail` outside, `not resolved` where there is no value. */
    passes: z.tuple([end, end], says('a pair of ends', 'write it as [low, high], null for an open end')).optional(),
    /** What is known in advance to be different from the source. */
    note: text('leave it out where there is nothing to say').optional(),
  },
  'a row of the table',
  'write it between braces',
);

/** One row of the final table: a figure, what the source has for it, and the outcome as it was named in advance. */
export type Row = z.infer<typeof row>;

/** An experiment's configuration, fixed before its run. */
export interface Configuration {
  readonly experiment: ExperimentName;
  readonly title: string;
  /** The file as it was read, so that a record can be checked against its hash. */
  readonly text: string;
  /** SHA-256 of the text as UTF-8: what `sha256sum` prints of the file. */
  readonly sha256: string;
  readonly settings: unknown;
  /** Paths into `settings` of what the source does not state and this project chose. */
  readonly ours: readonly string[];
  /** What the source's own run took, and on what; null where it does not say. */
  readonly sourceCost: string | null;
  readonly rows: readonly Row[];
}

const file = exactObject(
  {
    schemaVersion,
    experiment: z.enum(EXPERIMENT_NAMES, says(EXPERIMENT_NAMES.join(', '), 'name one of the experiments')),
    title: text('give the experiment a title'),
    settings: z.unknown(),
    ours: z.array(text('give a path such as "betas"'), says('a list of paths', 'write it between brackets')),
    sourceCost: text('write null where the source does not say').nullable(),
    rows: z.array(row, says('a list of rows', 'write it between brackets')).min(1, says('a list of rows', 'add one')),
  },
  'a configuration',
  'write it between braces',
);

/** The configuration that comes with the package. */
export function standardConfiguration(name: ExperimentName): string {
  // From src/experiments, or from dist/src/experiments.
  const up = /\/dist\/src\/experiments\/[^/]*$/.test(import.meta.url) ? '../../../' : '../../';
  return fileURLToPath(new URL(`${up}examples/experiments/${name}.json`, import.meta.url));
}

/** A configuration with the experiment that it is for. */
export interface Configured {
  readonly configuration: Configuration;
  readonly experiment: Experiment;
}

/** Reads a configuration file for an experiment. Throws {@link InputError} naming the file and what is wrong in it. */
export async function readConfiguration(path: string, name: ExperimentName): Promise<Configured> {
  const text = readText(path);
  readJson(path); // names line and column where the text is not JSON
  const experiment = await loadExperiment(name);
  return namingFile(path, () => ({ configuration: parseConfiguration(text, name, experiment), experiment }));
}

/** A configuration from its text. Throws {@link InputError} for what is wrong in it. */
export function parseConfiguration(text: string, name: ExperimentName, experiment: Experiment): Configuration {
  const json: unknown = JSON.parse(text);
  checked(z.looseObject({ schemaVersion }), json, 'the configuration');
  const { schemaVersion: _, ...read } = checked(file, json, 'the configuration');
  if (read.experiment !== name) {
    throw new InputError({
      field: 'experiment',
      expected: `"${name}", the experiment that was asked for`,
      got: `"${read.experiment}"`,
      remedy: 'give its own configuration',
    });
  }
  checked(z.looseObject({ settings: experiment.settings }), json, 'the configuration');
  read.ours.forEach((where, k) => checkPath(where, read.settings, `ours[${k}]`));
  // Of no cells at all an experiment has the same figures, without values.
  const figures = Object.keys(experiment.conclude([], read.settings));
  read.rows.forEach(({ figure }, k) => checkFigure(figure, figures, `rows[${k}].figure`));
  return { ...read, text, sha256: sha256(text) };
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function checkFigure(name: string, figures: readonly string[], field: string): void {
  if (figures.includes(name)) return;
  throw new InputError({
    field,
    expected: `one of ${figures.join(', ')}`,
    got: name,
    remedy: 'name a figure of these settings',
  });
}

/** A path of `ours` must lead to a setting, so that nobody believes a misspelt one to be declared. */
function checkPath(path: string, settings: unknown, field: string): void {
  let at = settings;
  for (const part of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) {
      throw new InputError({
        field,
        expected: 'a path into settings',
        got: path,
        remedy: 'name a setting that is there',
      });
    }
    at = (at as Record<string, unknown>)[part];
  }
}
