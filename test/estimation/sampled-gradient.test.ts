import {
  createRoute,
  dataLawFromRows,
  evaluateModel,
  InputError,
  KERNEL_NAMES,
  type KernelName,
  type Model,
  rbm,
  type SampledObjective,
  type SamplerState,
  sampledObjective,
  samplerStart,
  withParameters,
} from 'htdml';
import { contrastiveDivergence, persistentChains } from 'htdml/objectives';
import { describe, expect, test } from 'vitest';
import { dataMoments } from '../../src/estimation/data-moments.js';
import { dot, fullSpace, jointLaw, matrixOf, type Vector } from '../support/brute-force.js';
import { positiveLaw } from '../support/fitted.js';
import { gradientCases, REVERSIBLE } from '../support/models.js';
import { meanAndError } from '../support/statistics.js';

const cases = gradientCases().map(({ name, model }) => ({ name, model, data: positiveLaw(model.visible.length, 77) }));
const named = (...names: string[]) => cases.filter(({ name }) => names.includes(name));
const SAMPLED = named('random Ising, biased', 'hidden spins', 'RBM 3 + 2', 'RBM 2 + 3, no biases, beta 1.4');

/** Gradients of many estimates in sequence, one row per parameter. */
function repeat(objective: SampledObjective, model: Model, data: (typeof cases)[number]['data'], times: number) {
  const rows = Array.from(model.theta, () => new Float64Array(times));
  const variances = new Float64Array(times);
  let state = samplerStart(5);
  for (let r = 0; r < times; r++) {
    const at = objective.estimate(model, data, state);
    at.gradient.forEach((value, a) => {
      rows[a][r] = value;
    });
    variances[r] = at.variance ?? Number.NaN;
    state = at.state;
  }
  return { rows, variances };
}

/** `beta (E_data f - E_mu f)` by sums over all states. */
function gradientAt(model: Model, data: (typeof cases)[number]['data'], mu: Vector) {
  const full = fullSpace(model);
  const { joint } = jointLaw(full, data);
  return full.observables.map((f) => model.beta * (dot(joint, f) - dot(mu, f)));
}

/** The start `data` after `k` steps of a kernel. */
function afterSteps(model: Model, data: (typeof cases)[number]['data'], kernel: KernelName, k: number): Vector {
  const full = fullSpace(model);
  const p = matrixOf(full, kernel);
  let mu = jointLaw(full, data).joint;
  for (let t = 0; t < k; t++) {
    const next = new Float64Array(full.states);
    mu.forEach((weight, s) => {
      p[s].forEach((value, to) => {
        next[to] += weight * value;
      });
    });
    mu = next;
  }
  return mu;
}

test.each(cases)('$name: the data term is that of the table', ({ model, data }) => {
  const { data: expected } = createRoute(model, data, { kernel: 'random-scan', route: 'table' }).moments(model.theta);
  dataMoments(model, data).forEach((value, a) => {
    expect(Math.abs(value - expected[a])).toBeLessThan(1e-13);
  });
});

