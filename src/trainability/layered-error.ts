import type { KernelName } from '../kernel/kernels.js';
import { conditionalTable, type LayerTable, layerTable, layerView, spin } from '../kernel/rbm-layers.js';
import { type DataLaw, patternIndices } from '../model/data-law.js';
import type { Model } from '../model/model.js';
import type { GradientError } from './exact-snr.js';
import { type Start, startState } from './start.js';

/**
 * `E|ghat - g|^2` (3.4, D10) of one chain of `alternating-block` on an RBM from any start law, on its layers.
 *
 * After a sweep, visible spins first, the hidden ones are drawn given the visible ones, so laws and the measures that propagation accumulates are known by
 * their marginal on one layer: with `n_t` the hidden marginal, `M = P_h P_v` and `r_ta(h) = sum_v mu_t(v, h) fc_a(v, h)`,
 * `w_ta = w_(t-1)a M + r_ta`, and `<z_ta, fc_a> = <w_(t-1)a, P_h P_v fc_a>`. Work: `B + K` times `2^(visible + hidden) (visible + 3) + parameters 4^hidden`.
 */
export function layeredError(model: Model, data: DataLaw, start: Start, burnIn: number, window: number): GradientError {
  const chain = layeredChain(model);
  const { hidden, parameters, visibleLaw, hiddenLaw, expectations, advance } = chain;
  let n = hiddenStart(model, data, start, chain);
  for (let t = 0; t < burnIn; t++) n = hiddenLaw(visibleLaw(n));
  const { p } = chain.visible;
  const means = expectations(hiddenLaw(p), chain.signedRows(p));
  const q = chain.expectedNext(means);
  let w = new Float64Array(parameters * hidden);
  const sums = new Float64Array(parameters);
  const biases = new Float64Array(parameters);
  for (let t = 0; t < window; t++) {
    const m = visibleLaw(n);
    n = hiddenLaw(m);
    const rows = chain.signedRows(m);
    const at = expectations(n, rows);
    for (let a = 0; a < parameters; a++) {
      let inner = 0;
      for (let h = a * hidden; h < (a + 1) * hidden; h++) inner += w[h] * q[h];
      // f is +1 or -1, so E (f - c)^2 = 1 - 2 c E f + c^2.
      sums[a] += 1 - 2 * means[a] * at[a] + means[a] ** 2 + 2 * inner;
      biases[a] += at[a] - means[a];
    }
    if (t < window - 1) w = advance(w, n, rows, means);
  }
  const error = { couplings: { mse: 0, biasSquared: 0 }, biases: { mse: 0, biasSquared: 0 } };
  for (let a = 0; a < parameters; a++) {
    const group = error[a < model.edges.length ? 'couplings' : 'biases'];
    group.mse += sums[a] / window ** 2;
    group.biasSquared += (biases[a] / window) ** 2;
  }
  return error;
}

/** Largest smaller layer, and largest layer at all, of {@link layeredError}: a window of 1,000 sweeps then takes less than a minute. */
export const MAX_PROPAGATED = { smallerLayer: 8, largerLayer: 9 } as const;

/** Whether {@link layeredError} takes a model under a kernel. */
export function hasLayeredError({ layers }: Model, kernel: KernelName): boolean {
  if (kernel !== 'alternating-block' || layers === null) return false;
  const { visible, hidden } = layers;
  return (
    Math.min(visible, hidden) <= MAX_PROPAGATED.smallerLayer && Math.max(visible, hidden) <= MAX_PROPAGATED.largerLayer
  );
}

