import { expect, test } from 'vitest';
import { randomSource } from '../../../src/estimation/random.js';
import {
  emptySamples,
  readSample,
  wordsPerSample,
  writeSample,
} from '../../../src/estimation/samples/packed-samples.js';

test.each([1, 31, 32, 33, 64, 97])('samples of %i spins come back as they were kept, in any order', (spins) => {
  const random = randomSource(spins);
  const samples = emptySamples(spins, 5);
  const rows = Array.from({ length: 5 }, () =>
    Int8Array.from({ length: spins }, () => (random.uniform() < 0.5 ? -1 : 1)),
  );
  for (const s of [3, 0, 4, 1, 2])
    writeSample(
      samples,
      s,
      Int8Array.from(rows[s], (x) => -x),
    );
  for (const s of [2, 4, 0, 1, 3]) writeSample(samples, s, rows[s]);
  const out = new Int8Array(spins);
  rows.forEach((row, s) => {
    readSample(samples, s, out);
    expect([...out]).toEqual([...row]);
    // Bit by bit as documented, and nothing beyond the last spin.
    row.forEach((x, i) => {
      expect((samples.words[s * wordsPerSample(spins) + (i >> 5)] >>> (i & 31)) & 1).toBe(x > 0 ? 1 : 0);
    });
    if (spins % 32 > 0) expect(samples.words[(s + 1) * wordsPerSample(spins) - 1] >>> (spins % 32)).toBe(0);
  });
});
