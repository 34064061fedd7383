import { differenceProducts, dot } from './deviation-sums.js';
import { narrowProducts } from './factored-problem.js';
import type { FactoredRule } from './factored-rule.js';
import { byGroup, factoredRelaxation, projections, type Sector, vanishes, wideNorm } from './factored-spectrum.js';

/**
 * `palindrome-block` on an RBM (D4): the visible layer is resampled first and last, so with `C = E[. | hidden]` and `D = E[. | visible]` the kernel is
 * `C D C`, and its solution is `u = fc + b - C fc` with `(I - C D) b = C fc` on the hidden layer.
 *
 * Where that is the narrow layer, `C fc = p`: `T = |fc|^2/2 + <p, b - p>`, and the density is `fc^2/2 + 2 fc.(b - p) + p^2 - (b(h) - P_v b)^2`.
 * Where the visible layer is the narrow one, `C fc = w` and `b = w + P_v b'` with `(I - M) b' = q` there: `T = |fc|^2/2 + <q, b'>`, and the density is
 * `fc^2/2 + 2 fc.P_v b' + w^2 - (w + P_v b' - b'(h))^2`.
 */
export const palindromeBlock: FactoredRule = {
  timescale(problem, solve) {
    const { p, q, variance, narrow, parameters, wideLayer } = problem;
    const onHidden = wideLayer === 'visible';
    const b = solve(onHidden ? p : q);
    const rest = onHidden ? b.map((x, k) => x - p[k]) : b;
    const inner = narrowProducts(problem, onHidden ? p : q, rest);
    return {
      timescale: variance.map((x, a) => x / 2 + inner[a]),
      density() {
        const products = differenceProducts(b, b, narrow.states, parameters);
        const twice = rest.map((x) => 2 * x);
        if (!onHidden) return { x: null, y: twice, own: null, products, wideSquare: false };
        const own = new Float64Array(narrow.states);
        own.forEach((_, h) => {
          const row = p.subarray(h * parameters, (h + 1) * parameters);
          own[h] = dot(row, row);
        });
        return { x: twice, y: null, own, products, wideSquare: false };
      },
    };
  },
  relaxation: (problem, couplings) => factoredRelaxation(problem, couplings, weigh),
};

/** Eigenvalues `c_k^2`, whose functions live on the hidden layer, and a family at 0 with what is left of the norms. */
function weigh({ problem, modes, dimension, couplings }: Sector) {
  const { wideLayer, variance } = problem;
  const rest = Float64Array.from(variance);
  const seen = modes.filter((mode) => !vanishes(problem, mode));
  const list = seen.map(({ defect, vector }) => {
    const { onNarrow, onChain } = projections(problem, vector);
    // The function on the wide layer is P_v b / c.
    const c = wideLayer === 'visible' ? 1 : wideNorm(problem, vector);
    const weights = (wideLayer === 'visible' ? onNarrow : onChain).map((x) => (x / c) ** 2);
    weights.forEach((weight, a) => {
      rest[a] -= weight;
    });
    return { gap: defect, multiplicity: 1, ...byGroup(weights, couplings) };
  });
  const left = byGroup(
    rest.map((x) => Math.max(0, x)),
    couplings,
  );
  const multiplicity = dimension - seen.length;
  return multiplicity > 0 ? [...list, { gap: 1, multiplicity, ...left }] : list;
}
