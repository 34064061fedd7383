import { type LayerView, spin } from '../../kernel/rbm-layers.js';
import { addWeightedRows } from '../../kernel/weighted-rows.js';
import { addDeviationSums, dot, halfSums } from './deviation-sums.js';
import type { NarrowProblem } from './factored-problem.js';

/**
 * `Lbar / pi` of a block kernel on an RBM (D4) at a state `v` of the wide and `h` of the narrow layer, a sum over observables:
 *
 * `fc^2/2 + fc.x(h) + (fc - w).y(v) + w.y(h) + own(h) - D(v, h)`, and for `random-block` `+ 2 fc.w - w^2`,
 *
 * with `w = P_v fc`, `y(v) = sum_k pi(k | v) y(k)` and `D(v, h) = (r(h) - r(v)).(s(h) - s(v))`. Rows are states of the narrow layer. What is of the
 * order of the inverse gap on both sides of a product is in `D`, which is formed from differences, so nothing large cancels deep in a plateau.
 */
export interface NarrowDensity {
  readonly x: Float64Array | null;
  readonly y: Float64Array | null;
  readonly own: Float64Array | null;
  /** `(r(k) - r(h)).(s(k) - s(h))` for all pairs of narrow states. */
  readonly products: Float64Array;
  /** Whether the last two terms occur. */
  readonly wideSquare: boolean;
}

/**
 * `d T / d theta` in the gauge of the problem, `-beta (sum Lbar f - E f sum Lbar)`, from a kernel's density: `2^wide * (4^narrow + 2^narrow * narrow)` work
 * for all observables together.
 *
 * States `v` are visited in Gray-code order, one spin flipped at a time: what is linear in the spins of `v` follows from its neighbour. In terms of
 * the deviations `e = fc + m`, `m = E e`, `e^2 = 2 e`, what is linear in the narrow spins is kept as what each of them adds when it is up and when
 * it is down: in the most probable state, all spins up, `e` vanishes and only small numbers are added.
 */
export function factoredGradient(problem: NarrowProblem, density: NarrowDensity, beta: number): Float64Array {
  const { wide, narrow, view, parameters, means, given } = problem;
  const { size: m, otherSize: n } = view;
  const width = narrow.states;
  const biases = view.bias(0) >= 0 ? 1 : 0;
  const { products, wideSquare } = density;
  const { standing, steps } = standingPart(problem, density);
  const y = density.y && transposed(density.y, width, parameters);
  const slopes = y && slopesAtBottom(view, y, width);
  const squaredMeans = dot(means, means);
  const meanFactor = wideSquare ? -6 : -2; // of -m.e from fc^2 / 2, and -2 m.e from 2 fc.w
  // Sums of m over the pairs of a narrow spin with wide spins up and down, and over the biases of wide spins down.
  const meanUp = Float64Array.from({ length: n }, (_, j) => (biases ? means[view.otherBias(j)] : 0));
  const meanDown = new Float64Array(n);
  let meanWide = 0;
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) meanDown[j] += means[view.weight(i, j)];
    if (biases) meanWide += means[view.bias(i)];
  }

  const lbar = new Float64Array(width);
  const spare = new Float64Array(width);
  const toAll = new Float64Array(width);
  const [ups, downs] = [new Float64Array(n + 1), new Float64Array(n + 1)];
  const out = new Float64Array(parameters);
  let total = 0;
  let up = 0; // spins of v at +1
  for (let step = 0, v = 0; step < wide.states; step++) {
    if (step > 0) {
      const i = 31 - Math.clz32(step & -step);
      v ^= 1 << i;
      const x = spin(v, i);
      up += x;
      for (let h = 0; h < width; h++) standing[h] += x * steps[i * width + h];
      for (let j = 0; j < n; j++) {
        const mean = x * means[view.weight(i, j)];
        meanUp[j] += mean;
        meanDown[j] -= mean;
      }
      if (biases) meanWide -= x * means[view.bias(i)];
      if (y && slopes) turnSlopes(view, y, i, 2 * x, slopes);
    }
    if (wide.p[v] === 0) continue;
    const g = given.subarray(v * width, (v + 1) * width);
    const [upAndBias, down] = [up + biases, m - up];

    toAll.fill(0);
    addWeightedRows(g, products, toAll);
    let constant =
      squaredMeans * (wideSquare ? 1.5 : 0.5) + 2 * biases * down + meanFactor * meanWide + dot(g, toAll) / 2;
    if (wideSquare) constant += 4 * biases * down;
    lbar[0] = 0;
    for (let j = 0; j < n; j++) {
      const below = wide.below[v * n + j];
      const above = wide.above[v * n + j];
      let ifUp = 2 * down + meanFactor * meanDown[j];
      let ifDown = 2 * upAndBias + meanFactor * meanUp[j];
      if (wideSquare) {
        ifUp += 4 * down * above;
        ifDown += 4 * upAndBias * below;
        constant -= upAndBias * below * below + down * above * above;
      }
      if (slopes) {
        // (e - P_v e).y(v): a narrow spin less its mean is `below` when it is up and `-above` when it is down.
        let slope = 0;
        for (let h = 0; h < width; h++) slope += g[h] * slopes[j * width + h];
        ifUp -= slope * below;
        ifDown += slope * above;
      }
      for (let h = 0; h < 1 << j; h++) {
        lbar[h + (1 << j)] = lbar[h] + ifUp;
        lbar[h] += ifDown;
      }
    }
    for (let h = 0; h < width; h++) lbar[h] += constant + (standing[h] - toAll[h]);
    if (slopes) {
      for (let j = 0; j < n; j++) {
        const mean = wide.means[v * n + j];
        for (let h = 0; h < width; h++) lbar[h] -= mean * slopes[j * width + h];
      }
    }
    for (let h = 0; h < width; h++) lbar[h] = g[h] === 0 ? 0 : wide.p[v] * g[h] * lbar[h];
    spare.set(lbar);
    halfSums(spare, ups, 1);
    halfSums(lbar, downs, 0);
    total += ups[n];
    addDeviationSums(view, v, ups, downs, out);
  }
  return out.map((sum, a) => -beta * (sum - means[a] * total));
}

