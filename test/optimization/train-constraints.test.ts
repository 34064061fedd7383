import {
  autocorrelation,
  type ControlledTerm,
  createRoute,
  ising,
  parametrization,
  type TrainSettings,
  type TrainState,
  train,
  trainStart,
  UnsupportedError,
} from 'htdml';
import {
  adaptCorrelationPenalty,
  adaptiveTotalCorrelation,
  type CorrelationControl,
  kl,
  l2,
  logEffectiveGap,
  totalCorrelation,
  UNCONTROLLED,
} from 'htdml/objectives';
import { describe, expect, test } from 'vitest';
import { exhaust, positiveLaw } from '../support/fitted.js';
import { complete, random } from '../support/models.js';

const { normal } = random(31);
const model = ising({
  spins: 4,
  edges: complete(4),
  couplings: Array.from({ length: 6 }, () => 0.6 * normal()),
  biases: [0.3, -0.2, 0.1, 0.4],
  visible: [0, 1, 2],
});
const route = createRoute(model, positiveLaw(3, 13), { kernel: 'random-scan' });
const PLAIN: TrainSettings = { steps: 40, learningRate: 0.05, penalties: [] };

function run(change: Partial<TrainSettings>, from?: TrainState) {
  const settings = { ...PLAIN, ...change };
  const start = from ?? trainStart(model.theta, settings.parametrization);
  const { yielded, result } = exhaust(train(route, kl, settings, start));
  return { records: yielded.map(({ record }) => record), states: yielded.map(({ state }) => state), final: result };
}

/** From a few states, and from the end, through JSON: the same records and the same end. */
function expectResumable(change: Partial<TrainSettings>) {
  const whole = run(change);
  for (const [k, state] of [...whole.states, whole.final].entries()) {
    if (k % Math.ceil(whole.states.length / 5) !== 1 && k !== whole.states.length) continue;
    const rest = run(change, JSON.parse(JSON.stringify(state)) as TrainState);
    expect(rest.records).toEqual(whole.records.slice(k));
    expect(rest.final).toEqual(whole.final);
  }
  return whole;
}

describe('Adam within constraints', () => {
  const constrained = { frozen: [9], tied: [[0, 3]], mask: [1, 0, 1, 1, 1, 1], maxCoupling: [0.4, 1, 0.3, 1, 1, 1] };
  const within = parametrization(model, constrained);

  test('every point satisfies them, bounds are met, and runs go on from any state', () => {
    const { states, final, records } = expectResumable({ parametrization: within, steps: 200, learningRate: 0.1 });
    for (const { theta } of [...states, final]) {
      expect(theta[9]).toBe(0.4);
      expect(theta[0]).toBe(theta[3]);
      expect(theta[1]).toBe(0);
      expect(Math.abs(theta[0])).toBeLessThanOrEqual(0.4);
      expect(Math.abs(theta[2])).toBeLessThanOrEqual(0.3);
    }
    expect(records[199].kl).toBeLessThan(records[0].kl);
  });

  test('its first step is against the gradient in u, projected', () => {
    const { states, final } = run({ parametrization: within, steps: 1, learningRate: 0.1 });
    const [before] = states;
    const { pullback } = route.evaluate(Float64Array.from(before.theta), ['kl']);
    const slope = within.pullback(pullback({ kl: 1 }));
    before.free.forEach((u, k) => {
      const next = Math.min(
        within.upper[k],
        Math.max(within.lower[k], u - (0.1 * slope[k]) / (Math.abs(slope[k]) + 1e-8)),
      );
      expect(Math.abs(final.free[k] - next)).toBeLessThan(1e-14);
    });
  });
});

describe('rounded couplings', () => {
  const rounded = parametrization(model, { bits: 4, maxCoupling: 1.4 });

  test('the record is of the rounded parameters, and steps below a level add up', () => {
    const { states, records, final } = expectResumable({ parametrization: rounded, steps: 300, learningRate: 0.01 });
    const step = 1.4 / 7;
    states.forEach(({ theta, free }, k) => {
      for (let a = 0; a < 6; a++) expect(Math.abs(theta[a] / step - Math.round(theta[a] / step))).toBeLessThan(1e-12);
      expect(theta).toEqual([...rounded.theta(Float64Array.from(free))]);
      if (k % 50 === 0) expect(records[k].kl).toBe(route.evaluate(Float64Array.from(theta), ['kl']).value.kl);
    });
    // A step of 0.01 is a twentieth of a level: without what u keeps nothing would ever move.
    expect(final.theta.slice(0, 6)).not.toEqual(states[0].theta.slice(0, 6));
    expect(Math.min(...records.map((record) => record.kl))).toBeLessThan(records[0].kl);
  });

  test('many bits train like none', () => {
    const free = run({ steps: 60 }).final;
    const fine = run({ steps: 60, parametrization: parametrization(model, { bits: 32, maxCoupling: 4 }) }).final;
    // Levels are 2e-9 apart, and Adam's steps do not amplify.
    free.theta.forEach((value, a) => expect(Math.abs(value - fine.theta[a])).toBeLessThan(1e-6));
  });
});

