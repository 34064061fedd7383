import type { Route } from 'htdml';
import { logEffectiveGap, logRhat } from 'htdml/objectives';
import { describe, expect, test } from 'vitest';
import { best, designCases, run, SETTINGS } from '../support/design-cases.js';

const all = designCases();

/** A route that keeps every point at which it is asked. */
function watched(route: Route): { readonly route: Route; readonly asked: readonly Float64Array[] } {
  const asked: Float64Array[] = [];
  return {
    asked,
    route: {
      name: route.name,
      differentiable: route.differentiable,
      evaluate(theta, quantities) {
        asked.push(Float64Array.from(theta));
        return route.evaluate(theta, quantities);
      },
      moments: (theta) => route.moments(theta),
      spectrum: (theta) => route.spectrum(theta),
      relaxation: (theta) => route.relaxation(theta),
      posteriorVariance: (theta) => route.posteriorVariance(theta),
    },
  };
}

describe.each(all)('$name', (one) => {
  const { model, route } = one;
  const couplings = model.edges.length;
  const whole = run(one);

  test('the result is within the budget and not worse than the start; records tell the truth', () => {
    const { start, records, final } = whole;
    const found = best(whole);
    const { value } = route.evaluate(Float64Array.from(found.theta), ['timescale', 'variance', 'kl']);
    expect(found.kl).toBe(value.kl);
    expect(found.objective).toBe(logEffectiveGap.evaluate(value)?.value);
    expect(found.kl).toBeLessThanOrEqual(start.start.kl + SETTINGS.budget);
    expect(found.objective).toBeGreaterThanOrEqual(start.start.objective);
    expect([...start.start.theta]).toEqual([...model.theta]);
    let least = start.start.objective;
    for (const record of records) {
      if (record.kl !== null && record.objective !== null && record.kl <= start.start.kl + SETTINGS.budget) {
        least = Math.max(least, record.objective);
      }
      expect(record.best).toBe(least);
    }
    expect(found.objective).toBe(least);
    expect(final.restart).toBe(SETTINGS.restarts);
    expect(new Set(records.map(({ restart }) => restart)).size).toBe(SETTINGS.restarts);
  });

  test('bounds on couplings and frozen parameters hold exactly', () => {
    const sizes = [...model.theta.subarray(0, couplings)].map(Math.abs);
    const maxCoupling = Math.max(...sizes);
    const frozen = [...new Set([0, couplings - 1, model.theta.length - 1])];
    const spy = watched(route);
    const result = run({ model, route: spy.route }, { maxCoupling, frozen });
    expect(spy.asked.length).toBeGreaterThan(10);
    for (const theta of spy.asked) {
      for (const a of frozen) expect(theta[a]).toBe(model.theta[a]);
      for (let a = 0; a < couplings; a++) expect(Math.abs(theta[a])).toBeLessThanOrEqual(maxCoupling);
    }
    const found = best(result);
    expect(found.kl).toBeLessThanOrEqual(result.start.start.kl + SETTINGS.budget);
    expect(found.objective).toBeGreaterThan(result.start.start.objective);
    expect(spy.asked.map((theta) => [...theta])).toContainEqual([...found.theta]);
  });

  test('a budget of zero', () => {
    const result = run(one, { budget: 0 });
    const found = best(result);
    expect(found.kl).toBeLessThanOrEqual(result.start.start.kl);
    expect(found.objective).toBeGreaterThanOrEqual(result.start.start.objective);
  });

  test('R_hat at held signal', () => {
    const { signal } = one.route.evaluate(model.theta, ['signal']).value;
    const objective = logRhat({ samples: 1000, heldSignal: signal });
    const result = run(one, { restarts: 1 }, objective);
    const found = best(result);
    expect(found.kl).toBeLessThanOrEqual(result.start.start.kl + SETTINGS.budget);
    expect(found.objective).toBeGreaterThan(result.start.start.objective);
  });
});

test('the effective gap rises in at least nine of ten cases', () => {
  const gains = all.map((one) => {
    const { start, records } = run(one, { restarts: 1 });
    return (records[records.length - 1].best ?? Number.NaN) - start.start.objective;
  });
  // One part in a thousand of the gap: far above the rounding of T.
  expect(gains.filter((gain) => gain > 1e-3).length).toBeGreaterThanOrEqual(0.9 * all.length);
});

test('nine of ten outer iterations end inside the budget, most of them at its edge', () => {
  const rests = all.flatMap((one) => {
    const { start, records, states } = run(one);
    const ends = records.filter((_, k) => k === records.length - 1 || states[k + 1] !== states[k]);
    return ends.map(({ kl }) => start.start.kl + SETTINGS.budget - (kl ?? Number.NaN));
  });
  expect(rests.length).toBeGreaterThan(2 * all.length);
  expect(rests.filter((rest) => rest >= 0).length).toBeGreaterThanOrEqual(0.9 * rests.length);
  // Where the constraint does not bind, in the first iterations of some runs, more is left.
  expect(rests.filter((rest) => Math.abs(rest) < 1e-3).length).toBeGreaterThan(0.5 * rests.length);
});

test('a larger budget buys a larger gap', () => {
  for (const one of all.slice(0, 4)) {
    const gaps = [0, 0.01, 0.1].map((budget) => best(run(one, { budget })).objective);
    expect(gaps[1]).toBeGreaterThan(gaps[0]);
    expect(gaps[2]).toBeGreaterThan(gaps[1]);
  }
});
