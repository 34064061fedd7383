import { createRoute, ising, type Model, rbm, teacherLaw } from 'htdml';
import { describe, expect, test } from 'vitest';
import { positivePhase } from '../../src/estimation/positive-phase.js';
import { sampledSignal } from '../../src/estimation/signal.js';
import { dot, fullSpace, jointLaw } from '../support/brute-force.js';
import { positiveLaw } from '../support/fitted.js';
import { complete, normals, random } from '../support/models.js';

const plan = { patterns: 640, samples: 20, burnIn: 20, seed: 5 };
const hidden = ising({
  spins: 5,
  edges: complete(5),
  couplings: normals(10, 0.5, 1),
  biases: normals(5, 0.3, 2),
  visible: [0, 3],
});
const machine = rbm({
  visible: 3,
  hidden: 2,
  weights: normals(6, 0.8, 3),
  visibleBiases: normals(3, 0.3, 4),
  hiddenBiases: normals(2, 0.3, 5),
  beta: 1.2,
});
const even = rbm({ visible: 2, hidden: 3, weights: normals(6, 0.8, 6) });

/** `E_data f` and `E_data Cov(g f, f_b | v)` by sums over all states. */
function exactly(model: Model, data: ReturnType<typeof positiveLaw>, g: Float64Array) {
  const full = fullSpace(model);
  const { joint } = jointLaw(full, data);
  const means = Float64Array.from(full.observables, (f) => dot(joint, f));
  // The conditional mean at each state: over the states that show the same pattern.
  const shown = (s: number) => model.visible.reduce((v, i, k) => v + (((s >> i) & 1) << k), 0);
  const average = (f: Float64Array) => {
    const [mass, sum] = [new Float64Array(2 ** model.visible.length), new Float64Array(2 ** model.visible.length)];
    f.forEach((value, s) => {
      mass[shown(s)] += joint[s];
      sum[shown(s)] += joint[s] * value;
    });
    return f.map((_, s) => sum[shown(s)] / mass[shown(s)]);
  };
  const G = full.observables[0].map((_, s) => full.observables.reduce((sum, f, a) => sum + g[a] * f[s], 0));
  const meanG = average(G);
  const covariance = Float64Array.from(full.observables, (f) => {
    const mean = average(f);
    return f.reduce((sum, value, s) => sum + joint[s] * (G[s] - meanG[s]) * (value - mean[s]), 0);
  });
  return { means, covariance };
}

describe.each([
  ['RBM', machine],
  ['RBM without biases', even],
  ['without hidden spins', ising({ spins: 3, edges: complete(3), couplings: normals(3, 0.5, 9) })],
] as const)('%s', (_, model) => {
  test('means and covariances in closed form are those of all states', () => {
    const data = positiveLaw(model.visible.length, 3);
    const g = Float64Array.from(model.theta, (_value, a) => Math.cos(a));
    const exact = exactly(model, data, g);
    const { means, groups, covariance } = positivePhase(model, data, plan);
    expect(groups).toBeNull();
    covariance(g).forEach((value, b) => {
      expect(value).toBeCloseTo(exact.covariance[b], 13);
      expect(means[b]).toBeCloseTo(exact.means[b], 13);
    });
  });
});

test('hidden spins of a graph: clamped chains give both within their errors', () => {
  const data = positiveLaw(2, 3);
  const g = Float64Array.from(hidden.theta, (_, a) => Math.cos(a));
  const exact = exactly(hidden, data, g);
  const { means, groups, covariance } = positivePhase(hidden, data, plan);
  const found = covariance(g);
  means.forEach((value, b) => {
    const list = (groups ?? []).map((group) => group[b]);
    const error = Math.sqrt(list.reduce((sum, one) => sum + (one - value) ** 2, 0) / (list.length * (list.length - 1)));
    // Fifteen means by Student's t of fifteen degrees of freedom.
    expect(Math.abs(value - exact.means[b])).toBeLessThan(5 * error + 1e-12);
    // 640 pairs of chains, each of a covariance of size one: their standard error is at most 3 / sqrt(640).
    expect(Math.abs(found[b] - exact.covariance[b])).toBeLessThan(4 * (3 / Math.sqrt(640)));
  });
});

describe('the squared signal', () => {
  const { normal } = random(11);
  const draw = (means: Float64Array, noise: number) => means.map((value) => value + noise * normal());
  const data = Float64Array.from({ length: 6 }, (_, a) => 0.2 * Math.sin(a));
  const model = Float64Array.from({ length: 6 }, (_, a) => 0.1 * Math.cos(a));
  const exact = data.reduce((sum, value, a) => sum + (value - model[a]) ** 2, 0);

  test.each([true, false])('is unbiased over repetitions, data exact: %s', (isExact) => {
    const values = Array.from({ length: 2000 }, () => {
      const groups = Array.from({ length: 4 }, () => draw(model, 0.5));
      const positive = isExact
        ? { means: data, groups: null }
        : { means: data, groups: Array.from({ length: 3 }, () => draw(data, 0.5)) };
      return sampledSignal(positive, groups).value;
    });
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
    expect(Math.abs(mean - exact)).toBeLessThan((4 * spread) / Math.sqrt(values.length));
  });

  test('without one group is what the other groups give', () => {
    const groups = Array.from({ length: 5 }, () => draw(model, 0.3));
    const positive = Array.from({ length: 4 }, () => draw(data, 0.3));
    const all = sampledSignal({ means: data, groups: positive }, groups);
    groups.forEach((_, m) => {
      const rest = groups.filter((__, other) => other !== m);
      expect(all.withoutModel[m]).toBeCloseTo(sampledSignal({ means: data, groups: positive }, rest).value, 12);
    });
    positive.forEach((_, m) => {
      const rest = positive.filter((__, other) => other !== m);
      expect(all.withoutData[m]).toBeCloseTo(sampledSignal({ means: data, groups: rest }, groups).value, 12);
    });
    // By parameter group it adds up.
    const parts = [
      sampledSignal({ means: data, groups: positive }, groups, 0, 2),
      sampledSignal({ means: data, groups: positive }, groups, 2),
    ];
    expect(parts[0].value + parts[1].value).toBeCloseTo(all.value, 12);
  });
});

test('the exact route agrees on the signal with hidden spins', () => {
  const teacher = teacherLaw(ising({ spins: 2, edges: [[0, 1]], couplings: [0.4] }));
  const { value } = createRoute(hidden, teacher, { kernel: 'random-scan' }).evaluate(hidden.theta, ['signal']);
  const full = fullSpace(hidden);
  const g = exactly(hidden, teacher, new Float64Array(hidden.theta.length)).means.map(
    (mean, a) => mean - dot(full.pi, full.observables[a]),
  );
  expect(value.signal).toBeCloseTo(
    g.reduce((sum, one) => sum + one * one, 0),
    12,
  );
});
