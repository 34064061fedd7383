import {
  ConvergenceError,
  createRoute,
  ising,
  type Model,
  type Objective,
  type Route,
  rbm,
  type TrainRecord,
  type TrainSettings,
  type TrainState,
  teacherLaw,
  train,
  trainStart,
  withParameters,
} from 'htdml';
import { kl, l2, logEffectiveGap, logRhat } from 'htdml/objectives';
import { describe, expect, test } from 'vitest';
import { exhaust, positiveLaw } from '../support/fitted.js';
import { complete, gradientCases, random } from '../support/models.js';

const PLAIN: TrainSettings = { steps: 1, learningRate: 0.05, penalties: [] };

interface Run {
  readonly records: readonly TrainRecord[];
  readonly states: readonly TrainState[];
  readonly final: TrainState;
}

function run(route: Route, settings: TrainSettings, from: TrainState): Run {
  const { yielded, result } = exhaust(train(route, kl, settings, from));
  return { records: yielded.map(({ record }) => record), states: yielded.map(({ state }) => state), final: result };
}

/** What is minimised, at a point: the record of a run of one step from there. */
const recordAt = (route: Route, settings: TrainSettings, theta: ArrayLike<number>) =>
  run(route, { ...settings, steps: 1 }, trainStart(theta)).records[0];

function isingCase(scale: number, biased: boolean, seed: number): Model {
  const { normal } = random(seed);
  const couplings = complete(4).map(() => scale * normal());
  return ising({
    spins: 4,
    edges: complete(4),
    couplings,
    biases: biased ? [0.3, -0.2, 0.1, 0.4] : undefined,
  });
}

describe('Adam', () => {
  const model = isingCase(0.4, true, 1);
  const data = positiveLaw(4, 2);
  const route = createRoute(model, data, { kernel: 'random-scan' });
  const at = (theta: ArrayLike<number>) => {
    const { data: positive, model: negative } = route.moments(Float64Array.from(theta));
    return positive.map((value, a) => model.beta * (value - negative[a]));
  };

  test('the first step goes against the sign of the gradient, by the learning rate', () => {
    const { final } = run(route, PLAIN, trainStart(model.theta));
    const g = at(model.theta);
    expect(final.step).toBe(1);
    final.theta.forEach((value, a) => {
      // Both corrections of the bias cancel, which leaves g / (|g| + 1e-8).
      const expected = model.theta[a] - (0.05 * g[a]) / (Math.abs(g[a]) + 1e-8);
      expect(Math.abs(value - expected)).toBeLessThan(16 * Number.EPSILON);
      expect(Math.abs((final.adam?.first[a] ?? Number.NaN) - 0.1 * g[a])).toBeLessThan(16 * Number.EPSILON);
      expect(Math.abs((final.adam?.second[a] ?? Number.NaN) - 0.001 * g[a] ** 2)).toBeLessThan(16 * Number.EPSILON);
    });
  });

  test('three steps by the formulas of the paper', () => {
    const { final, records, states } = run(route, { ...PLAIN, steps: 3 }, trainStart(model.theta));
    let theta = [...model.theta];
    const history: Float64Array[] = [];
    for (let t = 1; t <= 3; t++) {
      expect(states[t - 1].step).toBe(t - 1);
      expect(records[t - 1].step).toBe(t - 1);
      const g = at(theta);
      history.push(g);
      expect(Math.abs(records[t - 1].gradientNorm - Math.hypot(...g))).toBeLessThan(1e-13);
      theta = theta.map((value, a) => {
        // Written as sums over the past, with weights 0.1 0.9^(t-i) and 0.001 0.999^(t-i).
        const m = history.reduce((sum, past, i) => sum + 0.1 * 0.9 ** (t - 1 - i) * past[a], 0) / (1 - 0.9 ** t);
        const v = history.reduce((sum, past, i) => sum + 0.001 * 0.999 ** (t - 1 - i) * past[a] ** 2, 0);
        return value - (0.05 * m) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-8);
      });
    }
    // 1 - 0.999^t loses three digits, and a step is 0.05 long: 1e3 eps 0.05 per step, and a few more for the change of the gradients.
    theta.forEach((value, a) => expect(Math.abs(value - final.theta[a])).toBeLessThan(1e3 * Number.EPSILON));
  });
});

