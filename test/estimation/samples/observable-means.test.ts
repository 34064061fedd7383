import { InputError, ising, randomSource } from 'htdml';
import { expect, test } from 'vitest';
import { addObservables } from '../../../src/estimation/data-moments.js';
import { observableMeans } from '../../../src/estimation/samples/observable-means.js';
import { emptySamples, readSample, writeSample } from '../../../src/estimation/samples/packed-samples.js';
import { complete, normals } from '../../support/models.js';

const cases = [
  [1, 1],
  [2, 31],
  [5, 32],
  [33, 33],
  [40, 100],
  [64, 64],
  [70, 1],
] as const;

test.each(cases)('%i spins, %i samples: against sums over samples', (spins, count) => {
  const random = randomSource(spins);
  const edges = complete(spins);
  const model = ising({ spins, edges, couplings: normals(edges.length, 1, 1), biases: normals(spins, 1, 2) });
  const samples = emptySamples(spins, count);
  for (let s = 0; s < count; s++) {
    writeSample(
      samples,
      s,
      Int8Array.from({ length: spins }, (_, i) => (random.uniform() < (i + 1) / (spins + 2) ? 1 : -1)),
    );
  }
  const sums = new Float64Array(model.theta.length);
  const x = new Int8Array(spins);
  for (let s = 0; s < count; s++) {
    readSample(samples, s, x);
    addObservables(model, x, 1, sums);
  }
  const means = observableMeans(model, samples);
  expect(means).toHaveLength(sums.length);
  // One rounding each of a quotient of whole numbers.
  means.forEach((mean, a) => {
    expect(Math.abs(mean - sums[a] / count)).toBeLessThan(2 * Number.EPSILON);
  });
});

test('samples of another size, or none, are refused', () => {
  const model = ising({ spins: 3, edges: [[0, 1]], couplings: [1] });
  expect(() => observableMeans(model, emptySamples(4, 2))).toThrow(InputError);
  expect(() => observableMeans(model, emptySamples(3, 0))).toThrow(InputError);
  expect([...observableMeans(model, emptySamples(3, 2))]).toEqual([-1]);
});
