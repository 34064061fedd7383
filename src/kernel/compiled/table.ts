import type { Boltzmann } from '../../model/boltzmann.js';
import type { Model } from '../../model/model.js';
import { KERNELS, type KernelName, schedule } from '../kernels.js';
import type { Arena } from './loops.js';

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

/** Whether a kernel has a program: not where it is not reversible or not differentiable, nor for blocks given by the caller, which may have inside edges. */
export function isCompiled(model: Model, kernel: KernelName): boolean {
  return KERNELS[kernel].reversible && KERNELS[kernel].differentiable && !model.customBlocks;
}

/** Multivectors that solving takes: four of conjugate gradients, and one for the differences of a block or, for a palindrome, one per spin and two (D3). */
export function multivectors(palindrome: boolean, spins: number): number {
  return 4 + (palindrome ? spins + 2 : 1);
}

/** The same for a program. */
export function multivectorsOf({ kind, blocks }: Program): number {
  return multivectors(kind === PALINDROME, blocks[0].length);
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

/** Writes the table that the loops read and returns its address; null where memory does not reach. */
export function layOutTable(arena: Arena, law: Boltzmann, program: Program): number | null {
  const { states } = law.space;
  const words = program.blocks.reduce((sum, block) => sum + 1 + block.length, 0);
  const taken = arena.take(TABLE_BYTES, 8 * states, 8 * states, 8 * states, 4 * words);
  if (taken === null) return null;
  const [table, factors, pi, inverse, code] = taken;
  const top = law.logPi[law.ground];
  const b = arena.doubles(factors, states);
  for (let s = 0; s < states; s++) b[s] = Math.exp(law.logPi[s] - top);
  arena.doubles(pi, states).set(law.pi);
  writeInverseDiagonal(arena.doubles(inverse, states), b, program);
  arena.words(code, words).set(program.blocks.flatMap((block) => [block.length, ...block]));
  arena.words(table, 7).set([states, factors, pi, inverse, program.kind, program.blocks.length, code]);
  arena.doubles(table + 32, 1)[0] = program.kind === PALINDROME ? 1 : 1 / program.blocks.length;
  return table;
}

/** `1 / (I - P)(s, s)`, by which conjugate gradients are preconditioned; 1 for palindromes, whose diagonal is costly and near 1. */
function writeInverseDiagonal(out: Float64Array, b: Float64Array, program: Program): void {
  if (program.kind === PALINDROME) {
    out.fill(1);
    return;
  }
  for (let s = 0; s < out.length; s++) {
    let rate = 0;
    for (const block of program.blocks) {
      // A block leaves the state with the probability that some spin of it flips.
      let stay = 1;
      for (const mask of block) {
        const sum = b[s] + b[s ^ mask];
        rate += (stay * b[s ^ mask]) / sum;
        stay *= b[s] / sum;
      }
    }
    out[s] = program.blocks.length / rate;
  }
}
