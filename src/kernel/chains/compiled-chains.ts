import { Arena, type Loops } from '../compiled/loops.js';
import type { ChainProgram } from './chain-program.js';
import type { ChainRun, Chains } from './chains.js';
import { GROUP, keyOf } from './counters.js';

/** Bytes of records that `../compiled/assembly/chains-job.ts` describes. */
const JOB = 84;
const SITE = 24;
const NEIGHBOUR = 8;
const SPIN = 64;
const BETAS = 192;
const SCRATCH = 1280;

const ORDERS = { 'in-order': 0, 'one-block': 1, 'one-site': 2 } as const;
const MINUS = 0x80000000 | 0;
/** Samples are kept in memory up to so many bytes, then handed over. */
const MOST_SAMPLE_BYTES = 2 ** 25;
/** Steps that one call of the loops counts. */
const MOST_STEPS = 2 ** 31;
/** Spins of a slice, about: milliseconds of work, so that switching between groups costs nothing. */
const SLICE = 1e6;
const MOST_SLICES = 2 ** 20;
/** Spins per second and thread over multiplications per second, about. */
const WORK_PER_SPIN = 0.2;

/** Relative error of the cubic that stands for an exponential in `../compiled/assembly/chains.ts`. */
const CUBIC = 7.5e-5;
/** Twice the rounding of single precision. */
const EPS = 2 ** -23;

/**
 * Units of `1 / 65536` by which single precision may misjudge where a draw `U` stands against `1 / (1 + E)`. Where `E` has a relative error `eta`, the threshold moves by at
 * most `eta / 4`, and a little more where `eta` is not small. Besides, a draw's first 16 bits leave a unit open. A field of `degree + 1` terms errs by `EPS / 2` of the sum of
 * their sizes for each of them and for the roundings of the terms, of beta and of their product.
 */
function margin(degree: number, largestField: number, beta: number): number {
  const eta = CUBIC + 4 * EPS + (degree + 4) * EPS * largestField * beta;
  return 1.5 + 16384 * eta * (1 + eta);
}

/** Where everything lies. */
interface Layout {
  readonly job: number;
  readonly sites: number;
  readonly states: number;
  readonly betas: number;
  readonly bits: number;
  readonly turns: number;
}

/** Chains in the memory of the compiled loops. */
export class CompiledChains implements Chains {
  private readonly groups: number;
  private readonly words: number;

  private constructor(
    private readonly loops: Loops,
    private readonly arena: Arena,
    private readonly program: ChainProgram,
    private readonly chains: number,
    private readonly at: Layout,
    private readonly room: number,
  ) {
    this.groups = Math.ceil(chains / GROUP);
    this.words = Math.ceil(program.spins / 32);
  }

  /** Null where memory does not reach. */
  static open(loops: Loops, program: ChainProgram, rows: Uint32Array, betas: ArrayLike<number>): CompiledChains | null {
    const chains = betas.length;
    const { spins, blocks, near } = program;
    const groups = Math.ceil(chains / GROUP);
    const places = blocks.reduce((sum, block) => sum + block.length, 0);
    const row = chains * Math.ceil(spins / 32) * 4;
    const room = Math.max(1, Math.floor(MOST_SAMPLE_BYTES / row));
    const arena = new Arena(loops.memory);
    const taken = arena.take(
      JOB,
      spins * SITE + near.length * NEIGHBOUR,
      (spins + near.length) * 8,
      places * 4,
      (blocks.length + 1) * 4,
      groups * spins * SPIN,
      groups * BETAS,
      loops.threads * SCRATCH,
      room * row,
      groups * 4,
    );
    if (taken === null) return null;
    const [job, sites, exact, placeList, starts, states, betasAt, scratch, bits, turns] = taken;
    writeSites(arena, program, sites, exact);
    const { first } = program;
    const siteAt = (i: number) => sites + i * SITE + first[i] * NEIGHBOUR;
    arena.words(placeList, places).set(blocks.flat().map(siteAt));
    const bounds = arena.words(starts, blocks.length + 1);
    bounds[0] = 0;
    blocks.forEach((block, c) => {
      bounds[c + 1] = bounds[c] + block.length;
    });
    const words = arena.words(job, JOB / 4);
    words.set([placeList, places, starts, blocks.length, ORDERS[program.order], states, spins, betasAt, scratch]);
    words[12] = bits;
    words[13] = chains;
    words[19] = groups;
    words[20] = turns;
    const opened = new CompiledChains(
      loops,
      arena,
      program,
      chains,
      { job, sites, states, betas: betasAt, bits, turns },
      room,
    );
    opened.setSpins(rows);
    opened.setBetas(betas);
    return opened;
  }

