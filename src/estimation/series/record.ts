import { chainProgram } from '../../kernel/chains/chain-program.js';
import { openChains } from '../../kernel/chains/chains.js';
import type { KernelName } from '../../kernel/kernels.js';
import type { DataLaw } from '../../model/data-law.js';
import type { Model } from '../../model/model.js';
import type { Probes } from '../bound/probes.js';
import { observableMeans } from '../observable-means.js';
import type { RandomSource } from '../random.js';
import { type PackedSamples, readSample, wordsPerSample } from '../samples/packed-samples.js';
import { drawStarts, type StartKind } from '../samples/starts.js';

/** Chains of a kernel with the state after every step. */
export interface Recorded {
  readonly model: Model;
  readonly chains: readonly PackedSamples[];
  /** Of each chain. */
  readonly steps: number;
}

const KINDS: readonly StartKind[] = ['data', 'random', 'opposite'];

/** Chains that start from data, at random and from the opposite of data in turn; `burnIn` and `sweeps` in sweeps. */
export function recordChains(
  model: Model,
  data: DataLaw,
  kernel: KernelName,
  { chains: count, burnIn, sweeps }: { readonly chains: number; readonly burnIn: number; readonly sweeps: number },
  random: RandomSource,
): Recorded {
  const program = chainProgram(model, kernel);
  const kinds = Array.from({ length: count }, (_, m) => KINDS[m % KINDS.length]);
  const starts = drawStarts(model, data, kinds, random);
  const chains = openChains(program, starts.words, new Float64Array(count).fill(model.beta));
  const steps = sweeps * program.stepsPerSweep;
  const lead = burnIn * program.stepsPerSweep;
  const words = chains.run({ seed: random.integer(2 ** 32), before: 0, lead, interval: 1, samples: steps });
  const each = steps * wordsPerSample(model.spins);
  return {
    model,
    steps,
    chains: Array.from({ length: count }, (_, m) => ({
      spins: model.spins,
      count: steps,
      words: words.subarray(m * each, (m + 1) * each),
    })),
  };
}

/** `F_z = sum_a Z_za f_a` step by step, probe by probe and chain by chain, by counting bits: the entries are signs. */
export function probeSeries({ model, chains, steps }: Recorded, { count, entry }: Probes): Float64Array[][] {
  const { edges, theta, spins } = model;
  const size = theta.length;
  const words = (size + 31) >>> 5;
  const signs = new Int32Array(count * words);
  for (let z = 0; z < count; z++) {
    for (let a = 0; a < size; a++) if (entry(z, a) > 0) signs[z * words + (a >>> 5)] |= 1 << (a & 31);
  }
  const from = Int32Array.from(edges, ([i]) => i);
  const to = Int32Array.from(edges, ([, j]) => j);
  const x = new Int8Array(spins);
  const bits = new Int32Array(words);
  const out = Array.from({ length: count }, () => chains.map(() => new Float64Array(steps)));
  chains.forEach((chain, m) => {
    for (let t = 0; t < steps; t++) {
      readSample(chain, t, x);
      // A bit is set where f_a = +1, that is where spins differ, or one is down.
      let word = 0;
      for (let a = 0; a < size; a++) {
        word |= ((a < from.length ? x[from[a]] ^ x[to[a]] : x[a - from.length]) < 0 ? 1 : 0) << (a & 31);
        if ((a & 31) < 31 && a < size - 1) continue;
        bits[a >>> 5] = word;
        word = 0;
      }
      for (let z = 0; z < count; z++) {
        let unequal = 0;
        for (let w = 0; w < words; w++) unequal += ones(bits[w] ^ signs[z * words + w]);
        out[z][m][t] = size - 2 * unequal;
      }
    }
  });
  return out;
}

/** `f_a` of one observable step by step, chain by chain. */
export function observableSeries({ model, chains, steps }: Recorded, a: number): Int8Array[] {
  const [i, j] = model.edges[a] ?? [a - model.edges.length, -1];
  return chains.map(({ words, spins }) => {
    const row = wordsPerSample(spins);
    const up = (k: number, t: number) => (words[t * row + (k >>> 5)] >>> (k & 31)) & 1;
    return Int8Array.from({ length: steps }, (_, t) => (j < 0 ? 1 - 2 * up(i, t) : 2 * (up(i, t) ^ up(j, t)) - 1));
  });
}

