import { type DataLaw, readPattern } from '../model/data-law.js';
import type { Layers, Model } from '../model/model.js';
import { checkDataSize, createRoute } from '../trainability/routes/create-route.js';

/**
 * `E_data f` in theta order (2.3), hidden spins by the model's posterior: the positive phase. In closed form for an RBM and for a model without hidden spins,
 * `patterns * parameters` work and no table of states; else from the table. Throws {@link InputError} for data of another size, and {@link UnsupportedError}
 * where there are hidden spins on a graph too large for a table.
 */
export function dataMoments(model: Model, data: DataLaw): Float64Array {
  checkDataSize(model, data);
  if (model.layers !== null) return layeredMoments(model, data, model.layers);
  if (model.visible.length < model.spins) {
    return createRoute(model, data, { kernel: 'random-scan' }).moments(model.theta).data;
  }
  return visibleMoments(model, data).slice();
}

interface KnownMoments {
  readonly model: Pick<Model, 'edges' | 'visible' | 'biased'>;
  readonly moments: Float64Array;
}

/** The last ones of each law: without hidden spins they do not depend on the parameters, and a training by sampling asks for them at every step. */
const known = new WeakMap<DataLaw, KnownMoments>();

function visibleMoments(model: Model, data: DataLaw): Float64Array {
  const last = known.get(data);
  const { edges, visible, biased } = last?.model ?? {};
  if (last !== undefined && edges === model.edges && visible === model.visible && biased === model.biased) {
    return last.moments;
  }
  const out = new Float64Array(model.theta.length);
  const spins = new Int8Array(model.spins);
  const pattern = new Int8Array(model.spins);
  data.probabilities.forEach((probability, k) => {
    readPattern(data, k, pattern);
    model.visible.forEach((i, bit) => {
      spins[i] = pattern[bit];
    });
    addObservables(model, spins, probability, out);
  });
  known.set(data, { model: { edges: model.edges, visible: model.visible, biased: model.biased }, moments: out });
  return out;
}

/** Adds `factor * f(x)` (2.2). */
export function addObservables(model: Model, spins: ArrayLike<number>, factor: number, out: Float64Array): void {
  const { edges } = model;
  for (let a = 0; a < edges.length; a++) out[a] -= factor * spins[edges[a][0]] * spins[edges[a][1]];
  for (let a = edges.length; a < out.length; a++) out[a] -= factor * spins[a - edges.length];
}

/**
 * Given the visible spins the hidden ones are independent, with means `tanh(beta field)`: the observables at those means. Parameters are addressed where an
 * RBM has them, weights visible-major and then the biases: this runs at every step of a training by sampling.
 */
function layeredMoments({ theta, beta, biased }: Model, data: DataLaw, { visible, hidden }: Layers): Float64Array {
  const { probabilities } = data;
  const pattern = new Int8Array(visible);
  const out = new Float64Array(theta.length);
  const means = new Float64Array(hidden);
  const biases = visible * hidden;
  for (let k = 0; k < probabilities.length; k++) {
    readPattern(data, k, pattern);
    for (let j = 0; j < hidden; j++) means[j] = biased ? theta[biases + visible + j] : 0;
    for (let i = 0; i < visible; i++) {
      const x = pattern[i];
      for (let j = 0; j < hidden; j++) means[j] += x * theta[i * hidden + j];
    }
    for (let j = 0; j < hidden; j++) {
      means[j] = Math.tanh(beta * means[j]);
      if (biased) out[biases + visible + j] -= probabilities[k] * means[j];
    }
    for (let i = 0; i < visible; i++) {
      const x = probabilities[k] * pattern[i];
      for (let j = 0; j < hidden; j++) out[i * hidden + j] -= x * means[j];
      if (biased) out[biases + i] -= x;
    }
  }
  return out;
}