  setSpins(rows: Uint32Array): void {
    const { groups, words, chains } = this;
    const { spins } = this.program;
    const states = this.arena.words(this.at.states, groups * spins * GROUP).fill(0);
    for (let chain = 0; chain < chains; chain++) {
      let to = Math.floor(chain / GROUP) * spins * GROUP + (chain % GROUP);
      for (let i = 0; i < spins; i++, to += GROUP) {
        if (((rows[chain * words + (i >>> 5)] >>> (i & 31)) & 1) === 0) states[to] = MINUS;
      }
    }
  }

  spins(): Uint32Array {
    const { groups, words, chains } = this;
    const { spins } = this.program;
    const states = this.arena.words(this.at.states, groups * spins * GROUP);
    const rows = new Uint32Array(chains * words);
    for (let chain = 0; chain < chains; chain++) {
      let from = Math.floor(chain / GROUP) * spins * GROUP + (chain % GROUP);
      for (let word = 0; word < words; word++) {
        let bits = 0;
        const end = Math.min(32, spins - 32 * word);
        for (let k = 0; k < end; k++, from += GROUP) if (states[from] === 0) bits |= 1 << k;
        rows[chain * words + word] = bits;
      }
    }
    return rows;
  }

  setBetas(betas: ArrayLike<number>): void {
    const all = this.groups * GROUP;
    const beta = Float64Array.from({ length: all }, (_, chain) => betas[chain] ?? 0);
    for (let chain = 0; chain < all; chain++) {
      const at = this.at.betas + Math.floor(chain / GROUP) * BETAS;
      this.arena.floats(at, GROUP)[chain % GROUP] = -beta[chain] * Math.LOG2E;
      this.arena.doubles(at + SPIN, GROUP)[chain % GROUP] = beta[chain];
    }
    this.writeMargins(beta.reduce((most, value) => Math.max(most, value), 0));
  }

  private writeMargins(beta: number): void {
    const { spins, first, strength, bias } = this.program;
    const floats = this.arena.floats(this.at.sites, (spins * SITE + first[spins] * NEIGHBOUR) / 4);
    for (let i = 0; i < spins; i++) {
      let field = Math.abs(bias[i]);
      for (let k = first[i]; k < first[i + 1]; k++) field += Math.abs(strength[k]);
      floats[(i * SITE + first[i] * NEIGHBOUR) / 4 + 3] = margin(first[i + 1] - first[i], field, beta) / 128;
    }
  }

  run({ seed, before, lead, interval, samples }: ChainRun): Uint32Array {
    const { chains, words, room } = this;
    const out = new Uint32Array(chains * samples * words);
    let step = before;
    for (let left = lead; left > 0; ) {
      const steps = Math.min(left, MOST_STEPS);
      this.call(seed, step, steps, 0, 0);
      step += steps;
      left -= steps;
    }
    for (let from = 0; from < samples; from += room) {
      const count = Math.min(room, samples - from);
      this.call(seed, step, 0, interval, count);
      step += interval * count;
      const bits = this.arena.words(this.at.bits, chains * count * words);
      for (let chain = 0; chain < chains; chain++) {
        out.set(bits.subarray(chain * count * words, (chain + 1) * count * words), (chain * samples + from) * words);
      }
    }
    return out;
  }

  private call(seed: number, before: number, lead: number, interval: number, samples: number): void {
    const { job } = this.at;
    const words = this.arena.words(job, JOB / 4);
    words[9] = lead;
    words[10] = interval;
    words[11] = samples;
    words[14] = before;
    words[15] = Math.floor(before / 2 ** 32);
    words.set(keyOf(seed), 16);
    const { groups, loops } = this;
    const places = words[1];
    const perStep = this.program.order === 'in-order' ? places : places / this.program.blocks.length;
    const spins = GROUP * perStep * (lead + interval * samples);
    const threads = Math.min(loops.threads, groups);
    words[18] = threads === 1 ? 1 : Math.ceil(Math.min(spins / SLICE, MOST_SLICES));
    this.arena.words(this.at.turns, groups).fill(0);
    if (threads > 1) loops.hire(WORK_PER_SPIN * groups * spins);
    loops.runChains(job, threads);
  }
}

function writeSites(arena: Arena, program: ChainProgram, sites: number, exact: number): void {
  const { spins, first, near, strength, bias } = program;
  const words = arena.words(sites, (spins * SITE + near.length * NEIGHBOUR) / 4);
  const floats = arena.floats(sites, words.length);
  const doubles = arena.doubles(exact, spins + near.length);
  for (let i = 0; i < spins; i++) {
    let at = (i * SITE + first[i] * NEIGHBOUR) / 4;
    words[at] = i * SPIN;
    words[at + 1] = first[i + 1] - first[i];
    floats[at + 2] = bias[i];
    words[at + 4] = exact + (i + first[i]) * 8;
    doubles[i + first[i]] = bias[i];
    at += SITE / 4;
    for (let k = first[i]; k < first[i + 1]; k++, at += 2) {
      words[at] = near[k] * SPIN;
      floats[at + 1] = strength[k];
      doubles[i + k + 1] = strength[k];
    }
  }
}
