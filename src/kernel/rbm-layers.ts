import type { Model } from '../model/model.js';

/** One layer of an RBM with the other summed out, and the other's conditional means: all that is needed to condition on this layer. */
export interface LayerTable {
  /** Spins of this layer and of the other. */
  readonly size: number;
  readonly otherSize: number;
  readonly states: number;
  /** `log p(x)` of this layer's marginal law, and `p(x)`. */
  readonly logP: Float64Array;
  readonly p: Float64Array;
  /** `E[y_j | x] = tanh(field)`, row `x`. */
  readonly means: Float64Array;
  /** `E[1 - y_j | x]` and `E[1 + y_j | x]`, row `x`: accurate however near to 0. */
  readonly below: Float64Array;
  readonly above: Float64Array;
}

/** Where an RBM's parameters stand in theta, seen from one layer: `i` in this layer, `j` in the other. */
export interface LayerView {
  readonly size: number;
  readonly otherSize: number;
  weight(i: number, j: number): number;
  /** Index of a bias in theta; -1 in a model without biases. */
  bias(i: number): number;
  otherBias(j: number): number;
}

/** The view from the visible or the hidden layer of an RBM. */
export function layerView(model: Model, layer: 'visible' | 'hidden'): LayerView {
  if (model.layers === null) throw new TypeError('layerView needs an RBM');
  const { visible: m, hidden: n } = model.layers;
  const visibleBias = (i: number) => (model.biased ? m * n + i : -1);
  const hiddenBias = (j: number) => (model.biased ? m * n + m + j : -1);
  return layer === 'visible'
    ? { size: m, otherSize: n, weight: (i, j) => i * n + j, bias: visibleBias, otherBias: hiddenBias }
    : { size: n, otherSize: m, weight: (i, j) => j * n + i, bias: hiddenBias, otherBias: visibleBias };
}

/** `sum_i W_ij x_i + b_j` for every state `x` of a layer and spin `j` of the other, row `x`. */
function fieldTable(view: LayerView, theta: Float64Array): Float64Array {
  const { size, otherSize } = view;
  const fields = new Float64Array(2 ** size * otherSize);
  for (let j = 0; j < otherSize; j++) {
    let field = view.otherBias(j) < 0 ? 0 : theta[view.otherBias(j)];
    for (let i = 0; i < size; i++) field -= theta[view.weight(i, j)];
    fields[j] = field;
  }
  for (let x = 1; x < 2 ** size; x++) {
    const i = lowestBit(x);
    const from = x & (x - 1);
    for (let j = 0; j < otherSize; j++) {
      fields[x * otherSize + j] = fields[from * otherSize + j] + 2 * theta[view.weight(i, j)];
    }
  }
  return fields;
}

function lowestBit(x: number): number {
  return 31 - Math.clz32(x & -x);
}

/** Tables of one layer, in `2^size * otherSize` work; bit `i` of a state set means spin `i` of the layer is +1. */
export function layerTable(view: LayerView, theta: Float64Array, beta: number): LayerTable {
  const { size, otherSize } = view;
  const states = 2 ** size;
  const fields = fieldTable(view, theta);
  const means = new Float64Array(states * otherSize);
  const below = new Float64Array(states * otherSize);
  const above = new Float64Array(states * otherSize);
  const logP = new Float64Array(states);
  const bias = (a: number) => (a < 0 ? 0 : beta * theta[a]);
  for (let i = 0; i < size; i++) logP[0] -= bias(view.bias(i));
  for (let x = 1; x < states; x++) logP[x] = logP[x & (x - 1)] + 2 * bias(view.bias(lowestBit(x)));
  let top = Number.NEGATIVE_INFINITY;
  for (let x = 0; x < states; x++) {
    for (let j = 0; j < otherSize; j++) {
      const field = beta * fields[x * otherSize + j];
      below[x * otherSize + j] = 2 / (1 + Math.exp(2 * field));
      above[x * otherSize + j] = 2 / (1 + Math.exp(-2 * field));
      means[x * otherSize + j] = Math.tanh(field);
      logP[x] += Math.abs(field) + Math.log1p(Math.exp(-2 * Math.abs(field)));
    }
    top = Math.max(top, logP[x]);
  }
  let total = 0;
  for (let x = 0; x < states; x++) total += Math.exp(logP[x] - top);
  const logTotal = Math.log(total);
  const p = new Float64Array(states);
  for (let x = 0; x < states; x++) {
    logP[x] = logP[x] - top - logTotal;
    p[x] = Math.exp(logP[x]);
  }
  return { size, otherSize, states, logP, p, means, below, above };
}

/** `pi(y | x)` for all pairs, row `x`: products of the other layer's independent spin probabilities. */
export function conditionalTable(table: LayerTable): Float64Array {
  const { states, otherSize, below, above } = table;
  const width = 2 ** otherSize;
  const out = new Float64Array(states * width);
  for (let x = 0; x < states; x++) {
    const row = x * width;
    out[row] = 1;
    for (let j = 0; j < otherSize; j++) {
      const up = above[x * otherSize + j] / 2;
      const down = below[x * otherSize + j] / 2;
      const filled = 1 << j;
      for (let y = row; y < row + filled; y++) {
        out[y + filled] = up * out[y];
        out[y] *= down;
      }
    }
  }
  return out;
}

/** `+1` or `-1`: spin `i` of state `x`. */
export function spin(x: number, i: number): number {
  return 2 * ((x >> i) & 1) - 1;
}

/**
 * Parameters of the same RBM with spins mirrored so that its most probable state has all spins +1, and the sign of each observable under that change: a
 * frozen observable then differs from 1 by a small positive amount, which can be summed without cancellation.
 */
export function gaugeToGround(
  model: Model,
  theta: Float64Array,
): { readonly theta: Float64Array; readonly signs: Int8Array } {
  if (model.layers === null) throw new TypeError('gaugeToGround needs an RBM');
  const { visible: m, hidden: n } = model.layers;
  const layer = m < n ? 'visible' : 'hidden';
  const view = layerView(model, layer);
  const fields = fieldTable(view, theta);
  // Given one layer, the best state of the other follows its fields.
  let best = Number.NEGATIVE_INFINITY;
  let ground = 0;
  for (let x = 0; x < 2 ** view.size; x++) {
    let value = 0;
    for (let i = 0; i < view.size; i++) if (view.bias(i) >= 0) value += theta[view.bias(i)] * spin(x, i);
    for (let j = 0; j < view.otherSize; j++) value += Math.abs(fields[x * view.otherSize + j]);
    if (value > best) {
      best = value;
      ground = x;
    }
  }
  const sign = (i: number) => spin(ground, i);
  const otherSign = (j: number) => (fields[ground * view.otherSize + j] < 0 ? -1 : 1);
  const signs = new Int8Array(theta.length);
  for (let i = 0; i < view.size; i++) {
    for (let j = 0; j < view.otherSize; j++) signs[view.weight(i, j)] = sign(i) * otherSign(j);
    if (view.bias(i) >= 0) signs[view.bias(i)] = sign(i);
  }
  if (model.biased) for (let j = 0; j < view.otherSize; j++) signs[view.otherBias(j)] = otherSign(j);
  return { theta: theta.map((value, a) => signs[a] * value), signs };
}
