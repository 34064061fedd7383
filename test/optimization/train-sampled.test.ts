import {
  ConvergenceError,
  createRoute,
  dataLawFromRows,
  type Edge,
  InputError,
  ising,
  type Model,
  parametrization,
  rbm,
  type SampledObjective,
  type SampledTrainRecord,
  type SampledTrainSettings,
  type SampledTrainState,
  sampledObjective,
  sampledTrainStart,
  teacherLaw,
  trainSampled,
  UnsupportedError,
  withParameters,
} from 'htdml';
import { contrastiveDivergence, kl, l1, l2, persistentChains, totalCorrelation } from 'htdml/objectives';
import { describe, expect, test } from 'vitest';
import { normals, random } from '../support/models.js';

const plain = { steps: 40, learningRate: 0.05, penalties: [] } as const;
const teacher = rbm({
  visible: 4,
  hidden: 2,
  weights: normals(8, 0.6, 1),
  visibleBiases: normals(4, 0.3, 2),
  hiddenBiases: normals(2, 0.3, 3),
});
const data = teacherLaw(teacher);
const student = withParameters(teacher, normals(14, 0.1, 4));

function run(
  model: Model,
  law: typeof data,
  likelihood: SampledObjective,
  settings: SampledTrainSettings,
  start: SampledTrainState,
) {
  const records: SampledTrainRecord[] = [];
  const states: SampledTrainState[] = [];
  const steps = trainSampled(model, law, likelihood, settings, start);
  let next = steps.next();
  while (!next.done) {
    records.push(next.value.record);
    states.push(next.value.state);
    next = steps.next();
  }
  return { records, states, final: next.value };
}

const divergence = (model: Model, law: typeof data, theta: ArrayLike<number>) =>
  createRoute(model, law, { kernel: 'random-scan' }).evaluate(Float64Array.from(theta), ['kl']).value.kl ?? Number.NaN;

describe.each([
  persistentChains({ kernel: 'alternating-block', window: 2, chains: 50 }),
  persistentChains({ kernel: 'random-scan', window: 6, chains: 50 }),
  contrastiveDivergence({ kernel: 'random-block', k: 4, chains: 50 }),
])('$name, $plan.kernel', (likelihood) => {
  test('comes near to the teacher', () => {
    const { final, records } = run(
      student,
      data,
      likelihood,
      { ...plain, steps: 600, learningRate: 0.02 },
      sampledTrainStart(student.theta, 1),
    );
    expect(records).toHaveLength(600);
    expect(records.every((one, k) => one.step === k && one.kl === null)).toBe(true);
    expect(divergence(student, data, student.theta)).toBeGreaterThan(0.1);
    // Adam's noise at this rate is some hundredths in each of 14 parameters; contrastive divergence adds its bias.
    expect(divergence(student, data, final.theta)).toBeLessThan(0.05);
  });

  test('goes on bit by bit from any state that went through a file, and repeats with the seed alone', () => {
    const whole = run(student, data, likelihood, plain, sampledTrainStart(student.theta, 5));
    for (const k of [0, 1, 17, 39]) {
      const saved = JSON.parse(JSON.stringify(whole.states[k])) as SampledTrainState;
      const rest = run(student, data, likelihood, plain, saved);
      expect(rest.records).toEqual(whole.records.slice(k));
      expect(rest.final).toEqual(whole.final);
    }
    expect(run(student, data, likelihood, plain, whole.final).records).toEqual([]);
    const other = run(student, data, likelihood, plain, sampledTrainStart(student.theta, 6));
    expect(other.final.theta).not.toEqual(whole.final.theta);
  });
});

