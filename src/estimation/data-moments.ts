import { type LayerView, layerView, spin } from '../kernel/rbm-layers.js';
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
  if (model.layers !== null) return layeredMoments(model, data, layerView(model, 'visible'));
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
function layeredMoments({ theta, beta }: Model, data: DataLaw, view: LayerView): Float64Array {
  const { size, otherSize } = view;
  const out = new Float64Array(theta.length);
  const signs = new Int8Array(size);
  const means = new Float64Array(otherSize);
  data.patterns.forEach((pattern, k) => {
    const factor = data.probabilities[k];
    for (let j = 0; j < otherSize; j++) means[j] = view.otherBias(j) < 0 ? 0 : theta[view.otherBias(j)];
    for (let i = 0; i < size; i++) {
      signs[i] = spin(pattern, i);
      for (let j = 0; j < otherSize; j++) means[j] += signs[i] * theta[view.weight(i, j)];
    }
    for (let j = 0; j < otherSize; j++) {
      means[j] = Math.tanh(beta * means[j]);
      if (view.otherBias(j) >= 0) out[view.otherBias(j)] -= factor * means[j];
    }
    for (let i = 0; i < size; i++) {
      const x = factor * signs[i];
      for (let j = 0; j < otherSize; j++) out[view.weight(i, j)] -= x * means[j];
      if (view.bias(i) >= 0) out[view.bias(i)] -= x;
    }
  });
  return out;
}
