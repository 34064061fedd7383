import { type LayerView, spin } from '../kernel/rbm-layers.js';

/**
 * Forms `sum_a c_a e_a(v, h)` of the deviations `e_a = 1 - x_a` of an RBM's observables: for a fixed state `v` of the wide layer they are
 * `constant - sum_j slope_j h_j` in the narrow spins, stored as the slopes and, last, the constant.
 */

/** Value of a form at narrow spins (or their means) `y`. */
export function at(form: Float64Array, y: Float64Array): number {
  const n = y.length;
  let sum = form[n];
  for (let j = 0; j < n; j++) sum -= y[j] * form[j];
  return sum;
}

/** `sum_a c_a e_a(v, h)` as slopes in the narrow spins and, last, a constant, at `v` with all spins -1. */
export function deviationForm(view: LayerView, c: Float64Array): Float64Array {
  const n = view.otherSize;
  const form = new Float64Array(n + 1);
  for (let i = 0; i < view.size; i++) shiftForm(view, c, i, -1, form);
  if (view.otherBias(0) >= 0) for (let j = 0; j < n; j++) form[j] += c[view.otherBias(j)];
  form[n] += c.reduce((sum, value) => sum + value, 0);
  return form;
}

/** Follows a change of spin `i` of the wide layer. */
export function shiftForm(view: LayerView, c: Float64Array, i: number, change: number, form: Float64Array): void {
  const n = view.otherSize;
  for (let j = 0; j < n; j++) form[j] += change * c[view.weight(i, j)];
  if (view.bias(i) >= 0) form[n] -= change * c[view.bias(i)];
}

/** Adds `sum_h weight(h) e_a(v, h)`, given per narrow spin the sums of `weight` over the states with it up and with it down. */
export function addDeviationSums(
  view: LayerView,
  v: number,
  ups: Float64Array,
  downs: Float64Array,
  out: Float64Array,
): void {
  const { size: m, otherSize: n } = view;
  for (let i = 0; i < m; i++) {
    const against = spin(v, i) > 0 ? downs : ups;
    for (let j = 0; j < n; j++) out[view.weight(i, j)] += 2 * against[j];
    if (view.bias(i) >= 0 && spin(v, i) < 0) out[view.bias(i)] += 2 * (ups[0] + downs[0]);
  }
  if (view.otherBias(0) < 0) return;
  for (let j = 0; j < n; j++) out[view.otherBias(j)] += 2 * downs[j];
}

/** `(x(k) - x(h)) . (y(k) - y(h))` over observables for all pairs of rows, formed from differences. */
export function differenceProducts(x: Float64Array, y: Float64Array, width: number, parameters: number): Float64Array {
  const out = new Float64Array(width * width);
  for (let k = 0; k < width; k++) {
    for (let h = 0; h < k; h++) {
      let sum = 0;
      for (let a = 0; a < parameters; a++) {
        const [i, j] = [k * parameters + a, h * parameters + a];
        sum += (x[i] - x[j]) * (y[i] - y[j]);
      }
      out[k * width + h] = out[h * width + k] = sum;
    }
  }
  return out;
}

export function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let a = 0; a < x.length; a++) sum += x[a] * y[a];
  return sum;
}