describe('what a record says', () => {
  const likelihood = persistentChains({ kernel: 'alternating-block', window: 1, chains: 5 });

  test('is of the gradient that the step follows: the estimate and the penalties’ derivatives', () => {
    const model = { ...student, beta: 1.3 };
    const penalties = [
      { objective: l1, weight: 0.3 },
      { objective: l2, weight: 0.7 },
    ];
    const { records, states } = run(
      model,
      data,
      likelihood,
      { ...plain, penalties },
      sampledTrainStart(model.theta, 2),
    );
    for (const k of [0, 20]) {
      const theta = Float64Array.from(states[k].theta);
      const at = likelihood.estimate(withParameters(model, theta), data, states[k].sampler);
      const norms = [0, 0];
      const gradient = at.gradient.map((g, a) => {
        if (a >= 8) return g;
        norms[0] += Math.abs(theta[a]);
        norms[1] += theta[a] ** 2 / 2;
        return g + 0.3 * Math.sign(theta[a]) + 0.7 * theta[a];
      });
      expect(records[k].gradientNorm).toBeCloseTo(Math.hypot(...gradient), 12);
      expect(records[k].penalties[0]).toBeCloseTo(norms[0], 12);
      expect(records[k].penalties[1]).toBeCloseTo(norms[1], 12);
      expect(records[k].variance).toBeCloseTo(1.3 ** 2 * (at.variance ?? Number.NaN), 12);
    }
    // Adam's first step is the rate, downhill.
    const first = states[1].theta.map((value, a) => value - states[0].theta[a]);
    for (const step of first) expect(Math.abs(step)).toBeCloseTo(0.05, 6);
  });

  test('a single chain knows no variance', () => {
    const one = persistentChains({ kernel: 'alternating-block', window: 1, chains: 1 });
    const { records } = run(student, data, one, plain, sampledTrainStart(student.theta, 2));
    expect(records.every(({ variance }) => variance === null)).toBe(true);
  });
});

describe('within constraints', () => {
  const likelihood = contrastiveDivergence({ kernel: 'alternating-block', k: 1, chains: 10 });

  test('what is frozen stays, what is tied is equal, and the box holds', () => {
    const within = parametrization(student, { frozen: [0, 13], tied: [[1, 2]], maxCoupling: 0.2 });
    const settings = { ...plain, steps: 100, parametrization: within };
    const { final, states } = run(student, data, likelihood, settings, sampledTrainStart(student.theta, 3, within));
    for (const { theta } of [...states, final]) {
      expect([theta[0], theta[13]]).toEqual([student.theta[0], student.theta[13]]);
      expect(theta[1]).toBe(theta[2]);
      for (let a = 1; a < 8; a++) expect(Math.abs(theta[a])).toBeLessThanOrEqual(0.2);
    }
    expect(final.theta.filter((value) => Math.abs(value) === 0.2).length).toBeGreaterThan(0);
  });

  test('rounded couplings are sampled where they are rounded to', () => {
    const within = parametrization(student, { maxCoupling: 1, bits: 3 });
    const settings = { ...plain, steps: 100, parametrization: within };
    const { states } = run(student, data, likelihood, settings, sampledTrainStart(student.theta, 3, within));
    // Seven levels, thirds.
    for (const { theta } of states) {
      for (let a = 0; a < 8; a++) expect(Math.abs(3 * theta[a] - Math.round(3 * theta[a]))).toBeLessThan(1e-12);
    }
    expect(new Set(states.map(({ theta }) => theta[0])).size).toBeGreaterThan(1);
  });
});

test('a strong penalty keeps couplings near zero, and leaves biases', () => {
  const likelihood = persistentChains({ kernel: 'alternating-block', window: 1, chains: 20 });
  const size = (weight: number) => {
    const settings = { ...plain, steps: 300, penalties: [{ objective: l2, weight }] };
    const { final } = run(student, data, likelihood, settings, sampledTrainStart(student.theta, 4));
    return final.theta.slice(0, 8).reduce((sum, value) => sum + value ** 2, 0);
  };
  expect(size(10)).toBeLessThan(0.1 * size(1e-9));
});

