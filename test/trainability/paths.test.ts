import { createRoute, ising, KERNEL_NAMES, type Model, rbm } from 'htdml';
import { describe, expect, test } from 'vitest';
import { ACCURACY } from '../../src/trainability/accuracy.js';
import { propagatedError, stationaryError } from '../../src/trainability/exact-snr.js';
import { TableRoute } from '../../src/trainability/routes/table-route.js';
import { startLaw } from '../../src/trainability/start.js';
import { errorOverAllPaths, fullSpace, jointLaw, matrixOf, vector } from '../support/brute-force.js';
import { complete, FACTORED, MIXTURES, random, randomData } from '../support/models.js';

const { normal } = random(13);
const normals = (n: number) => Array.from({ length: n }, normal);

const models: Record<string, Model> = {
  'two spins, biased': ising({ spins: 2, edges: [[0, 1]], couplings: [0.8], biases: [0.3, -0.5], beta: 1.4 }),
  'two spins, no biases': ising({ spins: 2, edges: [[0, 1]], couplings: [-0.6] }),
  'two spins, one hidden': ising({ spins: 2, edges: [[0, 1]], couplings: [0.5], biases: [0.2, 0.9], visible: [1] }),
  'three spins, biased': ising({ spins: 3, edges: complete(3), couplings: normals(3), biases: normals(3) }),
  'three spins, no biases': ising({ spins: 3, edges: complete(3), couplings: normals(3) }),
  'three spins, hidden middle': ising({
    spins: 3,
    edges: complete(3),
    couplings: normals(3),
    biases: normals(3),
    visible: [2, 0],
    blocks: [[0, 1], [2]],
  }),
  'RBM 2 + 1': rbm({ visible: 2, hidden: 1, weights: normals(2), visibleBiases: normals(2), hiddenBiases: normals(1) }),
  'RBM 1 + 2, no biases': rbm({ visible: 1, hidden: 2, weights: normals(2) }),
  'RBM 1 + 2': rbm({ visible: 1, hidden: 2, weights: normals(2), visibleBiases: normals(1), hiddenBiases: normals(2) }),
};

describe.each(Object.entries(models))('%s', (_, model) => {
  const data = randomData(model.visible.length, 19);
  const full = fullSpace(model);
  const { joint } = jointLaw(full, data);
  const pairs = model.edges.length;
  const last = full.states - 1;
  const starts = {
    uniform: vector(full.states, () => 1 / full.states),
    stationary: full.pi,
    data: joint,
    'state:0': vector(full.states, (s) => (s === 0 ? 1 : 0)),
    // Beyond the folded half.
    [`state:${last - 1}`]: vector(full.states, (s) => (s === last - 1 ? 1 : 0)),
  };

  describe.each(KERNEL_NAMES)('%s', (name) => {
    const table = new TableRoute(model, data, name);
    const { law, kernel } = table.at(model.theta);
    const p = matrixOf(full, name);

    test.each(Object.keys(starts) as (keyof typeof starts & Parameters<typeof startLaw>[3])[])('from %s', (start) => {
      const mu = startLaw(model, data, law, start);
      for (const burnIn of [0, 1, 2]) {
        for (const window of [1, 2, 3]) {
          const { mse, biasSquared } = errorOverAllPaths(full, p, joint, starts[start], burnIn, window);
          const error = propagatedError(law, kernel, pairs, mu, burnIn, window);
          const sum = (x: Float64Array) => x.reduce((a, b) => a + b, 0);
          for (const [group, from, to] of [
            ['couplings', 0, pairs],
            ['biases', pairs, mse.length],
          ] as const) {
            // Up to 8^6 paths; their probabilities are products of at most six numbers and sum to one, errors are bounded by 4 per observable:
            // six observables times 4 times 6 roundings times lawError of about 20 eps is 6e-13 at worst, and rounding to either side leaves 1e-13; a product of blocks rounds
            // once per factor, five of them here.
            const tolerance = ACCURACY.paths[MIXTURES.includes(name) ? 'mixture' : 'product'];
            expect(Math.abs(error[group].mse - sum(mse.slice(from, to)))).toBeLessThan(tolerance);
            expect(Math.abs(error[group].biasSquared - sum(biasSquared.slice(from, to)))).toBeLessThan(tolerance);
          }
        }
      }
    });
  });
});

/** `E|ghat - g|^2` from equilibrium by the factored route's spectrum, over all paths of all states. */
describe.each(Object.entries(models).filter(([, { layers }]) => layers !== null))('%s, factored', (_, model) => {
  const data = randomData(model.visible.length, 19);
  const full = fullSpace(model);
  const { joint } = jointLaw(full, data);
  const pairs = model.edges.length;

  test.each(FACTORED)('%s', (name) => {
    const measure = createRoute(model, data, { kernel: name, route: 'factored' }).relaxation(model.theta).measure ?? [];
    for (const window of [1, 2, 3]) {
      const { mse } = errorOverAllPaths(full, matrixOf(full, name), joint, full.pi, 0, window);
      const error = stationaryError(measure, window);
      const sum = (x: Float64Array) => x.reduce((a, b) => a + b, 0);
      expect(Math.abs(error.couplings.mse - sum(mse.slice(0, pairs)))).toBeLessThan(5e-13);
      expect(Math.abs(error.biases.mse - sum(mse.slice(pairs)))).toBeLessThan(5e-13);
    }
  });
});

test('a start that is no state is refused by name', () => {
  const model = models['two spins, biased'];
  const data = randomData(2, 19);
  const table = new TableRoute(model, data, 'random-scan');
  for (const start of ['state:4', 'state:-1', 'state:0.5', 'state:', 'state:NaN'] as const) {
    expect(() => startLaw(model, data, table.at(model.theta).law, start as 'uniform')).toThrow(
      /^start must be a state index from 0 to 3, got state:/,
    );
  }
});
