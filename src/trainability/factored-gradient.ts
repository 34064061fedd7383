import { type LayerView, spin } from '../kernel/rbm-layers.js';
import { addWeightedRows } from '../kernel/weighted-rows.js';
import type { NarrowProblem } from './factored-timescale.js';

/**
 * `d T / d theta` under `random-block` by D4: `Lbar / pi = sum_a fc^2/2 + fc (a + b) - (a - b)^2/4`, with `a = 2 P_v fc + P_v b`.
 *
 * Written with `g = pi(h | v)`, `w = P_v fc` and `e = P_v b = sum_h g_h b(h)`, sums over observables as dot products:
 * `|fc|^2/2 + 2 fc.w + fc.e + fc.b(h) - |w|^2 - w.(e - b(h)) - |e - b(h)|^2/4`, and
 * `|e - b(h)|^2 = sum_k g_k D_kh - (1/2) g.D g` with the squared distances `D_kh = |b(k) - b(h)|^2`. Distances are formed from differences,
 * so nothing large cancels deep in a plateau, where `a` and `b` are both of the order of the inverse gap. Everything else is linear in the spins of
 * `v` for each `h` and follows from its neighbour when the states `v` are visited in Gray-code order, one spin flipped at a time:
 * `2^wide * (4^narrow + 2^narrow * narrow)` work for all observables together.
 */
export function factoredTimescaleGradient(problem: NarrowProblem, b: Float64Array, beta: number): Float64Array {
  const { wide, narrow, view, parameters, means, given } = problem;
  const { size: m, otherSize: n } = view;
  const width = narrow.states;
  const biased = view.bias(0) >= 0;
  const distances = squaredDistances(b, width, parameters);
  const rows = Array.from({ length: width }, (_, h) => b.subarray(h * parameters, (h + 1) * parameters));
  const meansDotB = Float64Array.from(rows, (row) => dot(means, row));
  const squaredMeans = dot(means, means);

  // Gray code starts at v = 0, all spins -1. slopes[h]: coefficients of the narrow spins in x(v, .) . b(h), and last the constant.
  const slopes = rows.map((row) => spinSlopes(view, row));
  const meanSlopes = spinSlopes(view, means);
  const averaged = new Float64Array(n + 1);
  const toAll = new Float64Array(width);
  const lbarSlope = new Float64Array(n + 1);
  const out = new Float64Array(parameters);
  let total = 0;
  for (let step = 0, v = 0; step < wide.states; step++) {
    if (step > 0) {
      const i = 31 - Math.clz32(step & -step);
      v ^= 1 << i;
      const change = 2 * spin(v, i);
      for (let h = 0; h < width; h++) shiftSlopes(view, rows[h], i, change, slopes[h]);
      shiftSlopes(view, means, i, change, meanSlopes);
    }
    if (wide.p[v] === 0) continue;
    const g = given.subarray(v * width, (v + 1) * width);
    const m1 = wide.means.subarray(v * n, (v + 1) * n);

    averaged.fill(0);
    toAll.fill(0);
    let averagedMeansDotB = 0;
    for (let k = 0; k < width; k++) {
      const weight = g[k];
      if (weight === 0) continue;
      averagedMeansDotB += weight * meansDotB[k];
      for (let j = 0; j <= n; j++) averaged[j] += weight * slopes[k][j];
    }
    addWeightedRows(g, distances, toAll);
    let spread = 0;
    for (let h = 0; h < width; h++) spread += (g[h] * toAll[h]) / 2;
    let squared = 0;
    for (let j = 0; j < n; j++) squared += m1[j] * m1[j];
    const meansDotW = at(meanSlopes, m1);
    const wNorm = squaredMeans - 2 * meansDotW + (biased ? (m + 1) * squared + m : m * squared);
    const wDotE = averagedMeansDotB - at(averaged, m1);

    lbarSlope.fill(0);
    for (let h = 0; h < width; h++) {
      if (g[h] === 0) continue;
      let overlap = 0; // sum_j h_j m_j
      let meansDotX = meanSlopes[n];
      let eDotX = averaged[n];
      let bDotX = slopes[h][n];
      for (let j = 0; j < n; j++) {
        const x = spin(h, j);
        overlap += x * m1[j];
        meansDotX += x * meanSlopes[j];
        eDotX += x * averaged[j];
        bDotX += x * slopes[h][j];
      }
      const fcNorm = parameters - 2 * meansDotX + squaredMeans;
      const fcDotW = (biased ? (m + 1) * overlap + m : m * overlap) - meansDotX - meansDotW + squaredMeans;
      const fcDotE = averagedMeansDotB - eDotX;
      const fcDotB = meansDotB[h] - bDotX;
      const wDotB = meansDotB[h] - at(slopes[h], m1);
      const density = fcNorm / 2 + 2 * fcDotW + fcDotE + fcDotB - wNorm - (wDotE - wDotB) - (toAll[h] - spread) / 4;
      const lbar = wide.p[v] * g[h] * density;
      lbarSlope[n] += lbar;
      for (let j = 0; j < n; j++) lbarSlope[j] += spin(h, j) * lbar;
    }
    total += lbarSlope[n];
    addSpinProducts(view, v, lbarSlope, out);
  }
  // theta_bar = -beta (sum Lbar f - E f sum Lbar), f = -x.
  return out.map((sum, a) => beta * (sum - means[a] * total));
}

/** Value at narrow spins (or their means) `y` of a form with the given slopes and, last, constant. */
function at(slopes: Float64Array, y: Float64Array): number {
  const n = y.length;
  let sum = slopes[n];
  for (let j = 0; j < n; j++) sum += y[j] * slopes[j];
  return sum;
}

/** Slopes of `sum_a c_a x_a(v, h)` in the narrow spins, and last its constant, at `v` with all spins -1. */
function spinSlopes(view: LayerView, c: Float64Array): Float64Array {
  const slopes = new Float64Array(view.otherSize + 1);
  for (let i = 0; i < view.size; i++) shiftSlopes(view, c, i, -1, slopes);
  if (view.otherBias(0) >= 0) for (let j = 0; j < view.otherSize; j++) slopes[j] += c[view.otherBias(j)];
  return slopes;
}

/** Adds `change` times what spin `i` of the wide layer contributes. */
function shiftSlopes(view: LayerView, c: Float64Array, i: number, change: number, slopes: Float64Array): void {
  const n = view.otherSize;
  for (let j = 0; j < n; j++) slopes[j] += change * c[view.weight(i, j)];
  if (view.bias(i) >= 0) slopes[n] += change * c[view.bias(i)];
}

/** Adds `sum_h weight(h) x_a(v, h)` given the sums of `weight * h_j` and, last, of `weight`. */
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

function squaredDistances(b: Float64Array, width: number, parameters: number): Float64Array {
  const out = new Float64Array(width * width);
  for (let k = 0; k < width; k++) {
    for (let h = 0; h < k; h++) {
      let sum = 0;
      for (let a = 0; a < parameters; a++) sum += (b[k * parameters + a] - b[h * parameters + a]) ** 2;
      out[k * width + h] = out[h * width + k] = sum;
    }
  }
  return out;
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let a = 0; a < x.length; a++) sum += x[a] * y[a];
  return sum;
}