test('100 spins learn the couplings of independent pairs', () => {
  const pairs = 50;
  const edges = Array.from({ length: pairs }, (_, i): Edge => [i, i + pairs]);
  const couplings = normals(pairs, 0.5, 5);
  const { uniform } = random(6);
  const rows = Array.from({ length: 2000 }, () => {
    const x = Array.from({ length: 2 * pairs }, () => (uniform() < 0.5 ? 1 : -1));
    for (let i = 0; i < pairs; i++)
      if (uniform() >= 1 / (1 + Math.exp(-2 * couplings[i] * x[i]))) x[i + pairs] = -1;
      else x[i + pairs] = 1;
    return x;
  });
  const law = dataLawFromRows(rows);
  const model = ising({ spins: 2 * pairs, edges, couplings: new Float64Array(pairs) });
  const likelihood = persistentChains({ kernel: 'alternating-block', window: 1, chains: 200 });
  const first = run(model, law, likelihood, { ...plain, steps: 150 }, sampledTrainStart(model.theta, 7));
  const settings = { ...plain, steps: 300, learningRate: 0.01 };
  const { final } = run(model, law, likelihood, settings, { ...first.final, adam: null });
  // The maximum of the likelihood: tanh J is the mean product in the data.
  for (let i = 0; i < pairs; i++) {
    const mean = rows.reduce((sum, x) => sum + x[i] * x[i + pairs], 0) / rows.length;
    // Near the optimum Adam divides by the noise sigma of the gradient, so theta has the variance rate * sigma / (2 H) with H = 1 - tanh^2 J, and tanh J that times H^2: for 200
    // chains, sigma <= 1 / sqrt(200), below 0.019^2.
    expect(Math.abs(Math.tanh(final.theta[i]) - mean)).toBeLessThan(5 * 0.019);
  }
});

describe('what makes no run is refused', () => {
  const likelihood = persistentChains({ kernel: 'alternating-block', window: 1, chains: 2 });
  const begin = (settings: SampledTrainSettings, start = sampledTrainStart(student.theta, 1)) =>
    trainSampled(student, data, likelihood, settings, start).next();

  test.each([totalCorrelation, kl])('the objective $name', (objective) => {
    const settings = {
      ...plain,
      penalties: [
        { objective: l2, weight: 1 },
        { objective, weight: 1 },
      ],
    };
    expect(() => begin(settings)).toThrow(UnsupportedError);
    expect(() => begin(settings)).toThrow(/use l1 or l2, or the exact likelihood\.$/);
  });

  test('a start without finite energies, and a seed that is none', () => {
    const start = sampledTrainStart(student.theta, 1);
    const infinite = { ...start, theta: start.theta.map(() => 1e308) };
    expect(() => begin(plain, infinite)).toThrow(ConvergenceError);
    expect(() => sampledTrainStart(student.theta, -1)).toThrow(InputError);
  });

  test('a step out of the finite numbers ends the run where it last was, and for good', () => {
    const wild = { ...plain, learningRate: 1e308 };
    const { final, records } = run(student, data, likelihood, wild, sampledTrainStart(student.theta, 1));
    expect(final.stopped).toMatch(/^the step from \d+ leads to energies that are not finite$/);
    expect(final.theta.every(Number.isFinite)).toBe(true);
    expect(records).toHaveLength(final.step + 1);
    expect(run(student, data, likelihood, wild, final)).toEqual({ records: [], states: [], final });
  });

  test('hidden spins on a large graph, whose data term is not known', () => {
    const ring = ising({
      spins: 40,
      edges: Array.from({ length: 40 }, (_, i): Edge => [i, (i + 1) % 40]),
      couplings: normals(40, 0.1, 8),
      visible: [0],
    });
    const start = sampledTrainStart(ring.theta, 1);
    const uniform = sampledObjective('uniform', { ...likelihood.plan, start: 'uniform', kernel: 'random-scan' });
    const steps = trainSampled(ring, dataLawFromRows([[1]]), uniform, plain, start);
    expect(() => steps.next()).toThrow(UnsupportedError);
  });
});