/** The sweep of an RBM as maps between laws of its layers. A `row` is `sum_v mu(v, h) v_i` for every `h`. */
function layeredChain(model: Model) {
  const layers = { visible: layerView(model, 'visible'), hidden: layerView(model, 'hidden') };
  const visible = layerTable(layers.visible, model.theta, model.beta);
  const { size, otherSize, states } = visible;
  const hidden = 2 ** otherSize;
  const given = conditionalTable(visible);
  const back = conditionalTable(layerTable(layers.hidden, model.theta, model.beta));
  const parameters = model.theta.length;
  const { weight, bias, otherBias } = layers.visible;
  const biased = model.biased;

  /** `law P(. | .)` from one layer to the other, rows of the table being the layer that is conditioned on. */
  const push = (law: Float64Array, table: Float64Array, width: number) => {
    const out = new Float64Array(width);
    law.forEach((p, x) => {
      for (let y = 0; y < width; y++) out[y] += p * table[x * width + y];
    });
    return out;
  };
  const visibleLaw = (n: Float64Array) => push(n, back, states);
  const hiddenLaw = (m: Float64Array) => push(m, given, hidden);
  const both = new Float64Array(hidden * hidden);
  for (let h = 0; h < hidden; h++) both.set(hiddenLaw(back.subarray(h * states, (h + 1) * states)), h * hidden);

  const signedRows = (m: Float64Array) => {
    const rows = new Float64Array(size * hidden);
    for (let v = 0; v < states; v++) {
      for (let i = 0; i < size; i++) {
        const x = m[v] * spin(v, i);
        for (let h = 0; h < hidden; h++) rows[i * hidden + h] += x * given[v * hidden + h];
      }
    }
    return rows;
  };
  /** Calls back with every observable as `-x row_i(h)`, `x` the hidden spin or 1, or `-h_j n(h)`. */
  const observables = (each: (a: number, i: number, j: number) => void) => {
    for (let i = 0; i < size; i++) for (let j = 0; j < otherSize; j++) each(weight(i, j), i, j);
    if (!biased) return;
    for (let i = 0; i < size; i++) each(bias(i), i, -1);
    for (let j = 0; j < otherSize; j++) each(otherBias(j), -1, j);
  };
  /** `sum_v mu(v, h) f_a(v, h)` at one `h`. */
  const moment = (n: Float64Array, rows: Float64Array, i: number, j: number, h: number) =>
    -(i < 0 ? n[h] : rows[i * hidden + h]) * (j < 0 ? 1 : spin(h, j));
  const expectations = (n: Float64Array, rows: Float64Array) => {
    const out = new Float64Array(parameters);
    observables((a, i, j) => {
      for (let h = 0; h < hidden; h++) out[a] += moment(n, rows, i, j, h);
    });
    return out;
  };
  /** `(P_h P_v fc_a)(h)`, by `E[h_j | v]`. */
  const expectedNext = (means: Float64Array) => {
    const out = new Float64Array(parameters * hidden);
    observables((a, i, j) => {
      const given = Float64Array.from(
        { length: states },
        (_, v) => -(i < 0 ? 1 : spin(v, i)) * (j < 0 ? 1 : visible.means[v * otherSize + j]) - means[a],
      );
      for (let h = 0; h < hidden; h++) {
        let sum = 0;
        for (let v = 0; v < states; v++) sum += back[h * states + v] * given[v];
        out[a * hidden + h] = sum;
      }
    });
    return out;
  };
  /** `w M + r`. */
  const advance = (w: Float64Array, n: Float64Array, rows: Float64Array, means: Float64Array) => {
    const next = new Float64Array(w.length);
    observables((a, i, j) => {
      const row = a * hidden;
      for (let h = 0; h < hidden; h++) {
        next[row + h] += moment(n, rows, i, j, h) - means[a] * n[h];
        const x = w[row + h];
        for (let k = 0; k < hidden; k++) next[row + k] += x * both[h * hidden + k];
      }
    });
    return next;
  };
  return { visible, hidden, parameters, visibleLaw, hiddenLaw, signedRows, expectations, expectedNext, advance };
}

/** The hidden marginal of a start law: the first sweep forgets the visible spins. */
function hiddenStart(
  model: Model,
  data: DataLaw,
  start: Start,
  { visible, hidden, hiddenLaw }: { visible: LayerTable; hidden: number; hiddenLaw: (m: Float64Array) => Float64Array },
): Float64Array {
  const state = startState(model, start);
  const n = new Float64Array(hidden);
  if (state !== null) n[Math.floor(state / visible.states)] = 1;
  else if (start === 'uniform') n.fill(1 / hidden);
  else if (start === 'stationary') return hiddenLaw(visible.p);
  else {
    const m = new Float64Array(visible.states);
    patternIndices(data).forEach((pattern, k) => {
      m[pattern] = data.probabilities[k];
    });
    return hiddenLaw(m);
  }
  return n;
}
