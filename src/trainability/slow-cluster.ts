import type { KernelOperator } from '../kernel/operator.js';
import { type Boltzmann, linearCombination } from '../model/boltzmann.js';
import type { DenseModes } from './dense-modes.js';

/** `T_C` and `mu_C` (3.1) of a set of modes. */
export function clusterSums(modes: DenseModes, members: ReadonlySet<number>): { timescale: number; mass: number } {
  let timescale = 0;
  let mass = 0;
  for (const j of members) {
    let mu = 0;
    for (let k = j; k < modes.coefficients.length; k += modes.count) mu += modes.coefficients[k] ** 2;
    mass += mu;
    timescale += mu * (1 / modes.gaps[j] - 0.5);
  }
  return { timescale, mass };
}

/**
 * `Lbar / pi` of `timescaleBar T_C + massBar mu_C` with the members frozen, by (5.2): divided differences of `q = 1_C tau` and `q = 1_C`.
 *
 * Inside the cluster that of `tau` is `1 / ((1 - s_j)(1 - s_k))` and that of the indicator 0; across the edge they divide by the gap to the
 * outside; outside both vanish. No eigenvector is differentiated and no inside gap divided by.
 */
export function clusterCotangent(
  law: Boltzmann,
  kernel: KernelOperator,
  modes: DenseModes,
  members: ReadonlySet<number>,
  timescaleBar: number,
  massBar: number,
): Float64Array {
  const { count, states: n, gaps, coefficients: y } = modes;
  const observables = y.length / count;
  const out = new Float64Array(n);
  const phi = (j: number) => modes.functions.subarray(j * n, (j + 1) * n);
  const q = (j: number) => timescaleBar * (1 / gaps[j] - 0.5) + massBar;

  // Sum over observables of fc_a (q(P) fc_a), mode by mode: phi_j(s) q_j times sum_a y_aj fc_a(s).
  const yj = new Float64Array(observables);
  for (const j of members) {
    for (let a = 0; a < observables; a++) yj[a] = y[a * count + j];
    const seen = linearCombination(law.space, yj);
    let mean = 0;
    for (let s = 0; s < n; s++) mean += law.pi[s] * seen[s];
    for (let s = 0; s < n; s++) out[s] += q(j) * phi(j)[s] * (seen[s] - mean);
  }

  // Sum over j, k of q[1]_jk (sum_a y_aj y_ak) <phi_j, dA phi_k>; pairs with neither in the cluster vanish.
  const w = new Float64Array(n);
  for (const j of members) {
    w.fill(0);
    for (let k = 0; k < count; k++) {
      const inside = members.has(k);
      let overlap = 0;
      for (let a = 0; a < observables; a++) overlap += y[a * count + j] * y[a * count + k];
      // A pair across the edge stands twice in the double sum, a pair inside is met from both ends. s_j - s_k = gap_k - gap_j.
      const divided = inside ? timescaleBar / (gaps[j] * gaps[k]) : (2 * q(j)) / (gaps[k] - gaps[j]);
      const factor = divided * overlap;
      if (factor === 0) continue;
      const pk = phi(k);
      for (let s = 0; s < n; s++) w[s] += factor * pk[s];
    }
    kernel.addCotangent(phi(j), w, out);
  }
  return out;
}
