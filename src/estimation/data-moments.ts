import { layerView, spin } from '../kernel/rbm-layers.js';
import type { DataLaw } from '../model/data-law.js';
import type { Model } from '../model/model.js';
import { checkDataSize, createRoute } from '../trainability/routes/create-route.js';

/**
 * `E_data f` in theta order (2.3), hidden spins by the model's posterior: the positive phase. In closed form for an RBM and for a model without hidden spins,
 * `patterns * parameters` work and no table of states; else from the table. Throws {@link InputError} for data of another size, and {@link UnsupportedError}
 * where there are hidden spins on a graph too large for a table.
 */
export function dataMoments(model: Model, data: DataLaw): Float64Array {
  checkDataSize(model, data);
  if (model.layers !== null) return layeredMoments(model, data);
  if (model.visible.length < model.spins) {
    return createRoute(model, data, { kernel: 'random-scan' }).moments(model.theta).data;
  }
  const out = new Float64Array(model.theta.length);
  const spins = new Int8Array(model.spins);
  data.patterns.forEach((pattern, k) => {
    model.visible.forEach((i, bit) => {
      spins[i] = spin(pattern, bit);
    });
    addObservables(model, spins, data.probabilities[k], out);
  });
  return out;
}

/** Adds `factor * f(x)` (2.2). */
export function addObservables(model: Model, spins: ArrayLike<number>, factor: number, out: Float64Array): void {
  const { edges } = model;
  for (let a = 0; a < edges.length; a++) out[a] -= factor * spins[edges[a][0]] * spins[edges[a][1]];
  for (let a = edges.length; a < out.length; a++) out[a] -= factor * spins[a - edges.length];
}

/** Given the visible spins the hidden ones are independent, with means `tanh(beta field)`: the observables at those means. */
function layeredMoments(model: Model, data: DataLaw): Float64Array {
  const { theta, beta } = model;
  const view = layerView(model, 'visible');
  const out = new Float64Array(theta.length);
  const means = new Float64Array(model.spins);
  data.patterns.forEach((pattern, k) => {
    for (let i = 0; i < view.size; i++) means[i] = spin(pattern, i);
    for (let j = 0; j < view.otherSize; j++) {
      let field = view.otherBias(j) < 0 ? 0 : theta[view.otherBias(j)];
      for (let i = 0; i < view.size; i++) field += theta[view.weight(i, j)] * means[i];
      means[view.size + j] = Math.tanh(beta * field);
    }
    addObservables(model, means, data.probabilities[k], out);
  });
  return out;
}
