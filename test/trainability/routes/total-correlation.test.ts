import { createRoute, dataLawFromCounts, ising, type Model, rbm } from 'htdml';
import { describe, expect, test } from 'vitest';
import { ACCURACY } from '../../../src/trainability/accuracy.js';
import { fullSpace, lawError, spinOf } from '../../support/brute-force.js';
import { complete, gradientCases, random } from '../../support/models.js';

const { table, factored, differences } = ACCURACY;

/** By its definition, as entropies: `sum_i H(x_i) - H(x)` over all `2^N` states. */
function byEntropies(model: Model): number {
  const { pi } = fullSpace(model);
  const plogp = (p: number) => (p > 0 ? p * Math.log(p) : 0);
  const joint = pi.reduce((sum, p) => sum + plogp(p), 0);
  const single = Array.from({ length: model.spins }, (_, i) => {
    const up = pi.reduce((sum, p, s) => sum + (spinOf(s, i) > 0 ? p : 0), 0);
    const down = pi.reduce((sum, p, s) => sum + (spinOf(s, i) > 0 ? 0 : p), 0);
    return plogp(up) + plogp(down);
  });
  return joint - single.reduce((sum, x) => sum + x, 0);
}

const flat = (model: Model) => dataLawFromCounts(model.visible.length, [[0, 1]]);
const evaluate = (model: Model, theta = model.theta, route: 'table' | 'factored' = 'table') =>
  createRoute(model, flat(model), { kernel: 'random-block', route }).evaluate(theta, ['totalCorrelation']);
const valueAt = (model: Model, theta: Float64Array) => evaluate(model, theta).value.totalCorrelation ?? Number.NaN;

describe.each(gradientCases())('$name', ({ model }) => {
  test('the value is the sum of entropies less the joint one', () => {
    const value = valueAt(model, model.theta);
    expect(Math.abs(value - byEntropies(model))).toBeLessThan(table * (1 + value) + lawError(model));
    expect(value).toBeGreaterThanOrEqual(0);
  });

  test('the gradient is that of central differences', () => {
    const gradient = evaluate(model).pullback({ totalCorrelation: 1 });
    const h = 2e-3 / model.beta;
    gradient.forEach((slope, a) => {
      const f = (t: number) =>
        valueAt(
          model,
          Float64Array.from(model.theta, (x, b) => (a === b ? x + t : x)),
        );
      const numeric = (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h);
      // Its fifth derivative times h^4 / 30, in units of beta.
      expect(Math.abs(slope - numeric)).toBeLessThan(differences * (1 + Math.abs(slope)) + 1e-10 * model.beta);
    });
  });

  test.runIf(model.layers !== null)('by layers as by the table', () => {
    const [byTable, byLayers] = (['table', 'factored'] as const).map((route) => evaluate(model, model.theta, route));
    const value = byTable.value.totalCorrelation ?? Number.NaN;
    expect(Math.abs((byLayers.value.totalCorrelation ?? Number.NaN) - value)).toBeLessThan(
      factored.value * (1 + value),
    );
    const [a, b] = [byTable, byLayers].map(({ pullback }) => pullback({ totalCorrelation: 1 }));
    const size = Math.max(...a.map(Math.abs), 1);
    a.forEach((slope, k) => {
      expect(Math.abs(slope - b[k])).toBeLessThan(factored.gradient * size);
    });
  });
});

test('two spins without biases: log 2 less the entropy of their agreement', () => {
  for (const x of [1e-6, 0.3, 2, 15]) {
    const model = ising({ spins: 2, edges: [[0, 1]], couplings: [x] });
    const m = Math.tanh(x);
    // ((1 + m) log1p(m) + (1 - m) log1p(-m)) / 2, with 1 - m in full precision.
    const down = 2 / (1 + Math.exp(2 * x));
    const exact = ((1 + m) * Math.log1p(m) + down * Math.log(down)) / 2;
    // Near zero exact itself cancels: m^2 / 2 there.
    const expected = x < 1e-3 ? (m * m) / 2 : exact;
    expect(Math.abs(valueAt(model, model.theta) / expected - 1)).toBeLessThan(x < 1e-3 ? 1e-9 : 1e-14);
  }
});

test('independent spins have none, however polarised, and a frozen model has finite numbers', () => {
  const biases = [0, 1, -20, 300];
  const model = ising({ spins: 4, edges: complete(4), couplings: Array(6).fill(0), biases });
  expect(valueAt(model, model.theta)).toBeLessThan(1e-15);
  const cold = rbm({
    visible: 2,
    hidden: 2,
    weights: [400, 300, 200, 500],
    visibleBiases: [100, 20],
    hiddenBiases: [30, 400],
  });
  for (const route of ['table', 'factored'] as const) {
    const { value, pullback } = evaluate(cold, cold.theta, route);
    expect(value.totalCorrelation).toBeLessThan(1e-12);
    expect(pullback({ totalCorrelation: 1 }).every((slope) => Math.abs(slope) < 1e-12)).toBe(true);
  }
});

test('to first order in weak couplings it pulls like the published sampled rule, beta (C_ij - m_i m_j)', () => {
  const { normal } = random(5);
  const model = ising({
    spins: 5,
    edges: complete(5),
    beta: 1.3,
    couplings: Array.from({ length: 10 }, normal),
    biases: Array.from({ length: 5 }, () => 0.5 * normal()),
  });
  const apart = (scale: number) => {
    const theta = model.theta.map((x, a) => (a < 10 ? scale * x : x));
    const at = createRoute(model, flat(model), { kernel: 'random-scan' });
    const moments = at.moments(theta).model;
    const mean = (i: number) => -moments[10 + i];
    const gradient = at.evaluate(theta, ['totalCorrelation']).pullback({ totalCorrelation: 1 });
    const distances = model.edges.map(([i, j], a) => {
      const rule = model.beta * (-moments[a] - mean(i) * mean(j));
      return Math.abs(gradient[a] - rule) / scale;
    });
    return Math.max(...distances);
  };
  // The difference is of second order: per unit of coupling it halves with the scale.
  expect(apart(0.02) / apart(0.01)).toBeCloseTo(2, 0);
  expect(apart(0.001)).toBeLessThan(0.02);
});
