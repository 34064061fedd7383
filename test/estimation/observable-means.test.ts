import { InputError, ising, type Model, randomSource } from 'htdml';
import { expect, test } from 'vitest';
import { addObservables } from '../../src/estimation/data-moments.js';
import { observableMeans } from '../../src/estimation/observable-means.js';
import { emptySamples, writeSample } from '../../src/estimation/samples/packed-samples.js';

const random = randomSource(8);
const edges = Array.from({ length: 60 }, (_, a) => [a % 40, (7 * a + 3 + (a >= 40 ? 11 : 0)) % 40] as const).filter(
  ([i, j], a, all) => i !== j && all.findIndex(([u, v]) => (u === i && v === j) || (u === j && v === i)) === a,
);
const couplings = edges.map(() => 1);
const models: Record<string, Model> = {
  'with biases': ising({ spins: 40, edges, couplings, biases: new Float64Array(40) }),
  'without biases': ising({ spins: 40, edges, couplings }),
};

test.each(Object.entries(models))('%s: counted as added up, sample by sample', (_, model) => {
  for (const [spins, count] of [
    [40, 1],
    [40, 31],
    [40, 32],
    [64, 33],
    [65, 100],
  ]) {
    const samples = emptySamples(spins, count);
    const sum = new Float64Array(model.theta.length);
    for (let s = 0; s < count; s++) {
      const row = Int8Array.from({ length: spins }, () => (random.uniform() < 0.4 ? 1 : -1));
      writeSample(samples, s, row);
      addObservables(model, row, 1, sum);
    }
    expect([...observableMeans(model, samples)]).toEqual(Array.from(sum, (f) => expect.closeTo(f / count, 14)));
  }
});

test('refused: samples of another model, or none', () => {
  const means = (spins: number, count: number) => () =>
    observableMeans(models['with biases'], emptySamples(spins, count));
  expect(means(39, 2)).toThrow(InputError);
  expect(means(39, 2)).toThrow(/^samples must be at least one sample of at least 40 spins, got 2 of 39; give/);
  expect(means(40, 0)).toThrow(/got 0 of 40/);
});
