import { conditionalTable, type LayerTable, type LayerView } from '../../kernel/rbm-layers.js';
import { addWeightedRows } from '../../kernel/weighted-rows.js';
import { groundedSolver } from '../../spectrum/grounded.js';
import { halfSums } from './deviation-sums.js';

/**
 * What block kernels of an RBM need on its narrow layer (5.5, 5.6, D4). Rows are states of the narrow layer `h`, columns observables;
 * `v` is the wide layer, whichever of the two is visible.
 *
 * The RBM is in the gauge of {@link gaugeToGround}, and its observables are the deviations `e_a = 1 - x_a` (0 or 2) with `f_a = e_a - 1`: all
 * expectations are sums of positive terms, so that observables which hardly ever fluctuate keep their relative accuracy.
 */
export interface NarrowProblem {
  readonly wide: LayerTable;
  readonly narrow: LayerTable;
  /** Seen from the wide layer. */
  readonly view: LayerView;
  /** Which layer is the wide one; a kernel that is not symmetric in the layers depends on it. */
  readonly wideLayer: 'visible' | 'hidden';
  readonly parameters: number;
  /** `E e_a`. */
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
  /** Without biases every function of `h` that occurs is even in the global flip. */
  readonly even: boolean;
}

/** Sets up (5.5): the chain on the narrow layer and its right-hand sides, in `2^wide (4^narrow + p)` work. */
export function narrowProblem(
  wideLayer: 'visible' | 'hidden',
  view: LayerView,
  wide: LayerTable,
  narrow: LayerTable,
  parameters: number,
): NarrowProblem {
  const width = narrow.states;
  const given = conditionalTable(wide);
  const back = conditionalTable(narrow);
  const means = new Float64Array(parameters);
  addDeviations(view, wide, wide.p, means);
  const p = new Float64Array(width * parameters);
  const q = new Float64Array(width * parameters);
  const chain = new Float64Array(width * width);
  const deviations = new Float64Array(parameters);
  for (let h = 0; h < width; h++) {
    const weights = back.subarray(h * wide.states, (h + 1) * wide.states);
    deviations.fill(0);
    addDeviations(view, wide, weights, deviations);
    for (let a = 0; a < parameters; a++) q[h * parameters + a] = deviations[a] - means[a];
    narrowDeviations(view, narrow, h, deviations);
    for (let a = 0; a < parameters; a++) p[h * parameters + a] = deviations[a] - means[a];
    addWeightedRows(weights, given, chain.subarray(h * width, (h + 1) * width));
  }
  centreRows(narrow.p, p, parameters);
  centreRows(narrow.p, q, parameters);
  const even = view.bias(0) < 0;
  const variance = means.map((mean) => mean * (2 - mean));
  const wideNorm = wideNorms(view, wide, means);
  return { wide, narrow, view, wideLayer, parameters, means, variance, wideNorm, p, q, given, chain, even };
}

/** Solutions of `(I - M) x = y` on the narrow layer, for all observables at once. */
export interface NarrowSolver {
  /** False where the chain is reducible in double precision; `solve` is then not to be called. */
  readonly irreducible: boolean;
  /** `x` for a `y` of the problem, row `h`, with `E x = 0`. */
  solve(y: Float64Array): Float64Array;
}

/** Solves by grounded elimination of `M` on the functions of `h` that occur (D9). */
export function narrowSolver(problem: NarrowProblem): NarrowSolver {
  const { parameters, narrow } = problem;
  const { matrix, weights, expand } = sectorChain(problem);
  const { irreducible, solve } = groundedSolver(matrix, weights, narrow.logP);
  return {
    irreducible,
    solve(y) {
      const out = new Float64Array(y.length);
      const rhs = new Float64Array(weights.length);
      for (let a = 0; a < parameters; a++) {
        for (let h = 0; h < rhs.length; h++) rhs[h] = y[h * parameters + a];
        const x = solve(rhs);
        for (let h = 0; h < narrow.states; h++) out[h * parameters + a] = x[expand(h)];
      }
      return out;
    },
  };
}

/** `<x_a, y_a>` over the narrow layer, per observable. */
export function narrowProducts({ narrow, parameters }: NarrowProblem, x: Float64Array, y: Float64Array): Float64Array {
  const out = new Float64Array(parameters);
  for (let h = 0; h < narrow.states; h++) {
    for (let a = 0; a < parameters; a++) out[a] += narrow.p[h] * x[h * parameters + a] * y[h * parameters + a];
  }
  return out;
}

