import { conditionalTable, type LayerTable, type LayerView, spin } from '../kernel/rbm-layers.js';
import { addWeightedRows } from '../kernel/weighted-rows.js';
import { centre } from '../spectrum/conjugate-gradient.js';
import { groundedSolver } from '../spectrum/grounded.js';

/**
 * Everything of `random-block` on an RBM that lives on its narrow layer (5.5). Rows are states of the narrow layer `h`, columns observables;
 * `v` is the wide layer, whichever of the two is visible.
 */
export interface NarrowProblem {
  readonly wide: LayerTable;
  readonly narrow: LayerTable;
  /** Seen from the wide layer. */
  readonly view: LayerView;
  readonly parameters: number;
  /** `E f_a` up to sign: `f_a = -x_a`, `means = E x_a`. */
  readonly means: Float64Array;
  /** `Var f_a` and `|P_v fc_a|^2`. */
  readonly variance: Float64Array;
  readonly wideNorm: Float64Array;
  /** `P_h fc` and `P_h P_v fc`, row `h`. */
  readonly p: Float64Array;
  readonly q: Float64Array;
  /** `pi(h | v)`, row `v`. */
  readonly given: Float64Array;
  /** `M = P_h P_v`, row-major. */
  readonly chain: Float64Array;
}

/** Sets up (5.5): the chain on the narrow layer and its right-hand sides, in `2^wide (4^narrow + p)` work. */
export function narrowProblem(
  view: LayerView,
  wide: LayerTable,
  narrow: LayerTable,
  parameters: number,
): NarrowProblem {
  const width = narrow.states;
  const given = conditionalTable(wide);
  const back = conditionalTable(narrow);
  const means = new Float64Array(parameters);
  addProducts(view, wide, wide.p, means);
  const p = new Float64Array(width * parameters);
  const q = new Float64Array(width * parameters);
  const chain = new Float64Array(width * width);
  const product = new Float64Array(parameters);
  for (let h = 0; h < width; h++) {
    const weights = back.subarray(h * wide.states, (h + 1) * wide.states);
    product.fill(0);
    addProducts(view, wide, weights, product);
    for (let a = 0; a < parameters; a++) q[h * parameters + a] = means[a] - product[a];
    narrowRow(view, narrow, h, product);
    for (let a = 0; a < parameters; a++) p[h * parameters + a] = means[a] - product[a];
    addWeightedRows(weights, given, chain.subarray(h * width, (h + 1) * width));
  }
  return {
    wide,
    narrow,
    view,
    parameters,
    means,
    variance: means.map((mean) => (1 - mean) * (1 + mean)),
    wideNorm: wideNorms(view, wide, means),
    p,
    q,
    given,
    chain,
  };
}

export interface FactoredTimescale {
  readonly converged: boolean;
  /** Per observable. */
  readonly timescale: Float64Array;
  /** `b = P_h u`, row `h`. */
  readonly b: Float64Array;
}

/** `(I - M) b = 2 (p + q)`; with `a = 2 P_v fc + P_v b`, `T = |fc|^2/2 + (<P_v fc, a> + <p, b>)/2 = |fc|^2/2 + |P_v fc|^2 + <p + q, b>/2`. */
export function factoredTimescale(problem: NarrowProblem): FactoredTimescale {
  const { narrow, parameters, p, q, chain, variance, wideNorm } = problem;
  const solver = groundedSolver(chain, narrow.p);
  const b = new Float64Array(p.length);
  const timescale = new Float64Array(parameters);
  const rhs = new Float64Array(narrow.states);
  for (let a = 0; a < parameters; a++) {
    for (let h = 0; h < narrow.states; h++) rhs[h] = p[h * parameters + a] + q[h * parameters + a];
    if (!solver.irreducible) {
      timescale[a] = Number.POSITIVE_INFINITY;
      continue;
    }
    centre(narrow.p, rhs);
    const half = solver.solve(rhs);
    let inner = 0;
    for (let h = 0; h < narrow.states; h++) {
      b[h * parameters + a] = 2 * half[h];
      inner += narrow.p[h] * rhs[h] * half[h];
    }
    timescale[a] = variance[a] / 2 + wideNorm[a] + inner;
  }
  return { converged: solver.irreducible && timescale.every(Number.isFinite), timescale, b };
}

/** Adds `sum_v weights(v) E[x_a | v]` for every observable. */
function addProducts(view: LayerView, wide: LayerTable, weights: Float64Array, out: Float64Array): void {
  const { size, otherSize, means, states } = wide;
  const buffer = new Float64Array(states);
  const sums = new Float64Array(size + 1);
  for (let j = 0; j < otherSize; j++) {
    for (let v = 0; v < states; v++) buffer[v] = weights[v] * means[v * otherSize + j];
    spinSums(buffer, sums);
    for (let i = 0; i < size; i++) out[view.weight(i, j)] += sums[i];
    if (view.otherBias(j) >= 0) out[view.otherBias(j)] += sums[size];
  }
  if (view.bias(0) < 0) return;
  buffer.set(weights);
  spinSums(buffer, sums);
  for (let i = 0; i < size; i++) out[view.bias(i)] += sums[i];
}

/** `sum_v x(v) v_i` for every spin, and last `sum_v x(v)`, by folding one spin away at a time: `2^(size + 1)` additions. Overwrites `x`. */
function spinSums(x: Float64Array, out: Float64Array): void {
  let half = x.length / 2;
  for (let i = out.length - 2; i >= 0; i--, half /= 2) {
    let difference = 0;
    for (let v = 0; v < half; v++) {
      difference += x[v + half] - x[v];
      x[v] += x[v + half];
    }
    out[i] = difference;
  }
  out[out.length - 1] = x[0];
}

/** `|P_v fc_a|^2`. */
function wideNorms(view: LayerView, wide: LayerTable, means: Float64Array): Float64Array {
  const { size, otherSize } = wide;
  const out = new Float64Array(means.length);
  const add = (a: number, probability: number, x: number) => {
    out[a] += probability * (x - means[a]) ** 2;
  };
  for (let v = 0; v < wide.states; v++) {
    const probability = wide.p[v];
    for (let j = 0; j < otherSize; j++) {
      const mean = wide.means[v * otherSize + j];
      for (let i = 0; i < size; i++) add(view.weight(i, j), probability, spin(v, i) * mean);
      if (view.otherBias(j) >= 0) add(view.otherBias(j), probability, mean);
    }
    if (view.bias(0) >= 0) for (let i = 0; i < size; i++) add(view.bias(i), probability, spin(v, i));
  }
  return out;
}

/** `E[x_a | h]`. */
function narrowRow(view: LayerView, narrow: LayerTable, h: number, out: Float64Array): void {
  const { size, otherSize } = view;
  for (let i = 0; i < size; i++) {
    const mean = narrow.means[h * size + i];
    for (let j = 0; j < otherSize; j++) out[view.weight(i, j)] = mean * spin(h, j);
    if (view.bias(i) >= 0) out[view.bias(i)] = mean;
  }
  if (view.otherBias(0) < 0) return;
  for (let j = 0; j < otherSize; j++) out[view.otherBias(j)] = spin(h, j);
}
