import { createRoute, dataLawFromCounts, ising, randomSource, rbm, teacherLaw } from 'htdml';
import { expect, test } from 'vitest';
import { exactMoments } from '../../../src/trainability/routes/exact-moments.js';

const random = randomSource(8);
const normals = (n: number, scale: number) => Array.from({ length: n }, () => scale * random.normal());

test('of an RBM with biases, as the table of all states has them', () => {
  const parts = { weights: normals(12, 0.7), visibleBiases: normals(4, 0.3), hiddenBiases: normals(3, 0.3) };
  const model = rbm({ visible: 4, hidden: 3, beta: 1.3, ...parts });
  const data = dataLawFromCounts(4, [
    [3, 0.5],
    [9, 0.3],
    [14, 0.2],
  ]);
  const table = createRoute(model, data, { kernel: 'random-scan', route: 'table' }).moments(model.theta);
  const moments = exactMoments(model, data);
  for (const which of ['data', 'model'] as const) {
    moments[which].forEach((value, a) => expect(Math.abs(value - table[which][a])).toBeLessThan(1e-14));
  }
});

test('of 16 + 16 spins, where no table of states is possible: one coupled pair, E[-v h] = -tanh(beta J)', () => {
  const weights = new Float64Array(256);
  weights[16 * 5 + 9] = 0.8;
  const model = rbm({ visible: 16, hidden: 16, weights, beta: 0.5 });
  const { data, model: means } = exactMoments(model, teacherLaw(model));
  means.forEach((mean, a) => {
    const expected = a === 16 * 5 + 9 ? -Math.tanh(0.4) : 0;
    expect(Math.abs(mean - expected)).toBeLessThan(1e-13);
    // The model is its own teacher.
    expect(Math.abs(data[a] - mean)).toBeLessThan(1e-13);
  });
});

test('of other graphs, by their table, and not beyond it', () => {
  const ring = (spins: number) =>
    ising({
      spins,
      edges: Array.from({ length: spins }, (_, i) => [i, (i + 1) % spins] as const),
      couplings: Array(spins).fill(0.5),
    });
  const { model } = exactMoments(ring(6), teacherLaw(ring(6)));
  const t = Math.tanh(0.5);
  for (const mean of model) expect(Math.abs(mean + (t + t ** 5) / (1 + t ** 6))).toBeLessThan(1e-14);
  const law = dataLawFromCounts(26, [[0, 1]]);
  expect(() => exactMoments(ring(26), law)).toThrow(/the table of 26 spins/i);
  expect(() => exactMoments(ring(6), law)).toThrow(/law of 6 visible spins/);
});