/** `M` and the law on the functions of `h` that occur: all, or the even ones, represented by the states with the last spin down. */
function sectorChain({ narrow, chain, even }: NarrowProblem) {
  const width = narrow.states;
  if (!even) return { matrix: chain, weights: narrow.p, expand: (h: number) => h };
  const n = width / 2;
  const matrix = new Float64Array(n * n);
  for (let h = 0; h < n; h++) {
    for (let k = 0; k < n; k++) matrix[h * n + k] = chain[h * width + k] + chain[h * width + (width - 1 - k)];
  }
  const weights = narrow.p.subarray(0, n).map((value) => 2 * value);
  return { matrix, weights, expand: (h: number) => (h < n ? h : width - 1 - h) };
}

/** Subtracts the mean of every column: these are centred but for the rounding of `E e`. */
function centreRows(p: Float64Array, rows: Float64Array, parameters: number): void {
  const means = new Float64Array(parameters);
  p.forEach((weight, h) => {
    for (let a = 0; a < parameters; a++) means[a] += weight * rows[h * parameters + a];
  });
  for (let k = 0; k < rows.length; k++) rows[k] -= means[k % parameters];
}

/** Adds `sum_v weights(v) E[e_a | v]` for every observable. */
function addDeviations(view: LayerView, wide: LayerTable, weights: Float64Array, out: Float64Array): void {
  const { size, otherSize, below, above, states } = wide;
  const buffer = new Float64Array(states);
  const ups = new Float64Array(size + 1);
  const downs = new Float64Array(size + 1);
  for (let j = 0; j < otherSize; j++) {
    // e = 1 - v_i h_j has the mean E[1 - h_j | v] where v_i is up and E[1 + h_j | v] where it is down.
    for (let v = 0; v < states; v++) buffer[v] = weights[v] * below[v * otherSize + j];
    halfSums(buffer, ups, 1);
    if (view.otherBias(j) >= 0) out[view.otherBias(j)] += ups[size];
    for (let v = 0; v < states; v++) buffer[v] = weights[v] * above[v * otherSize + j];
    halfSums(buffer, downs, 0);
    for (let i = 0; i < size; i++) out[view.weight(i, j)] += ups[i] + downs[i];
  }
  if (view.bias(0) < 0) return;
  buffer.set(weights);
  halfSums(buffer, downs, 0);
  for (let i = 0; i < size; i++) out[view.bias(i)] += 2 * downs[i];
}

/** `|P_v fc_a|^2`. */
function wideNorms(view: LayerView, wide: LayerTable, means: Float64Array): Float64Array {
  const { size, otherSize, below, above } = wide;
  const out = new Float64Array(means.length);
  const add = (a: number, probability: number, deviation: number) => {
    out[a] += probability * (deviation - means[a]) ** 2;
  };
  for (let v = 0; v < wide.states; v++) {
    const probability = wide.p[v];
    for (let j = 0; j < otherSize; j++) {
      const [down, up] = [below[v * otherSize + j], above[v * otherSize + j]];
      for (let i = 0; i < size; i++) add(view.weight(i, j), probability, (v >> i) & 1 ? down : up);
      if (view.otherBias(j) >= 0) add(view.otherBias(j), probability, down);
    }
    if (view.bias(0) >= 0) for (let i = 0; i < size; i++) add(view.bias(i), probability, (v >> i) & 1 ? 0 : 2);
  }
  return out;
}

/** `E[e_a | h]`. */
function narrowDeviations(view: LayerView, narrow: LayerTable, h: number, out: Float64Array): void {
  const { size, otherSize } = view;
  for (let i = 0; i < size; i++) {
    const [down, up] = [narrow.below[h * size + i], narrow.above[h * size + i]];
    for (let j = 0; j < otherSize; j++) out[view.weight(i, j)] = (h >> j) & 1 ? down : up;
    if (view.bias(i) >= 0) out[view.bias(i)] = down;
  }
  if (view.otherBias(0) < 0) return;
  for (let j = 0; j < otherSize; j++) out[view.otherBias(j)] = (h >> j) & 1 ? 0 : 2;
}
