import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readSpins, wordsOf, writeSpins } from '../../src/model/spin-words.js';

test('rows of any width come back, and touch no other row', () => {
  const rows = fc.integer({ min: 1, max: 100 }).chain((spins) =>
    fc.array(fc.array(fc.constantFrom(-1, 1), { minLength: spins, maxLength: spins }), {
      minLength: 1,
      maxLength: 5,
    }),
  );
  fc.assert(
    fc.property(rows, (given) => {
      const spins = given[0].length;
      // Written over ones, in reverse.
      const words = new Uint32Array(given.length * wordsOf(spins)).fill(0xffffffff);
      for (let r = given.length - 1; r >= 0; r--) writeSpins(words, r, spins, given[r]);
      given.forEach((row, r) => {
        const out = new Int8Array(spins);
        readSpins(words, r, spins, out);
        expect([...out]).toEqual(row);
        if (spins % 32 > 0) expect(words[(r + 1) * wordsOf(spins) - 1] >>> (spins % 32)).toBe(0);
      });
    }),
    { seed: 11, numRuns: 200 },
  );
});

test('one word is the index of a state', () => {
  const words = new Uint32Array(1);
  writeSpins(words, 0, 32, [-1, 1, ...Array(29).fill(-1), 1]);
  expect(words[0]).toBe(2 + 2 ** 31);
  expect([0, 1, 32, 33, 64, 784, 65_536].map(wordsOf)).toEqual([0, 1, 1, 2, 2, 25, 2048]);
});
