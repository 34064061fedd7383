import type { KernelOperator } from '../../kernel/operator.js';
import type { PairOperator } from '../../kernel/pair-space.js';
import { type Boltzmann, linearCombination } from '../../model/boltzmann.js';
import { centre } from '../../spectrum/conjugate-gradient.js';
import { shiftedSolve } from '../../spectrum/shifted-solve.js';
import type { DenseModes } from './dense-modes.js';

/** Some modes of a spectrum and the observables in them, slowest first. */
export function pickModes(modes: DenseModes, members: readonly number[]): DenseModes {
  const { states } = modes;
  const observables = modes.coefficients.length / modes.count;
  const count = members.length;
  const functions = new Float64Array(count * states);
  const coefficients = new Float64Array(observables * count);
  members.forEach((j, k) => {
    functions.set(modes.functions.subarray(j * states, (j + 1) * states), k * states);
    for (let a = 0; a < observables; a++) coefficients[a * count + k] = modes.coefficients[a * modes.count + j];
  });
  return { count, states, gaps: Float64Array.from(members, (j) => modes.gaps[j]), functions, coefficients };
}

/**
 * `Lbar / pi` of `timescale T_C + mass mu_C` by (5.3), given the modes of the cluster only: one solve with `(s_j - P)` on their complement per cluster vector (D7),
 * and no gap between two of them. `q_j = timescale tau(s_j) + mass`; inside, its divided difference in `s` is `timescale / ((1 - s_j) (1 - s_k))`. Null where a
 * solve does not converge or memory does not reach.
 */
export function clusterCotangent(
  law: Boltzmann,
  kernel: KernelOperator,
  operator: PairOperator,
  cluster: DenseModes,
  { timescale, mass }: { readonly timescale: number; readonly mass: number },
): Float64Array | null {
  const { count, states: n, gaps, functions, coefficients: y } = cluster;
  const observables = y.length / count;
  const out = new Float64Array(n);
  const phi = (j: number) => functions.subarray(j * n, (j + 1) * n);
  const q = gaps.map((gap) => timescale * (1 / gap - 0.5) + mass);
  // sum_a y_aj fc_a for every j, whose part outside of the cluster is what (s_j - P) is solved for.
  const seen = Array.from({ length: count }, (_, j) => {
    const sum = linearCombination(
      law.space,
      Float64Array.from({ length: observables }, (_, a) => y[a * count + j]),
    );
    centre(law.pi, sum);
    return sum;
  });
  const solved = shiftedSolve(operator, functions, gaps, seen);
  if (solved === null || !solved.converged) return null;
  const w = new Float64Array(n);
  for (let j = 0; j < count; j++) {
    const z = solved.solutions[j];
    for (let s = 0; s < n; s++) {
      out[s] += q[j] * phi(j)[s] * seen[j][s];
      w[s] = 2 * q[j] * z[s];
    }
    for (let k = 0; k < count; k++) {
      let overlap = 0;
      for (let a = 0; a < observables; a++) overlap += y[a * count + j] * y[a * count + k];
      const factor = (timescale * overlap) / (gaps[j] * gaps[k]);
      const pk = phi(k);
      for (let s = 0; s < n; s++) w[s] += factor * pk[s];
    }
    kernel.addCotangent(phi(j), w, out);
  }
  return out;
}
