import {
  createRoute,
  InputError,
  ising,
  type KernelName,
  type Model,
  randomSource,
  teacherLaw,
  UnsupportedError,
} from 'htdml';
import { type NeuralOptions, networkFeatures, neuralFeatures } from 'htdml/tfjs';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { hopfield } from '../../../examples/support/hopfield.js';
import { type NetworkShape, weightCount } from '../../../src/adapters/tfjs/network.js';
import { objectiveGradient } from '../../../src/adapters/tfjs/neural-objective.js';
import { BatchRows } from '../../../src/adapters/tfjs/training-batch.js';
import { PilotProblem } from '../../../src/adapters/tfjs/trial-solutions.js';
import { makeFeatures } from '../../../src/estimation/bound/features.js';
import { makeProbes } from '../../../src/estimation/bound/probes.js';
import { boundFromSamples } from '../../../src/estimation/bound/timescale-bound.js';
import { sampleEquilibrium } from '../../../src/estimation/samples/equilibrium.js';
import { readSample } from '../../../src/estimation/samples/packed-samples.js';
import { dot, fullSpace } from '../../support/brute-force.js';
import { estimationCase } from '../../support/estimation-cases.js';
import { exactBound, spinsOf } from '../../support/exact-bound.js';
import { complete, glass, normals, ring } from '../../support/models.js';
import { meanAndError } from '../../support/statistics.js';
import { BACKENDS, tf } from '../../support/tfjs.js';

// The machine may be shared.
vi.setConfig({ testTimeout: 240_000 });
beforeEach(async () => {
  await tf.setBackend('cpu');
});

const EPS32 = 2 ** -23;
const sampling = { chains: 24, samples: 200, burnIn: 200, apart: 2, seed: 3 };
const small = { width: 8, features: 4, steps: 40, learningRate: 0.02, batch: 32, seed: 1 } as const;
const timescaleOf = (model: Model, kernel: KernelName) =>
  createRoute(model, teacherLaw(model), { kernel }).evaluate(model.theta, ['timescale']).value.timescale ?? Number.NaN;

const SHAPES: readonly NetworkShape[] = [
  { spins: 4, width: 5, depth: 1, count: 3, even: false },
  { spins: 5, width: 5, depth: 1, count: 2, even: true },
  { spins: 4, width: 3, depth: 3, count: 2, even: false },
  { spins: 5, width: 3, depth: 2, count: 2, even: true },
];
const named = SHAPES.map((shape) => [`depth ${shape.depth}${shape.even ? ', even' : ''}`, shape] as const);
const weightsOf = (shape: NetworkShape) =>
  Array.from(Float32Array.from(normals(weightCount(shape), 0.6, shape.depth + Number(shape.even))));

describe.each(named)('a network of %s', (_, shape) => {
  const weights = weightsOf(shape);
  const features = networkFeatures({ ...shape, weights });
  const full = fullSpace(glass(shape.spins, 0.5, 2, !shape.even));
  const at = (s: number) => {
    const out = new Float64Array(shape.count);
    features.load(spinsOf(full, s), out, 0);
    return out;
  };

  test('at a flipped spin it is what it is at the flipped spins, and even where it says so', () => {
    for (let s = 0; s < full.states; s++) {
      const x = spinsOf(full, s);
      const out = new Float64Array(shape.count + 1);
      for (let i = 0; i < shape.spins; i++) {
        features.load(x, out, 0);
        features.flipped(i, x, 0, out, 1);
        // Sums of twenty numbers of order one.
        at(s ^ (1 << i)).forEach((value, k) => expect(Math.abs(out[k + 1] - value)).toBeLessThan(1e-14));
      }
      const same = at(full.states - 1 - s).every((value, k) => Math.abs(value - at(s)[k]) < 1e-14);
      expect(same).toBe(shape.even);
    }
  });

  test.each(BACKENDS)(
    'the gradient of the objective is that of the bound in exact expectation, by central differences, on %s',
    async (backend) => {
      await tf.setBackend(backend);
      const { alpha } = exactBound(full, [features]);
      const p = full.centred.length;
      const rows = new BatchRows(full.states, shape.spins, shape.spins, shape.count, p);
      rows.hold({ alpha: Float64Array.from(alpha.flatMap((row) => [...row])), scale: 1 }, 1);
      const means = Float64Array.from(full.observables, (f) => dot(full.pi, f));
      for (let s = 0; s < full.states; s++) {
        full.observables.forEach((f, a) => (rows.values[a] = -f[s]));
        rows.sample(s, spinsOf(full, s), full.pi[s], means);
        for (let i = 0; i < shape.spins; i++) {
          const t = s ^ (1 << i);
          full.observables.forEach((f, a) => (rows.changed[a] = -f[t]));
          const flip = full.pi[t] / (full.pi[s] + full.pi[t]);
          rows.move(s, i, spinsOf(full, t), (full.pi[s] * flip * (1 - flip)) / shape.spins);
        }
      }
      const { gradient } = objectiveGradient(tf, shape, weights, rows.batch(1));
      const largest = Math.max(...gradient.map(Math.abs));
      // Each term has a factor alpha, and terms cancel where that is large.
      const rounding = 8 * EPS32 * Math.max(...alpha.flatMap((row) => [...row.map(Math.abs)]));
      expect(largest).toBeGreaterThan(200 * rounding);
      const bound = (k: number, h: number) => {
        const moved = weights.map((value, j) => (j === k ? value + h : value));
        return exactBound(full, [networkFeatures({ ...shape, weights: moved })]).value;
      };
      const h = 1e-3;
      weights.forEach((_w, k) => {
        const slope = (8 * (bound(k, h) - bound(k, -h)) - (bound(k, 2 * h) - bound(k, -2 * h))) / (12 * h);
        expect(Math.abs(gradient[k] - slope)).toBeLessThan(rounding);
      });
    },
  );
});

