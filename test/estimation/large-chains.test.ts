import {
  type DataLaw,
  dataLawFromRows,
  type Edge,
  InputError,
  ising,
  KERNEL_NAMES,
  type KernelName,
  type Model,
  measureTimescales,
  randomSource,
  rbm,
  type SamplerState,
  sampledObjective,
  samplerStart,
  UnsupportedError,
  withParameters,
} from 'htdml';
import { contrastiveDivergence, persistentChains } from 'htdml/objectives';
import { describe, expect, test } from 'vitest';
import { chain } from '../../src/estimation/chain.js';
import { dataMoments } from '../../src/estimation/data-moments.js';
import { startSampler } from '../../src/estimation/start-sampler.js';
import { stepsPerSweep } from '../../src/kernel/kernels.js';
import { normals, random, ring } from '../support/models.js';
import { meanAndError } from '../support/statistics.js';

/** Chance of a false alarm at five standard errors is 6e-7 a comparison; here are some thousands. */
const SIGMAS = 5;

const machine = rbm({
  visible: 64,
  hidden: 32,
  weights: normals(64 * 32, 0.1, 1),
  visibleBiases: normals(64, 0.2, 2),
  hiddenBiases: normals(32, 0.2, 3),
  beta: 0.8,
});

/** Pairs of spins 50 apart, so that a pair has its spins in different words: correlation and means of each are known. */
const PAIRS = 50;
const pairs = ising({
  spins: 2 * PAIRS,
  edges: Array.from({ length: PAIRS }, (_, i): Edge => [i, i + PAIRS]),
  couplings: normals(PAIRS, 0.5, 4),
  biases: normals(2 * PAIRS, 0.4, 5),
});

function randomRows(spins: number, count: number, seed: number): DataLaw {
  const { uniform } = random(seed);
  return dataLawFromRows(
    Array.from({ length: count }, () => Array.from({ length: spins }, () => (uniform() < 0.4 ? 1 : -1))),
  );
}

/** `E_pi f` of {@link pairs}, by the four states of each pair. */
function pairMoments({ theta, beta }: Model): Float64Array {
  const out = new Float64Array(theta.length);
  for (let k = 0; k < PAIRS; k++) {
    const [J, a, b] = [theta[k], theta[PAIRS + k], theta[2 * PAIRS + k]];
    let total = 0;
    for (const x of [-1, 1]) {
      for (const y of [-1, 1]) {
        const weight = Math.exp(beta * (J * x * y + a * x + b * y));
        total += weight;
        out[k] -= weight * x * y;
        out[PAIRS + k] -= weight * x;
        out[2 * PAIRS + k] -= weight * y;
      }
    }
    for (const at of [k, PAIRS + k, 2 * PAIRS + k]) out[at] /= total;
  }
  return out;
}

