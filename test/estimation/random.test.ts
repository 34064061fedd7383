import { InputError, type RandomSource, randomSource, resumeRandom } from 'htdml';
import { describe, expect, test } from 'vitest';
import { chiSquareSigmas } from '../support/statistics.js';

const take = (count: number, draw: () => number) => Float64Array.from({ length: count }, draw);
const mean = (values: Float64Array, of: (x: number) => number = (x) => x) =>
  values.reduce((sum, value) => sum + of(value), 0) / values.length;

/** Correlation of two lists of independent numbers in units of its standard error, `1 / sqrt n`. */
function correlationSigmas(x: Float64Array, y: Float64Array): number {
  const [mx, my] = [mean(x), mean(y)];
  const cov = mean(x.map((value, k) => (value - mx) * (y[k] - my)));
  const [vx, vy] = [mean(x, (value) => (value - mx) ** 2), mean(y, (value) => (value - my) ** 2)];
  return (Math.sqrt(x.length) * cov) / Math.sqrt(vx * vy);
}

describe('one stream', () => {
  test('the same seed gives the same numbers of every kind', () => {
    const mixed = (random: RandomSource) =>
      take(300, () => [random.uniform, random.normal, () => random.integer(7)][random.integer(3)]());
    expect(mixed(randomSource(42))).toEqual(mixed(randomSource(42)));
    expect(mixed(randomSource(42))).not.toEqual(mixed(randomSource(43)));
  });

  test('uniform numbers: in [0, 1), 53 bits, flat, uncorrelated', () => {
    const { uniform } = randomSource(1);
    const values = take(200_000, uniform);
    expect(values.every((x) => x >= 0 && x < 1 && Number.isInteger(x * 2 ** 53))).toBe(true);
    // The lowest of 53 bits is set in half of the numbers.
    const odd = values.filter((x) => (x * 2 ** 53) % 2 === 1).length;
    expect(Math.abs(odd - 100_000)).toBeLessThan((5 * Math.sqrt(200_000)) / 2);
    const counts = new Float64Array(1000);
    for (const x of values) counts[Math.floor(1000 * x)]++;
    expect(Math.abs(chiSquareSigmas(counts, new Float64Array(1000).fill(1e-3)))).toBeLessThan(5);
    for (const lag of [1, 2, 3, 7]) {
      expect(Math.abs(correlationSigmas(values.slice(0, -lag), values.slice(lag)))).toBeLessThan(5);
    }
  });

  test('normal numbers: the first four moments', () => {
    const { normal } = randomSource(2);
    const n = 1_000_000;
    const values = take(n, normal);
    // Var x^k: 1, 2, 15, 96.
    [
      [1, 0, 1],
      [2, 1, 2],
      [3, 0, 15],
      [4, 3, 96],
    ].forEach(([power, expected, variance]) => {
      expect(Math.abs(mean(values, (x) => x ** power) - expected)).toBeLessThan(5 * Math.sqrt(variance / n));
    });
    expect(Math.abs(correlationSigmas(values.slice(1), values.slice(0, -1)))).toBeLessThan(5);
    // P(|x| > 3) = 0.0026998.
    const beyond = values.filter((x) => Math.abs(x) > 3).length;
    expect(Math.abs(beyond - 0.0026998 * n)).toBeLessThan(5 * Math.sqrt(0.0027 * n));
  });

  test.each([1, 2, 3, 7, 1000])('whole numbers below %i: all, equally often', (below) => {
    const random = randomSource(3);
    const counts = new Float64Array(below);
    for (let k = 0; k < 100 * below + 20_000; k++) counts[random.integer(below)]++;
    expect(counts.every((count) => count > 0)).toBe(true);
    expect(Math.abs(chiSquareSigmas(counts, new Float64Array(below).fill(1 / below)))).toBeLessThan(5);
  });
});

describe('state', () => {
  test('a source goes on from a state that went through a file, and the first is not disturbed', () => {
    const first = randomSource(11);
    for (let k = 0; k < 101; k++) first.normal();
    const second = resumeRandom(JSON.parse(JSON.stringify(first.state())));
    expect(take(500, second.uniform)).toEqual(take(500, first.uniform));
    expect(take(50, second.split().normal)).toEqual(take(50, first.split().normal));
    expect(second.state()).toEqual(first.state());
  });

  test.each([[[]], [[0, 0, 0, 0]], [[1, 2, 3]], [[1, 2, 3, 0.5]], [[1, 2, 3, 2 ** 32]]])('%j is refused', (words) => {
    expect(() => resumeRandom(words)).toThrow(InputError);
  });
});

describe('streams', () => {
  test('split streams differ from each other and from what is left, and repeat with the seed', () => {
    const family = () => {
      const parent = randomSource(9);
      const first = parent.split();
      const second = parent.split();
      const grandchild = second.split();
      return [parent, first, second, grandchild].map(({ uniform }) => take(20_000, uniform));
    };
    const streams = family();
    expect(family()).toEqual(streams);
    for (let i = 0; i < streams.length; i++) {
      for (let j = 0; j < i; j++) {
        expect(streams[i]).not.toEqual(streams[j]);
        expect(Math.abs(correlationSigmas(streams[i], streams[j]))).toBeLessThan(5);
      }
    }
  });

  test.each([
    ['seeds 0, 1, 2, ...', (k: number) => randomSource(k)],
    ['the first split of seeds 0, 1, 2, ...', (k: number) => randomSource(k).split()],
    [
      'what a split of seeds 0, 1, 2, ... leaves',
      (k: number) => {
        const random = randomSource(k);
        random.split();
        return random;
      },
    ],
  ])('%s: the first numbers are flat and unrelated from seed to seed', (_, source) => {
    const seeds = 2000;
    for (let place = 0; place < 4; place++) {
      const values = take(seeds, () => 0).map((_zero, seed) => {
        const { uniform } = source(seed);
        for (let k = 0; k < place; k++) uniform();
        return uniform();
      });
      const counts = new Float64Array(50);
      for (const x of values) counts[Math.floor(50 * x)]++;
      expect(Math.abs(chiSquareSigmas(counts, new Float64Array(50).fill(1 / 50)))).toBeLessThan(5);
      expect(Math.abs(correlationSigmas(values.slice(0, -1), values.slice(1)))).toBeLessThan(5);
    }
  });
});
