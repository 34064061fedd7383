import { InputError } from '../../errors.js';
import type { Model } from '../../model/model.js';
import { type PackedSamples, wordsPerSample } from './packed-samples.js';

/**
 * Averages of the observables over samples, `E f` in theta order (2.2): `-E x_i x_j`, then `-E x_i`. Bits are counted 32 samples at a time:
 * `E x_i x_j = 1 - 2 |bits_i xor bits_j| / samples`. Throws {@link InputError} for samples of another size or none.
 */
export function observableMeans(model: Model, samples: PackedSamples): Float64Array {
  const { edges, theta } = model;
  const { count, spins } = samples;
  if (spins !== model.spins || count < 1) {
    throw new InputError({
      field: 'samples',
      expected: `at least one sample of ${model.spins} spins`,
      got: `${count} of ${spins}`,
      remedy: 'give samples of this model',
    });
  }
  const rows = timeRows(samples);
  const width = Math.ceil(count / 32);
  const out = new Float64Array(theta.length);
  for (let a = 0; a < edges.length; a++) {
    const i = edges[a][0] * width;
    const j = edges[a][1] * width;
    let unequal = 0;
    for (let w = 0; w < width; w++) unequal += ones(rows[i + w] ^ rows[j + w]);
    out[a] = (2 * unequal) / count - 1;
  }
  for (let a = edges.length; a < theta.length; a++) {
    const i = (a - edges.length) * width;
    let up = 0;
    for (let w = 0; w < width; w++) up += ones(rows[i + w]);
    out[a] = 1 - (2 * up) / count;
  }
  return out;
}

/** Samples the other way round: per spin `ceil(count / 32)` words, a bit per sample; unused bits are zero. */
function timeRows({ spins, count, words }: PackedSamples): Int32Array {
  const perSample = wordsPerSample(spins);
  const width = Math.ceil(count / 32);
  const rows = new Int32Array(perSample * 32 * width);
  const square = new Int32Array(32);
  for (let block = 0; block < width; block++) {
    const have = Math.min(32, count - 32 * block);
    for (let w = 0; w < perSample; w++) {
      square.fill(0);
      for (let s = 0; s < have; s++) square[s] = words[(32 * block + s) * perSample + w];
      transpose(square);
      for (let bit = 0; bit < 32; bit++) rows[(32 * w + bit) * width + block] = square[bit];
    }
  }
  return rows;
}

/** Turns a square of 32 x 32 bits: bit `k` of word `s` goes to bit `s` of word `k`, by exchanging quarters of halving size. */
function transpose(square: Int32Array): void {
  let mask = 0x0000ffff;
  for (let size = 16; size > 0; size >>= 1, mask ^= mask << size) {
    for (let k = 0; k < 32; k = ((k | size) + 1) & ~size) {
      const exchanged = ((square[k] >>> size) ^ square[k | size]) & mask;
      square[k] ^= exchanged << size;
      square[k | size] ^= exchanged;
    }
  }
}

/** The number of ones among 32 bits. */
function ones(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
