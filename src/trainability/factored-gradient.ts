import { spin } from '../kernel/rbm-layers.js';
import { addWeightedRows } from '../kernel/weighted-rows.js';
import { addDeviationSums, at, deviationForm, differenceProducts, dot, shiftForm } from './deviation-forms.js';
import type { NarrowProblem } from './factored-timescale.js';

/**
 * `d T / d theta` under `random-block`, in the gauge of the problem, by D4: `Lbar / pi = sum_a fc^2/2 + fc (a + b) - (a - b)^2/4`, with
 * `a = 2 P_v fc + P_v b`.
 *
 * With the deviations `e` and their means `m`, `fc = e - m`; with `g = pi(h | v)`, `w = P_v fc` and `c = P_v b = sum_h g_h b(h)`, sums over observables as
 * dot products: `|fc|^2/2 + 2 fc.w + fc.c + fc.b(h) - |w|^2 - w.(c - b(h)) - |c - b(h)|^2/4`, and
 * `|c - b(h)|^2 = sum_k g_k D_kh - (1/2) g.D g` with the squared distances `D_kh = |b(k) - b(h)|^2`. Distances are formed from differences,
 * so nothing large cancels deep in a plateau, where `a` and `b` are both of the order of the inverse gap. Everything else is linear in the spins of
 * `v` for each `h` and follows from its neighbour when the states `v` are visited in Gray-code order, one spin flipped at a time:
 * `2^wide * (4^narrow + 2^narrow * narrow)` work for all observables together.
 */
export function factoredTimescaleGradient(problem: NarrowProblem, b: Float64Array, beta: number): Float64Array {
  const { wide, narrow, view, parameters, means, given } = problem;
  const { size: m, otherSize: n } = view;
  const width = narrow.states;
  const biased = view.bias(0) >= 0;
  const distances = differenceProducts(b, b, width, parameters);
  const rows = Array.from({ length: width }, (_, h) => b.subarray(h * parameters, (h + 1) * parameters));
  const meansDotB = Float64Array.from(rows, (row) => dot(means, row));
  const squaredMeans = dot(means, means);

  // Gray code starts at v = 0, all spins -1. Each form is c.e(v, h) = constant - sum_j slope_j h_j for a vector c over observables.
  const forms = rows.map((row) => deviationForm(view, row));
  const meanForm = deviationForm(view, means);
  const averaged = new Float64Array(n + 1);
  const toAll = new Float64Array(width);
  const lbarUp = new Float64Array(n);
  const lbarDown = new Float64Array(n);
  const out = new Float64Array(parameters);
  let total = 0;
  let up = 0; // spins of v at +1
  for (let step = 0, v = 0; step < wide.states; step++) {
    if (step > 0) {
      const i = 31 - Math.clz32(step & -step);
      v ^= 1 << i;
      const change = 2 * spin(v, i);
      up += spin(v, i);
      for (let h = 0; h < width; h++) shiftForm(view, rows[h], i, change, forms[h]);
      shiftForm(view, means, i, change, meanForm);
    }
    if (wide.p[v] === 0) continue;
    const g = given.subarray(v * width, (v + 1) * width);
    const hMean = wide.means.subarray(v * n, (v + 1) * n);
    const below = wide.below.subarray(v * n, (v + 1) * n);
    const above = wide.above.subarray(v * n, (v + 1) * n);

    averaged.fill(0);
    toAll.fill(0);
    let meansDotC = 0;
    for (let k = 0; k < width; k++) {
      const weight = g[k];
      if (weight === 0) continue;
      meansDotC += weight * meansDotB[k];
      for (let j = 0; j <= n; j++) averaged[j] += weight * forms[k][j];
    }
    addWeightedRows(g, distances, toAll);
    let spread = 0;
    for (let h = 0; h < width; h++) spread += (g[h] * toAll[h]) / 2;
    // w = P_v e - m, and P_v e is below_j where the wide spin is up, above_j where it is down.
    const ups = biased ? up + 1 : up;
    let squared = biased ? 4 * (m - up) : 0;
    for (let j = 0; j < n; j++) squared += ups * below[j] * below[j] + (m - up) * above[j] * above[j];
    const meansDotE = at(meanForm, hMean);
    const wNorm = squared - 2 * meansDotE + squaredMeans;
    const wDotC = at(averaged, hMean) - meansDotC;

    lbarUp.fill(0);
    lbarDown.fill(0);
    for (let h = 0; h < width; h++) {
      if (g[h] === 0) continue;
      let deviations = biased ? 2 * (m - up) : 0; // sum_a e_a
      let overlap = biased ? 4 * (m - up) : 0; // e.(P_v e)
      let meansDot = meanForm[n];
      let cDot = averaged[n];
      let bDot = forms[h][n];
      let bDotW = bDot;
      for (let j = 0; j < n; j++) {
        const x = spin(h, j);
        deviations += x > 0 ? 2 * (m - up) : 2 * ups;
        overlap += x > 0 ? 2 * (m - up) * above[j] : 2 * ups * below[j];
        meansDot -= x * meanForm[j];
        cDot -= x * averaged[j];
        bDot -= x * forms[h][j];
        bDotW -= hMean[j] * forms[h][j];
      }
      const fcNorm = 2 * deviations - 2 * meansDot + squaredMeans; // e^2 = 2 e
      const fcDotW = overlap - meansDot - meansDotE + squaredMeans;
      const fcDotC = cDot - meansDotC;
      const fcDotB = bDot - meansDotB[h];
      const wDotB = bDotW - meansDotB[h];
      const density = fcNorm / 2 + 2 * fcDotW + fcDotC + fcDotB - wNorm - (wDotC - wDotB) - (toAll[h] - spread) / 4;
      const lbar = wide.p[v] * g[h] * density;
      total += lbar;
      for (let j = 0; j < n; j++) {
        if (spin(h, j) > 0) lbarUp[j] += lbar;
        else lbarDown[j] += lbar;
      }
    }
    addDeviationSums(view, v, lbarUp, lbarDown, out);
  }
  // theta_bar = -beta (sum Lbar f - E f sum Lbar), f = e - 1.
  return out.map((sum, a) => -beta * (sum - means[a] * total));
}
