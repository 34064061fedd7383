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

/** A centred observable has two values. */
export interface Sides {
  /** Parity, 1 or -1, of the states on the side of the most probable one. */
  readonly ground: number;
  /** `f_a - E f_a` there. */
  readonly near: number;
  /** And on the other side. */
  readonly far: number;
  readonly variance: number;
}

/**
 * The two values of `f_a - E f_a`, and its variance.
 *
 * The mean is taken relative to the most probable state, where all terms have one sign, so that the centred values keep their
 * relative accuracy when `pi` is concentrated there.
 */
export function centredSides(law: Boltzmann, a: number): Sides {
  const { space, pi } = law;
  const mask = space.masks[a];
  const ground = parity(mask & law.ground);
  let shift = 0;
  for (let s = 0; s < space.states; s++) if (parity(mask & s) !== ground) shift += pi[s];
  // In units of the sign at the ground state, f is 1 there and -1 on the other side: f - E f = 2 shift or 2 shift - 2.
  const near = space.signs[a] * ground * 2 * shift;
  const far = space.signs[a] * ground * 2 * (shift - 1);
  return { ground, near, far, variance: 4 * shift * (1 - shift) };
}

/** Writes the centred observable `f_a - E f_a` into `out` and returns its variance. */
export function centredObservable(law: Boltzmann, a: number, out: Float64Array): number {
  const { ground, near, far, variance } = centredSides(law, a);
  const mask = law.space.masks[a];
  for (let s = 0; s < out.length; s++) out[s] = parity(mask & s) === ground ? near : far;
  return variance;
}

/** `theta_bar` from `Lbar`, where `dT = sum_s Lbar(s) d log pi(s)`: `Ebar = -beta (Lbar - pi sum Lbar)`, then (5.1). */
export function pullbackLogPi(law: Boltzmann, lbar: Float64Array): Float64Array {
  let total = 0;
  for (let s = 0; s < lbar.length; s++) total += lbar[s];
  const ebar = lbar.map((value, s) => -law.beta * (value - law.pi[s] * total));
  return observableSums(law.space, ebar);
}