describe('a model whose data is its own teacher', () => {
  const { normal } = random(4);
  const machine = rbm({
    visible: 3,
    hidden: 2,
    weights: Array.from({ length: 6 }, () => 0.7 * normal()),
    visibleBiases: [0.2, -0.3, 0.1],
    hiddenBiases: [0.1, 0.4],
  });
  const cases: [string, Model, number][] = [
    ['Ising, biased', isingCase(0.5, true, 3), 1000],
    ['Ising, no biases', isingCase(0.5, false, 3), 1000],
    ['RBM', machine, 3000],
  ];

  test.each(cases)('%s: the divergence falls to zero', (_, teacher, steps) => {
    const route = createRoute(teacher, teacherLaw(teacher), { kernel: 'random-block' });
    const start = teacher.theta.map((value) => value + 0.4 * normal());
    const settings = { ...PLAIN, steps, learningRate: 0.02 };
    const { records, final } = run(route, settings, trainStart(start));
    expect(records.length).toBe(steps);
    expect(records[0].kl).toBeGreaterThan(0.01);
    const last = route.evaluate(Float64Array.from(final.theta), ['kl']).value.kl ?? Number.NaN;
    // Adam's steps near the optimum shrink with the gradient down to where its 1e-8 takes over: the divergence, of second order, below 1e-10.
    expect(last).toBeLessThan(1e-10);
    // It is never negative by more than the rounding of a sum of 2^4 terms.
    for (const record of records) expect(record.kl).toBeGreaterThan(-64 * Number.EPSILON);
    if (teacher.layers === null) {
      // The law of a model without hidden spins determines its parameters.
      final.theta.forEach((value, a) => expect(Math.abs(value - teacher.theta[a])).toBeLessThan(1e-4));
    }
  });
});

describe('the loss', () => {
  const gap = { objective: logEffectiveGap, weight: 0.07 };
  const rhat = { objective: logRhat({ samples: 1000 }), weight: 0.03 };
  const both: TrainSettings = { ...PLAIN, penalties: [gap, rhat, { objective: l2, weight: 0.3 }] };

  test.each(gradientCases())('$name: divergence, decay of couplings and penalties', ({ model, data }) => {
    const route = createRoute(model, data, { kernel: 'random-scan' });
    const couplings = model.edges.length;
    const {
      timescale = 0,
      variance = 0,
      signal = 0,
      kl: divergence = 0,
    } = route.evaluate(model.theta, ['timescale', 'variance', 'signal', 'kl']).value;
    const record = recordAt(route, both, model.theta);
    const decay = model.theta.subarray(0, couplings).reduce((sum, value) => sum + value ** 2, 0);
    const logGap = Math.log(variance / (timescale + variance / 2));
    const logR = Math.log((1000 * signal) / (2 * timescale));
    const close = (got: number, expected: number) =>
      expect(Math.abs(got - expected)).toBeLessThan(1e-13 * (1 + Math.abs(expected)));
    close(record.kl, divergence);
    close(record.penalties[0], logGap);
    close(record.penalties[1], logR);
    close(record.loss, divergence + 0.15 * decay - 0.07 * logGap - 0.03 * logR);
    expect(recordAt(route, PLAIN, model.theta).loss).toBe(divergence);
  });

  test.each(gradientCases())('$name: the norm of its gradient against differences', ({ model, data }) => {
    const route = createRoute(model, data, { kernel: 'random-block' });
    const step = 1e-4;
    const loss = (a: number, delta: number) => {
      const moved = Float64Array.from(model.theta);
      moved[a] += delta;
      return recordAt(route, both, moved).loss;
    };
    const slopes = [...model.theta].map(
      (_, a) => (8 * (loss(a, step) - loss(a, -step)) - (loss(a, 2 * step) - loss(a, -2 * step))) / (12 * step),
    );
    const { gradientNorm, loss: value } = recordAt(route, both, model.theta);
    // The fifth derivative times 1e-16, and rounding of the loss (relative 1e-14, T included) over 1e-4.
    const tolerance = 1e-9 * (1 + Math.abs(value)) * Math.sqrt(slopes.length);
    expect(Math.abs(gradientNorm - Math.hypot(...slopes))).toBeLessThan(tolerance);
  });

  test('biases are free of decay', () => {
    const model = withParameters(isingCase(0, true, 1), [0, 0, 0, 0, 0, 0, 1, 2, -1, 0.5]);
    const route = createRoute(model, teacherLaw(model), { kernel: 'random-scan' });
    const {
      loss,
      kl: divergence,
      gradientNorm,
    } = recordAt(route, { ...PLAIN, penalties: [{ objective: l2, weight: 10 }] }, model.theta);
    expect(loss).toBe(divergence);
    // The model is its own teacher: what is left is the rounding of two moments of 16 terms.
    expect(gradientNorm).toBeLessThan(64 * Number.EPSILON);
  });

  test('decay shrinks couplings and a penalty raises its objective, at a cost in divergence', () => {
    const start = isingCase(0.6, true, 8);
    const route = createRoute(start, positiveLaw(4, 9), { kernel: 'random-scan' });
    const trainedWith = (change: Partial<TrainSettings>) => {
      const { final } = run(route, { ...PLAIN, steps: 1500, ...change }, trainStart(start.theta));
      const norm = Math.hypot(...final.theta.slice(0, 6));
      const point = recordAt(route, { ...PLAIN, penalties: [gap] }, final.theta);
      return { norm, kl: point.kl, logGap: point.penalties[0] };
    };
    const plain = trainedWith({});
    const decayed = trainedWith({ penalties: [{ objective: l2, weight: 0.1 }] });
    const penalised = trainedWith({ penalties: [{ ...gap, weight: 0.1 }] });
    // At the optima of a sum of two terms each term is no better than where it was minimised alone.
    expect(decayed.norm).toBeLessThan(0.95 * plain.norm);
    expect(decayed.kl).toBeGreaterThan(plain.kl + 1e-4);
    expect(penalised.logGap).toBeGreaterThan(plain.logGap + 1e-2);
    expect(penalised.kl).toBeGreaterThan(plain.kl + 1e-4);
  });
});

