import { type LayerTable, type LayerView, spin } from '../../kernel/rbm-layers.js';
import { type DataLaw, negativeEntropy, patternIndices } from '../../model/data-law.js';

export interface FactoredSignal {
  /** `E_data f`, `E_pi f` and their difference (2.3). */
  readonly data: Float64Array;
  readonly model: Float64Array;
  readonly g: Float64Array;
  readonly kl: number;
  /** Derivative of `|g|^2` (D5). */
  signalGradient(): Float64Array;
}

/** The likelihood gradient, the divergence and the derivative of the signal of an RBM, in `2^visible * parameters` work. */
export function factoredSignal(
  view: LayerView,
  visible: LayerTable,
  data: DataLaw,
  parameters: number,
  beta: number,
): FactoredSignal {
  const model = new Float64Array(parameters);
  for (let v = 0; v < visible.states; v++) addExpectations(view, visible, v, visible.p[v], model);
  const posterior = new Float64Array(parameters);
  let kl = negativeEntropy(data);
  patternIndices(data).forEach((v, k) => {
    addExpectations(view, visible, v, data.probabilities[k], posterior);
    kl -= data.probabilities[k] * visible.logP[v];
  });
  const g = posterior.map((value, a) => value - model[a]);
  return {
    data: posterior,
    model,
    g,
    kl: Math.max(0, kl),
    signalGradient() {
      // 2 beta [Cov_pi(f, G) - E_data Cov_posterior(f, G)] with G = sum_a g_a f_a.
      const out = modelCovariance(view, visible, g).map((value) => 2 * beta * value);
      patternIndices(data).forEach((v, k) => {
        const mean = conditionalMean(view, visible, v, g);
        addProducts(view, visible, v, g, mean, -2 * beta * data.probabilities[k], out);
      });
      return out;
    },
  };
}

/**
 * `sum_a E_data Var(f_a | v)` under the posterior: given `v` the hidden spins are independent with variances `E[1 - h_j | v] E[1 + h_j | v]`, and a weight's
 * observable is `-+h_j`.
 */
export function posteriorVariance(view: LayerView, visible: LayerTable, data: DataLaw): number {
  const { size, otherSize, below, above } = visible;
  // Each hidden spin is seen through its weights and, where it has one, its bias.
  const seen = size + (view.otherBias(0) >= 0 ? 1 : 0);
  let total = 0;
  patternIndices(data).forEach((v, k) => {
    for (let j = v * otherSize; j < (v + 1) * otherSize; j++) total += data.probabilities[k] * below[j] * above[j];
  });
  return seen * total;
}

/** `Cov_pi(f_a, sum_b coefficients_b f_b)` for every `a`, by conditioning on one layer. */
export function modelCovariance(view: LayerView, layer: LayerTable, coefficients: Float64Array): Float64Array {
  const out = new Float64Array(coefficients.length);
  let mean = 0;
  for (let v = 0; v < layer.states; v++) mean += layer.p[v] * conditionalMean(view, layer, v, coefficients);
  for (let v = 0; v < layer.states; v++) addProducts(view, layer, v, coefficients, mean, layer.p[v], out);
  return out;
}

/** Adds `factor * E[f_a | v]`. */
function addExpectations(view: LayerView, visible: LayerTable, v: number, factor: number, out: Float64Array): void {
  if (factor === 0) return;
  const { size, otherSize, means } = visible;
  for (let i = 0; i < size; i++) {
    const x = factor * spin(v, i);
    for (let j = 0; j < otherSize; j++) out[view.weight(i, j)] -= x * means[v * otherSize + j];
    if (view.bias(i) >= 0) out[view.bias(i)] -= x;
  }
  if (view.otherBias(0) < 0) return;
  for (let j = 0; j < otherSize; j++) out[view.otherBias(j)] -= factor * means[v * otherSize + j];
}

/** Given v, `G` is linear in the hidden spins: `-(g0 + sum_j slope_j h_j)`. */
function linearForm(view: LayerView, visible: LayerTable, v: number, g: Float64Array) {
  const { size, otherSize } = visible;
  const slopes = new Float64Array(otherSize);
  let constant = 0;
  for (let j = 0; j < otherSize; j++) {
    if (view.otherBias(j) >= 0) slopes[j] = g[view.otherBias(j)];
    for (let i = 0; i < size; i++) slopes[j] += g[view.weight(i, j)] * spin(v, i);
  }
  if (view.bias(0) >= 0) for (let i = 0; i < size; i++) constant += g[view.bias(i)] * spin(v, i);
  return { slopes, constant };
}

function conditionalMean(view: LayerView, visible: LayerTable, v: number, g: Float64Array): number {
  const { slopes, constant } = linearForm(view, visible, v, g);
  let sum = constant;
  for (let j = 0; j < slopes.length; j++) sum += slopes[j] * visible.means[v * slopes.length + j];
  return -sum;
}

/** Adds `factor * E[f_a (G - shift) | v]`; the hidden spins are independent given v, so `E[h_j G] = m_j E G - slope_j (1 - m_j^2)`. */
function addProducts(
  view: LayerView,
  visible: LayerTable,
  v: number,
  g: Float64Array,
  shift: number,
  factor: number,
  out: Float64Array,
): void {
  if (factor === 0) return;
  const { size, otherSize, means } = visible;
  const { slopes } = linearForm(view, visible, v, g);
  const centred = conditionalMean(view, visible, v, g) - shift;
  const products = slopes.map((slope, j) => {
    const m = means[v * otherSize + j];
    return m * centred - slope * (1 - m * m);
  });
  for (let i = 0; i < size; i++) {
    const x = factor * spin(v, i);
    for (let j = 0; j < otherSize; j++) out[view.weight(i, j)] -= x * products[j];
    if (view.bias(i) >= 0) out[view.bias(i)] -= x * centred;
  }
  if (view.otherBias(0) < 0) return;
  for (let j = 0; j < otherSize; j++) out[view.otherBias(j)] -= factor * products[j];
}
