import type { WeightedEigenvalue } from '../../spectrum/groups.js';
import { differenceProducts } from './deviation-sums.js';
import { narrowProducts } from './factored-problem.js';
import type { FactoredRule } from './factored-rule.js';
import { byGroup, factoredRelaxation, projections, type Sector, vanishes, wideNorm } from './factored-spectrum.js';

/**
 * `random-block` on an RBM (5.5): `(I - M) b = 2 (p + q)`; with `a = 2 P_v fc + P_v b`,
 * `T = |fc|^2/2 + (<P_v fc, a> + <p, b>)/2 = |fc|^2/2 + |P_v fc|^2 + <p + q, b>/2`, and the density is `fc^2/2 + fc.(a + b) - (a - b)^2/4`.
 */
export const randomBlock: FactoredRule = {
  timescale(problem, solve) {
    const { p, q, variance, narrow, parameters } = problem;
    const sum = p.map((x, k) => x + q[k]);
    const half = solve(sum);
    const inner = narrowProducts(problem, sum, half);
    return {
      timescale: variance.map((x, a) => x / 2 + problem.wideNorm[a] + inner[a]),
      density() {
        const b = half.map((x) => 2 * x);
        const products = differenceProducts(half, half, narrow.states, parameters);
        return { x: b, y: b, own: null, products, wideSquare: true };
      },
    };
  },
  relaxation: (problem, couplings) => factoredRelaxation(problem, couplings, weigh),
};

/**
 * Eigenvalues `(1 +- c_k)/2`, 1/2 and 0: from each canonical mode its two, then the families at 1/2 and at 0 by what is left of the norms.
 *
 * Eigenvalues within about 1e-7 of 1/2 are reported as 1/2, because correlations are known by their squares.
 */
function weigh({ problem, modes, dimension, couplings }: Sector): WeightedEigenvalue[] {
  const { wide, narrow, variance } = problem;
  const list: WeightedEigenvalue[] = [];
  const restWide = Float64Array.from(problem.wideNorm);
  const rest = Float64Array.from(variance);
  const half = new Float64Array(problem.parameters);
  const share = problem.even ? 2 : 1;
  let halves = (wide.states - narrow.states) / share;
  for (const mode of modes) {
    const { defect, vector } = mode;
    const { onNarrow, onChain } = projections(problem, vector);
    if (vanishes(problem, mode)) {
      halves += 2;
      onNarrow.forEach((x, a) => {
        half[a] += x * x;
        rest[a] -= x * x;
      });
      continue;
    }
    // The square of a small correlation is known less well than its norm.
    const c = wideNorm(problem, vector);
    const gap = slowGap(defect);
    const onWide = onChain.map((x) => x / c);
    const plus = onWide.map((x, a) => (x + onNarrow[a]) ** 2 / (2 * (1 + c)));
    // Its denominator 2 (1 - c) vanishes only with a gap that is not resolved, and then both are the same function.
    const minus = onWide.map((x, a) => (gap > 0 ? (x - onNarrow[a]) ** 2 / (4 * gap) : 0));
    onWide.forEach((x, a) => {
      restWide[a] -= x * x;
      rest[a] -= plus[a] + minus[a];
    });
    list.push({ gap, multiplicity: 1, ...byGroup(plus, couplings) });
    list.push({ gap: (1 + c) / 2, multiplicity: 1, ...byGroup(minus, couplings) });
  }
  restWide.forEach((x, a) => {
    const left = Math.max(0, x);
    half[a] += left;
    rest[a] = Math.max(0, rest[a] - left);
  });
  const zeros = dimension - halves - list.length;
  if (halves > 0) list.push({ gap: 0.5, multiplicity: halves, ...byGroup(half, couplings) });
  if (zeros > 0) list.push({ gap: 1, multiplicity: zeros, ...byGroup(rest, couplings) });
  return list;
}

/** `(1 - c)/2` from `1 - c^2`, without cancellation. */
function slowGap(defect: number): number {
  return defect / (2 * (1 + Math.sqrt(Math.max(0, 1 - defect))));
}
