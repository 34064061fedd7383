import type { KernelOperator } from '../../kernel/operator.js';
import { type Boltzmann, linearCombination } from '../../model/boltzmann.js';
import type { SpectralFunction } from '../../spectrum/spectral-function.js';
import type { DenseModes } from './dense-modes.js';

/** `mu_j`: the weight (2.6) of all observables together in one mode. */
export function modeWeight({ coefficients, count }: DenseModes, j: number): number {
  let mu = 0;
  for (let k = j; k < coefficients.length; k += count) mu += coefficients[k] ** 2;
  return mu;
}

/** `sum_a <fc_a, q(I - P) fc_a> = sum_j mu_j q_j`, over the modes where `q` does not vanish. */
export function spectralForm(modes: DenseModes, q: SpectralFunction): number {
  let total = 0;
  for (let j = 0; j < modes.count; j++) {
    const value = q.value(j);
    if (value !== 0) total += value * modeWeight(modes, j);
  }
  return total;
}

/**
 * `Lbar / pi` of `sum_a <fc_a, q(I - P) fc_a>` by (5.2), for a function `q` of the gaps `1 - s_j`.
 *
 * The observables give `2 fc_a (q fc_a)`, of which the half that belongs to the measure `pi` stays (D7), and the kernel gives
 * `sum_jk q[1]_jk (sum_a y_aj y_ak) <phi_j, d(I - P) phi_k>`. No eigenvector is differentiated, and gaps between modes appear only inside `q.divided`.
 */
export function spectralFormCotangent(
  law: Boltzmann,
  kernel: KernelOperator,
  modes: DenseModes,
  q: SpectralFunction,
): Float64Array {
  const { count, states: n, coefficients: y } = modes;
  const observables = y.length / count;
  const out = new Float64Array(n);
  const phi = (j: number) => modes.functions.subarray(j * n, (j + 1) * n);
  const inside = Array.from({ length: count }, (_, j) => j).filter((j) => q.value(j) !== 0 || q.divided(j, j) !== 0);
  const isInside = new Uint8Array(count);
  for (const j of inside) isInside[j] = 1;

  // Sum over observables of fc_a (q fc_a), mode by mode: phi_j(s) q_j times sum_a y_aj fc_a(s).
  const yj = new Float64Array(observables);
  for (const j of inside) {
    for (let a = 0; a < observables; a++) yj[a] = y[a * count + j];
    const seen = linearCombination(law.space, yj);
    let mean = 0;
    for (let s = 0; s < n; s++) mean += law.pi[s] * seen[s];
    const value = q.value(j);
    for (let s = 0; s < n; s++) out[s] += value * phi(j)[s] * (seen[s] - mean);
  }

  const w = new Float64Array(n);
  const overlaps = new Float64Array(count);
  for (const j of inside) {
    overlaps.fill(0);
    for (let a = 0; a < observables; a++) {
      const factor = y[a * count + j];
      for (let k = 0; k < count; k++) overlaps[k] += factor * y[a * count + k];
    }
    w.fill(0);
    for (let k = 0; k < count; k++) {
      // A pair of which one is outside stands twice in the double sum and is met once here; d(I - P) = -dP.
      const factor = -(isInside[k] ? 1 : 2) * q.divided(j, k) * overlaps[k];
      if (factor === 0) continue;
      const pk = phi(k);
      for (let s = 0; s < n; s++) w[s] += factor * pk[s];
    }
    kernel.addCotangent(phi(j), w, out);
  }
  return out;
}
