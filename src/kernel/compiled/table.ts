import type { Boltzmann } from '../../model/boltzmann.js';
import type { Model } from '../../model/model.js';
import { KERNELS, type KernelName, schedule } from '../kernels.js';
import type { Arena } from './loops.js';

/** Boltzmann factors relative to the ground state go down to `exp(-DEEPEST)`; beyond it their products could leave the range of doubles. */
const DEEPEST = 200;
/** Smaller tables are not laid out. */
const LEAST_STATES = 32;
const TABLE_BYTES = 48;
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

/**
 * The program of a kernel; null where it has none and the plain loops run: kernels that are not reversible or not differentiable, blocks given by the
 * caller, which may have inside edges, tables that are small or whose probabilities span too much.
 */
export function programOf(law: Boltzmann, model: Model, kernel: KernelName): Program | null {
  const { space, logPi, ground } = law;
  if (space.states < LEAST_STATES || model.customBlocks) return null;
  if (logPi.some((value) => !(value > logPi[ground] - DEEPEST))) return null;
  const masks = (block: readonly number[]) => block.map((i) => space.flips[i]);
  const plan = schedule(model, kernel);
  if (plan.kind === 'mixture') {
    const sites = plan.blocks.every((block) => block.length === 1);
    return { kind: sites ? SITE_MIXTURE : BLOCK_MIXTURE, blocks: plan.blocks.map(masks) };
  }
  if (plan.kind !== 'product' || !KERNELS[kernel].reversible) return null;
  // Spins of a block without inside edges commute, so a palindrome over blocks is one over their spins.
  const there = plan.blocks.slice(0, (plan.blocks.length + 1) / 2);
  return { kind: PALINDROME, blocks: [there.flatMap(masks)] };
}

/** Writes the table that the loops read and returns its address; null where memory does not reach. */
export function layOutTable(arena: Arena, law: Boltzmann, program: Program): number | null {
  const { states } = law.space;
  const words = program.blocks.reduce((sum, block) => sum + 1 + block.length, 0);
  const table = arena.take(TABLE_BYTES);
  const factors = arena.take(8 * states);
  const pi = arena.take(8 * states);
  const inverse = arena.take(8 * states);
  const code = arena.take(4 * words);
  if (table === null || factors === null || pi === null || inverse === null || code === null) return null;
  const top = law.logPi[law.ground];
  const b = arena.doubles(factors, states);
  for (let s = 0; s < states; s++) b[s] = Math.exp(law.logPi[s] - top);
  arena.doubles(pi, states).set(law.pi);
  writeInverseDiagonal(arena.doubles(inverse, states), b, program);
  arena.words(code, words).set(program.blocks.flatMap((block) => [block.length, ...block]));
  arena.words(table, 7).set([states, factors, pi, inverse, program.kind, program.blocks.length, code]);
  arena.doubles(table + 32, 2).set([program.kind === PALINDROME ? 1 : 1 / program.blocks.length, 1]);
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
      let stay = 0;
      for (const mask of block) stay += Math.log1p(-b[s ^ mask] / (b[s] + b[s ^ mask]));
      rate -= Math.expm1(stay);
    }
    out[s] = program.blocks.length / rate;
  }
}
