import { type LayerView, spin } from '../../kernel/rbm-layers.js';

/** Sums of the deviations `e_a = 1 - x_a` of an RBM's observables over the states of its layers. */

/**
 * `sum_v x(v)` over the states with spin `i` up (`half` 1) or down (0), for every spin, and last over all, by folding one spin away at a time:
 * `2^(size + 1)` additions and no differences. Overwrites `x`.
 */
export function halfSums(x: Float64Array, out: Float64Array, half: 0 | 1): void {
  let width = x.length / 2;
  for (let i = out.length - 2; i >= 0; i--, width /= 2) {
    let sum = 0;
    for (let v = half * width; v < (half + 1) * width; v++) sum += x[v];
    for (let v = 0; v < width; v++) x[v] += x[v + width];
    out[i] = sum;
  }
  out[out.length - 1] = x[0];
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