describe.each(SAMPLED)('$name', ({ model, data }) => {
  test.each(REVERSIBLE)('%s: unbiased from equilibrium, afresh and persistent', (kernel) => {
    const expected = gradientAt(model, data, fullSpace(model).pi);
    for (const persistent of [false, true]) {
      const plan = { kernel, start: 'stationary', persistent, burnIn: 0, window: 4, chains: 3 } as const;
      // Persistent estimates are correlated: averages of a hundred in sequence are nearly independent of the next.
      const { rows } = repeat(sampledObjective('test', plan), model, data, persistent ? 6000 : 1500);
      rows.forEach((values, a) => {
        const size = persistent ? 100 : 1;
        const blocks = Array.from({ length: values.length / size }, (_, b) =>
          values.slice(b * size, (b + 1) * size).reduce((sum, x) => sum + x / size, 0),
        );
        const { mean, error } = meanAndError(blocks);
        expect(Math.abs(mean - expected[a])).toBeLessThan(5 * error);
      });
    }
  });

  test.each(KERNEL_NAMES)('%s: the mean of CD-k is its own biased value, which tends to the gradient', (kernel) => {
    const exact = gradientAt(model, data, fullSpace(model).pi);
    const biases = [1, 4, 16, 64, 4096].map((k) => {
      const expected = gradientAt(model, data, afterSteps(model, data, kernel, k));
      if (k <= 4) {
        const { rows } = repeat(contrastiveDivergence({ kernel, k, chains: 10 }), model, data, 400);
        rows.forEach((values, a) => {
          const { mean, error } = meanAndError(values);
          expect(Math.abs(mean - expected[a])).toBeLessThan(5 * error + 1e-13);
        });
      }
      return Math.sqrt(expected.reduce((sum, value, a) => sum + (value - exact[a]) ** 2, 0));
    });
    // Metropolis flips every spin that gains, so its first steps need not come nearer in this norm.
    if (kernel !== 'metropolis') for (let i = 1; i < 4; i++) expect(biases[i]).toBeLessThan(biases[i - 1]);
    expect(biases[4]).toBeLessThan(1e-6 * biases[0] + 1e-12);
  });
});

describe.each(SAMPLED)('$name: R of the estimator', ({ model, data }) => {
  test.each(['uniform', 'data', 'stationary'] as const)('measured against the exact one, start %s', (start) => {
    const plan = { kernel: 'alternating-block', start, burnIn: 1, window: 3, chains: 4 } as const;
    const { operational, signal } = evaluateModel(model, data, { ...plan, epsilon: 1e-3, kappa: 2.5, gradient: false });
    if (operational === null || operational.R === null) throw new Error('no exact value');
    const g = gradientAt(model, data, fullSpace(model).pi);
    const { rows, variances } = repeat(sampledObjective('test', { ...plan, persistent: false }), model, data, 3000);
    const errors = Array.from({ length: 3000 }, (_, r) =>
      g.reduce((sum, value, a) => sum + ((rows[a][r] - value) / model.beta) ** 2, 0),
    );
    const { mean, error } = meanAndError(errors);
    expect(Math.abs(mean - operational.mse)).toBeLessThan(5 * error);
    expect(Math.abs(signal / mean - operational.R)).toBeLessThan(5 * operational.R * (error / mean));
    // The spread between chains shows the variance and not the bias.
    const spread = meanAndError(variances);
    expect(Math.abs(spread.mean - (operational.mse - operational.biasSquared))).toBeLessThan(5 * spread.error);
  });
});

