import { UnsupportedError } from '../errors.js';
import { layerTable, layerView } from '../kernel/rbm-layers.js';
import { boltzmann } from '../model/boltzmann.js';
import { type DataLaw, dataLawFromCounts } from '../model/data-law.js';
import type { Model } from '../model/model.js';
import { foldPattern, stateSpace } from '../model/state-space.js';
import { visibleLogProbabilities } from './routes/table-signal.js';

/** Visible spins of an RBM whose law is tabulated, at most. */
const MAX_TEACHER_SPINS = 22;

/** Refuses an RBM with too many visible patterns; another graph's table has its own limit. */
export function checkTeacher({ layers }: Model): void {
  if (layers === null || layers.visible <= MAX_TEACHER_SPINS) return;
  throw new UnsupportedError(
    `The law of a teacher with ${layers.visible} visible spins`,
    `it has 2^${layers.visible} patterns and the limit is 2^${MAX_TEACHER_SPINS}`,
    'give a file of its samples as the data',
  );
}

/** A model's exact visible marginal at its own beta, as data for another model. Throws {@link UnsupportedError} where its states, or an RBM's visible patterns, are too many for a table. */
export function teacherLaw(teacher: Model): DataLaw {
  checkTeacher(teacher);
  const m = teacher.visible.length;
  if (teacher.layers !== null) {
    const { p } = layerTable(layerView(teacher, 'visible'), teacher.theta, teacher.beta);
    return dataLawFromCounts(m, [...p.entries()]);
  }
  const space = stateSpace(teacher);
  const logP = visibleLogProbabilities(boltzmann(space, teacher.theta, teacher.beta));
  return dataLawFromCounts(
    m,
    Array.from({ length: 2 ** m }, (_, v) => [v, Math.exp(logP[foldPattern(v, m, space.folded)])] as const),
  );
}
