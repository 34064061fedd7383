import type { PairOperator } from '../kernel/pair-space.js';

/** Which modes are sought: the slowest `count` below the stationary one, of those no faster than `cutoff`. */
export interface ModeRequest {
  readonly count: number;
  /** Largest `1 - s`; none by default. */
  readonly cutoff?: number | undefined;
  /** `|(I - P) phi - gap phi|` in `L2(pi)` at which a mode is taken, default 1e-10. */
  readonly tolerance?: number | undefined;
  /** Applications of `I - P` to two functions after which the search ends, default 20,000. */
  readonly maxApplications?: number | undefined;
  /** Of the random functions, default 1. */
  readonly seed?: number | undefined;
}

/** The modes found, slowest first. */
export interface SlowModes {
  /** `1 - s_j` per kernel step. */
  readonly gaps: Float64Array;
  /** Row `j`: `phi_j` as a function, orthonormal in `L2(pi)` and to constants. */
  readonly functions: Float64Array;
  /** `|(I - P) phi_j - gap_j phi_j|` in `L2(pi)`, computed from what is returned. */
  readonly residuals: Float64Array;
  /** Whether every mode asked for was found and every residual is within the tolerance. Look before using values. */
  readonly converged: boolean;
  /** Below this gap the search that ended it found no mode but those returned; 0 where it was not looked for. */
  readonly clear: number;
  /** Applications of `I - P` to two functions. */
  readonly applications: number;
}

/** Finds slow modes; null where memory does not reach. */
export type Eigensolver = (operator: PairOperator, request: ModeRequest) => SlowModes | null;
