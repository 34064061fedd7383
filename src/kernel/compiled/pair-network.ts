import type { Boltzmann } from '../../model/boltzmann.js';
import type { PairOperator, PairSpace } from '../pair-space.js';
import { Arena, type Loops } from './loops.js';
import { conductancesOf, type Program, programWords } from './table.js';

const BYTE = 8;
/** Bytes of one state of a panel. */
const WIDTH = 16;
const NETWORK_BYTES = 64;
/** Bytes of a 2 x 2 matrix. */
const MATRIX = 32;

/** A program as an operator on panels of two functions; `sector` -1 on odd functions of the global flip. */
export function compiledPairs(loops: Loops, law: Boltzmann, program: Program, sector: 1 | -1): PairOperator {
  return {
    states: law.space.states,
    pi: law.pi,
    stationary: sector === 1,
    largest: 1,
    open: (slots) => CompiledPairs.open(loops, law, program, sector, slots),
  };
}

/** Where things are in the loops' memory. */
interface Places {
  readonly network: number;
  readonly pi: number;
  readonly inverse: number;
  readonly matrices: number;
  readonly image: number;
  readonly work: number;
  readonly panels: number;
}

class CompiledPairs implements PairSpace {
  readonly states: number;

  private constructor(
    private readonly loops: Loops,
    private readonly arena: Arena,
    law: Boltzmann,
    private readonly at: Places,
  ) {
    this.states = law.space.states;
  }

  static open(loops: Loops, law: Boltzmann, program: Program, sector: 1 | -1, slots: number): CompiledPairs | null {
    const { states, folded, flips } = law.space;
    const arena = new Arena(loops.memory);
    const words = programWords(program);
    const pairs = conductancesOf(program, states);
    const panel = states * WIDTH;
    const taken = arena.take(
      ...[NETWORK_BYTES, states * BYTE, states * BYTE, words.length * 4, pairs * BYTE, slots * MATRIX, panel, panel],
      slots * panel,
    );
    if (taken === null) return null;
    const [network, pi, inverse, code, conductances, matrices, image, work, panels] = taken;
    arena.doubles(pi, states).set(law.pi);
    arena.doubles(inverse, states).set(law.pi.map((p) => 1 / p));
    arena.words(code, words.length).set(words);
    arena.words(network, 6).set([states, pi, program.kind, program.blocks.length, code, conductances]);
    arena.doubles(network + 24, 2).set([1 / program.blocks.length, sector]);
    arena.words(network + 40, 1)[0] = folded ? flips[flips.length - 1] : 0;
    loops.preparePairs(network);
    return new CompiledPairs(loops, arena, law, { network, pi, inverse, matrices, image, work, panels });
  }

  private panel(slot: number): number {
    return this.at.panels + slot * this.states * WIDTH;
  }

  private numbers(slot: number): Float64Array {
    return this.arena.doubles(this.panel(slot), 2 * this.states);
  }

  write(slot: number, lane: 0 | 1, values: Float64Array): void {
    const x = this.numbers(slot);
    for (let s = 0; s < values.length; s++) x[2 * s + lane] = values[s];
  }

  read(slot: number, lane: 0 | 1): Float64Array {
    const x = this.numbers(slot);
    const out = new Float64Array(this.states);
    for (let s = 0; s < out.length; s++) out[s] = x[2 * s + lane];
    return out;
  }

  copy(from: number, to: number): void {
    this.loops.copyPair(this.panel(from), this.panel(to), this.states);
  }

  clear(slot: number): void {
    this.loops.clearPair(this.panel(slot), this.states);
  }

  step(before: number, x: number, a: number, c: number, b: number): void {
    const { network, image, work, inverse } = this.at;
    this.loops.applyPair(network, this.panel(x), image, work);
    this.loops.chebyshevStep(this.panel(before), this.panel(x), image, inverse, this.states, a, c, b);
  }

  centre(slot: number): void {
    this.loops.centrePair(this.panel(slot), this.at.pi, this.states);
  }

  gram(first: number, count: number, w: number): Float64Array {
    const { pi, matrices } = this.at;
    this.loops.gramPairs(this.panel(first), count, this.panel(w), pi, this.states, matrices);
    return this.arena.doubles(matrices, 4 * count).slice();
  }

  add(first: number, count: number, matrices: Float64Array, w: number): void {
    this.arena.doubles(this.at.matrices, 4 * count).set(matrices.subarray(0, 4 * count));
    this.loops.addPairs(this.panel(first), count, this.at.matrices, this.panel(w), this.states);
  }
}
