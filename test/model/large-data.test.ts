import { writeFileSync } from 'node:fs';
import { type DataLaw, dataLawFromCounts, dataLawFromRows, InputError, readData, readPattern } from 'htdml';
import { describe, expect, test } from 'vitest';
import { patternIndices } from '../../src/model/data-law.js';
import { scratch } from '../support/cli.js';
import { random } from '../support/models.js';
import { npyBytes, npyHeader } from '../support/npy.js';

const { path } = scratch();

/** Rows with repetitions; neighbours in the list differ in one spin, wherever it stands. */
function rowsOf(spins: number, count: number, seed: number): number[][] {
  const { integer, uniform } = random(seed);
  const row = Array.from({ length: spins }, () => (uniform() < 0.5 ? -1 : 1));
  return Array.from({ length: count }, () => {
    if (uniform() < 0.7) row[integer(spins)] *= -1;
    return [...row];
  });
}

const unpacked = (law: DataLaw) =>
  Array.from(law.probabilities, (probability, k) => {
    const out = new Int8Array(law.spins);
    readPattern(law, k, out);
    return { pattern: out.join(), probability };
  });

describe.each([1, 5, 31, 32, 33, 64, 65, 784])('%i visible spins', (spins) => {
  const rows = rowsOf(spins, 300, spins);
  const law = dataLawFromRows(rows);

  test('are counted as by their text', () => {
    const counts = new Map<string, number>();
    for (const row of rows) counts.set(row.join(), (counts.get(row.join()) ?? 0) + 1);
    const found = unpacked(law);
    expect(found).toHaveLength(counts.size);
    for (const { pattern, probability } of found) expect(probability).toBe((counts.get(pattern) ?? 0) / 300);
    expect(law.patterns).toHaveLength(counts.size * Math.ceil(spins / 32));
  });

  test('are in increasing order, the last spin counting most', () => {
    const numbers = unpacked(law).map(({ pattern }) =>
      pattern.split(',').reduce((sum, x, k) => sum + (x === '1' ? 1n << BigInt(k) : 0n), 0n),
    );
    for (let k = 1; k < numbers.length; k++) expect(numbers[k] > numbers[k - 1]).toBe(true);
  });

  test('the order of the rows does not matter', () => {
    expect(dataLawFromRows([...rows].reverse())).toEqual(law);
  });

  test('come from files of every coding', () => {
    const shape = `(300, ${spins})`;
    const files: [string, string | Uint8Array][] = [
      ['signs.csv', rows.map((row) => row.join()).join('\n')],
      ['bits.csv', rows.map((row) => row.map((x) => (x > 0 ? 1 : 0)).join()).join('\n')],
      [
        'bool.npy',
        npyBytes(
          npyHeader('|b1', shape),
          Uint8Array.from(rows.flat(), (x) => (x > 0 ? 1 : 0)),
        ),
      ],
      ['signs.npy', npyBytes(npyHeader('|i1', shape), new Uint8Array(Int8Array.from(rows.flat()).buffer))],
      [
        'columns.npy',
        npyBytes(
          npyHeader('|b1', shape, true),
          Uint8Array.from({ length: 300 * spins }, (_, k) => (rows[k % 300][Math.floor(k / 300)] > 0 ? 1 : 0)),
        ),
      ],
    ];
    for (const [name, content] of files) {
      writeFileSync(path(name), content);
      expect(readData(path(name))).toEqual(law);
    }
  });
});

test('up to 32 spins rows and counts give the same law, a word per pattern', () => {
  const rows = rowsOf(32, 200, 3);
  const index = (row: readonly number[]) => row.reduce((sum, x, k) => sum + (x > 0 ? 2 ** k : 0), 0);
  const law = dataLawFromCounts(
    32,
    rows.map((row) => [index(row), 1]),
  );
  expect(dataLawFromRows(rows)).toEqual(law);
  expect(patternIndices(law)).toBe(law.patterns);
});

describe('what has no index is refused', () => {
  test.each([33, 64, -1, 0.5, Number.NaN])('counts of %d spins', (spins) => {
    expect(() => dataLawFromCounts(spins, [[0, 1]])).toThrow(
      /^the number of visible spins must be a whole number up to 32, .*; give larger data as rows\.$/,
    );
  });

  test('indices of 33 spins', () => {
    expect(() => patternIndices(dataLawFromRows([Array(33).fill(1)]))).toThrow(
      /^An index of patterns of 33 spins is not available: it has 32 bits; .*htdml estimate\.$/,
    );
  });
});

describe('hostile rows', () => {
  test.each([
    ['no columns', [[], []], /^rows must be at least one row of at least one value/],
    ['too many columns', [new Int8Array(65_537).fill(1)], /^row 1 must be at most 65536 values/],
    [
      'a short row at the end',
      [Array(784).fill(1), Array(783).fill(1)],
      /^row 2 must be 784 values like row 1, got 783/,
    ],
    ['a number at the end', [[...Array(783).fill(1), 2]], /^row 1, column 784 must be -1 or 1, got 2/],
    ['a hole', [[...Array(40).fill(1), undefined as unknown as number]], /^row 1, column 41 must be .* got nothing/],
  ])('%s', (_, rows, message) => {
    expect(() => dataLawFromRows(rows)).toThrow(InputError);
    expect(() => dataLawFromRows(rows)).toThrow(message);
  });

  test('a grey pixel of an array, and a mixed coding far to the right', () => {
    const bytes = new Uint8Array(2 * 784);
    bytes[784 + 783] = 2;
    writeFileSync(path('grey.npy'), npyBytes(npyHeader('|u1', '(2, 784)'), bytes));
    expect(() => readData(path('grey.npy'))).toThrow(/row 2, column 784 must be .* got 2; binarise/);
    const signs = new Int8Array(2 * 784);
    signs[784 + 783] = -1;
    writeFileSync(path('mixed.npy'), npyBytes(npyHeader('|i1', '(2, 784)'), new Uint8Array(signs.buffer)));
    expect(() => readData(path('mixed.npy'))).toThrow(/row 2, column 784 must be 0 or 1, as row 1, column 1 is 0/);
  });
});