describe('the data term', () => {
  test('of 64 + 32 spins is the derivative of the free energy', () => {
    const data = randomRows(64, 20, 6);
    const rows = 20;
    expect(data.probabilities).toHaveLength(rows);
    const { uniform } = random(6);
    const patterns = Array.from({ length: rows }, () => Array.from({ length: 64 }, () => (uniform() < 0.4 ? 1 : -1)));
    // F(theta) = -(1/beta) mean_v log sum_h exp(-beta E(v, h)), and E_data f = dF / d theta.
    const freeEnergy = ({ theta, beta }: Model) => {
      let sum = 0;
      for (const v of patterns) {
        for (let i = 0; i < 64; i++) sum += theta[2048 + i] * v[i];
        for (let j = 0; j < 32; j++) {
          let field = theta[2048 + 64 + j];
          for (let i = 0; i < 64; i++) field += theta[i * 32 + j] * v[i];
          sum += Math.log(2 * Math.cosh(beta * field)) / beta;
        }
      }
      return -sum / rows;
    };
    const found = dataMoments(machine, data);
    const h = 1e-4;
    for (let a = 0; a < found.length; a += 7) {
      const moved = (d: number) =>
        withParameters(
          machine,
          machine.theta.map((value, b) => (b === a ? value + d : value)),
        );
      const difference = (freeEnergy(moved(h)) - freeEnergy(moved(-h))) / (2 * h);
      // Truncation h^2 / 6 times a third derivative of at most 2; rounding of sums of some hundred over 2 h.
      expect(Math.abs(found[a] - difference)).toBeLessThan(h * h + (1000 * Number.EPSILON) / h);
    }
  });

  test('of 100 visible spins, in another order too, is the mean over the data', () => {
    const { integer } = random(7);
    const order = Array.from({ length: 100 }, (_, i) => i);
    for (let i = 99; i > 0; i--) {
      const j = integer(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    const model = ising({ spins: 100, edges: ring(100), couplings: Array(100).fill(0.1), visible: order });
    const rows = Array.from({ length: 10 }, () => Array.from({ length: 100 }, () => 2 * integer(2) - 1));
    const found = dataMoments(model, dataLawFromRows(rows));
    model.edges.forEach(([i, j], a) => {
      const mean = rows.reduce((sum, row) => sum - row[order.indexOf(i)] * row[order.indexOf(j)], 0) / 10;
      expect(Math.abs(found[a] - mean)).toBeLessThan(1e-14);
    });
  });

  test('is kept for a law, but not for another order, other edges or biases, and is the caller’s own', () => {
    const data = randomRows(40, 6, 20);
    const base = { spins: 40, edges: ring(40), couplings: Array(40).fill(0.1) };
    const model = ising({ ...base, biases: normals(40, 1, 21) });
    const fresh = (one: Model) => dataMoments(one, { ...data });
    const order = Array.from({ length: 40 }, (_, k) => 39 - k);
    for (const one of [
      model,
      withParameters(model, normals(80, 1, 22)),
      { ...model, visible: order },
      { ...model, biased: false, theta: model.theta.subarray(0, 40) },
      { ...model, edges: [...model.edges].reverse() },
      model,
    ]) {
      const found = dataMoments(one, data);
      expect(found).toEqual(fresh(one));
      expect(dataMoments(one, data)).toEqual(found.slice());
      found.fill(0);
      expect(dataMoments(one, data)).toEqual(fresh(one));
    }
    expect(fresh(model)).not.toEqual(fresh({ ...model, visible: order }));
  });

  test('of hidden spins on a large graph is refused', () => {
    const model = ising({ spins: 40, edges: ring(40), couplings: Array(40).fill(0.1), visible: [0, 39] });
    expect(() => dataMoments(model, dataLawFromRows([[1, -1]]))).toThrow(UnsupportedError);
  });
});

describe('starts', () => {
  const draws = (model: Model, data: DataLaw | null, start: 'uniform' | 'data', count: number) => {
    const draw = startSampler(model, data, start);
    const source = randomSource(8);
    return Array.from({ length: count }, () => {
      const out = new Int8Array(model.spins);
      draw(source, out);
      return out;
    });
  };

  test.each([33, 64, 97, 3600])('uniform: %i fair coins, and every two of them independent', (spins) => {
    const model = ising({ spins, edges: ring(spins), couplings: Array(spins).fill(0.1) });
    const count = 400;
    const samples = draws(model, null, 'uniform', count);
    for (const x of samples) expect(x.every((value) => value === 1 || value === -1)).toBe(true);
    for (let i = 0; i < spins; i++) {
      const other = (i + 32) % spins;
      const mean = samples.reduce((sum, x) => sum + x[i], 0) / count;
      const product = samples.reduce((sum, x) => sum + x[i] * x[other], 0) / count;
      expect(Math.abs(mean)).toBeLessThan(SIGMAS / Math.sqrt(count));
      expect(Math.abs(product)).toBeLessThan(SIGMAS / Math.sqrt(count));
    }
  });

  test('uniform: up to 32 spins it is a state index of one number', () => {
    const model = rbm({ visible: 16, hidden: 16, weights: new Float64Array(256) });
    const [x] = draws(model, null, 'uniform', 1);
    const index = x.reduce((sum, value, i) => sum + (value > 0 ? 2 ** i : 0), 0);
    expect(index).toBe(Math.floor(2 ** 32 * randomSource(8).uniform()));
  });

  test('data: visible spins are a pattern, hidden ones follow their posterior', () => {
    const { uniform } = random(9);
    const v = Array.from({ length: 64 }, () => (uniform() < 0.5 ? 1 : -1));
    const w = v.map((x, i) => (i % 3 === 0 ? -x : x));
    const data = dataLawFromRows([v, w, w]);
    const count = 3000;
    const samples = draws(machine, data, 'data', count);
    const { theta, beta } = machine;
    const ofKind = [v, w].map((pattern) => samples.filter((x) => pattern.every((value, i) => value === x[i])));
    expect(ofKind[0].length + ofKind[1].length).toBe(count);
    expect(Math.abs(ofKind[0].length - count / 3)).toBeLessThan(SIGMAS * Math.sqrt((count * 2) / 9));
    [v, w].forEach((pattern, kind) => {
      for (let j = 0; j < 32; j++) {
        let field = theta[2048 + 64 + j];
        for (let i = 0; i < 64; i++) field += theta[i * 32 + j] * pattern[i];
        const expected = Math.tanh(beta * field);
        const n = ofKind[kind].length;
        const mean = ofKind[kind].reduce((sum, x) => sum + x[64 + j], 0) / n;
        // A little more where the mean is so near to 1 that the count is not normal.
        expect(Math.abs(mean - expected)).toBeLessThan(SIGMAS * Math.sqrt((1 - expected ** 2) / n) + SIGMAS / n);
      }
    });
  });

  test('data: in a model without hidden spins they are the pattern, in the order of the columns', () => {
    const order = Array.from({ length: 40 }, (_, k) => 39 - k);
    const model = ising({ spins: 40, edges: ring(40), couplings: Array(40).fill(0.1), visible: order });
    const row = Array.from({ length: 40 }, (_, k) => (k < 7 ? 1 : -1));
    for (const x of draws(model, dataLawFromRows([row]), 'data', 3)) expect([...x]).toEqual([...row].reverse());
  });

  test('what they cannot do is said in one sentence', () => {
    const hidden = ising({ spins: 40, edges: ring(40), couplings: Array(40).fill(0.1), visible: [0, 39] });
    const refused: [() => unknown, typeof InputError | typeof UnsupportedError, RegExp][] = [
      [
        () => startSampler(machine, null, 'stationary'),
        UnsupportedError,
        /start at data or uniform and give a burn-in\.$/,
      ],
      [() => startSampler(pairs, null, 'stationary'), UnsupportedError, /or sampling \(htdml estimate, or .*\)\.$/],
      [() => startSampler(machine, null, 'data'), InputError, /^data must be a data law/],
      [() => startSampler(machine, null, 'state:1'), InputError, /a state index has 32 bits\.$/],
      [
        () => startSampler(hidden, dataLawFromRows([[1, 1]]), 'data'),
        UnsupportedError,
        /start at uniform, or use an RBM/,
      ],
      [() => startSampler(machine, randomRows(63, 2, 1), 'uniform'), InputError, /64 visible spins/],
    ];
    for (const [run, kind, message] of refused) {
      expect(run).toThrow(kind);
      expect(run).toThrow(message);
    }
  });
});

describe.each(KERNEL_NAMES)('%s', (kernel: KernelName) => {
  const plan = { kernel, start: 'data', persistent: true, burnIn: 0 } as const;

  test('persistent chains of 100 spins have the gradient of independent pairs', () => {
    const data = randomRows(100, 5, 10);
    const window = stepsPerSweep(pairs, kernel);
    const one = sampledObjective('sweep', { ...plan, chains: 40, window });
    // A pair relaxes within some sweeps.
    const burnt = sampledObjective('burnt', { ...plan, chains: 40, burnIn: 100 * window, window });
    const rounds = 60;
    let { state } = burnt.estimate(pairs, data, samplerStart(11));
    const rows = Array.from(pairs.theta, () => new Float64Array(rounds));
    // Each estimate is a sweep, in which a pair remembers little: batches of six are nearly independent.
    for (let r = 0; r < rounds; r++) {
      const at = one.estimate(pairs, data, state);
      at.gradient.forEach((value, a) => {
        rows[a][r] = value;
      });
      state = at.state;
    }
    const exact = pairMoments(pairs);
    const given = dataMoments(pairs, data);
    rows.forEach((values, a) => {
      const batches = Float64Array.from({ length: 10 }, (_, b) => meanAndError(values.subarray(6 * b, 6 * b + 6)).mean);
      const { mean, error } = meanAndError(batches);
      // Student's t of nine degrees of freedom exceeds 10 with a chance of 4e-6; of 150 parameters, 5e-4.
      expect(Math.abs(mean - pairs.beta * (given[a] - exact[a]))).toBeLessThan(10 * error);
      // Five times that of as many independent samples.
      expect(error).toBeLessThan(5 / Math.sqrt(40 * rounds));
    });
  });

  test('64 + 32 spins go on bit by bit from a state that went through a file', () => {
    const data = randomRows(64, 5, 12);
    const one = sampledObjective('pcd', { ...plan, chains: 3, window: 2 });
    const descend = (theta: Float64Array, state: SamplerState, steps: number) => {
      let at = theta;
      let saved = JSON.stringify(state);
      for (let t = 0; t < steps; t++) {
        const { gradient, state: next } = one.estimate(withParameters(machine, at), data, JSON.parse(saved));
        at = at.map((value, a) => value - 0.1 * gradient[a]);
        saved = JSON.stringify(next);
      }
      return { theta: at, state: JSON.parse(saved) as SamplerState };
    };
    const whole = descend(machine.theta, samplerStart(13), 8);
    const half = descend(machine.theta, samplerStart(13), 3);
    expect(half.state.chains).toHaveLength(3 * 3);
    expect(descend(half.theta, half.state, 5)).toEqual(whole);
    expect(descend(machine.theta, samplerStart(14), 8).theta).not.toEqual(whole.theta);
  });
});

test('the states that persistent chains leave are their spins', () => {
  // At couplings this strong nothing moves, so what comes back is what was given, in every word.
  const spins = 70;
  const model = ising({ spins, edges: ring(spins), couplings: Array(spins).fill(40) });
  const data = dataLawFromRows([Array(spins).fill(1)]);
  const one = persistentChains({ kernel: 'random-block', window: 3, chains: 3 });
  const chains = [0, 0, 0, 0xffffffff, 0xffffffff, 0b111111, 0, 0, 0];
  const at = one.estimate(model, data, { random: samplerStart(1).random, chains });
  expect(at.state.chains).toEqual(chains);
  expect(one.estimate(model, data, { random: samplerStart(1).random, chains: [] }).state.chains).toEqual(
    [1, 2, 3].flatMap(() => [0xffffffff, 0xffffffff, 0b111111]),
  );
});

test('states that are none of a plan are refused', () => {
  const data = randomRows(64, 2, 15);
  const one = persistentChains({ kernel: 'alternating-block', window: 1, chains: 2 });
  const { state } = one.estimate(machine, data, samplerStart(1));
  expect(state.chains).toHaveLength(6);
  const spoilt: (readonly number[])[] = [
    state.chains.slice(1),
    [...state.chains, 0],
    [1, 2],
    ...[-1, 0.5, 2 ** 32, Number.NaN].map((word) => state.chains.with(3, word)),
  ];
  for (const chains of spoilt) {
    expect(() => one.estimate(machine, data, { ...state, chains })).toThrow(
      /^chains must be 2 states of 3 words, a bit for each of 96 spins, or none, got/,
    );
  }
  // 70 spins leave 26 bits of the third word unused.
  const model = ising({ spins: 70, edges: ring(70), couplings: Array(70).fill(0.1) });
  const rows = dataLawFromRows([Array(70).fill(1)]);
  const refuse = () => one.estimate(model, rows, { ...state, chains: [0, 0, 0, 0, 0, 64] });
  expect(refuse).toThrow(InputError);
});

describe('blocks of many spins', () => {
  test('without inside edges they cost what their spins do', () => {
    const spins = 65_536;
    const edges = Array.from({ length: spins - 1 }, (_, i): Edge => [i, i + 1]);
    const model = ising({ spins, edges, couplings: new Float64Array(spins - 1).fill(0.3) });
    const began = performance.now();
    const walk = chain(model, 'alternating-block', randomSource(1), new Int8Array(spins).fill(1));
    for (let t = 0; t < 10; t++) walk.step();
    // Looking through the block for every neighbour would be 4e9 comparisons.
    expect(performance.now() - began).toBeLessThan(3000);
    // Neighbours of an open chain correlate by tanh J; ten sweeps from the ordered state are enough for that at J = 0.3.
    const mean = edges.reduce((sum, [i, j]) => sum + walk.spins[i] * walk.spins[j], 0) / edges.length;
    expect(Math.abs(mean - Math.tanh(0.3))).toBeLessThan(SIGMAS / Math.sqrt(edges.length));
  });

  test('with inside edges they are refused beyond 20 spins, under the kernels that draw them', () => {
    const model = ising({
      spins: 40,
      edges: ring(40),
      couplings: Array(40).fill(0.1),
      blocks: [Array.from({ length: 21 }, (_, i) => i), Array.from({ length: 19 }, (_, i) => 21 + i)],
    });
    for (const kernel of KERNEL_NAMES) {
      const make = () => chain(model, kernel, randomSource(1), new Int8Array(40).fill(1));
      if (kernel.includes('block'))
        expect(make).toThrow(/block of 21 spins with edges inside .*2\^21 .*or random-scan\.$/);
      else expect(make().step()).toBeUndefined();
    }
  });
});

describe('timescales', () => {
  test('of 64 + 32 free spins every observable is new in each sweep: T is half a step for each', () => {
    const model = rbm({ visible: 64, hidden: 32, weights: new Float64Array(2048) });
    const { T, standardError, missing } = measureTimescales(model, null, {
      kernel: 'alternating-block',
      start: 'uniform',
      burnIn: 0,
      window: 400,
      chains: 10,
      seed: 16,
    });
    // Variance 1, tau_int 1, tau 1/2 (2.7).
    expect(Math.abs(T - 1024)).toBeLessThan(SIGMAS * (standardError ?? 0));
    expect(standardError).toBeLessThan(20);
    expect(missing).toEqual([]);
  });

  test('of 40 spins under random-scan, J = 0: a coupling lasts N/2 steps, as (2.7) has it', () => {
    const spins = 40;
    const model = ising({ spins, edges: ring(spins), couplings: Array(spins).fill(0) });
    const { T, standardError } = measureTimescales(model, null, {
      kernel: 'random-scan',
      start: 'uniform',
      burnIn: 0,
      window: 4000,
      chains: 8,
      seed: 17,
    });
    // s = 1 - 2/N for a pair of spins, so tau = N/2 - 1/2, N times.
    expect(Math.abs(T - spins * (spins / 2 - 0.5))).toBeLessThan(SIGMAS * (standardError ?? 0));
    expect(standardError).toBeLessThan(50);
  });
});

test('contrastive divergence at 64 + 32 spins descends', () => {
  const { uniform } = random(18);
  const base = Array.from({ length: 64 }, () => (uniform() < 0.5 ? 1 : -1));
  const data = dataLawFromRows(Array.from({ length: 30 }, () => base.map((x) => (uniform() < 0.1 ? -x : x))));
  const cd = contrastiveDivergence({ kernel: 'alternating-block', k: 2, chains: 100 });
  let at = withParameters(
    machine,
    machine.theta.map(() => 0),
  );
  let state = samplerStart(19);
  // |ghat|^2 less its variance has the mean |E ghat|^2.
  const signals: number[] = [];
  for (let t = 0; t < 60; t++) {
    const { gradient, variance, state: next } = cd.estimate(at, data, state);
    signals.push(gradient.reduce((sum, value) => sum + (value / at.beta) ** 2, 0) - (variance ?? Number.NaN));
    at = withParameters(
      at,
      at.theta.map((value, a) => value - 0.1 * gradient[a]),
    );
    state = next;
  }
  // The visible biases alone hold a signal of about 64 times 0.8^2 at first.
  expect(signals[0]).toBeGreaterThan(30);
  expect(meanAndError(signals.slice(-10)).mean).toBeLessThan(signals[0] / 2);
});