describe('state', () => {
  const [{ model, data }] = named('RBM 3 + 2');
  const objectives = [
    contrastiveDivergence({ kernel: 'alternating-block', k: 3, chains: 5 }),
    persistentChains({ kernel: 'random-block', window: 2, chains: 4 }),
    sampledObjective('uniform', {
      kernel: 'random-scan',
      start: 'uniform',
      persistent: false,
      burnIn: 4,
      window: 3,
      chains: 2,
    }),
  ];

  /** Plain descent; each state goes through JSON on its way, as in a file. */
  const descend = (objective: SampledObjective, theta: ArrayLike<number>, state: SamplerState, steps: number) => {
    let at = Float64Array.from(theta);
    let saved = JSON.stringify(state);
    for (let t = 0; t < steps; t++) {
      const { gradient, state: next } = objective.estimate(withParameters(model, at), data, JSON.parse(saved));
      at = at.map((value, a) => value - 0.1 * gradient[a]);
      saved = JSON.stringify(next);
    }
    return { theta: [...at], state: JSON.parse(saved) as SamplerState };
  };

  test.each(objectives)('$name goes on bit by bit, and repeats with the seed alone', (objective) => {
    const whole = descend(objective, model.theta, samplerStart(3), 40);
    const half = descend(objective, model.theta, samplerStart(3), 17);
    expect(descend(objective, half.theta, half.state, 23)).toEqual(whole);
    expect(descend(objective, model.theta, samplerStart(4), 40).theta).not.toEqual(whole.theta);
  });

  test('a persistent chain goes on from where it was left, and a fresh one does not', () => {
    const [fresh, persistent] = objectives;
    const { state } = persistent.estimate(model, data, samplerStart(1));
    expect(state.chains).toHaveLength(4);
    expect(fresh.estimate(model, data, samplerStart(1)).state.chains).toEqual([]);
    // At couplings this strong a step leaves a state where it is.
    const frozen = withParameters(
      model,
      model.theta.map((_, a) => (a < model.edges.length ? 40 : 0)),
    );
    for (const state of [0, 31]) {
      const held = { random: samplerStart(2).random, chains: [state, state, state, state] };
      expect(persistent.estimate(frozen, data, held).state.chains).toEqual(held.chains);
    }
  });

  test('steps, and what is claimed', () => {
    const [cd, pcd, uniform] = objectives;
    expect(objectives.map((one) => one.estimate(model, data, samplerStart(0)).steps)).toEqual([15, 8, 14]);
    expect([cd.A1.met, pcd.A1.met, uniform.A1.met]).toEqual([true, false, true]);
    expect(objectives.every(({ biased }) => biased)).toBe(true);
    expect(sampledObjective('exact', { ...cd.plan, start: 'stationary' }).biased).toBe(false);
    expect(
      contrastiveDivergence({ kernel: 'random-scan', k: 1, chains: 1 }).estimate(model, data, samplerStart(0)).variance,
    ).toBe(null);
  });

  test('the value has the gradient, samples and posterior held', () => {
    const { value, gradient } = objectives[0].estimate(model, data, samplerStart(6));
    expect(Math.abs(value - gradient.reduce((sum, g, a) => sum + g * model.theta[a], 0))).toBeLessThan(1e-14);
  });

  test('what makes no estimate is refused', () => {
    const [cd, pcd] = objectives;
    const { random } = samplerStart(0);
    expect(() => contrastiveDivergence({ kernel: 'random-scan', k: 0, chains: 1 })).toThrow(InputError);
    expect(() => persistentChains({ kernel: 'random-scan', window: 0, chains: 1 })).toThrow(InputError);
    expect(() => persistentChains({ kernel: 'random-scan', window: 1, chains: 0.5 })).toThrow(InputError);
    expect(() => samplerStart(-1)).toThrow(InputError);
    for (const bad of [[], [0, 0, 0, 0], [1, 2, 3], [1, 2, 3, 0.5], [1, 2, 3, 2 ** 40]]) {
      expect(() => cd.estimate(model, data, { random: bad, chains: [] })).toThrow(InputError);
    }
    for (const chains of [
      [1, 2, 3],
      [0, 0, 0, 32],
      [0, 0, 0, -1],
      [0, 0, 0, 0.5],
    ]) {
      expect(() => pcd.estimate(model, data, { random, chains })).toThrow(InputError);
    }
    expect(() => cd.estimate(model, positiveLaw(2, 1), { random, chains: [] })).toThrow(InputError);
  });
});

test('an RBM beyond every table is sampled from the data', () => {
  const model = rbm({
    visible: 16,
    hidden: 14,
    weights: Array.from({ length: 224 }, (_, a) => 0.1 * Math.sin(a)),
    visibleBiases: Array(16).fill(0.1),
    hiddenBiases: Array(14).fill(-0.1),
  });
  const data = dataLawFromRows([Array(16).fill(1), [...Array(8).fill(1), ...Array(8).fill(-1)]]);
  const { gradient, steps } = contrastiveDivergence({ kernel: 'alternating-block', k: 2, chains: 3 }).estimate(
    model,
    data,
    samplerStart(0),
  );
  expect(steps).toBe(6);
  // The first visible spin is up in all data: its bias's data term is -1, its samples' mean at most 1 in size.
  expect(gradient.every((value) => Number.isFinite(value) && Math.abs(value) <= 2)).toBe(true);
  expect(gradient[224]).toBeLessThanOrEqual(0);
});
