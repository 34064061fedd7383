import { InputError } from '../errors.js';
import { readData } from '../model/data-file.js';
import type { DataLaw } from '../model/data-law.js';
import type { Model } from '../model/model.js';
import { teacherWorkload } from '../trainability/cost.js';
import { teacherLaw } from '../trainability/teacher.js';
import { readModelAt } from './model-path.js';

/** Where data come from: how many visible spins and patterns at most, the law, and what making it needs. */
export interface Source {
  readonly spins: number;
  readonly patterns: number;
  readonly bytes: number;
  readonly visits: number;
  law(): DataLaw;
}

/** The source behind `--data` or `--teacher`, exactly one of which must be given. A teacher's law is not tabulated before it is asked for. */
export function readSource(paths: { data?: string | undefined; teacher?: string | undefined }): Source {
  const { data, teacher } = paths;
  if (data !== undefined && teacher === undefined) {
    const law = readData(data);
    return { spins: law.spins, patterns: law.probabilities.length, bytes: 0, visits: 0, law: () => law };
  }
  if (teacher !== undefined && data === undefined) {
    const model = readModelAt(teacher);
    const spins = model.visible.length;
    return { spins, patterns: 2 ** spins, ...teacherWorkload(model), law: () => teacherLaw(model) };
  }
  throw new InputError({
    field: '--data or --teacher',
    expected: 'given, exactly one of them',
    got: data === undefined ? 'neither' : 'both',
    remedy: 'name a data file with --data, or a model file with --teacher',
  });
}

/** Data and model must have the same visible spins; both files are named. */
export function checkSize(data: { readonly spins: number }, model: Model, dataPath: string, modelPath: string): void {
  if (data.spins === model.visible.length) return;
  throw new InputError({
    file: dataPath,
    field: 'the number of visible spins',
    expected: `${model.visible.length} as in ${modelPath}`,
    got: String(data.spins),
    remedy: 'use data and a model of the same size',
  });
}
