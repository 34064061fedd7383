import type { Boltzmann } from '../../model/boltzmann.js';
import { Arena, type Loops, MAX_SHARDS, threadCount } from './loops.js';
import { isPalindrome, LANES, layOutTable, multivectors, type Preconditioner, type Program } from './table.js';

const BYTE = 8;
const JOB_BYTES = 64;
const RESULT = 32;
const SCRATCH = 1024;
/** Bytes of one step's record: eight `alpha`, eight `beta`. */
const STEP = 128;

function bytesOfWorkspace(states: number, palindrome: boolean, spins: number): number {
  return SCRATCH + multivectors(palindrome, spins) * states * LANES * BYTE;
}

/** About the memory of a job over a model's observables: the table with its conductances, a workspace per thread, and a number per state and shard. */
export function jobBytes(states: number, observables: number, palindrome: boolean, spins: number): number {
  const shards = Math.min(MAX_SHARDS, Math.ceil(observables / LANES));
  const workspaces = Math.min(shards, threadCount());
  return states * BYTE * (2 + spins / 2 + shards) + workspaces * bytesOfWorkspace(states, palindrome, spins);
}

/** What a job stops at. */
export interface SolveLimits {
  /** Relative error of a solution in the energy norm. */
  readonly tolerance: number;
  /** Iterations of eight right-hand sides together. */
  readonly maxIterations: number;
}

/** A job's right-hand sides, in panels of eight, laid out as `assembly/job.ts` says. */
export interface RightHandSides {
  readonly panels: number;
  readonly bytes: number;
  /** Rows of a panel's combination; 0 for observables. */
  readonly combined: number;
  write(words: Int32Array, doubles: Float64Array): void;
}

/** What a job found, right-hand side by right-hand side. */
export interface JobResult {
  /** `<b, u>`. */
  readonly energy: Float64Array;
  /** Relative error in the energy norm, as the last steps estimate it. */
  readonly error: Float64Array;
  /** Normwise backward error, from residuals computed anew. */
  readonly backwardError: Float64Array;
  readonly iterations: Int32Array;
  /** `Lbar / pi` of the sum of `<b, u - b / 2>` (5.4), over all panels. */
  readonly density: Float64Array;
  /** The same, shard by shard; panel `k` is in shard `k mod shards`. */
  readonly shards: number;
  /** `alpha` and `beta` of every step: eight and eight, step by step, panel by panel; null where not asked for. */
  readonly steps: Float64Array | null;
}

/**
 * `(I - P) u = b`, `E u = 0`, for all right-hand sides, by conjugate gradients on `D (I - P)`, eight in lockstep; panels go to the threads there are, in shards
 * whose sums do not depend on who did them. A solution whose residual, computed anew, is not what the recursion claims is refined. Null where memory does not reach.
 */
export function runJob(
  loops: Loops,
  law: Boltzmann,
  program: Program,
  sides: RightHandSides,
  { tolerance, maxIterations }: SolveLimits,
  { preconditioner = 'diagonal', keepSteps = false }: { preconditioner?: Preconditioner; keepSteps?: boolean } = {},
): JobResult | null {
  const { states } = law.space;
  const { panels } = sides;
  const spins = program.blocks.flat().length;
  const shards = Math.min(MAX_SHARDS, panels);
  const arena = new Arena(loops.memory);
  const table = layOutTable(loops, arena, law, program, preconditioner);
  if (table === null) return null;
  const lanes = panels * LANES;
  const workspaceBytes = bytesOfWorkspace(states, isPalindrome(program), spins);
  const stepBytes = keepSteps ? panels * maxIterations * STEP : 0;
  const taken = arena.take(JOB_BYTES, sides.bytes, lanes * RESULT, shards * states * BYTE, stepBytes);
  if (taken === null) return null;
  const [job, records, results, density, steps] = taken;
  let alone = loops.threads === 1 || shards === 1;
  let workspace = arena.take((alone ? 1 : loops.threads) * workspaceBytes);
  if (workspace === null) {
    alone = true;
    workspace = arena.take(workspaceBytes);
  }
  if (workspace === null) return null;

  sides.write(arena.words(records, sides.bytes / 4), arena.doubles(records, sides.bytes / BYTE));
  arena.words(job, JOB_BYTES / 4).set([table, panels, records, results, workspace[0], workspaceBytes, density, shards]);
  arena.doubles(job + 32, 1)[0] = tolerance;
  arena.words(job + 40, 4).set([maxIterations, keepSteps ? steps : 0, sides.combined, law.ground]);
  if (!alone) loops.hire(lanes * states * spins);
  loops.solve(job, alone);

  const found = arena.doubles(results, (lanes * RESULT) / BYTE);
  const column = (k: number) => Float64Array.from({ length: lanes }, (_, a) => found[4 * a + k]);
  return {
    energy: column(0),
    error: column(1),
    backwardError: column(2),
    iterations: Int32Array.from(column(3)),
    density: Float64Array.from(arena.doubles(density, states)),
    shards,
    steps: keepSteps ? Float64Array.from(arena.doubles(steps, stepBytes / BYTE)) : null,
  };
}