describe('L-BFGS', () => {
  const terms = [
    { objective: logEffectiveGap, weight: 0.02 },
    { objective: totalCorrelation, weight: 0.03 },
    { objective: l2, weight: 0.01 },
  ];

  test('never raises the loss, ends at a stationary point, and goes on from any state', () => {
    const { records, final, states } = expectResumable({ optimizer: 'lbfgs', penalties: terms, steps: 400 });
    records.slice(1).forEach(({ loss }, k) => expect(loss).toBeLessThan(records[k].loss));
    expect(final).toEqual({
      ...states[states.length - 1],
      stopped: "every component of the loss's gradient is below 0.000001",
      settled: true,
    });
    expect(records[records.length - 1].gradientNorm).toBeLessThan(1e-6 * Math.sqrt(10));
    const slow = run({ penalties: terms, steps: 3000, learningRate: 0.02 });
    expect(records[records.length - 1].loss).toBeLessThan(slow.records[2999].loss + 1e-9);
    expect(records.length).toBeLessThan(200);
  });

  test('in a box: the conditions of Karush, Kuhn and Tucker', () => {
    const within = parametrization(model, { maxCoupling: 0.35, tied: [[1, 2]], frozen: [0] });
    const { final, records } = expectResumable({
      optimizer: 'lbfgs',
      parametrization: within,
      penalties: terms,
      steps: 400,
    });
    expect(final.settled).toBe(true);
    const at = route.evaluate(Float64Array.from(final.theta), [
      'kl',
      'timescale',
      'variance',
      'totalCorrelation',
      'l2',
    ]);
    const gap = logEffectiveGap.evaluate(at.value)?.bar ?? {};
    const bar = {
      kl: 1,
      totalCorrelation: 0.03,
      l2: 0.01,
      timescale: -0.02 * (gap.timescale ?? 0),
      variance: -0.02 * (gap.variance ?? 0),
    };
    const slope = within.pullback(at.pullback(bar));
    let bounded = 0;
    final.free.forEach((u, k) => {
      if (u === within.upper[k]) expect(slope[k]).toBeLessThan(1e-6);
      else if (u === within.lower[k]) expect(slope[k]).toBeGreaterThan(-1e-6);
      else expect(Math.abs(slope[k])).toBeLessThan(1.1e-6);
      if (Math.abs(u) === 0.35) bounded++;
    });
    expect(bounded).toBeGreaterThan(0);
    expect(records[records.length - 1].loss).toBeLessThan(records[0].loss);
  });

  test('refuses what is not one smooth function', () => {
    const rounded = parametrization(model, { bits: 4, maxCoupling: 1.4 });
    expect(() => run({ optimizer: 'lbfgs', parametrization: rounded })).toThrow(UnsupportedError);
    const adaptive = adaptiveTotalCorrelation(route, { threshold: 0.1, lag: 10, every: 5 });
    expect(() => run({ optimizer: 'lbfgs', penalties: [adaptive] })).toThrow(/the loss changes on the way; use adam/);
  });
});

describe('the adaptive correlation penalty', () => {
  const lag = 12;
  const adaptive = (every: number): ControlledTerm => adaptiveTotalCorrelation(route, { threshold: 0.05, lag, every });

  test('the autocorrelation is that of the modes', () => {
    const { levels } = route.spectrum(model.theta) ?? { levels: [] };
    const mass = levels.map(({ couplingsWeight, biasesWeight }) => couplingsWeight + biasesWeight);
    const total = mass.reduce((sum, w) => sum + w, 0);
    for (const t of [0, 1, 7, 400]) {
      const exact = levels.reduce((sum, { gap }, j) => sum + mass[j] * (1 - gap) ** t, 0) / total;
      expect(Math.abs((autocorrelation(route.relaxation(model.theta), t) ?? 0) - exact)).toBeLessThan(1e-13);
    }
    expect(autocorrelation({ measure: null }, 3)).toBe(null);
    expect(autocorrelation({ measure: [] }, 3)).toBe(0);
  });

  test('the weight follows the rule at every look, is traced, and lowers the total correlation', () => {
    const change = { penalties: [{ objective: logEffectiveGap, weight: 1e-6 }, adaptive(10)], steps: 600 };
    const { records, states } = expectResumable(change);
    let control: CorrelationControl = UNCONTROLLED;
    records.forEach(({ step, weights }) => {
      if (step % 10 === 0) {
        const a = autocorrelation(route.relaxation(Float64Array.from(states[step].theta)), lag) ?? 0;
        control = adaptCorrelationPenalty(control, a, { threshold: 0.05 });
      }
      expect(weights).toEqual([1e-6, control.weight]);
    });
    expect(Math.max(...records.map(({ weights = [] }) => weights[1]))).toBeGreaterThan(0.001);
    const plain = run({ penalties: [{ objective: totalCorrelation, weight: 1e-9 }], steps: 600 });
    expect(records[599].penalties[1]).toBeLessThan(plain.records[599].penalties[0]);
  });

  test('a kernel without modes is refused', () => {
    const sweep = createRoute(model, positiveLaw(3, 13), { kernel: 'alternating-block' });
    const term = adaptiveTotalCorrelation(sweep, { threshold: 0.1, lag: 10, every: 5 });
    expect(() => exhaust(train(sweep, kl, { ...PLAIN, penalties: [term] }, trainStart(model.theta)))).toThrow(
      /autocorrelation is not known from modes; use a reversible kernel/,
    );
  });
});
