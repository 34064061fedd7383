import { expect, test } from 'vitest';
import { philox } from '../../../src/kernel/chains/philox.js';
import { Arena, type Loops, loops } from '../../../src/kernel/compiled/loops.js';
import { random } from '../../support/models.js';

/** The known answers that Random123 publishes for Philox 4x32-10: counter, key, words. */
const KNOWN: readonly (readonly number[])[] = [
  [0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  [...Array(6).fill(0xffffffff), 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  [
    ...[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0],
    ...[0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
];

type Six = [number, number, number, number, number, number];

function compiled(): Loops {
  const found = loops();
  if (found === null) throw new Error('the loops do not run');
  return found;
}

/** Four words of one counter, and those of the first of eight, as the compiled loops give them. */
function fromLoops([c0, c1, c2, c3, k0, k1]: Six) {
  const loop = compiled();
  const arena = new Arena(loop.memory);
  const [keys, eight, one] = arena.take(320, 128, 16) ?? [];
  loop.spreadKey(k0, k1, keys);
  loop.philoxEight(c0, c1, c2, c3, keys, eight);
  loop.philox(c0, c1, c2, c3, k0, k1, one);
  const words = (at: number, count: number) => Array.from(arena.words(at, count), (word) => word >>> 0);
  const all = words(eight, 32);
  const lane = (k: number) => [0, 1, 2, 3].map((w) => all[(k >> 2) * 16 + 4 * w + (k % 4)]);
  return { one: words(one, 4), lanes: Array.from({ length: 8 }, (_, k) => lane(k)) };
}

test.each(KNOWN)('known answer %#', (...row) => {
  const input = row.slice(0, 6) as Six;
  const expected = row.slice(6);
  expect(philox(...input)).toEqual(expected);
  const { one, lanes } = fromLoops(input);
  expect(one).toEqual(expected);
  expect(lanes[0]).toEqual(expected);
});

test('eight counters at once are those that follow each other, beyond the last one too', () => {
  const { uniform } = random(3);
  const word = () => Math.floor(uniform() * 2 ** 32);
  for (let k = 0; k < 200; k++) {
    const input: Six = [k === 0 ? 0xfffffffc : word(), word(), word(), word(), word(), word()];
    const { lanes } = fromLoops(input);
    lanes.forEach((words, lane) => {
      const [c0, ...rest] = input;
      expect(words).toEqual(philox(c0 + lane, ...(rest as [number, number, number, number, number])));
    });
  }
});