describe('batches are unbiased for the pilot', () => {
  const cases: [string, Model, KernelName][] = [
    ['flips of four spins', glass(4, 0.5, 2, true), 'random-scan'],
    ['some of forty flips', ising({ spins: 40, edges: ring(40), couplings: normals(40, 0.5, 1) }), 'random-scan'],
    [
      'blocks drawn anew',
      ising({ spins: 4, edges: complete(4), couplings: normals(6, 0.4, 4), blocks: [[0, 2], [1], [3]] }),
      'random-block',
    ],
  ];
  test.each(cases)('%s', (_, model, kernel) => {
    const { spins, biased } = model;
    const shape = { spins, width: 4, depth: 1, count: 3, even: !biased };
    const { pilot } = sampleEquilibrium(model, someData(model), { ...sampling, chains: 12, samples: 4 });
    const features = networkFeatures({ ...shape, weights: normals(weightCount(shape), 0.5, 3) });
    const blocks = kernel === 'random-scan' ? Array.from({ length: spins }, (__, i) => [i]) : model.blocks;
    const probes = makeProbes(model.theta.length, 1, randomSource(1));
    const problem = new PilotProblem(model, pilot, blocks, probes, [], shape.count);
    const trials = problem.fit(features, randomSource(2));
    const random = randomSource(5);
    const values = Array.from({ length: 400 }, () => {
      const batch = problem.batch(32, shape.count, trials, random);
      return objectiveGradient(tf, shape, features.network.weights, batch).value;
    });
    // Straight from the definition: averages over the pilot and over all that a block may become.
    const size = model.theta.length + shape.count;
    const psi = (x: Int8Array, only: number) => {
      const chi = new Float64Array(shape.count);
      features.load(x, chi, 0);
      return observablesOf(model, x).map((__, z) =>
        [...observablesOf(model, x).map((f) => -f), ...chi].reduce(
          (sum, value, k) => sum + (k < only ? 0 : trials.alpha[z * size + k] * value),
          0,
        ),
      );
    };
    const all: Int8Array[] = pilot.flatMap((chain) =>
      Array.from({ length: chain.count }, (__, s) => {
        const x = new Int8Array(spins);
        readSample(chain, s, x);
        return x;
      }),
    );
    const mean = observablesOf(model, all[0]).map(
      (__, a) => all.reduce((sum, x) => sum + observablesOf(model, x)[a], 0) / all.length,
    );
    let exact = 0;
    for (const x of all) {
      const f = observablesOf(model, x);
      const neural = psi(x, model.theta.length);
      exact += f.reduce((sum, value, a) => sum + 2 * (value - mean[a]) * neural[a], 0) / all.length;
      const whole = psi(x, 0);
      for (const block of blocks) {
        const others = Array.from({ length: 2 ** block.length }, (__, t) => {
          const y = x.slice();
          block.forEach((i, k) => (y[i] = (t >> k) & 1 ? 1 : -1));
          return { y, weight: Math.exp(-model.beta * energyAt(model, y)) };
        });
        const total = others.reduce((sum, { weight }) => sum + weight, 0);
        for (const { y, weight } of others) {
          // A flip counts p (1 - p), a block half.
          const share = block.length === 1 ? 1 - weight / total : 1 / 2;
          const [there, thereNeural] = [psi(y, 0), psi(y, model.theta.length)];
          const square = whole.reduce((sum, value, z) => {
            const fixed = value - neural[z] - (there[z] - thereNeural[z]);
            return sum + (value - there[z]) ** 2 - fixed ** 2;
          }, 0);
          exact -= (share * (weight / total) * square) / blocks.length / all.length;
        }
      }
    }
    const found = meanAndError(values);
    // Three cases at four standard errors: a chance of 2e-4.
    expect(Math.abs(found.mean - exact / trials.scale)).toBeLessThan(4 * found.error);
    expect(found.error).toBeLessThan(0.1);
  });
});

