import { createRoute, parametrization, rbm } from 'htdml';
import { kl, l2, logEffectiveGap, logRhat } from 'htdml/objectives';
import { describe, expect, test } from 'vitest';
import {
  judge,
  type ParetoPoint,
  type ParetoSettings,
  type ParetoState,
  pareto,
  paretoStart,
  paretoSteps,
} from '../../src/optimization/pareto.js';
import { exhaust, positiveLaw } from '../support/fitted.js';
import { random } from '../support/models.js';

const machine = (seed: number) => {
  const { normal } = random(seed);
  return rbm({
    visible: 3,
    hidden: 2,
    weights: Array.from({ length: 6 }, () => 0.3 * normal()),
    visibleBiases: [0, 0, 0],
    hiddenBiases: [0, 0],
  });
};
const model = machine(1);
const route = createRoute(model, positiveLaw(3, 8), { kernel: 'random-block' });
const within = parametrization(model, { maxCoupling: 3 });
const SETTINGS: ParetoSettings = {
  arms: [
    { kind: 'design', name: 'design', objective: () => logEffectiveGap, budgets: [0.05, 0.01] },
    { kind: 'earlyStopping', name: 'early', every: 10 },
    { kind: 'penalty', name: 'decay', objective: l2, weights: [0.03, 0.01] },
  ],
  starts: [1, 2].map((seed) => ({ seed, theta: machine(seed).theta })),
  train: { steps: 45, learningRate: 0.05, penalties: [], parametrization: within },
  steps: 15,
  design: { restarts: 1, steps: 40 },
  parametrization: within,
};

const whole = exhaust(pareto(route, kl, SETTINGS, paretoStart(SETTINGS)));
const of = (seed: number, arm: string) => whole.result.points.filter((one) => one.seed === seed && one.arm === arm);

test('each seed has the points of each arm, from little to much', () => {
  expect(whole.result.missing).toEqual([]);
  for (const seed of [1, 2]) {
    expect(of(seed, 'early').map(({ parameter }) => parameter)).toEqual([0, 10, 20, 30, 40, 45]);
    expect(of(seed, 'decay').map(({ parameter }) => parameter)).toEqual([0.01, 0.03]);
    expect(of(seed, 'design').map(({ parameter }) => parameter)).toEqual([0.01, 0.05]);
    expect(of(seed, 'early')[0].theta).toEqual([...machine(seed).theta]);
  }
  expect(whole.result.points).toHaveLength(20);
});

test('every point says what its parameters give', () => {
  for (const point of whole.result.points) {
    const { value } = route.evaluate(Float64Array.from(point.theta), ['kl', 'timescale', 'variance']);
    expect(point.kl).toBe(value.kl);
    expect(Math.log(point.effectiveGap)).toBeCloseTo(logEffectiveGap.evaluate(value)?.value ?? Number.NaN, 14);
  }
});

test('arms begin at the trained model and go on from point to point; budgets count from the trained model', () => {
  for (const seed of [1, 2]) {
    const trained = of(seed, 'early')[5];
    const first = (arm: string, parameter: number) =>
      whole.yielded.find(({ record }) => record.seed === seed && record.arm === arm && record.parameter === parameter);
    for (const [arm, parameters] of [
      ['decay', [0.01, 0.03]],
      ['design', [0.01, 0.05]],
    ] as const) {
      const [one, two] = parameters.map((parameter) => first(arm, parameter));
      expect(one?.state.theta).toEqual(trained.theta);
      expect(one?.record.kl).toBe(trained.kl);
      expect(two?.state.theta).toEqual(of(seed, arm)[0].theta);
      expect(two?.record.kl).toBe(of(seed, arm)[0].kl);
    }
    const [small, large] = of(seed, 'design');
    expect(small.kl).toBeLessThanOrEqual(trained.kl + 0.01 + 1e-12);
    expect(large.kl).toBeLessThanOrEqual(trained.kl + 0.05 + 1e-12);
    expect(large.kl).toBeGreaterThan(trained.kl + 0.02);
    expect(small.effectiveGap).toBeGreaterThan(trained.effectiveGap);
    expect(large.effectiveGap).toBeGreaterThan(small.effectiveGap);
  }
});

