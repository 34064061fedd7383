import type { StateSpace } from './state-space.js';
import { parity } from './state-space.js';
import { walshHadamard } from './walsh-hadamard.js';

/** The equilibrium law of a model on its state space. In a folded space `pi` is the probability of the pair of states. */
export interface Boltzmann {
  readonly space: StateSpace;
  readonly beta: number;
  /** `E(s)` (2.1). */
  readonly energies: Float64Array;
  /** `log pi(s)`; finite where `pi(s)` underflows. */
  readonly logPi: Float64Array;
  readonly pi: Float64Array;
  /** The most probable state. */
  readonly ground: number;
}

/** Energies by one Walsh-Hadamard transform of the parameters (5.1), then the law in the log domain. */
export function boltzmann(space: StateSpace, theta: Float64Array, beta: number): Boltzmann {
  const energies = linearCombination(space, theta);
  let ground = 0;
  for (let s = 1; s < space.states; s++) if (energies[s] < energies[ground]) ground = s;
  let total = 0;
  for (let s = 0; s < space.states; s++) total += Math.exp(-beta * (energies[s] - energies[ground]));
  const logTotal = Math.log(total);
  const logPi = new Float64Array(space.states);
  const pi = new Float64Array(space.states);
  for (let s = 0; s < space.states; s++) {
    logPi[s] = -beta * (energies[s] - energies[ground]) - logTotal;
    pi[s] = Math.exp(logPi[s]);
  }
  return { space, beta, energies, logPi, pi, ground };
}

/** `sum_a coefficients[a] f_a(s)` for every state, by one Walsh-Hadamard transform; with theta this is the energy. */
export function linearCombination(space: StateSpace, coefficients: ArrayLike<number>): Float64Array {
  const table = new Float64Array(space.states);
  for (let a = 0; a < space.masks.length; a++) table[space.masks[a]] += space.signs[a] * coefficients[a];
  return walshHadamard(table);
}

/**
 * `sum_s weights(s) f_a(s)` for every observable, by one Walsh-Hadamard transform: expectations from a law, and by (5.1) the
 * parameter cotangent from an energy cotangent.
 */
export function observableSums(space: StateSpace, weights: Float64Array): Float64Array {
  const transformed = walshHadamard(Float64Array.from(weights));
  return Float64Array.from(space.masks, (mask, a) => space.signs[a] * transformed[mask]);
}

/**
 * Writes the centred observable `f_a - E f_a` into `out` and returns its variance.
 *
 * The mean is taken relative to the most probable state, where all terms have one sign, so that the centred values keep their
 * relative accuracy when `pi` is concentrated there.
 */
export function centredObservable(law: Boltzmann, a: number, out: Float64Array): number {
  const { space, pi, ground } = law;
  const mask = space.masks[a];
  const atGround = parity(mask & ground);
  let shift = 0;
  for (let s = 0; s < space.states; s++) if (parity(mask & s) !== atGround) shift += pi[s];
  // In units of the sign at the ground state, f is 1 there and -1 on the other side: f - E f = 2 shift or 2 shift - 2.
  const near = space.signs[a] * atGround * 2 * shift;
  const far = space.signs[a] * atGround * 2 * (shift - 1);
  for (let s = 0; s < space.states; s++) out[s] = parity(mask & s) === atGround ? near : far;
  return 4 * shift * (1 - shift);
}

/** `theta_bar` from `Lbar`, where `dT = sum_s Lbar(s) d log pi(s)`: `Ebar = -beta (Lbar - pi sum Lbar)`, then (5.1). */
export function pullbackLogPi(law: Boltzmann, lbar: Float64Array): Float64Array {
  let total = 0;
  for (let s = 0; s < lbar.length; s++) total += lbar[s];
  const ebar = lbar.map((value, s) => -law.beta * (value - law.pi[s] * total));
  return observableSums(law.space, ebar);
}
