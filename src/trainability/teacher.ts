import { layerTable, layerView } from '../kernel/rbm-layers.js';
import { boltzmann } from '../model/boltzmann.js';
import { type DataLaw, dataLawFromCounts } from '../model/data-law.js';
import type { Model } from '../model/model.js';
import { foldPattern, stateSpace } from '../model/state-space.js';
import { visibleLogProbabilities } from './routes/table-signal.js';

/** A model's exact visible marginal at its own beta, as data for another model. Throws {@link UnsupportedError} where its states are too many for a table, unless it is an RBM. */
export function teacherLaw(teacher: Model): DataLaw {
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
