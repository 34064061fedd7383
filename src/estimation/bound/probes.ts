import type { RandomSource } from '../random.js';

/** Up to this many observables each has a trial solution of its own. */
export const MAX_EXACT_OBSERVABLES = 160;

/** Combinations `F_z = sum_a Z_za f_a` of the observables with `sum_z weight Z^T Z` the identity, or an estimate of it: then `T = sum_z weight T(F_z)`, since `T` (3.3) is a quadratic form. */
export interface Probes {
  /** How many combinations. */
  readonly count: number;
  /** Whether they are the observables themselves; else random signs (Hutchinson 1990). */
  readonly exact: boolean;
  /** Weight of each in the sum. */
  readonly weight: number;
  /** Entry `Z_za`. */
  entry(z: number, a: number): number;
  /** `out[z] = sum_a Z_za values_a`, negated: of the features of the observables, `f_a = -chi_a`. */
  project(values: Float64Array, out: Float64Array): void;
}

/** The observables themselves where they are few, else `count` random signs. */
export function makeProbes(observables: number, count: number, random: RandomSource): Probes {
  if (observables <= MAX_EXACT_OBSERVABLES) {
    return {
      count: observables,
      exact: true,
      weight: 1,
      entry: (z, a) => (z === a ? 1 : 0),
      project(values, out) {
        for (let a = 0; a < observables; a++) out[a] = -values[a];
      },
    };
  }
  const signs = Int8Array.from({ length: count * observables }, () => (random.uniform() < 0.5 ? -1 : 1));
  return {
    count,
    exact: false,
    weight: 1 / count,
    entry: (z, a) => signs[z * observables + a],
    project(values, out) {
      for (let z = 0; z < count; z++) {
        const row = z * observables;
        let sum = 0;
        for (let a = 0; a < observables; a++) sum += signs[row + a] * values[a];
        out[z] = -sum;
      }
    },
  };
}
