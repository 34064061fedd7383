import { layerTable, layerView } from '../../kernel/rbm-layers.js';
import type { DataLaw } from '../../model/data-law.js';
import type { Model } from '../../model/model.js';
import { checkDataSize, createRoute } from './create-route.js';
import { MAX_WIDE_SPINS } from './factored-route.js';
import { factoredSignal } from './factored-signal.js';
import type { Moments } from './route.js';

/**
 * `E_data f` and `E_pi f` (2.3) in theta order. They do not depend on the kernel: an RBM's hidden spins are summed out, in `2^visible * parameters` work, however many they are; other
 * models need the table of their states. Throws {@link InputError} for data of another size and {@link UnsupportedError} where there are too many states.
 */
export function exactMoments(model: Model, data: DataLaw): Moments {
  checkDataSize(model, data);
  const { theta, beta, layers } = model;
  if (layers === null || layers.visible > MAX_WIDE_SPINS) {
    return createRoute(model, data, { kernel: 'random-scan' }).moments(theta);
  }
  const view = layerView(model, 'visible');
  const { data: posterior, model: means } = factoredSignal(
    view,
    layerTable(view, theta, beta),
    data,
    theta.length,
    beta,
  );
  return { data: posterior, model: means };
}
