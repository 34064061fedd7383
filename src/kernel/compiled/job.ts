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

/** Panels of eight functions, as records that `assembly/job.ts` describes. */
export interface Panels {
  readonly panels: number;
  readonly bytes: number;
  /** Rows of a panel's combination; 0 for observables. */
  readonly rows: number;
  write(words: Int32Array, doubles: Float64Array): void;
}

/** `sum_a coefficients[k][a] f_a`, centred, for every `k`; a panel is filled up with zeros. */
export function combinations(law: Boltzmann, coefficients: readonly ArrayLike<number>[]): Panels {
  const { masks, signs } = law.space;
  const panels = Math.ceil(coefficients.length / LANES);
  const row = 1 + LANES;
  return {
    panels,
    bytes: panels * masks.length * row * BYTE,
    rows: masks.length,
    write: (words, doubles) => {
      doubles.fill(0);
      for (let panel = 0; panel < panels; panel++) {
        for (let a = 0; a < masks.length; a++) {
          const at = (panel * masks.length + a) * row;
          words[2 * at] = masks[a];
          for (let lane = 0; lane < LANES && panel * LANES + lane < coefficients.length; lane++) {
            doubles[at + 1 + lane] = signs[a] * coefficients[panel * LANES + lane][a];
          }
        }
      }
    },
  };
}

/** What a job found, right-hand side by right-hand side. */
export interface JobResult {
  /** `<b, u>`; with trials, what was gained over them, and without iterations, `2 <b, psi> - <psi, (I - P) psi>`. */
  readonly energy: Float64Array;
  /** Relative error in the energy norm, as the last steps estimate it. */
  readonly error: Float64Array;
  /** Normwise backward error, from residuals computed anew. */
  readonly backwardError: Float64Array;
  readonly iterations: Int32Array;
  /** `Lbar / pi` of the sum of `energy - |b|^2 / 2` (5.4), over all panels; of the sum of gains, with trials. */
  readonly density: Float64Array;
  /** The same, shard by shard, where asked for; panel `k` is in shard `k mod shards`. */
  readonly shardDensities: readonly Float64Array[] | null;
  /** `alpha` and `beta` of every step: eight and eight, step by step, panel by panel; null where not asked for. */
  readonly steps: Float64Array | null;
}

/** What a job does beside solving. */
export interface JobOptions {
  readonly preconditioner?: Preconditioner;
  /** Where solutions begin, as many as there are right-hand sides; without iterations they are only evaluated. */
  readonly trials?: Panels;
  readonly keepSteps?: boolean;
  readonly keepShards?: boolean;
}

/**
 * `(I - P) u = b`, `E u = 0`, for all right-hand sides, by conjugate gradients on `D (I - P)`, eight in lockstep; panels go to the threads there are, in shards
 * whose sums do not depend on who did them. A solution whose residual, computed anew, is not what the recursion claims is refined. Null where memory does not reach.
 */
export function runJob(
  loops: Loops,
  law: Boltzmann,
  program: Program,
  sides: Panels,
  { tolerance, maxIterations }: SolveLimits,
  { preconditioner = 'diagonal', trials, keepSteps = false, keepShards = false }: JobOptions = {},
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
  const densities = shards * states;
  const taken = arena.take(JOB_BYTES, sides.bytes, trials?.bytes ?? 0, lanes * RESULT, densities * BYTE, stepBytes);
  if (taken === null) return null;
  const [job, records, starts, results, density, steps] = taken;
  let alone = loops.threads === 1 || shards === 1;
  let workspace = arena.take((alone ? 1 : loops.threads) * workspaceBytes);
  if (workspace === null) {
    alone = true;
    workspace = arena.take(workspaceBytes);
  }
  if (workspace === null) return null;

  sides.write(arena.words(records, sides.bytes / 4), arena.doubles(records, sides.bytes / BYTE));
  trials?.write(arena.words(starts, trials.bytes / 4), arena.doubles(starts, trials.bytes / BYTE));
  arena.words(job, 8).set([table, panels, records, results, workspace[0], workspaceBytes, density, shards]);
  arena.doubles(job + 32, 1)[0] = tolerance;
  const tail = [maxIterations, keepSteps ? steps : 0, sides.rows, law.ground, trials ? starts : 0, trials?.rows ?? 0];
  arena.words(job + 40, tail.length).set(tail);
  if (!alone) loops.hire(lanes * states * spins);
  loops.solve(job, alone);

  const found = arena.doubles(results, (lanes * RESULT) / BYTE);
  const column = (k: number) => Float64Array.from({ length: lanes }, (_, a) => found[4 * a + k]);
  const all = arena.doubles(density, densities);
  return {
    energy: column(0),
    error: column(1),
    backwardError: column(2),
    iterations: Int32Array.from(column(3)),
    density: Float64Array.from(all.subarray(0, states)),
    shardDensities: keepShards ? apart(all, states, shards) : null,
    steps: keepSteps ? Float64Array.from(arena.doubles(steps, stepBytes / BYTE)) : null,
  };
}

/** The shards' densities; the place of the first holds the sum of all. */
function apart(all: Float64Array, states: number, shards: number): readonly Float64Array[] {
  const parts = Array.from({ length: shards }, (_, k) => Float64Array.from(all.subarray(k * states, (k + 1) * states)));
  for (const part of parts.slice(1)) for (let s = 0; s < states; s++) parts[0][s] -= part[s];
  return parts;
}
