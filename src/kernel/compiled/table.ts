import type { Boltzmann } from '../../model/boltzmann.js';
import type { Model } from '../../model/model.js';
import { KERNELS, type KernelName, schedule } from '../kernels.js';
import type { Arena, Loops } from './loops.js';

/** Boltzmann factors relative to the ground state go down to `exp(-DEEPEST)`; beyond it their products could leave the range of doubles. */
const DEEPEST = 200;
/** Smaller tables are not laid out. */
const LEAST_STATES = 32;
const TABLE_BYTES = 40;
const SITE_MIXTURE = 0;
const BLOCK_MIXTURE = 1;
const PALINDROME = 2;

/** Observables that are solved side by side: eight interleaved doubles are one cache line and four vector registers of two. */
export const LANES = 8;

/** How the compiled loops are to run a kernel: which way, and the flip masks of its blocks. */
export interface Program {
  readonly kind: number;
  readonly blocks: readonly (readonly number[])[];
}

export function isPalindrome(program: Program): boolean {
  return program.kind === PALINDROME;
}

/** A program's blocks as the loops read them: of each the number of its sites, then their masks. */
export function programWords({ blocks }: Program): readonly number[] {
  return blocks.flatMap((block) => [block.length, ...block]);
}

/** Pairs of states whose conductances the loops keep: of a site mixture, half a pair per state and spin. */
export function conductancesOf({ kind, blocks }: Program, states: number): number {
  return kind === SITE_MIXTURE ? (states * blocks.length) / 2 : 0;
}

/** How often a step renews a spin: that of a mixture, its blocks' probability; under a palindrome, whose steps do it twice, about once. */
export function siteRate({ kind, blocks }: Program): number {
  return kind === PALINDROME ? 1 : 1 / blocks.length;
}

/** Whether a kernel has a program: not where it is not reversible or not differentiable, nor for blocks given by the caller, which may have inside edges. */
export function isCompiled(model: Model, kernel: KernelName): boolean {
  return KERNELS[kernel].reversible && KERNELS[kernel].differentiable && !model.customBlocks;
}

/** Multivectors that solving takes: four of conjugate gradients, and one for the differences of a block or, for a palindrome, one per spin and two (D3). */
export function multivectors(palindrome: boolean, spins: number): number {
  return 4 + (palindrome ? spins + 2 : 1);
}

/** The program of a kernel; null where it has none, or the table is small or its probabilities span too much, and the plain loops run. */
export function programOf(law: Boltzmann, model: Model, kernel: KernelName): Program | null {
  const { space, logPi, ground } = law;
  if (space.states < LEAST_STATES || !isCompiled(model, kernel)) return null;
  if (logPi.some((value) => !(value > logPi[ground] - DEEPEST))) return null;
  const masks = (block: readonly number[]) => block.map((i) => space.flips[i]);
  const plan = schedule(model, kernel);
  if (plan.kind === 'mixture') {
    const sites = plan.blocks.every((block) => block.length === 1);
    return { kind: sites ? SITE_MIXTURE : BLOCK_MIXTURE, blocks: plan.blocks.map(masks) };
  }
  if (plan.kind !== 'product') return null;
  // Spins of a block without inside edges commute, so a palindrome over blocks is one over their spins.
  const there = plan.blocks.slice(0, (plan.blocks.length + 1) / 2);
  return { kind: PALINDROME, blocks: [there.flatMap(masks)] };
}

/** What conjugate gradients are preconditioned by: the diagonal, which takes fewer steps, or nothing, whose steps are those of Lanczos' method. */
export type Preconditioner = 'diagonal' | 'none';

/** Writes the table that the loops read and returns its address; null where memory does not reach. */
export function layOutTable(
  loops: Loops,
  arena: Arena,
  law: Boltzmann,
  program: Program,
  preconditioner: Preconditioner,
): number | null {
  const { states } = law.space;
  const words = programWords(program);
  const pairs = conductancesOf(program, states);
  const taken = arena.take(TABLE_BYTES, 8 * states, 8 * states, 8 * pairs, 4 * words.length);
  if (taken === null) return null;
  const [table, pi, inverse, conductances, code] = taken;
  arena.doubles(pi, states).set(law.pi);
  writeInverseDiagonal(arena.doubles(inverse, states), law.pi, preconditioner === 'none' ? null : program);
  arena.words(code, words.length).set(words);
  arena.words(table, 6).set([states, pi, inverse, program.kind, program.blocks.length, code]);
  arena.doubles(table + 24, 1)[0] = program.kind === PALINDROME ? 1 : 1 / program.blocks.length;
  arena.words(table + 32, 1)[0] = conductances;
  loops.prepare(table);
  return table;
}

/** Inverse diagonal of `D (I - P)`; that of `D` for palindromes, whose diagonal is costly and near 1, and where there is no program. */
function writeInverseDiagonal(out: Float64Array, pi: Float64Array, program: Program | null): void {
  for (let s = 0; s < out.length; s++) out[s] = 1 / pi[s];
  if (program === null || program.kind === PALINDROME) return;
  for (let s = 0; s < out.length; s++) {
    let rate = 0;
    for (const block of program.blocks) {
      // A block leaves the state with the probability that some spin of it flips.
      let stay = 1;
      for (const mask of block) {
        const sum = pi[s] + pi[s ^ mask];
        rate += (stay * pi[s ^ mask]) / sum;
        stay *= pi[s] / sum;
      }
    }
    out[s] *= program.blocks.length / rate;
  }
}