describe('resuming', () => {
  const model = isingCase(0.5, true, 12);
  const route = createRoute(model, positiveLaw(4, 13), { kernel: 'random-scan' });
  const settings: TrainSettings = {
    ...PLAIN,
    steps: 25,
    penalties: [
      { objective: logEffectiveGap, weight: 0.05 },
      { objective: l2, weight: 0.01 },
    ],
  };
  const whole = run(route, settings, trainStart(model.theta));

  test('from any state, through JSON, gives bitwise the same records and result', () => {
    for (const [k, state] of [...whole.states, whole.final].entries()) {
      const rest = run(route, settings, JSON.parse(JSON.stringify(state)) as TrainState);
      expect(rest.final).toEqual(whole.final);
      expect(rest.records).toEqual(whole.records.slice(k));
    }
  });

  test('a finished run stays as it is, and more steps go on from it', () => {
    const longer = run(route, { ...settings, steps: 40 }, trainStart(model.theta));
    expect(run(route, { ...settings, steps: 40 }, whole.final).final).toEqual(longer.final);
    expect(longer.records.slice(0, 25)).toEqual(whole.records);
    expect(run(route, { ...settings, steps: 10 }, whole.final)).toEqual({
      records: [],
      states: [],
      final: whole.final,
    });
  });
});

test('an objective that loses its finite value ends the run at the last point that had one, and says so', () => {
  const model = isingCase(0.5, true, 12);
  const route = createRoute(model, positiveLaw(4, 13), { kernel: 'random-scan' });
  const failing = (after: number) => {
    let calls = 0;
    const objective: Objective = {
      name: 'fails',
      quantities: [],
      evaluate: () => (++calls > after ? null : { value: 0, bar: {} }),
    };
    return { ...PLAIN, steps: 10, penalties: [{ objective, weight: 1 }] };
  };
  const { final, states } = run(route, failing(3), trainStart(model.theta));
  expect(states.length).toBe(3);
  expect(final).toEqual({ ...states[2], stopped: 'an objective has no finite value at step 3' });
  expect(() => run(route, failing(0), trainStart(model.theta))).toThrow(ConvergenceError);
});

test('parameters that run away end the run too', () => {
  const model = isingCase(0.5, true, 12);
  const route = createRoute(model, positiveLaw(4, 13), { kernel: 'random-scan' });
  const { final } = run(route, { ...PLAIN, steps: 10, learningRate: 1e307 }, trainStart(model.theta));
  expect(final.stopped).toMatch(/^an objective has no finite value at step \d+$/);
  expect(final.theta.every(Number.isFinite)).toBe(true);
});
