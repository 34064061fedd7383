import type { WeightedEigenvalue } from '../../spectrum/groups.js';
import { differenceProducts } from './deviation-sums.js';
import { type NarrowProblem, narrowProducts } from './factored-problem.js';
import type { FactoredRule } from './factored-rule.js';
import { byGroup, canonicalModes, projections } from './factored-spectrum.js';

/**
 * `alternating-block` on an RBM (5.6): the sweep `P = P_h P_v` is not reversible, but each layer alone is a reversible chain with operator `M = P_h P_v`:
 * `(I - M) b = P_h P_v fc`, `(I - M) b* = P_h fc`, `T = |fc|^2/2 + <P_h fc, b>`. `T` does not depend on which layer comes first.
 *
 * Its density is `fc^2/2 + fc.b(h) + fc.a* - (a* - b*(h)).(a - b(h))` with `a = w + P_v b`, `a* = P_v b*`. It has no modes.
 */
export const alternatingBlock: FactoredRule = {
  timescale(problem, solve) {
    const { p, q, variance, narrow, parameters } = problem;
    const b = solve(q);
    const inner = narrowProducts(problem, p, b);
    return {
      timescale: variance.map((x, a) => x / 2 + inner[a]),
      density() {
        const adjoint = solve(p);
        const products = differenceProducts(b, adjoint, narrow.states, parameters);
        return { x: b, y: adjoint, own: null, products, wideSquare: false };
      },
    };
  },
  relaxation: (problem, couplings) => ({ groups: null, slowest: null, measure: measure(problem, couplings) }),
};

/**
 * Nodes and signed weights of `sum_a <fc_a, P^d fc_a>`, `d >= 0`: for `d >= 1` it is `<P_h fc, M^{d-1} P_h P_v fc>`, in the eigenbasis of `M` a sum of
 * `p_k q_k s_k^{d-1}`, which a node of gap `1 - s_k` gives with the weight `p_k q_k / s_k`; what is left of the variance sits at gap 1.
 */
function measure(problem: NarrowProblem, couplings: number): WeightedEigenvalue[] {
  const rest = Float64Array.from(problem.variance);
  const list: WeightedEigenvalue[] = canonicalModes(problem, problem.even ? 1 : null).map(({ defect, vector }) => {
    // Below this a mode is gone after one step in any case.
    const s = Math.max(1e-12, 1 - defect);
    const { onNarrow, onChain } = projections(problem, vector);
    const weights = onNarrow.map((x, a) => (x * onChain[a]) / s);
    weights.forEach((weight, a) => {
      rest[a] -= weight;
    });
    return { gap: 1 - s, multiplicity: 1, ...byGroup(weights, couplings) };
  });
  list.push({ gap: 1, multiplicity: 1, ...byGroup(rest, couplings) });
  return list;
}
