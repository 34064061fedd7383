import { generatorEigen } from '../../spectrum/dense-kernel.js';
import { groupEigenvalues, slowestOfSectors, type WeightedEigenvalue } from '../../spectrum/groups.js';
import type { NarrowProblem } from './factored-problem.js';
import type { Relaxation } from './route.js';

/** A canonical mode of the two layers: `1 - c^2` of its correlation `c`, and its function on the narrow layer, of norm 1 in `L2(p)`. */
export interface CanonicalMode {
  readonly defect: number;
  readonly vector: Float64Array;
}

/** One symmetry sector of a model, or all of it: its canonical modes but the constants, and the number of functions that are orthogonal to these. */
export interface Sector {
  readonly problem: NarrowProblem;
  readonly modes: readonly CanonicalMode[];
  readonly dimension: number;
  readonly couplings: number;
}

/**
 * The spectrum of a reversible block kernel on an RBM from the canonical correlations of its layers (D4); `weigh` gives the kernel's eigenvalues.
 * Without biases the even functions of the flip are kept apart from the odd ones, which no observable sees.
 */
export function factoredRelaxation(
  problem: NarrowProblem,
  couplings: number,
  weigh: (sector: Sector) => WeightedEigenvalue[],
): Relaxation {
  const { wide, narrow, even } = problem;
  const functions = (wide.states * narrow.states) / (even ? 2 : 1);
  const modes = canonicalModes(problem, even ? 1 : null);
  const measure = weigh({ problem, modes, dimension: functions - 1, couplings });
  const groups = groupEigenvalues(measure);
  if (!even) return { groups, slowest: groups[0] ?? null, measure };
  const odd = weigh({ problem, modes: canonicalModes(problem, -1), dimension: functions, couplings });
  const gap = odd.reduce((least, mode) => Math.min(least, mode.gap), 1);
  const { multiplicity } = groupEigenvalues(odd)[0];
  return { groups, slowest: slowestOfSectors(groups[0], { gap, multiplicity }), measure };
}

/** Eigenvectors of `M` but the constants, slowest first, of one parity under the flip or all; `1 - c^2` are eigenvalues of `I - M`, formed from rates. */
export function canonicalModes(problem: NarrowProblem, sector: 1 | -1 | null): CanonicalMode[] {
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

/** Whether the square of a mode's correlation is below rounding: it is then taken as zero. */
export function vanishes({ narrow }: NarrowProblem, { defect }: CanonicalMode): boolean {
  return 1 - defect <= narrow.states * 64 * Number.EPSILON;
}

/** `<P_h fc_a, b>` and `<P_h P_v fc_a, b>` for a function `b` on the narrow layer, per observable. */
export function projections({ narrow, parameters, p, q }: NarrowProblem, b: Float64Array) {
  const onNarrow = new Float64Array(parameters);
  const onChain = new Float64Array(parameters);
  for (let h = 0; h < narrow.states; h++) {
    const weight = narrow.p[h] * b[h];
    for (let a = 0; a < parameters; a++) {
      onNarrow[a] += weight * p[h * parameters + a];
      onChain[a] += weight * q[h * parameters + a];
    }
  }
  return { onNarrow, onChain };
}

/** `|P_v b|` of a function on the narrow layer. */
export function wideNorm({ wide, narrow, given }: NarrowProblem, b: Float64Array): number {
  let sum = 0;
  for (let v = 0; v < wide.states; v++) {
    let mean = 0;
    for (let h = 0; h < narrow.states; h++) mean += given[v * narrow.states + h] * b[h];
    sum += wide.p[v] * mean * mean;
  }
  return Math.sqrt(sum);
}

/** Sums over the two groups of parameters. */
export function byGroup(weights: Float64Array, couplings: number) {
  let [couplingsWeight, biasesWeight] = [0, 0];
  weights.forEach((weight, a) => {
    if (a < couplings) couplingsWeight += weight;
    else biasesWeight += weight;
  });
  return { couplingsWeight, biasesWeight };
}