/** A function of the spins step by step, chain by chain. */
export function valueSeries({ model, chains, steps }: Recorded, of: (spins: Int8Array) => number): Float64Array[] {
  const x = new Int8Array(model.spins);
  return chains.map((chain) =>
    Float64Array.from({ length: steps }, (_, t) => {
      readSample(chain, t, x);
      return of(x);
    }),
  );
}

/** So that the noise of what hardly ever changes does not come first. */
const LEAST_VARIANCE = 0.05;
/** Standard errors of white noise below which a correlation ends the sum. */
const ENDS = 3;

/** Observables that look slowest by a rough integrated time: correlations at lags of 1 step and its doubles, up to the first that is lost in noise. */
export function slowestObservables({ model, chains, steps }: Recorded, count: number): number[] {
  const { edges, theta, spins } = model;
  const words = steps >>> 5;
  const rows = chains.map((chain) => timeRows(chain, spins, words));
  const own = rows.map(() => new Int32Array(words));
  const noise = ENDS / Math.sqrt(32 * words * rows.length);
  const score = Float64Array.from(theta, (_, a) => {
    const [i, j] = edges[a] ?? [a - edges.length, -1];
    let sum = 0;
    rows.forEach((row, m) => {
      for (let w = 0; w < words; w++) {
        own[m][w] = row[i * words + w] ^ (j < 0 ? 0 : row[j * words + w]);
        sum += ones(own[m][w]);
      }
    });
    const mean = 1 - (2 * sum) / (32 * words * rows.length);
    const variance = 1 - mean * mean;
    if (variance < LEAST_VARIANCE) return 0;
    let time = 1;
    for (let lag = 1; lag <= steps / 4; lag *= 2) {
      const rho = (productAt(own, lag) - mean * mean) / variance;
      if (rho < noise) break;
      time += lag * rho;
    }
    return time;
  });
  return Array.from(theta, (_, a) => a)
    .sort((a, b) => score[b] - score[a])
    .slice(0, count);
}

/** Mean of the product of values, a bit each, that are a power of two of steps apart. */
function productAt(chains: readonly Int32Array[], lag: number): number {
  const shift = lag & 31;
  const apart = lag >>> 5;
  let unequal = 0;
  let pairs = 0;
  for (const bits of chains) {
    // With a shift the last word has no successor.
    const end = bits.length - apart - (shift > 0 ? 1 : 0);
    for (let w = 0; w < end; w++) {
      const later = shift === 0 ? bits[w + apart] : (bits[w] >>> shift) | (bits[w + 1] << (32 - shift));
      unequal += ones(bits[w] ^ later);
    }
    pairs += 32 * end;
  }
  return 1 - (2 * unequal) / pairs;
}

/** Per spin its values in time, a bit each. */
function timeRows(chain: PackedSamples, spins: number, words: number): Int32Array {
  const rows = new Int32Array(spins * words);
  const x = new Int8Array(spins);
  for (let t = 0; t < 32 * words; t++) {
    readSample(chain, t, x);
    for (let i = 0; i < spins; i++) if (x[i] > 0) rows[i * words + (t >>> 5)] |= 1 << (t & 31);
  }
  return rows;
}

/** `E|ghat - g|^2` of one chain of so many steps, from pairs of chains, and its standard error over these. */
export function squaredError({ model, chains, steps }: Recorded, window: number, segments: number) {
  const many = Math.min(segments, Math.floor(steps / window));
  const apart = Math.floor(steps / many);
  const means = chains.map(({ words, spins }) =>
    Array.from({ length: many }, (_, k) => {
      const row = wordsPerSample(spins);
      const part = words.subarray(k * apart * row, (k * apart + window) * row);
      return observableMeans(model, { spins, count: window, words: part });
    }),
  );
  const pairs = Array.from({ length: chains.length >> 1 }, (_, p) => {
    const [one, two] = [means[2 * p], means[2 * p + 1]];
    return one.reduce((sum, mean, k) => sum + half(mean, two[k]) / many, 0);
  });
  const mean = pairs.reduce((sum, value) => sum + value / pairs.length, 0);
  const spread = pairs.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { value: mean, standardError: Math.sqrt(spread / (pairs.length * (pairs.length - 1))) };
}

function half(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, k) => sum + (value - b[k]) ** 2 / 2, 0);
}

function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
