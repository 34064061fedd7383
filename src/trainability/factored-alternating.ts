import { spin } from '../kernel/rbm-layers.js';
import { addWeightedRows } from '../kernel/weighted-rows.js';
import { centre } from '../spectrum/conjugate-gradient.js';
import { generatorEigen } from '../spectrum/dense-kernel.js';
import { groundedSolver } from '../spectrum/grounded.js';
import type { WeightedEigenvalue } from '../spectrum/groups.js';
import { addDeviationSums, at, deviationForm, differenceProducts, dot, shiftForm } from './deviation-forms.js';
import { type NarrowProblem, sectorChain } from './factored-timescale.js';

export interface AlternatingTimescale {
  readonly converged: boolean;
  /** Per observable. */
  readonly timescale: Float64Array;
  /** `b` and its counterpart of the adjoint chain, row `h`. */
  readonly b: Float64Array;
  readonly adjoint: Float64Array;
}

/**
 * `alternating-block` on an RBM (5.6): the sweep `P = P_h P_v` is not reversible, but each layer alone is a reversible chain with operator `M = P_h P_v`:
 * `(I - M) b = P_h P_v fc`, `(I - M) b* = P_h fc`, `T = |fc|^2/2 + <P_h fc, b>`. `T` does not depend on which layer comes first.
 */
export function alternatingTimescale(problem: NarrowProblem): AlternatingTimescale {
  const { parameters, p, q, variance, narrow } = problem;
  const { matrix, weights, expand } = sectorChain(problem);
  const solver = groundedSolver(matrix, weights, narrow.logP);
  const b = new Float64Array(p.length);
  const adjoint = new Float64Array(p.length);
  const timescale = new Float64Array(parameters).fill(Number.POSITIVE_INFINITY);
  const onP = new Float64Array(weights.length);
  const onQ = new Float64Array(weights.length);
  for (let a = 0; a < parameters && solver.irreducible; a++) {
    for (let h = 0; h < weights.length; h++) {
      onP[h] = p[h * parameters + a];
      onQ[h] = q[h * parameters + a];
    }
    centre(weights, onP);
    centre(weights, onQ);
    const [forwards, backwards] = [solver.solve(onQ), solver.solve(onP)];
    let inner = 0;
    for (let h = 0; h < weights.length; h++) inner += weights[h] * onP[h] * forwards[h];
    for (let h = 0; h < narrow.states; h++) {
      b[h * parameters + a] = forwards[expand(h)];
      adjoint[h * parameters + a] = backwards[expand(h)];
    }
    timescale[a] = variance[a] / 2 + inner;
  }
  return { converged: solver.irreducible && timescale.every(Number.isFinite), timescale, b, adjoint };
}

/**
 * `d T / d theta`, in the gauge of the problem, by D4: `Lbar / pi = sum_a fc^2/2 + fc (b + a*) - (a* - b*)(a - b)` with `a = w + c`, `w = P_v fc`, `c = P_v b`
 * and `a* = P_v b*`. In the notation of the `random-block` gradient, whose bookkeeping this shares:
 * `|fc|^2/2 + fc.b(h) + fc.a* - w.(a* - b*(h)) - (a* - b*(h)).(c - b(h))`, the last product from differences of rows.
 */