/**
 * `fc.x(h) + own(h)` and the part of `w.y(h)` that does not depend on the means of narrow spins, for every `h` at `v` with all spins -1, and what is added
 * to it when wide spin `i` turns up (and taken away when it turns down), row `i`.
 */
function standingPart({ view, narrow, parameters, means }: NarrowProblem, { x, y, own }: NarrowDensity) {
  const { size: m, otherSize: n } = view;
  const width = narrow.states;
  const standing = own === null ? new Float64Array(width) : Float64Array.from(own);
  const steps = new Float64Array(m * width);
  for (let h = 0; h < width; h++) {
    // Against e_a(v, h) = 1 - v_i h_j for x, and 1 - v_i E[h_j | v] for y, of which the 1 stands here.
    const add = (row: Float64Array, spinOf: (j: number) => number) => {
      standing[h] -= dot(means, row);
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          const c = row[view.weight(i, j)];
          standing[h] += c * (1 + spinOf(j));
          steps[i * width + h] -= 2 * c * spinOf(j);
        }
        if (view.bias(i) < 0) continue;
        standing[h] += 2 * row[view.bias(i)];
        steps[i * width + h] -= 2 * row[view.bias(i)];
      }
      if (view.otherBias(0) < 0) return;
      for (let j = 0; j < n; j++) standing[h] += row[view.otherBias(j)] * (1 - spinOf(j));
    };
    const row = (rows: Float64Array) => rows.subarray(h * parameters, (h + 1) * parameters);
    if (x !== null) add(row(x), (j) => spin(h, j));
    if (y !== null) add(row(y), () => 0);
  }
  return { standing, steps };
}

/** `sum_i y_ij v_i + y_j` for all narrow spins `j` (rows) and states `h`, at `v` with all spins -1. */
function slopesAtBottom(view: LayerView, y: Float64Array, width: number): Float64Array {
  const slopes = new Float64Array(view.otherSize * width);
  for (let i = 0; i < view.size; i++) turnSlopes(view, y, i, -1, slopes);
  if (view.otherBias(0) < 0) return slopes;
  for (let k = 0; k < slopes.length; k++) slopes[k] += y[view.otherBias(Math.floor(k / width)) * width + (k % width)];
  return slopes;
}

/** Adds what a change of wide spin `i` makes of the slopes; `y` has a row per observable. */
function turnSlopes(view: LayerView, y: Float64Array, i: number, change: number, slopes: Float64Array): void {
  const n = view.otherSize;
  const width = slopes.length / n;
  for (let j = 0; j < n; j++) {
    const row = view.weight(i, j) * width;
    for (let h = 0; h < width; h++) slopes[j * width + h] += change * y[row + h];
  }
}

function transposed(x: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(x.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = x[r * columns + c];
  return out;
}
