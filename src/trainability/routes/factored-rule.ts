import type { NarrowDensity } from './factored-gradient.js';
import type { NarrowProblem, NarrowSolver } from './factored-problem.js';
import type { Relaxation } from './route.js';

/** What a kernel brings to the factored route: its row of D4. */
export interface FactoredRule {
  /** `T` (3.3) per observable in kernel steps and, on demand, the density of its derivative. */
  timescale(problem: NarrowProblem, solve: NarrowSolver['solve']): FactoredTimescale;
  /** The spectrum as the observables see it; the first `couplings` of them are pairs. */
  relaxation(problem: NarrowProblem, couplings: number): Relaxation;
}

export interface FactoredTimescale {
  readonly timescale: Float64Array;
  density(): NarrowDensity;
}
