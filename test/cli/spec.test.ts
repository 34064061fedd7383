import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_GATE_THRESHOLDS, DEFAULT_REFERENCES } from 'htdml';
import { afterAll, describe, expect, test } from 'vitest';
import { readSpec, type Spec, specToJson } from '../../src/cli/spec.js';
import { parseDuration } from '../../src/cli/spec-fields.js';
import { InputError } from '../../src/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'htdml-spec-'));
afterAll(() => rmSync(folder, { recursive: true }));

function read(content: object): Spec {
  const path = join(folder, 'spec.json');
  writeFileSync(path, JSON.stringify(content));
  return readSpec(path);
}

const least = { schemaVersion: 1, model: 'start.json', data: { file: 'd/digits.csv' } };
const most = {
  schemaVersion: 1,
  model: { kind: 'rbm', visible: 9, hidden: 6, biases: false, initialScale: 0 },
  data: { teacher: '../t.json' },
  kernel: 'random-scan',
  burnIn: 0,
  window: '2500',
  start: 'state:5',
  seed: 2147483647,
  membership: { epsilon: 0.01, kappa: 3, onEvent: 'stop', eta: 0.02 },
  route: 'estimated',
  sampling: { chains: 12, samples: 4, burnIn: 0, apart: 1, probes: 2, features: 'levels', rungs: 1 },
  gates: { ...DEFAULT_GATE_THRESHOLDS, windowTimes: 20, bulkRelaxation: 0.1 },
  references: { gap: 0.5, signal: 1, window: 200 },
  train: {
    steps: 1,
    optimizer: 'adam',
    learningRate: 1e-3,
    likelihood: 'exact',
    weightDecay: 0.1,
    penalties: [
      { objective: 'logRhat', weight: 0.02 },
      { objective: 'totalCorrelation', weight: 'adaptive', threshold: 0.06, lag: '50sweeps', every: 10 },
    ],
    maxCoupling: 1.5,
    frozen: [1],
    tied: [
      [2, 3],
      [5, 4, 6],
    ],
    mask: [0, 1, 1],
    bits: 6,
  },
  design: {
    objective: 'logRhat',
    budget: 0,
    maxCoupling: [2, 1],
    frozen: [0, 3],
    tied: [[1, 2]],
    mask: [1, 0],
    restarts: 1,
    steps: 1,
    learningRate: 0.5,
  },
  pareto: {
    seeds: 1,
    every: 5,
    steps: 30,
    arms: [
      { kind: 'earlyStopping' },
      { kind: 'penalty', objective: 'l1', weights: [0.1, 0.2] },
      { kind: 'design', objective: 'logRhat', budgets: [0] },
    ],
  },
};

const unconstrained = { maxCoupling: null, frozen: [], tied: [], mask: null };

test('defaults are filled in and paths are relative to the file', () => {
  expect(read(least)).toEqual({
    model: join(folder, 'start.json'),
    data: { file: join(folder, 'd/digits.csv') },
    kernel: 'random-block',
    route: 'exact',
    sampling: { chains: 24, samples: 50, burnIn: 200, apart: 2, probes: 16, features: 'observables', rungs: 50 },
    burnIn: { amount: 100, unit: 'sweeps' },
    window: { amount: 1000, unit: 'sweeps' },
    start: 'stationary',
    seed: 1,
    membership: { epsilon: 1e-3, kappa: 2.5, onEvent: null, eta: null },
    gates: DEFAULT_GATE_THRESHOLDS,
    references: DEFAULT_REFERENCES,
    train: {
      steps: 3000,
      optimizer: 'adam',
      learningRate: 0.05,
      likelihood: 'exact',
      weightDecay: 0,
      penalties: [],
      ...unconstrained,
      bits: null,
    },
    design: {
      objective: 'logEffectiveGap',
      budget: 0.02,
      ...unconstrained,
      restarts: 4,
      steps: 800,
      learningRate: 0.01,
    },
    pareto: { seeds: 1, every: 20, steps: 500, arms: expect.any(Array) },
  });
  expect(read({ ...least, model: { kind: 'rbm', visible: 2, hidden: 1 } }).pareto.seeds).toBe(3);
  const train = { penalties: [{ objective: 'totalCorrelation', weight: 'adaptive' }] };
  expect(read({ ...least, train }).train.penalties).toEqual([
    { objective: 'totalCorrelation', weight: 'adaptive', threshold: 0.016, lag: null, every: 50 },
  ]);
  const likelihoodOf = (likelihood: object) => read({ ...least, train: { likelihood } }).train.likelihood;
  const sweep = { amount: 1, unit: 'sweeps' };
  expect(likelihoodOf({ persistentChains: {} })).toEqual({ persistentChains: { chains: 100, window: sweep } });
  expect(likelihoodOf({ contrastiveDivergence: {} })).toEqual({ contrastiveDivergence: { chains: 100, k: sweep } });
  expect(read({ ...least, model: { kind: 'rbm', visible: 2, hidden: 1 } }).model).toEqual({
    kind: 'rbm',
    visible: 2,
    hidden: 1,
    biases: true,
    initialScale: 0.1,
  });
});

test('thresholds and references that are left out are filled in', () => {
  const { gates, references } = read({ ...least, gates: { windowTimes: 20 }, references: { window: 5 } });
  expect(gates).toEqual({ ...DEFAULT_GATE_THRESHOLDS, windowTimes: 20 });
  expect(references).toEqual({ ...DEFAULT_REFERENCES, window: 5 });
});

test('everything that is given is kept', () => {
  const { schemaVersion: _, ...rest } = most;
  expect(read(most)).toEqual({
    ...rest,
    data: { teacher: join(folder, '../t.json') },
    burnIn: { amount: 0, unit: 'steps' },
    window: { amount: 2500, unit: 'steps' },
    train: {
      ...most.train,
      penalties: [most.train.penalties[0], { ...most.train.penalties[1], lag: { amount: 50, unit: 'sweeps' } }],
    },
  });
});

test.each([least, most])('the SPEC as used reads back to itself from any folder', (content) => {
  const spec = read(content);
  const elsewhere = join(folder, 'elsewhere');
  mkdirSync(elsewhere, { recursive: true });
  writeFileSync(join(elsewhere, 'spec.json'), JSON.stringify(specToJson(spec)));
  expect(readSpec(join(elsewhere, 'spec.json'))).toEqual(spec);
  expect(Object.keys(specToJson(spec)).join(' ')).toBe(
    'schemaVersion model data kernel route sampling burnIn window start seed membership gates references train design pareto',
  );
});

describe('parseDuration', () => {
  test.each([
    ['100sweeps', 100, 'sweeps'],
    ['100 sweeps', 100, 'sweeps'],
    ['2500steps', 2500, 'steps'],
    ['2500', 2500, 'steps'],
    [2500, 2500, 'steps'],
    [0, 0, 'steps'],
  ] as const)('%s', (text, amount, unit) => {
    expect(parseDuration('--window', text)).toEqual({ amount, unit });
  });

  test.each([
    '',
    'sweeps',
    '-1',
    '1.5sweeps',
    '1e3',
    '100sweep s',
    '99999999999999999999',
    'Infinity',
    NaN,
    -1,
    0.5,
    1e21,
  ])('refuses %s', (text) => {
    expect(() => parseDuration('--window', text)).toThrow(InputError);
    expect(() => parseDuration('--window', text)).toThrow(
      /^--window must be a whole number of at least 0 steps or sweeps, got .*; write it as 100sweeps, .*\.$/,
    );
  });
});