export function alternatingGradient(
  problem: NarrowProblem,
  solution: AlternatingTimescale,
  beta: number,
): Float64Array {
  const { wide, narrow, view, parameters, means, given } = problem;
  const { size: m, otherSize: n } = view;
  const width = narrow.states;
  const biased = view.bias(0) >= 0;
  const rowsOf = (x: Float64Array) =>
    Array.from({ length: width }, (_, h) => x.subarray(h * parameters, (h + 1) * parameters));
  const [rows, adjointRows] = [rowsOf(solution.b), rowsOf(solution.adjoint)];
  const products = differenceProducts(solution.b, solution.adjoint, width, parameters);
  const meansDotB = Float64Array.from(rows, (row) => dot(means, row));
  const meansDotAdjoint = Float64Array.from(adjointRows, (row) => dot(means, row));
  const squaredMeans = dot(means, means);
  const forms = rows.map((row) => deviationForm(view, row));
  const adjointForms = adjointRows.map((row) => deviationForm(view, row));
  const meanForm = deviationForm(view, means);
  const averaged = new Float64Array(n + 1);
  const toAll = new Float64Array(width);
  const lbarUp = new Float64Array(n);
  const lbarDown = new Float64Array(n);
  const out = new Float64Array(parameters);
  let total = 0;
  let up = 0;
  for (let step = 0, v = 0; step < wide.states; step++) {
    if (step > 0) {
      const i = 31 - Math.clz32(step & -step);
      v ^= 1 << i;
      const change = 2 * spin(v, i);
      up += spin(v, i);
      for (let h = 0; h < width; h++) {
        shiftForm(view, rows[h], i, change, forms[h]);
        shiftForm(view, adjointRows[h], i, change, adjointForms[h]);
      }
      shiftForm(view, means, i, change, meanForm);
    }
    if (wide.p[v] === 0) continue;
    const g = given.subarray(v * width, (v + 1) * width);
    const hMean = wide.means.subarray(v * n, (v + 1) * n);
    const ups = biased ? up + 1 : up;

    averaged.fill(0);
    toAll.fill(0);
    let meansDotC = 0;
    for (let k = 0; k < width; k++) {
      meansDotC += g[k] * meansDotAdjoint[k];
      for (let j = 0; j <= n; j++) averaged[j] += g[k] * adjointForms[k][j];
    }
    addWeightedRows(g, products, toAll);
    let spread = 0;
    for (let h = 0; h < width; h++) spread += (g[h] * toAll[h]) / 2;
    const wDotC = at(averaged, hMean) - meansDotC;

    lbarUp.fill(0);
    lbarDown.fill(0);
    for (let h = 0; h < width; h++) {
      if (g[h] === 0) continue;
      let deviations = biased ? 2 * (m - up) : 0;
      for (let j = 0; j < n; j++) deviations += (h >> j) & 1 ? 2 * (m - up) : 2 * ups;
      const fcNorm = 2 * deviations - 2 * atState(meanForm, h) + squaredMeans;
      const fcDotB = atState(forms[h], h) - meansDotB[h];
      const fcDotC = atState(averaged, h) - meansDotC;
      const wDotAdjoint = at(adjointForms[h], hMean) - meansDotAdjoint[h];
      const density = fcNorm / 2 + fcDotB + fcDotC - (wDotC - wDotAdjoint) - (toAll[h] - spread);
      const lbar = wide.p[v] * g[h] * density;
      total += lbar;
      for (let j = 0; j < n; j++) {
        if ((h >> j) & 1) lbarUp[j] += lbar;
        else lbarDown[j] += lbar;
      }
    }
    addDeviationSums(view, v, lbarUp, lbarDown, out);
  }
  return out.map((sum, a) => -beta * (sum - means[a] * total));
}

/**
 * Nodes and signed weights of `sum_a <fc_a, P^d fc_a>`, `d >= 0`: for `d >= 1` it is `<P_h fc, M^{d-1} P_h P_v fc>`, in the eigenbasis of `M` a sum of
 * `p_k q_k s_k^{d-1}`, which a node of gap `1 - s_k` gives with the weight `p_k q_k / s_k`; what is left of the variance sits at gap 1.
 */
export function alternatingMeasure(problem: NarrowProblem, couplings: number): WeightedEigenvalue[] {
  const { parameters, p, q, variance } = problem;
  const { matrix, weights } = sectorChain(problem);
  const n = weights.length;
  const { values, vectors } = generatorEigen(matrix, n, weights);
  const rest = Float64Array.from(variance);
  const list: WeightedEigenvalue[] = [];
  values.forEach((defect, k) => {
    // Below this a mode is gone after one step in any case.
    const s = Math.max(1e-12, 1 - defect);
    const sums = [0, 0];
    for (let a = 0; a < parameters; a++) {
      let [onP, onQ] = [0, 0];
      for (let h = 0; h < n; h++) {
        const b = Math.sqrt(weights[h]) * vectors[k * n + h];
        onP += b * p[h * parameters + a];
        onQ += b * q[h * parameters + a];
      }
      const weight = (onP * onQ) / s;
      sums[a < couplings ? 0 : 1] += weight;
      rest[a] -= weight;
    }
    list.push({ gap: 1 - s, multiplicity: 1, couplingsWeight: sums[0], biasesWeight: sums[1] });
  });
  let [couplingsWeight, biasesWeight] = [0, 0];
  rest.forEach((left, a) => {
    if (a < couplings) couplingsWeight += left;
    else biasesWeight += left;
  });
  list.push({ gap: 1, multiplicity: 1, couplingsWeight, biasesWeight });
  return list;
}

/** Value of a form at the narrow state `h`. */
function atState(form: Float64Array, h: number): number {
  const n = form.length - 1;
  let sum = form[n];
  for (let j = 0; j < n; j++) sum -= spin(h, j) * form[j];
  return sum;
}
