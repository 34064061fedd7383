import { loops } from '../compiled/loops.js';
import type { ChainProgram } from './chain-program.js';
import { CompiledChains } from './compiled-chains.js';
import { PlainChains } from './plain-chains.js';

/** How chains go on: `lead` steps, then `samples` times `interval` steps, after each of which a sample is kept. */
export interface ChainRun {
  /** Whole number; with it, a chain's index and its step, every random number is given. */
  readonly seed: number;
  /** Steps that the chains have taken before. */
  readonly before: number;
  readonly lead: number;
  readonly interval: number;
  readonly samples: number;
}

/**
 * Chains of a program, side by side. Rows of bits are as in packed samples: `ceil(spins / 32)` words, bit `i & 31` of word `i >> 5` set where spin `i` is +1.
 *
 * A spin is drawn from `P(x_i = +1 | rest) = 1 / (1 + exp(-2 beta field))` in double precision: 16 random bits and single precision settle a draw that is clear by more
 * than their error, 53 more bits and double precision any other. The numbers that a chain gets are those of its seed, its index and its step alone (Philox 4x32-10), whatever
 * the number of chains, threads and calls.
 */
export interface Chains {
  /** One row per chain. */
  setSpins(rows: Uint32Array): void;
  spins(): Uint32Array;
  /** One inverse temperature per chain. */
  setBetas(betas: ArrayLike<number>): void;
  /** The samples kept: chain by chain, rows in the order of time. */
  run(run: ChainRun): Uint32Array;
}

/**
 * Chains at the given spins, a row each, and inverse temperatures, one each; compiled where this machine runs the loops and memory reaches, the same numbers without. Valid
 * until other compiled loops are used.
 */
export function openChains(program: ChainProgram, rows: Uint32Array, betas: ArrayLike<number>): Chains {
  const compiled = loops();
  return (compiled && CompiledChains.open(compiled, program, rows, betas)) ?? new PlainChains(program, rows, betas);
}