test('goes on from states all along the way, through JSON, to the same end', () => {
  const { yielded, result } = whole;
  const begins = yielded.flatMap(({ state }, k) => (k === 0 || state !== yielded[k - 1].state ? [k] : []));
  const places = begins.filter((_, k) => k % 23 === 0);
  expect(places.length).toBeGreaterThan(5);
  for (const k of places) {
    const from = JSON.parse(JSON.stringify(yielded[k].state)) as ParetoState;
    const rest = exhaust(pareto(route, kl, SETTINGS, from));
    expect(rest.yielded.map(({ record }) => record)).toEqual(yielded.slice(k).map(({ record }) => record));
    expect(rest.result).toEqual(result);
  }
  expect(exhaust(pareto(route, kl, SETTINGS, result))).toEqual({ yielded: [], result });
});

test('progress counts the steps of every stage', () => {
  const stages = [45, 40, 40, 15, 15];
  const sums = [0, ...[...stages, ...stages].map((_, k, all) => all.slice(0, k + 1).reduce((a, b) => a + b, 0))];
  expect(paretoSteps(SETTINGS)).toEqual(sums);
  for (const { record, state } of whole.yielded) {
    expect(record.step).toBeLessThanOrEqual(sums[state.stage + 1] - sums[state.stage]);
  }
});

test('a design that finds nothing within its limits is missing, and the next begins where it began', () => {
  const tight = parametrization(model, { maxCoupling: 1e-6 });
  const [design] = SETTINGS.arms;
  const settings = { ...SETTINGS, parametrization: tight, arms: [design], starts: SETTINGS.starts.slice(0, 1) };
  const { result, yielded } = exhaust(pareto(route, kl, settings, paretoStart(settings)));
  expect(result.points).toEqual([]);
  expect(result.missing.map(({ parameter, arm }) => [arm, parameter])).toEqual([
    ['design', 0.01],
    ['design', 0.05],
  ]);
  const last = yielded[yielded.length - 1].state;
  expect(last.theta).toEqual(last.trained);
});

test('the signal of a design is held at the trained model', () => {
  const seen: number[] = [];
  const held = (signal: number) => {
    seen.push(signal);
    return logRhat({ samples: 100, heldSignal: signal });
  };
  const arms = [{ kind: 'design', name: 'design', objective: held, budgets: [0.01, 0.02] }] as const;
  const settings = { ...SETTINGS, arms, starts: SETTINGS.starts.slice(0, 1) };
  const { result } = exhaust(pareto(route, kl, settings, paretoStart(settings)));
  const trained = Float64Array.from(of(1, 'early')[5].theta);
  expect(seen).toEqual(Array(2).fill(route.evaluate(trained, ['signal']).value.signal));
  expect(result.points).toHaveLength(2);
});

describe('judging', () => {
  const point = (arm: string, divergence: number, effectiveGap: number, seed = 1): ParetoPoint => ({
    seed,
    arm,
    parameter: 0,
    kl: divergence,
    effectiveGap,
    theta: [],
  });

  test('dominated points, and gains at equal divergence, within a seed', () => {
    const judged = judge([
      point('a', 0.1, 0.2),
      point('a', 0.2, 0.2),
      point('b', 0.1, 0.1),
      point('b', 0.3, 0.5),
      point('b', 0.3, 0.5),
      point('b', 0.05, 0.3, 2),
      point('c', 0.3, 0.4),
    ]);
    expect(judged.map(({ dominated }) => dominated)).toEqual([false, true, true, false, false, false, true]);
    const gains = [2, 2, 0.5, 0.5 / 0.4, 0.5 / 0.4, null, 0.8];
    judged.forEach(({ gain }, k) => {
      if (gains[k] === null) expect(gain).toBe(null);
      else expect(gain).toBeCloseTo(gains[k] ?? Number.NaN, 14);
    });
  });

  test('what is not dominated is a staircase: more divergence buys more gap', () => {
    const { uniform } = random(9);
    const judged = judge(Array.from({ length: 300 }, () => point('a', uniform(), uniform())));
    const kept = judged.filter(({ dominated }) => !dominated).sort((a, b) => a.kl - b.kl);
    expect(kept.length).toBeGreaterThan(2);
    kept.slice(1).forEach((one, k) => expect(one.effectiveGap).toBeGreaterThan(kept[k].effectiveGap));
    for (const one of judged.filter(({ dominated }) => dominated)) {
      expect(kept.some((other) => other.kl <= one.kl && other.effectiveGap >= one.effectiveGap)).toBe(true);
    }
  });
});
