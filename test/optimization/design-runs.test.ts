import { type DesignState, designStart, ising, type Objective, parametrization, withParameters } from 'htdml';
import { kl, logEffectiveGap } from 'htdml/objectives';
import { describe, expect, test } from 'vitest';
import { best, designCases, run, SETTINGS } from '../support/design-cases.js';
import { fitted, positiveLaw } from '../support/fitted.js';
import { complete } from '../support/models.js';

const all = designCases();
const [machine] = all;
const glass = all[4];

const throughJson = (state: DesignState) => JSON.parse(JSON.stringify(state)) as DesignState;

describe('resuming', () => {
  test.each([machine, glass])(
    '$name: from any state, through JSON, gives bitwise the same records and result',
    (one) => {
      const settings = { restarts: 3, steps: 120 };
      const { records, states, final } = run(one, settings);
      const places = states.flatMap((state, k) => (k === 0 || state !== states[k - 1] ? [k] : []));
      expect(places.length).toBeGreaterThan(settings.restarts);
      for (const k of places) {
        const rest = run(one, settings, logEffectiveGap, throughJson(states[k]));
        expect(rest.final).toEqual(final);
        expect(rest.records).toEqual(records.slice(k));
      }
      expect(run(one, settings, logEffectiveGap, final)).toMatchObject({ records: [], final });
    },
  );

  test('also where the objective has no finite value at the start of a restart', () => {
    // A value only where the timescale is like the start's, as a function of the point alone, so that a resumed run meets the same holes.
    const { value } = machine.route.evaluate(machine.model.theta, ['timescale']);
    const inside = (timescale = 0) => Math.abs(timescale / (value.timescale ?? 0) - 1) < 0.05;
    const objective: Objective = {
      ...logEffectiveGap,
      evaluate: (values) => (inside(values.timescale) ? logEffectiveGap.evaluate(values) : null),
    };
    const settings = { restarts: 4, steps: 60 };
    const { records, states, final } = run(machine, settings, objective);
    // A restart that has no value at its start is over after one record.
    expect(records.filter(({ restart }) => restart === 2).length).toBe(1);
    for (let k = 1; k < states.length; k++) {
      if (states[k] === states[k - 1]) continue;
      const rest = run(machine, settings, objective, throughJson(states[k]));
      expect(rest.final).toEqual(final);
      expect(rest.records).toEqual(records.slice(k));
    }
  });
});

describe('restarts', () => {
  test('the same seed gives the same run, another seed another one after the first restart', () => {
    const settings = { restarts: 2, steps: 80 };
    const first = run(glass, { ...settings, seed: 5 });
    expect(run(glass, { ...settings, seed: 5 })).toEqual(first);
    const other = run(glass, { ...settings, seed: 6 });
    const of = (restart: number) => (one: typeof first) => one.records.filter((record) => record.restart === restart);
    expect(of(0)(other)).toEqual(of(0)(first));
    expect(of(1)(other)).not.toEqual(of(1)(first));
  });

  test('more of them are never worse', () => {
    const gaps = [1, 2, 4].map((restarts) => best(run(machine, { restarts, steps: 80 })).objective);
    expect(gaps[1]).toBeGreaterThanOrEqual(gaps[0]);
    expect(gaps[2]).toBeGreaterThanOrEqual(gaps[1]);
  });

  test.each([1, 2, 17, 60, 80])('with %i evaluations each, none takes more', (steps) => {
    const { records } = run(glass, { restarts: 3, steps });
    for (let restart = 0; restart < 3; restart++) {
      expect(records.filter((record) => record.restart === restart).length).toBeLessThanOrEqual(steps);
    }
  });

  test.each([1, 2, 17, 60, 80])('with %i evaluations each, every evaluation has its own number', (steps) => {
    const evaluations = run(glass, { restarts: 3, steps }).records.map(({ evaluation }) => evaluation);
    evaluations.slice(1).forEach((evaluation, k) => expect(evaluation).toBeGreaterThan(evaluations[k]));
  });
});