function observablesOf({ edges, spins, biased }: Model, x: Int8Array): number[] {
  return [...edges.map(([i, j]) => -x[i] * x[j]), ...(biased ? Array.from({ length: spins }, (_, i) => -x[i]) : [])];
}

function energyAt(model: Model, x: Int8Array): number {
  return observablesOf(model, x).reduce((sum, f, a) => sum + model.theta[a] * f, 0);
}

/** Patterns for chains to start from. */
function someData(model: Model) {
  const spins = model.visible.length;
  return { spins, patterns: Uint32Array.of(0, 1), probabilities: Float64Array.of(0.5, 0.5) };
}

test.each([0, 1, 2, 3, 4])('random model %i: at most T beyond the error, and no less than without', (k) => {
  const { model, data, kernel } = estimationCase(k, randomSource(20 + k));
  const samples = sampleEquilibrium(model, data, { ...sampling, burnIn: 2000, apart: 10 });
  const functions = neuralFeatures(tf, model, samples.pilot, { ...small, kernel });
  const options = { kernel, features: 'observables', seed: 1 } as const;
  const { bound } = boundFromSamples(model, samples, { ...options, functions });
  const alone = boundFromSamples(model, samples, options).bound;
  expect(bound.sequence.map(({ name }) => name)).toEqual(['observables', 'neural', 'more neural']);
  // Five cases at 4.5 standard errors.
  expect(bound.timescale - timescaleOf(model, kernel)).toBeLessThan(4.5 * bound.standardError);
  expect(alone.timescale - bound.timescale).toBeLessThan(2 * bound.standardError);
  if (kernel !== 'random-scan') return;
  const full = fullSpace(model);
  const [without, once, twice] = [0, 1, 2].map((n) => exactBound(full, functions.slice(0, n)).value);
  const T = timescaleOf(model, kernel);
  expect(once).toBeGreaterThan(without);
  expect(twice).toBeGreaterThan(once);
  expect(twice).toBeLessThan(T * (1 + 1e-9));
});

test('among the basins of four patterns they reach T where level functions do not, and the verdict sees both', () => {
  const model = hopfield({ spins: 10, patterns: 4, beta: 2, field: 0.1, seed: 1 });
  const kernel = 'random-scan';
  const T = timescaleOf(model, kernel);
  const plan = { chains: 24, samples: 2500, burnIn: 100_000, apart: 200, seed: 1 };
  const samples = sampleEquilibrium(model, teacherLaw(model), plan);
  const options = { width: 48, features: 16, steps: 300, learningRate: 0.02, batch: 64, seed: 1 };
  const functions = neuralFeatures(tf, model, samples.pilot, { kernel, ...options });
  const full = fullSpace(model);
  const handMade = makeFeatures(model, samples.pilot, 'levels', []);
  expect(exactBound(full, [handMade.functions]).value / T).toBeLessThan(0.92);
  expect(exactBound(full, functions).value / T).toBeGreaterThan(0.95);
  const levels = boundFromSamples(model, samples, { kernel, seed: 1 }).bound;
  expect(levels.timescale / T).toBeLessThan(0.95);
  expect(levels.verdict).toBe('unresolved');
  expect(levels.missing.join()).toMatch(/not saturated/);
  const { bound } = boundFromSamples(model, samples, { kernel, seed: 1, features: 'observables', functions });
  expect(bound.missing).toEqual([]);
  expect(bound.verdict).toBe('resolved');
  expect(bound.timescale / T).toBeGreaterThan(0.95);
  expect(bound.timescale - T).toBeLessThan(2 * bound.standardError);
});

