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
    const [u, v] = [edges[a][0] * words, edges[a][1] * words];
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

/** The samples' bits by spin: `ceil(count / 32)` words for each. */
function samplesOfSpins({ words, count, spins: all }: PackedSamples, spins: number): Uint32Array {
  const [row, column] = [wordsPerSample(all), (count + 31) >>> 5];
  const out = new Uint32Array(spins * column);
  for (let s = 0; s < count; s++) {
    for (let i = 0; i < spins; i++) {
      out[i * column + (s >>> 5)] |= ((words[s * row + (i >>> 5)] >>> (i & 31)) & 1) << (s & 31);
    }
  }
  return out;
}

/** Number of bits that are set. */
function bitCount(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
