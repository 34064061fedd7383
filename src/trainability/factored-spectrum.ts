import { generatorEigen } from '../spectrum/dense-kernel.js';
import { groupEigenvalues, joins, type WeightedEigenvalue } from '../spectrum/groups.js';
import type { NarrowProblem } from './factored-timescale.js';
import type { Relaxation } from './route.js';

/** A canonical pair of functions of the two layers: `1 - c^2`, and `<P_h fc_a, b>`, `<P_h P_v fc_a, b>` summed as the weights need. */
interface CanonicalMode {
  readonly defect: number;
  readonly vector: Float64Array;
}

/**
 * The spectrum of `random-block` on an RBM from the canonical correlations `c_k` of its layers (D4): `(1 +- c_k)/2`, `1/2` and `0`.
 *
 * `1 - c^2` are eigenvalues of `I - M`, formed from rates. Correlations whose square is below rounding are taken as zero, so eigenvalues
 * within about 1e-7 of 1/2 are reported as 1/2. Without biases the even functions of the flip are kept apart from the odd ones.
 */
export function factoredRelaxation(problem: NarrowProblem, couplings: number, biased: boolean): Relaxation {
  const { wide, narrow } = problem;
  const even = canonicalModes(problem, biased ? null : 1);
  const odd = biased ? [] : canonicalModes(problem, -1);
  const share = biased ? 1 : 2;
  const [a, b] = [wide.states / share, narrow.states / share];
  const measure = weigh(problem, even, couplings, a - b, (wide.states * narrow.states) / share - a - b + 1);
  const groups = groupEigenvalues(measure);
  const slowest = groups[0];
  if (odd.length === 0 || slowest === undefined) return { groups, slowest: slowest ?? null, measure };
  const oddGaps = odd.map((mode) => slowGap(mode.defect));
  // Where all correlations vanish, odd functions of the wide layer relax at 1/2 too.
  const near = oddGaps.filter((gap) => joins(oddGaps[0], gap)).length + (joins(oddGaps[0], 0.5) ? wide.states / 2 : 0);
  if (joins(Math.min(oddGaps[0], slowest.gap), Math.max(oddGaps[0], slowest.gap))) {
    return { groups, slowest: { ...slowest, multiplicity: slowest.multiplicity + near }, measure };
  }
  const first = slowest.gap < oddGaps[0] ? slowest : { gap: oddGaps[0], multiplicity: near, weight: 0 };
  return { groups, slowest: first, measure };
}

/** `(1 - c)/2` from `1 - c^2`, without cancellation. */
function slowGap(defect: number): number {
  return defect / (2 * (1 + Math.sqrt(Math.max(0, 1 - defect))));
}

/** Eigenvectors of `M` but the constants on the narrow layer, slowest first, as functions with norm 1 in `L2(p)`; of one parity under the flip, or all. */
function canonicalModes(problem: NarrowProblem, sector: 1 | -1 | null): CanonicalMode[] {
  const { narrow, chain } = problem;
  const full = narrow.states;
  const n = sector === null ? full : full / 2;
  const matrix = new Float64Array(n * n);
  for (let h = 0; h < n; h++) {
    for (let k = 0; k < n; k++) {
      const mirrored = sector === null ? 0 : sector * chain[h * full + (full - 1 - k)];
      matrix[h * n + k] = chain[h * full + k] + mirrored;
    }
  }
  const weights = narrow.p.subarray(0, n).map((value) => (sector === null ? 1 : 2) * value);
  const { values, vectors } = generatorEigen(matrix, n, sector === -1 ? null : weights);
  return Array.from(values, (defect, j) => {
    const vector = new Float64Array(full);
    for (let h = 0; h < n; h++) {
      const root = Math.sqrt(narrow.p[h]);
      const value = root > 0 ? vectors[j * n + h] / root : 0;
      vector[h] = sector === null ? value : value / Math.SQRT2;
      if (sector !== null) vector[full - 1 - h] = sector * vector[h];
    }
    return { defect, vector };
  });
}

/** Weights of all eigenvalues: from each canonical mode its two, then the families at 1/2 and at 0 by what is left of the norms. */
function weigh(
  problem: NarrowProblem,
  modes: readonly CanonicalMode[],
  couplings: number,
  extraHalf: number,
  zeros: number,
): WeightedEigenvalue[] {
  const { narrow, parameters, p, q, variance } = problem;
  const negligible = narrow.states * 64 * Number.EPSILON;
  const list: WeightedEigenvalue[] = [];
  const half = { gap: 0.5, multiplicity: extraHalf, couplingsWeight: 0, biasesWeight: 0 };
  const zero = { gap: 1, multiplicity: zeros, couplingsWeight: 0, biasesWeight: 0 };
  const restWide = Float64Array.from(problem.wideNorm);
  const rest = Float64Array.from(variance);
  for (const { defect, vector } of modes) {
    const vanishes = 1 - defect <= negligible;
    // The square of a small correlation is known less well than its norm.
    const c = vanishes ? 0 : wideNorm(problem, vector);
    const slow = { gap: slowGap(defect), multiplicity: 1, couplingsWeight: 0, biasesWeight: 0 };
    const fast = { gap: (1 + c) / 2, multiplicity: 1, couplingsWeight: 0, biasesWeight: 0 };
    if (vanishes) half.multiplicity += 2;
    for (let a = 0; a < parameters; a++) {
      let onNarrow = 0;
      let onChain = 0;
      for (let h = 0; h < narrow.states; h++) {
        const weight = narrow.p[h] * vector[h];
        onNarrow += weight * p[h * parameters + a];
        onChain += weight * q[h * parameters + a];
      }
      const key = a < couplings ? 'couplingsWeight' : 'biasesWeight';
      if (vanishes) {
        half[key] += onNarrow * onNarrow;
        rest[a] -= onNarrow * onNarrow;
      } else {
        const onWide = onChain / c;
        const plus = (onWide + onNarrow) ** 2 / (2 * (1 + c));
        // Its denominator 2 (1 - c) vanishes only with a gap that is not resolved, and then both are the same function.
        const minus = slow.gap > 0 ? (onWide - onNarrow) ** 2 / (4 * slow.gap) : 0;
        slow[key] += plus;
        fast[key] += minus;
        restWide[a] -= onWide * onWide;
        rest[a] -= plus + minus;
      }
    }
    if (!vanishes) list.push(slow, fast);
  }
  for (let a = 0; a < parameters; a++) {
    const key = a < couplings ? 'couplingsWeight' : 'biasesWeight';
    const left = Math.max(0, restWide[a]);
    half[key] += left;
    zero[key] += Math.max(0, rest[a] - left);
  }
  if (half.multiplicity > 0) list.push(half);
  if (zero.multiplicity > 0) list.push(zero);
  return list;
}

/** `|P_v b|` of a function on the narrow layer. */
function wideNorm({ wide, narrow, given }: NarrowProblem, b: Float64Array): number {
  let sum = 0;
  for (let v = 0; v < wide.states; v++) {
    let mean = 0;
    for (let h = 0; h < narrow.states; h++) mean += given[v * narrow.states + h] * b[h];
    sum += wide.p[v] * mean * mean;
  }
  return Math.sqrt(sum);
}
