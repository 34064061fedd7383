import { type Boltzmann, centredSides } from '../../model/boltzmann.js';
import { Arena, type Loops } from './loops.js';
import { LANES, layOutTable, multivectorsOf, type Program } from './table.js';

/** Bytes of a right-hand side's record, of its result's, and of a job's. */
const RECORD = 32;
const JOB_BYTES = 64;
const SCRATCH = 1024;
const BYTE = 8;

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

/** What {@link solveObservables} stops at. */
export interface SolveLimits {
  /** Relative error of a `u_a` in the energy norm. */
  readonly tolerance: number;
  /** Iterations of eight observables together. */
  readonly maxIterations: number;
}

/**
 * (3.3) for all observables by conjugate gradients, eight in lockstep, and (5.4) added up as they finish, so that memory does not grow with their number.
 * Preconditioned by the diagonal; a solution whose residual, computed anew, is not what the recursion claims is refined. Null where memory does not reach.
 */
export function solveObservables(
  loops: Loops,
  law: Boltzmann,
  program: Program,
  { tolerance, maxIterations }: SolveLimits,
): ObservableSolutions | null {
  const { states, masks } = law.space;
  const panels = Math.ceil(masks.length / LANES);
  const arena = new Arena(loops.memory);
  const table = layOutTable(arena, law, program);
  if (table === null) return null;
  const lanes = panels * LANES;
  const work = SCRATCH + multivectorsOf(program) * states * LANES * BYTE;
  const taken = arena.take(JOB_BYTES, lanes * RECORD, lanes * RECORD, states * BYTE, work);
  if (taken === null) return null;
  const [job, records, results, density, workspace] = taken;

  const sides = Array.from(masks, (_, a) => centredSides(law, a));
  const words = arena.words(records, lanes * (RECORD / 4)).fill(0);
  const numbers = arena.doubles(records, lanes * (RECORD / BYTE)).fill(0);
  sides.forEach(({ ground, near, far }, a) => {
    words[8 * a] = masks[a];
    words[8 * a + 1] = ground < 0 ? 1 : 0;
    numbers[4 * a + 1] = near;
    numbers[4 * a + 2] = far;
  });
  arena.words(job, JOB_BYTES / 4).set([table, panels, records, results, workspace, density, maxIterations]);
  arena.doubles(job + 32, 1)[0] = tolerance;
  loops.solve(job);

  const found = arena.doubles(results, lanes * (RECORD / BYTE));
  const variance = Float64Array.from(sides, (side) => side.variance);
  const column = (k: number) => Float64Array.from(sides, (_, a) => found[4 * a + k]);
  let iterations = 0;
  for (let panel = 0; panel < panels; panel++) iterations += found[4 * LANES * panel + 3];
  return {
    timescale: column(0).map((value, a) => value - variance[a] / 2),
    variance,
    density: Float64Array.from(arena.doubles(density, states)),
    iterations: iterations * Math.min(LANES, masks.length),
    error: Math.max(...column(1)),
    backwardError: Math.max(...column(2)),
  };
}
