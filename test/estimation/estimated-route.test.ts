import { createRoute, InputError, logEffectiveGap, UnsupportedError, withParameters } from 'htdml';
import { logEffectiveGap as gapObjective, kl } from 'htdml/objectives';
import { describe, expect, test } from 'vitest';
import { EstimatedRoute } from '../../src/estimation/estimated-route.js';
import { randomSource } from '../../src/estimation/random.js';
import { designSampled, sampledDesignStart } from '../../src/optimization/design-sampled.js';
import { parametrization } from '../../src/optimization/parametrization.js';
import { estimationCase } from '../support/estimation-cases.js';
import { exhaust } from '../support/fitted.js';

const random = randomSource(21);
/** Weaker than drawn, so that chains mix. */
const [glass, , machine] = Array.from({ length: 3 }, (_, k) => {
  const one = estimationCase(k, random);
  return {
    ...one,
    model: withParameters(
      one.model,
      one.model.theta.map((value) => 0.6 * value),
    ),
  };
});
const plan = { chains: 24, samples: 300, burnIn: 200, apart: 2, seed: 4 };

describe.each([glass, machine])('$name', ({ model, data, kernel }) => {
  const route = new EstimatedRoute(model, data, { ...plan, kernel });
  const exact = createRoute(model, data, { kernel });
  const there = model.theta.map((value, a) => value * (0.9 + 0.1 * Math.sin(a)));
  const quantities = ['timescale', 'variance', 'signal', 'kl', 'l1', 'l2'] as const;
  const found = route.evaluate(there, quantities);
  const truth = exact.evaluate(there, quantities);
  const start = exact.evaluate(model.theta, ['kl']).value.kl ?? Number.NaN;

  test('values within their errors, the divergence as the excess over the anchor', () => {
    const { standardErrors } = found.errors;
    expect(found.info.converged).toBe(true);
    for (const q of ['signal', 'kl'] as const) {
      const exactly = (truth.value[q] ?? Number.NaN) - (q === 'kl' ? start : 0);
      expect(Math.abs((found.value[q] ?? Number.NaN) - exactly)).toBeLessThan(4.5 * (standardErrors[q] ?? 0));
    }
    const T = truth.value.timescale ?? Number.NaN;
    const [low, high] = found.errors.timescale?.interval ?? [0, 0];
    expect(T).toBeGreaterThan(low - 0.02 * T);
    // The observables alone as features: within a tenth of T.
    expect(T).toBeLessThan(1.1 * high);
    expect(found.value.l1).toBe(truth.value.l1);
    expect(found.value.l2).toBe(truth.value.l2);
  });

  test.each(['timescale', 'variance', 'signal', 'kl', 'l2'] as const)(
    'the derivative of %s points the exact way',
    (q) => {
      const [mine, exactly] = [found.pullback({ [q]: 1 }), truth.pullback({ [q]: 1 })];
      const dot = (x: Float64Array, y: Float64Array) => x.reduce((sum, value, b) => sum + value * y[b], 0);
      expect(dot(mine, exactly) / Math.sqrt(dot(mine, mine) * dot(exactly, exactly))).toBeGreaterThan(0.9);
      expect(dot(mine, exactly) / dot(exactly, exactly)).toBeGreaterThan(0.8);
      expect(dot(mine, exactly) / dot(exactly, exactly)).toBeLessThan(1.2);
    },
  );

  test('at the anchor the divergence is zero, and the same call gives the same numbers', () => {
    expect(route.evaluate(model.theta, ['kl']).value.kl).toBeCloseTo(0, 10);
    expect(route.evaluate(there, quantities).value).toEqual(found.value);
  });

  test('design by samples raises the exact effective gap within the budget', () => {
    const space = parametrization(model, {});
    const settings = { budget: 0.05, steps: 60, learningRate: 0.01 };
    const cheap = new EstimatedRoute(model, data, { ...plan, samples: 100, kernel });
    const { yielded, result } = exhaust(
      designSampled(cheap, gapObjective, kl, settings, space, sampledDesignStart(space, model.theta)),
    );
    expect(yielded.length).toBe(60);
    const designed = withParameters(model, space.theta(Float64Array.from(result.average)));
    const gap = (theta: Float64Array) =>
      logEffectiveGap(exact.evaluate(theta, ['timescale', 'variance']).value)?.value ?? Number.NaN;
    const excess = (exact.evaluate(designed.theta, ['kl']).value.kl ?? Number.NaN) - start;
    expect(excess).toBeLessThan(1.5 * settings.budget);
    expect(gap(designed.theta) - gap(model.theta)).toBeGreaterThan(0.03);
  }, 60_000);
});

test('what samples do not give is refused by name, and too few chains', () => {
  const { model, data, kernel } = glass;
  const route = new EstimatedRoute(model, data, { ...plan, samples: 10, kernel });
  expect(() => route.evaluate(model.theta, ['softTimescale'])).toThrow(UnsupportedError);
  expect(() => route.evaluate(model.theta, ['totalCorrelation'])).toThrow(/totalCorrelation on the estimated route/);
  expect(() => route.evaluate(model.theta, ['timescale']).pullback({ kl: 1 })).not.toThrow();
  expect(() => route.evaluate(model.theta, ['l1']).pullback({ timescale: 1 })).toThrow(UnsupportedError);
  expect(() => new EstimatedRoute(model, data, { ...plan, chains: 8, kernel })).toThrow(InputError);
});
