import { InputError } from '../errors.js';
import type { Model } from '../model/model.js';
import { type PackedSamples, wordsPerSample } from './samples/packed-samples.js';

/**
 * Averages of a model's observables over samples, `E f` in theta order (2.2), by counting bits. Samples may have more spins than the model, such as inputs, which are not looked
 * at. Throws {@link InputError} for samples of fewer spins, or none.
 */
export function observableMeans(model: Model, samples: PackedSamples): Float64Array {
  const { spins, edges, theta } = model;
  const { count } = samples;
  if (samples.spins < spins || count < 1) {
    throw new InputError({
      field: 'samples',
      expected: `at least one sample of at least ${spins} spins`,
      got: `${count} of ${samples.spins}`,
      remedy: 'give samples of this model',
    });
  }
  const columns = samplesOfSpins(samples, spins);
  const words = (count + 31) >>> 5;
  const out = new Float64Array(theta.length);
  for (let a = 0; a < edges.length; a++) {
    const u = edges[a][0] * words;
    const v = edges[a][1] * words;
    let unequal = 0;
    for (let w = 0; w < words; w++) unequal += bitCount(columns[u + w] ^ columns[v + w]);
    out[a] = (2 * unequal) / count - 1;
  }
  for (let a = edges.length; a < theta.length; a++) {
    const u = (a - edges.length) * words;
    let up = 0;
    for (let w = 0; w < words; w++) up += bitCount(columns[u + w]);
    out[a] = 1 - (2 * up) / count;
  }
  return out;
}

/** The samples' bits by spin: `ceil(count / 32)` words for each, turned in squares of 32 x 32 bits. */
function samplesOfSpins({ words, count, spins: all }: PackedSamples, spins: number): Uint32Array {
  const [row, column] = [wordsPerSample(all), (count + 31) >>> 5];
  const out = new Uint32Array(spins * column);
  const square = new Int32Array(32);
  for (let block = 0; block < column; block++) {
    const have = Math.min(32, count - 32 * block);
    for (let word = 0; 32 * word < spins; word++) {
      square.fill(0);
      for (let s = 0; s < have; s++) square[s] = words[(32 * block + s) * row + word];
      transpose(square);
      const bits = Math.min(32, spins - 32 * word);
      for (let bit = 0; bit < bits; bit++) out[(32 * word + bit) * column + block] = square[bit];
    }
  }
  return out;
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

/** Number of bits that are set. */
function bitCount(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