describe('training', () => {
  const model = glass(5, 0.5, 2);
  const { pilot } = sampleEquilibrium(model, someData(model), sampling);
  const trained = (options: Partial<NeuralOptions>) =>
    neuralFeatures(tf, model, pilot, { ...small, kernel: 'random-scan', ...options });

  test('gives the same for the same seed, other features for another, and numbers that float32 holds', () => {
    const networks = (seed: number) => trained({ seed, steps: 10 }).map(({ network }) => network);
    expect(networks(7)).toEqual(networks(7));
    expect(networks(8)).not.toEqual(networks(7));
    for (const { weights, even } of networks(7)) {
      expect(Array.from(Float32Array.from(weights))).toEqual(weights);
      expect(even).toBe(true);
    }
  });

  test('brings the bound closer to T, and what JSON keeps of it gives the same functions', () => {
    const slow = hopfield({ spins: 10, patterns: 4, beta: 2, field: 0.1, seed: 1 });
    const samples = sampleEquilibrium(slow, someData(slow), {
      ...sampling,
      samples: 1000,
      burnIn: 100_000,
      apart: 200,
    });
    const full = fullSpace(slow);
    const T = timescaleOf(slow, 'random-scan');
    const trainedFor = (steps: number) =>
      neuralFeatures(tf, slow, samples.pilot, { ...small, kernel: 'random-scan', steps }).slice(0, 1);
    const end = trainedFor(150);
    expect(T - exactBound(full, end).value).toBeLessThan(0.5 * (T - exactBound(full, trainedFor(1)).value));
    const again = end.map(({ network, name }) => networkFeatures(JSON.parse(JSON.stringify(network)), name));
    expect(exactBound(full, again)).toEqual(exactBound(full, end));
  });

  test('tells how far it is', () => {
    const seen: [number, number][] = [];
    trained({ steps: 2, progress: (done, of) => seen.push([done, of]) });
    expect(seen).toEqual([1, 2, 3, 4].map((done) => [done, 4]));
  });

  test('refuses what it cannot use', () => {
    for (const [field, value] of [
      ['width', 0],
      ['depth', 0],
      ['features', 1.5],
      ['steps', -1],
      ['batch', Number.NaN],
      ['learningRate', 0],
      ['seed', 0.5],
    ] as const) {
      expect(() => trained({ [field]: value })).toThrow(new RegExp(`^${field} must be .*, got ${value}`));
    }
    expect(() => trained({ kernel: 'none' as KernelName })).toThrow(InputError);
    expect(() => trained({ kernel: 'palindrome' })).toThrow(UnsupportedError);
    const options = { ...small, kernel: 'random-scan' } as const;
    expect(() => neuralFeatures(tf, model, pilot.slice(1, 2), options)).toThrow(/^pilot must be at least 2 chains/);
    expect(() => neuralFeatures(tf, glass(6, 0.5, 2), pilot, options)).toThrow(/^pilot\[0\].spins must be 6/);
    expect(() => neuralFeatures({} as typeof tf, model, pilot, options)).toThrow(
      /^tf must be the TensorFlow.js module/,
    );
  });

  test('and so does the bound where they are of another model', () => {
    const options = { kernel: 'random-scan', seed: 1 } as const;
    const [features] = trained({ steps: 1 });
    const larger = glass(6, 0.5, 2);
    const samples = (of: Model) => sampleEquilibrium(of, someData(of), { ...sampling, samples: 8 });
    const bound = (of: Model, ...functions: (typeof features)[]) =>
      boundFromSamples(of, samples(of), { ...options, functions });
    expect(() => bound(larger, features)).toThrow(/^functions\[0\].spins must be 6/);
    const weights = Array(weightCount({ ...features.network, even: false })).fill(0);
    const odd = networkFeatures({ ...features.network, even: false, weights });
    expect(() => bound(model, features, odd)).toThrow(/^functions\[1\].even must be true/);
    expect(() => networkFeatures({ ...features.network, weights: [1] })).toThrow(
      /^network.weights must be \d+ numbers/,
    );
    const broken = features.network.weights.map((value, k) => (k === 3 ? Number.NaN : value));
    expect(() => networkFeatures({ ...features.network, weights: broken })).toThrow(/^network.weights\[3\] must be/);
  });
});
