import { createRoute, InputError, ising, type Model, rbm, withParameters } from 'htdml';
import { describe, expect, test } from 'vitest';
import { annealedLogRatio, dataFreeEnergy } from '../../src/estimation/free-energy.js';
import { randomSource } from '../../src/estimation/random.js';
import { emptySamples, writeSample } from '../../src/estimation/samples/packed-samples.js';
import { startSampler } from '../../src/estimation/start-sampler.js';
import { boltzmann } from '../../src/model/boltzmann.js';
import { stateSpace } from '../../src/model/state-space.js';
import { positiveLaw } from '../support/fitted.js';
import { complete, normals } from '../support/models.js';

const glass = ising({
  spins: 5,
  edges: complete(5),
  couplings: normals(10, 0.6, 1),
  biases: normals(5, 0.3, 2),
  beta: 1.3,
});
const machine = rbm({
  visible: 3,
  hidden: 3,
  weights: normals(9, 0.7, 3),
  visibleBiases: normals(3, 0.4, 4),
  hiddenBiases: normals(3, 0.4, 5),
  beta: 0.8,
});
const even = rbm({ visible: 3, hidden: 2, weights: normals(6, 0.7, 6) });
const cases = [
  ['complete graph', glass],
  ['RBM', machine],
  ['RBM without biases', even],
] as const;

/** Exact draws. */
function draws(model: Model, count: number) {
  const random = randomSource(9);
  const draw = startSampler(model, null, 'stationary');
  const out = emptySamples(model.spins, count);
  const x = new Int8Array(model.spins);
  for (let m = 0; m < count; m++) {
    draw(random, x);
    writeSample(out, m, x);
  }
  return out;
}

function logZ(model: Model): number {
  const space = stateSpace(model);
  const { logPi } = boltzmann(space, model.theta, model.beta);
  // log pi = -beta E - log Z at the state of all spins down, whose energy is a sum of parameters.
  const { edges, theta, spins, biased } = model;
  let E = 0;
  for (let a = 0; a < edges.length; a++) E -= theta[a];
  if (biased) for (let i = 0; i < spins; i++) E += theta[edges.length + i];
  return -model.beta * E - logPi[0] + (space.folded ? Math.log(2) : 0);
}

describe.each(cases)('%s', (_, model) => {
  const to = withParameters(
    model,
    model.theta.map((value, a) => 0.6 * value + 0.3 * Math.sin(a)),
  );
  const data = positiveLaw(model.visible.length, 3);

  test('the ratio of partition functions is within its error, with one rung and with many', () => {
    const exact = logZ(to) - logZ(model);
    const starts = draws(model, 4000);
    for (const rungs of [1, 20]) {
      const { value, standardError, effectiveShare } = annealedLogRatio(model, to, starts, { rungs, seed: 3 });
      expect(Math.abs(value - exact)).toBeLessThan(4.5 * standardError);
      expect(effectiveShare).toBeGreaterThan(0);
      expect(effectiveShare).toBeLessThanOrEqual(1);
    }
    const [one, many] = [1, 20].map((rungs) => annealedLogRatio(model, to, starts, { rungs, seed: 3 }).standardError);
    expect(many).toBeLessThan(one);
  });

  test('free energy of the data less log Z is the cross entropy', () => {
    const route = createRoute(model, data, { kernel: 'random-scan' });
    const entropy = data.probabilities.reduce((sum, p) => sum - p * Math.log(p), 0);
    const kl = route.evaluate(model.theta, ['kl']).value.kl ?? Number.NaN;
    expect((dataFreeEnergy(model, data) ?? Number.NaN) + logZ(model)).toBeCloseTo(kl + entropy, 12);
  });

  test('to itself: zero, without error', () => {
    const { value, standardError, effectiveShare } = annealedLogRatio(model, model, draws(model, 20), {
      rungs: 5,
      seed: 1,
    });
    expect([value, standardError, effectiveShare]).toEqual([0, 0, 1]);
  });
});

test('hidden spins of a graph have no closed form; large fields do not overflow', () => {
  const hidden = ising({
    spins: 3,
    edges: [
      [0, 1],
      [1, 2],
    ],
    couplings: [1, 1],
    visible: [0, 1],
  });
  expect(dataFreeEnergy(hidden, positiveLaw(2, 1))).toBeNull();
  const strong = withParameters(
    even,
    even.theta.map((value) => 1e3 * value),
  );
  expect(dataFreeEnergy(strong, positiveLaw(3, 1))).toBeLessThan(-100);
  expect(dataFreeEnergy(strong, positiveLaw(3, 1))).toBeGreaterThan(-1e5);
});

test('less than one rung is refused, and parameters of another model', () => {
  expect(() => annealedLogRatio(glass, glass, draws(glass, 4), { rungs: 0, seed: 1 })).toThrow(InputError);
  expect(() => annealedLogRatio(glass, even, draws(glass, 4), { rungs: 1, seed: 1 })).toThrow(InputError);
});
