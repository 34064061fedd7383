import { dataLawFromRows, InputError, ising, randomSource, rbm } from 'htdml';
import { expect, test } from 'vitest';
import { emptySamples, readSample, writeSample } from '../../../src/estimation/samples/packed-samples.js';
import { drawStarts, rowStarts } from '../../../src/estimation/samples/starts.js';

const model = rbm({ visible: 3, hidden: 40, weights: new Float64Array(120) });
const data = dataLawFromRows([
  [1, -1, -1],
  [1, -1, -1],
  [1, 1, -1],
]);

/** Five standard errors of the mean of so many fair coins of -1 and +1. */
const five = (coins: number) => 5 / Math.sqrt(coins);

test('kinds in their order: patterns of the data, their opposites, and coins for all other spins', () => {
  const count = 3000;
  const kinds = (['data', 'random', 'opposite'] as const).flatMap((kind) => Array(count).fill(kind));
  const starts = drawStarts(model, data, kinds, randomSource(1));
  expect(starts.count).toBe(3 * count);
  const spins = new Int8Array(43);
  const sums = [0, 1, 2].map(() => new Float64Array(43));
  for (let chain = 0; chain < 3 * count; chain++) {
    readSample(starts, chain, spins);
    spins.forEach((x, i) => {
      sums[Math.floor(chain / count)][i] += x / count;
    });
  }
  const [near, anywhere, far] = sums;
  expect([near[0], near[2], far[0], far[2]].map((x) => Math.round(1e9 * x) / 1e9)).toEqual([1, -1, -1, 1]);
  // The middle spin is +1 in a third of the data.
  expect(Math.abs(near[1] + 1 / 3)).toBeLessThan(five(count));
  expect(Math.abs(far[1] - 1 / 3)).toBeLessThan(five(count));
  for (const mean of [...anywhere, ...near.slice(3), ...far.slice(3)]) expect(Math.abs(mean)).toBeLessThan(five(count));
});

test('rows of visible spins, in the order of the model, one chain each', () => {
  const graph = ising({
    spins: 40,
    edges: Array.from({ length: 39 }, (_, i) => [i, i + 1] as const),
    couplings: Array(39).fill(0.1),
    visible: [39, 0, 7],
  });
  const rows = emptySamples(3, 2);
  writeSample(rows, 0, [1, -1, 1]);
  writeSample(rows, 1, [-1, 1, 1]);
  const starts = rowStarts(graph, rows, randomSource(2));
  const spins = new Int8Array(40);
  readSample(starts, 0, spins);
  expect([spins[39], spins[0], spins[7]]).toEqual([1, -1, 1]);
  readSample(starts, 1, spins);
  expect([spins[39], spins[0], spins[7]]).toEqual([-1, 1, 1]);
});

test('what is refused', () => {
  expect(() => drawStarts(model, null, ['random'], randomSource(1))).not.toThrow();
  expect(() => drawStarts(model, null, ['random', 'data'], randomSource(1))).toThrow(InputError);
  expect(() => drawStarts(model, dataLawFromRows([[1, 1]]), ['opposite'], randomSource(1))).toThrow(InputError);
  expect(() => rowStarts(model, emptySamples(43, 2), randomSource(1))).toThrow(InputError);
});