describe('a start beyond the bound', () => {
  const { model } = glass;
  const largest = Math.max(...[...model.theta.subarray(0, model.edges.length)].map(Math.abs));

  test('comes inside where the budget allows it', () => {
    const result = run(glass, { maxCoupling: 0.9 * largest, budget: 0.5 });
    expect(result.start.best).toBe(null);
    const found = best(result);
    expect(found.kl).toBeLessThanOrEqual(result.start.start.kl + 0.5);
    for (const value of found.theta.slice(0, model.edges.length))
      expect(Math.abs(value)).toBeLessThanOrEqual(0.9 * largest);
  });

  test('has no result where the budget forbids it', () => {
    const result = run(glass, { maxCoupling: 1e-3, budget: 1e-6 });
    expect(result.final.best).toBe(null);
    for (const record of result.records) expect(record.best).toBe(null);
  });

  test('frozen couplings beyond it stay', () => {
    const at = [...model.theta].findIndex((value) => Math.abs(value) === largest);
    const result = run(glass, { maxCoupling: 0.99 * largest, frozen: [at] });
    expect(result.start.best).not.toBe(null);
    expect(best(result).theta[at]).toBe(model.theta[at]);
  });
});

test('with everything frozen the start is the result', () => {
  const { model } = glass;
  const result = run(glass, { frozen: [...model.theta.keys()] });
  expect(best(result)).toEqual(result.start.start);
});

test('a start without a finite objective is refused', () => {
  const frozen = ising({ spins: 4, edges: complete(4), couplings: Array(6).fill(300), biases: Array(4).fill(0) });
  const one = fitted(frozen, positiveLaw(4, 1), 'random-scan', 0);
  expect(designStart(one.route, logEffectiveGap, kl, SETTINGS, parametrization(frozen), frozen.theta)).toBe(null);
});

describe('at the solution the gradients of gap and divergence are parallel', () => {
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, k) => sum + value * y[k], 0);
  const size = (value: number) => Math.abs(value);

  test.each([
    { ...machine, name: `${machine.name}, free`, share: Number.POSITIVE_INFINITY, budget: 0.02 },
    { ...glass, name: `${glass.name}, free`, share: Number.POSITIVE_INFINITY, budget: 0.02 },
    { ...all[5], name: `${all[5].name}, bounded`, share: 0.4, budget: 0.01 },
  ])('$name', ({ model, route, share, budget }) => {
    const couplings = model.edges.length;
    const maxCoupling = share * Math.max(...[...model.theta.subarray(0, couplings)].map(size));
    // A start inside the bound, with some couplings on it.
    const inside = model.theta.map((value, a) =>
      a < couplings ? Math.sign(value) * Math.min(size(value), maxCoupling) : value,
    );
    const one = { model: withParameters(model, inside), route };
    const bound = Number.isFinite(maxCoupling) ? maxCoupling : null;
    const result = run(one, { restarts: 1, steps: 2000, budget, maxCoupling: bound });
    expect(result.records.length).toBeLessThan(2000);
    const { theta, kl: spent } = best(result);
    const limit = result.start.start.kl + budget;
    // A run ends when the violation is below 1e-5, and drawing back aims 1e-9 inside the limit.
    expect(spent).toBeGreaterThan(limit - 1e-5);

    const at = route.evaluate(Float64Array.from(theta), ['timescale', 'variance', 'kl']);
    const rises = [...at.pullback(logEffectiveGap.evaluate(at.value)?.bar ?? {})];
    const costs = [...at.pullback({ kl: 1 })];
    const bounded = theta.map((value, a) => a < couplings && size(value) === maxCoupling);
    const free = (x: readonly number[]) => x.filter((_, a) => !bounded[a]);
    const [f, g] = [free(rises), free(costs)];
    const cosine = dot(f, g) / Math.sqrt(dot(f, f) * dot(g, g));
    const multiplier = dot(f, g) / dot(g, g);
    // Runs end when the objective changes by less than 1e-5, half the square of the distance along the constraint, at curvatures of
    // order 1: what is left of the gradient there is below sqrt(2e-5) = 0.005, of lengths of at least 0.3.
    expect(Math.hypot(...f)).toBeGreaterThan(0.3);
    expect(Math.acos(Math.min(1, cosine))).toBeLessThan(0.005 / 0.3);
    expect(multiplier).toBeGreaterThan(0);
    expect(bounded.some((one) => one)).toBe(bound !== null);
    rises.forEach((rise, a) => {
      if (bounded[a]) expect(Math.sign(theta[a]) * (rise - multiplier * costs[a])).toBeGreaterThan(0);
    });
  });
});
