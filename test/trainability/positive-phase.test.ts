import { createRoute, evaluateModel, randomSource, rbm } from 'htdml';
import { describe, expect, test } from 'vitest';
import { startSampler } from '../../src/estimation/start-sampler.js';
import { EPS, fullSpace, lawError, visiblePattern } from '../support/brute-force.js';
import { gradientCases, randomData } from '../support/models.js';

/** `sum_a E_data Var(f_a | v)`, pattern by pattern from the states that show it. */
function overStates({ model, data }: ReturnType<typeof gradientCases>[number]): number {
  const { states, pi, observables } = fullSpace(model);
  let total = 0;
  data.patterns.forEach((v, k) => {
    const members = Array.from({ length: states }, (_, s) => s).filter((s) => visiblePattern(model, s) === v);
    const mass = members.reduce((sum, s) => sum + pi[s], 0);
    for (const f of observables) {
      const mean = members.reduce((sum, s) => sum + (pi[s] / mass) * f[s], 0);
      for (const s of members) total += data.probabilities[k] * (pi[s] / mass) * (f[s] - mean) ** 2;
    }
  });
  return total;
}

describe.each(gradientCases())('$name', (one) => {
  const { model, data } = one;
  const expected = overStates(one);
  const tolerance = 8 * lawError(model) * model.theta.length;

  test('the variance of posterior samples, by both routes', () => {
    const routes = model.layers === null ? (['table'] as const) : (['table', 'factored'] as const);
    for (const route of routes) {
      const found = createRoute(model, data, { kernel: 'random-block', route }).posteriorVariance(model.theta);
      expect(Math.abs(found - expected)).toBeLessThan(tolerance);
      if (model.visible.length === model.spins) expect(found).toBe(0);
    }
  });

  test('its share beside the error of the chain', () => {
    for (const chains of [1, 4]) {
      const { positivePhase, operational } = evaluateModel(model, data, {
        kernel: 'random-block',
        burnIn: 5,
        window: 20,
        chains,
        start: 'stationary',
        epsilon: 1e-3,
        kappa: 2.5,
        gradient: false,
      });
      const mse = operational?.mse ?? Number.NaN;
      expect(Math.abs(positivePhase.variance - expected / chains)).toBeLessThan(tolerance);
      const share = expected / chains / (mse + expected / chains);
      expect(Math.abs((positivePhase.share ?? -1) - share)).toBeLessThan((2 * tolerance) / mse);
    }
  });
});

test('a nearly certain posterior keeps its digits', () => {
  // h follows v with odds exp(-2 W): the variance of each of the two observables is 4 p (1 - p) with 1 - p = 1 / (1 + exp(80)).
  const model = rbm({ visible: 1, hidden: 1, weights: [40], visibleBiases: [0], hiddenBiases: [0] });
  const expected = (2 * 4) / (1 + Math.exp(80));
  for (const route of ['table', 'factored'] as const) {
    const found = createRoute(model, randomData(1, 2), { kernel: 'random-block', route }).posteriorVariance(
      model.theta,
    );
    expect(Math.abs(found / expected - 1)).toBeLessThan(40 * 8 * EPS);
  }
});

test('posterior samples scatter that much', () => {
  const [one] = gradientCases().filter(({ model }) => model.visible.length < model.spins);
  const { model, data } = one;
  const { observables } = fullSpace(model);
  const draw = startSampler(model, data, 'data');
  const source = randomSource(3);
  const spins = new Int8Array(model.spins);
  const samples = Array.from({ length: 20_000 }, () => {
    draw(source, spins);
    return spins.reduce((s, x, i) => s + (x > 0 ? 2 ** i : 0), 0);
  });
  const members = new Map<number, number[]>();
  for (const s of samples) {
    const pattern = visiblePattern(model, s);
    const known = members.get(pattern);
    if (known === undefined) members.set(pattern, [s]);
    else known.push(s);
  }
  // Scatter within each pattern, about its own mean.
  const squares: number[] = [];
  for (const states of members.values()) {
    const means = observables.map((f) => states.reduce((sum, s) => sum + f[s], 0) / states.length);
    const unbiased = states.length / Math.max(1, states.length - 1);
    for (const s of states) squares.push(unbiased * observables.reduce((sum, f, a) => sum + (f[s] - means[a]) ** 2, 0));
  }
  const mean = squares.reduce((sum, x) => sum + x, 0) / squares.length;
  const spread = squares.reduce((sum, x) => sum + (x - mean) ** 2, 0) / squares.length;
  const expected = createRoute(model, data, { kernel: 'random-scan' }).posteriorVariance(model.theta);
  expect(Math.abs(mean - expected)).toBeLessThan(5 * Math.sqrt(spread / squares.length));
});
