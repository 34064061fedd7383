import { conditionalTable, type LayerTable, type LayerView, spin } from '../kernel/rbm-layers.js';
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

/** Sets up (5.5): the chain on the narrow layer and its right-hand sides. The largest work is one product `2^narrow x 2^wide x p`. */
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
  const row = new Float64Array(parameters);
  for (let v = 0; v < wide.states; v++) {
    wideRow(view, wide, v, row);
    for (let a = 0; a < parameters; a++) means[a] += wide.p[v] * row[a];
  }
  const variance = means.map((mean) => (1 - mean) * (1 + mean));
  const wideNorm = new Float64Array(parameters);
  const p = new Float64Array(width * parameters);
  const q = new Float64Array(width * parameters);
  const chain = new Float64Array(width * width);
  for (let v = 0; v < wide.states; v++) {
    wideRow(view, wide, v, row);
    for (let a = 0; a < parameters; a++) {
      row[a] = means[a] - row[a];
      wideNorm[a] += wide.p[v] * row[a] * row[a];
    }
    for (let h = 0; h < width; h++) {
      const weight = back[h * wide.states + v];
      if (weight === 0) continue;
      const at = h * parameters;
      for (let a = 0; a < parameters; a++) q[at + a] += weight * row[a];
      for (let k = 0; k < width; k++) chain[h * width + k] += weight * given[v * width + k];
    }
  }
  for (let h = 0; h < width; h++) {
    const target = p.subarray(h * parameters, (h + 1) * parameters);
    narrowRow(view, narrow, h, target);
    for (let a = 0; a < parameters; a++) target[a] = means[a] - target[a];
  }
  return { wide, narrow, view, parameters, means, variance, wideNorm, p, q, given, chain };
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

/**
 * `d T / d theta` by D4: `Lbar / pi = sum_a fc^2/2 + fc (a + b) - (a - b)^2/4`, row by row of the wide layer.
 *
 * With `fc = -(phi psi - c)` every term but `a b / 2` is a function of `v`, a function of `h`, or linear in one layer's spins with coefficients on
 * the other; `a b / 2` is the product `2^wide x p x 2^narrow`.
 */
export function factoredTimescaleGradient(problem: NarrowProblem, b: Float64Array, beta: number): Float64Array {
  const { wide, narrow, view, parameters, means, given } = problem;
  const { size: m, otherSize: n } = view;
  const width = narrow.states;
  const fromNarrow = Array.from({ length: width }, (_, h) => linearTerms(problem, b, h * parameters, h, 'narrow'));
  const out = new Float64Array(parameters);
  const a = new Float64Array(parameters);
  const row = new Float64Array(parameters);
  const slope = new Float64Array(n + 1);
  let total = 0;
  for (let v = 0; v < wide.states; v++) {
    if (wide.p[v] === 0) continue;
    wideRow(view, wide, v, row);
    for (let k = 0; k < parameters; k++) a[k] = 2 * (means[k] - row[k]);
    for (let h = 0; h < width; h++) {
      const weight = given[v * width + h];
      if (weight === 0) continue;
      for (let k = 0; k < parameters; k++) a[k] += weight * b[h * parameters + k];
    }
    const fromWide = linearTerms(problem, a, 0, v, 'wide');
    slope.fill(0);
    for (let h = 0; h < width; h++) {
      const { constant, slopes } = fromNarrow[h];
      let density = fromWide.constant + constant;
      for (let j = 0; j < n; j++) density += spin(h, j) * fromWide.slopes[j];
      for (let i = 0; i < m; i++) density += spin(v, i) * slopes[i];
      let cross = 0;
      const at = h * parameters;
      for (let k = 0; k < parameters; k++) cross += a[k] * b[at + k];
      const lbar = wide.p[v] * given[v * width + h] * (density + cross / 2);
      slope[n] += lbar;
      for (let j = 0; j < n; j++) slope[j] += lbar * spin(h, j);
    }
    total += slope[n];
    addSpinProducts(view, v, slope, out);
  }
  // theta_bar = -beta (sum Lbar f - E f sum Lbar), f = -x.
  return out.map((sum, k) => beta * (sum - means[k] * total));
}

/** `E[x_a | v]`: products of spins of the wide layer and means of the narrow one. */
function wideRow(view: LayerView, wide: LayerTable, v: number, out: Float64Array): void {
  const { size, otherSize } = view;
  for (let i = 0; i < size; i++) {
    const x = spin(v, i);
    for (let j = 0; j < otherSize; j++) out[view.weight(i, j)] = x * wide.means[v * otherSize + j];
    if (view.bias(i) >= 0) out[view.bias(i)] = x;
  }
  if (view.otherBias(0) < 0) return;
  for (let j = 0; j < otherSize; j++) out[view.otherBias(j)] = wide.means[v * otherSize + j];
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

/**
 * One layer's share of `Lbar / pi` with its coefficients `c_k` (a on the wide layer, b on the narrow), apart from `a b / 2`:
 * `sum fc c - c^2/4`, linear in the other layer's spins. The wide layer's share carries `sum fc^2/2` too.
 */
function linearTerms(problem: NarrowProblem, c: Float64Array, offset: number, x: number, layer: 'wide' | 'narrow') {
  const { view, means, parameters } = problem;
  const { size: m, otherSize: n } = view;
  const wideLayer = layer === 'wide';
  const slopes = new Float64Array(wideLayer ? n : m);
  let constant = 0;
  for (let k = 0; k < parameters; k++) {
    const value = c[offset + k];
    constant += means[k] * value - (value * value) / 4;
    if (wideLayer) constant += (1 + means[k] * means[k]) / 2;
  }
  // fc^2/2 = (1 + mean^2)/2 - mean x: its linear part joins fc c = -(x - mean) c on the wide layer's side.
  const coefficient = (k: number) => (wideLayer ? c[offset + k] + means[k] : c[offset + k]);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      const value = coefficient(view.weight(i, j));
      if (wideLayer) slopes[j] -= value * spin(x, i);
      else slopes[i] -= value * spin(x, j);
    }
  }
  if (view.bias(0) >= 0) {
    for (let i = 0; i < m; i++) {
      if (wideLayer) constant -= coefficient(view.bias(i)) * spin(x, i);
      else slopes[i] -= coefficient(view.bias(i));
    }
    for (let j = 0; j < n; j++) {
      if (wideLayer) slopes[j] -= coefficient(view.otherBias(j));
      else constant -= coefficient(view.otherBias(j)) * spin(x, j);
    }
  }
  return { constant, slopes };
}

/** Adds `sum_h weight(h) x_a(v, h)` given the sums of `weight` (last entry) and of `weight * h_j`. */
function addSpinProducts(view: LayerView, v: number, sums: Float64Array, out: Float64Array): void {
  const { size: m, otherSize: n } = view;
  for (let i = 0; i < m; i++) {
    const x = spin(v, i);
    for (let j = 0; j < n; j++) out[view.weight(i, j)] += x * sums[j];
    if (view.bias(i) >= 0) out[view.bias(i)] += x * sums[n];
  }
  if (view.otherBias(0) < 0) return;
  for (let j = 0; j < n; j++) out[view.otherBias(j)] += sums[j];
}
