import { type Boltzmann, centredSides } from '../../model/boltzmann.js';
import { type Panels, runJob, type SolveLimits } from './job.js';
import type { Loops } from './loops.js';
import { LANES, type Program } from './table.js';

/** Bytes of an observable's record. */
const RECORD = 32;

/** Per observable, in theta order. */
export interface ObservableSolutions {
  /** `T_a` (3.3), in kernel steps. */
  readonly timescale: Float64Array;
  readonly variance: Float64Array;
  /** `Lbar / pi` of their sum (5.4). */
  readonly density: Float64Array;
  readonly iterations: number;
  /** The largest relative error of a `u_a` in the energy norm, as its last steps estimate it. */
  readonly error: number;
  /** The largest normwise backward error, from residuals computed anew. */
  readonly backwardError: number;
}

/** (3.3) for all observables, and (5.4) added up as they finish, so that memory does not grow with their number. Null where memory does not reach. */
export function solveObservables(
  loops: Loops,
  law: Boltzmann,
  program: Program,
  limits: SolveLimits,
): ObservableSolutions | null {
  const { masks } = law.space;
  const { sides, variance } = observables(law);
  const found = runJob(loops, law, program, sides, limits);
  if (found === null) return null;
  return {
    timescale: variance.map((v, a) => found.energy[a] - v / 2),
    variance,
    density: found.density,
    iterations: found.iterations.subarray(0, masks.length).reduce((sum, k) => sum + k, 0),
    error: Math.max(...found.error),
    backwardError: Math.max(...found.backwardError),
  };
}

/** Steps of conjugate gradients without a preconditioner for one observable: `alpha_k`, and `beta_k` after it. */
export interface Steps {
  readonly variance: number;
  readonly alphas: readonly number[];
  readonly betas: readonly number[];
}

/** The steps of conjugate gradients from every observable, at most `maxIterations`, whose Lanczos matrices give quadrature. Null where memory does not reach. */
export function observableSteps(
  loops: Loops,
  law: Boltzmann,
  program: Program,
  maxIterations: number,
): readonly Steps[] | null {
  const { sides, variance } = observables(law);
  const limits = { tolerance: 0, maxIterations };
  const found = runJob(loops, law, program, sides, limits, { preconditioner: 'none', keepSteps: true });
  const steps = found?.steps;
  if (found == null || steps == null) return null;
  return Array.from(variance, (v, a) => {
    const first = Math.floor(a / LANES) * maxIterations * 2 * LANES + (a % LANES);
    const alphas: number[] = [];
    const betas: number[] = [];
    for (let k = 0; k < found.iterations[a]; k++) {
      const alpha = steps[first + 2 * LANES * k];
      // A lane that is done stands still.
      if (!(alpha > 0)) break;
      alphas.push(alpha);
      betas.push(steps[first + 2 * LANES * k + LANES]);
    }
    return { variance: v, alphas, betas };
  });
}

/** All centred observables as right-hand sides, and their variances. */
export function observables(law: Boltzmann): { readonly sides: Panels; readonly variance: Float64Array } {
  const { masks } = law.space;
  const all = Array.from(masks, (_, a) => centredSides(law, a));
  const panels = Math.ceil(masks.length / LANES);
  return {
    variance: Float64Array.from(all, (one) => one.variance),
    sides: {
      panels,
      bytes: panels * LANES * RECORD,
      rows: 0,
      write: (words, doubles) => {
        words.fill(0);
        all.forEach(({ ground, near, far }, a) => {
          words[8 * a] = masks[a];
          words[8 * a + 1] = ground < 0 ? 1 : 0;
          doubles[4 * a + 1] = near;
          doubles[4 * a + 2] = far;
        });
      },
    },
  };
}
