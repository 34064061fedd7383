import type { ChainProgram } from './chain-program.js';
import type { ChainRun, Chains } from './chains.js';
import { CHOICE, GROUP, keyOf, MORE } from './counters.js';
import { philox } from './philox.js';

const { LOG2E } = Math;
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

/** The chains of `Chains`, one after another and without compiled loops: every draw in double precision. */
export class PlainChains implements Chains {
  private readonly words: number;
  private readonly rows: Uint32Array;
  private readonly betas: Float64Array;
  /** Spins of the chain that moves. */
  private readonly x: Int8Array;
  private readonly blocks: readonly { readonly from: number; readonly sites: readonly number[] }[];
  /** The last counter, and its words. */
  private last: { readonly counter: number; readonly words: readonly number[] } | null = null;

  private readonly chains: number;

  constructor(
    private readonly program: ChainProgram,
    rows: Uint32Array,
    betas: ArrayLike<number>,
  ) {
    this.chains = betas.length;
    this.words = Math.ceil(program.spins / 32);
    this.rows = rows.slice();
    this.betas = Float64Array.from(betas);
    this.x = new Int8Array(program.spins);
    let from = 0;
    this.blocks = program.blocks.map((sites) => {
      const block = { from, sites };
      from += sites.length;
      return block;
    });
  }

  setSpins(rows: Uint32Array): void {
    this.rows.set(rows);
  }

  spins(): Uint32Array {
    return this.rows.slice();
  }

  setBetas(betas: ArrayLike<number>): void {
    this.betas.set(betas);
  }

  run({ seed, before, lead, interval, samples }: ChainRun): Uint32Array {
    const out = new Uint32Array(this.chains * samples * this.words);
    const key = keyOf(seed);
    for (let chain = 0; chain < this.chains; chain++) {
      this.load(chain);
      let step = before;
      for (let t = 0; t < lead; t++) this.step(chain, step++, key);
      for (let s = 0; s < samples; s++) {
        for (let t = 0; t < interval; t++) this.step(chain, step++, key);
        this.keep(out, (chain * samples + s) * this.words);
      }
      this.keep(this.rows, chain * this.words);
    }
    return out;
  }

  private load(chain: number): void {
    for (let i = 0; i < this.x.length; i++) {
      this.x[i] = (this.rows[chain * this.words + (i >> 5)] >>> (i & 31)) & 1 ? 1 : -1;
    }
  }

  private keep(out: Uint32Array, row: number): void {
    out.fill(0, row, row + this.words);
    for (let i = 0; i < this.x.length; i++) if (this.x[i] > 0) out[row + (i >> 5)] |= 1 << (i & 31);
  }

  private step(chain: number, step: number, key: Key): void {
    const { order } = this.program;
    this.last = null;
    if (order === 'in-order') {
      for (const block of this.blocks) this.resample(block, chain, step, key);
      return;
    }
    const word = this.word(CHOICE, chain, step, key);
    const chosen = this.blocks[Math.floor((word * this.blocks.length) / 2 ** 32)];
    if (order === 'one-block') this.resample(chosen, chain, step, key);
    else this.draw(chosen.sites[0], 0, chain, step, key);
  }

  private resample({ from, sites }: { from: number; sites: readonly number[] }, chain: number, step: number, key: Key) {
    sites.forEach((i, k) => {
      this.draw(i, from + k, chain, step, key);
    });
  }

  /** The word of a chain at a counter that its group shares. */
  private word(counter: number, chain: number, step: number, key: Key): number {
    const lane = chain % GROUP;
    if (this.last?.counter !== counter) {
      this.last = { counter, words: wordsAt(counter + (lane % 4), chain, step, key) };
    }
    return this.last.words[lane >> 2];
  }

  private draw(i: number, place: number, chain: number, step: number, key: Key): void {
    const { first, near, strength, bias } = this.program;
    let sum = bias[i];
    for (let k = first[i]; k < first[i + 1]; k++) sum += this.x[near[k]] < 0 ? -strength[k] : strength[k];
    const e = expMinus(Math.abs(this.betas[chain] * sum));
    const threshold = (e / (1 + e)) * 65536;
    const bits = (this.word((place >>> 1) << 2, chain, step, key) >>> (16 * (place & 1))) & 0xffff;
    // The draw counts from the end at which the less probable value is.
    const coarse = sum < 0 ? bits : 0xffff - bits;
    let minority = coarse < threshold;
    if (minority && coarse + 1 > threshold) {
      const [a, b] = wordsAt(MORE + place * GROUP + (chain % GROUP), chain, step, key);
      minority = coarse + (a + (b >>> 11) * 2 ** -21) * 2 ** -32 < threshold;
    }
    this.x[i] = sum < 0 !== minority ? -1 : 1;
  }
}

type Key = readonly [number, number];

function wordsAt(counter: number, chain: number, step: number, key: Key): readonly number[] {
  return philox(counter, step, Math.floor(step / 2 ** 32), Math.floor(chain / GROUP), key[0], key[1]);
}

/** `1 / k!`; at `|r| <= ln 2 / 2` the next term is below 3e-18. */
const TAYLOR = Array.from(
  { length: 14 },
  (_, k) => 1 / Array.from({ length: k }, (_, j) => j + 1).reduce((p, j) => p * j, 1),
);

const double = new DataView(new ArrayBuffer(8));

/** `exp(-x)` for `x >= 0`, to a few units of the last place; `exp(-700)` beyond. Step by step as the compiled loops do it, so that the digits are the same. */
export function expMinus(x: number): number {
  const y = Math.min(x, 700);
  const n = Math.floor(0.5 - y * LOG2E);
  const r = -y - n * LN2_HIGH - n * LN2_LOW;
  let sum = 0;
  for (let k = TAYLOR.length - 1; k >= 0; k--) sum = TAYLOR[k] + r * sum;
  double.setInt32(0, (n + 1023) << 20);
  return sum * double.getFloat64(0);
}
