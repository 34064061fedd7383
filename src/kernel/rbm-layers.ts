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
  /** `beta (sum_i W_ij x_i + b_j)`, row `x`: the field on each spin of the other layer. */
  readonly fields: Float64Array;
  /** `E[y_j | x] = tanh(field)`, row `x`. */
  readonly means: Float64Array;
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

/** Tables of one layer, in `2^size * otherSize` work; bit `i` of a state set means spin `i` of the layer is +1. */
export function layerTable(view: LayerView, theta: Float64Array, beta: number): LayerTable {
  const { size, otherSize } = view;
  const states = 2 ** size;
  const fields = new Float64Array(states * otherSize);
  const means = new Float64Array(states * otherSize);
  const logP = new Float64Array(states);
  const bias = (a: number) => (a < 0 ? 0 : beta * theta[a]);
  for (let j = 0; j < otherSize; j++) {
    let field = bias(view.otherBias(j));
    for (let i = 0; i < size; i++) field -= beta * theta[view.weight(i, j)];
    fields[j] = field;
  }
  for (let i = 0; i < size; i++) logP[0] -= bias(view.bias(i));
  for (let x = 1; x < states; x++) {
    const i = 31 - Math.clz32(x & -x);
    const from = x & (x - 1);
    for (let j = 0; j < otherSize; j++) {
      fields[x * otherSize + j] = fields[from * otherSize + j] + 2 * beta * theta[view.weight(i, j)];
    }
    logP[x] = logP[from] + 2 * bias(view.bias(i));
  }
  let top = Number.NEGATIVE_INFINITY;
  for (let x = 0; x < states; x++) {
    for (let j = 0; j < otherSize; j++) {
      const field = fields[x * otherSize + j];
      means[x * otherSize + j] = Math.tanh(field);
      logP[x] += Math.abs(field) + Math.log1p(Math.exp(-2 * Math.abs(field)));
    }
    top = Math.max(top, logP[x]);
  }
  let total = 0;
  for (let x = 0; x < states; x++) total += Math.exp(logP[x] - top);
  const logZ = top + Math.log(total);
  const p = new Float64Array(states);
  for (let x = 0; x < states; x++) {
    logP[x] -= logZ;
    p[x] = Math.exp(logP[x]);
  }
  return { size, otherSize, states, logP, p, fields, means };
}

/** `pi(y | x)` for all pairs, row `x`: products of the other layer's independent spin probabilities. */
export function conditionalTable(table: LayerTable): Float64Array {
  const { states, otherSize, fields } = table;
  const width = 2 ** otherSize;
  const out = new Float64Array(states * width);
  for (let x = 0; x < states; x++) {
    const row = x * width;
    out[row] = 1;
    for (let j = 0; j < otherSize; j++) {
      const field = fields[x * otherSize + j];
      const up = 1 / (1 + Math.exp(-2 * field));
      const down = 1 / (1 + Math.exp(2 * field));
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
