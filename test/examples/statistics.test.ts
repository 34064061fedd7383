import { randomSource } from 'htdml';
import { expect, test } from 'vitest';
import { median, medianInterval, signedRank } from '../../examples/training-comparison/statistics.js';

test('the median of odd and even numbers of values', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([1, Number.POSITIVE_INFINITY, 2, Number.POSITIVE_INFINITY])).toBe(Number.POSITIVE_INFINITY);
});

test('the signed-rank test: exact tails, ties, zeros', () => {
  // All of one sign: the two extreme assignments of 2^n.
  for (const n of [1, 4, 8]) {
    const differences = Array.from({ length: n }, (_, k) => k + 1);
    expect(signedRank(differences)).toBe(2 / 2 ** n);
    expect(signedRank(differences.map((d) => -d))).toBe(2 / 2 ** n);
  }
  // Sum 2 of at most 10: of sixteen assignments 0, 1, 2 and 10, 9, 8 are as far out.
  expect(signedRank([-1, 2, -3, -4])).toBe(6 / 16);
  // Ranks 1.5, 1.5, 3: sums 0, 1.5, 1.5, 3, 3, 4.5, 4.5, 6; seen 1.5.
  expect(signedRank([1, -1, -2])).toBe(6 / 8);
  expect(signedRank([0, 0, 1, 2])).toBe(2 / 4);
  expect(signedRank([0, 0])).toBe(1);
});

test('the signed-rank test rejects at its rate, and the interval of the median covers at its rate', () => {
  const random = randomSource(3);
  let [rejected, covered] = [0, 0];
  const trials = 400;
  for (let k = 0; k < trials; k++) {
    const values = Array.from({ length: 8 }, random.normal);
    if (signedRank(values) <= 0.05) rejected++;
    if (k % 4 > 0) continue;
    const [low, high] = medianInterval(values);
    if (low <= 0 && high >= 0) covered++;
  }
  // Exact level at eight values: sums 0 to 3 and their mirror images, 10 of 256. The bootstrap of eight values covers 93% of the time, by order statistics.
  const level = 10 / 256;
  expect(Math.abs(rejected / trials - level)).toBeLessThan(5 * Math.sqrt((level * (1 - level)) / trials));
  expect((4 * covered) / trials).toBeGreaterThan(0.93 - 5 * Math.sqrt((0.93 * 0.07 * 4) / trials));
});
