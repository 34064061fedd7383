import {
  createRoute,
  dataLawFromRows,
  type Edge,
  evaluateModel,
  InputError,
  ising,
  KERNEL_NAMES,
  type Model,
  measureSnr,
  modelToJson,
  parseModel,
  rbm,
  readModel,
  readNumpyModel,
  scanModels,
  sensitivity,
  teacherLaw,
  UnsupportedError,
  withParameters,
  workload,
  writeModel,
  writeNumpyModel,
} from 'htdml';
import { describe, expect, test } from 'vitest';
import { stepsPerSweep } from '../../src/kernel/kernels.js';
import { teacherWorkload } from '../../src/trainability/cost.js';
import { scratch } from '../support/cli.js';
import { normals, ring } from '../support/models.js';

const { path } = scratch();

/** A torus with six couplings to the right and below of each spin: 3,600 spins of degree twelve. */
const SIDE = 60;
const OFFSETS = [
  [0, 1],
  [1, 0],
  [4, 1],
  [1, -4],
  [9, 10],
  [10, -9],
];
const torus: Edge[] = Array.from({ length: SIDE * SIDE }, (_, i) => i).flatMap((i) =>
  OFFSETS.map(([dx, dy]): Edge => {
    const x = ((i % SIDE) + dx + SIDE) % SIDE;
    const y = (Math.floor(i / SIDE) + dy + SIDE) % SIDE;
    return [i, y * SIDE + x];
  }),
);
const grid = (): Model =>
  ising({
    spins: SIDE * SIDE,
    edges: torus,
    couplings: normals(torus.length, 0.1, 1),
    biases: normals(SIDE * SIDE, 0.1, 2),
  });
const machine = (visible: number, hidden: number): Model =>
  rbm({
    visible,
    hidden,
    weights: normals(visible * hidden, 0.1, 3),
    visibleBiases: normals(visible, 0.1, 4),
    hiddenBiases: normals(hidden, 0.1, 5),
  });
const chainOf = (spins: number) => Array.from({ length: spins - 1 }, (_, i): Edge => [i, i + 1]);

/** Processor time of the shortest of some runs, in milliseconds: others may use the machine. */
function milliseconds(run: () => unknown): number {
  return Math.min(
    ...Array.from({ length: 5 }, () => {
      const began = process.cpuUsage();
      run();
      const { user, system } = process.cpuUsage(began);
      return (user + system) / 1000;
    }),
  );
}

test('3,600 spins with 21,600 edges are made in time that grows with their number, and two-coloured', () => {
  const model = grid();
  expect([model.spins, model.edges.length, model.theta.length]).toEqual([3600, 21_600, 25_200]);
  // Neighbours differ by an odd number of steps.
  expect(model.blocks.map((block) => block.length)).toEqual([1800, 1800]);
  // Some 15 ms; a product of spins and edges is 8e7.
  expect(milliseconds(grid)).toBeLessThan(200);
});

test('of a chain of 65,536 spins everything grows with its length', () => {
  const spins = 65_536;
  const options = { spins, edges: chainOf(spins), couplings: new Float64Array(spins - 1).fill(0.5) };
  const sites = Array.from({ length: spins }, (_, i) => [i]);
  const model = ising({ ...options, biases: new Float64Array(spins), blocks: sites });
  // A square of 65,536 is 4e9: minutes.
  expect(milliseconds(() => ising(options))).toBeLessThan(2000);
  expect(milliseconds(() => writeNumpyModel(path('chain.npz'), model))).toBeLessThan(2000);
  expect(milliseconds(() => readNumpyModel(path('chain.npz')))).toBeLessThan(2000);
  expect(milliseconds(() => sensitivity(model, 'random-scan'))).toBeLessThan(2000);
  expect(readNumpyModel(path('chain.npz'))).toEqual(model);
});

describe.each([
  ['a graph of 3,600 spins', grid()],
  ['an RBM of 64 + 32 spins', machine(64, 32)],
  ['an RBM of 784 + 40 spins', machine(784, 40)],
  [
    'hidden spins and blocks among 40',
    ising({
      spins: 40,
      edges: ring(40),
      couplings: normals(40, 1, 6),
      visible: [39, 0, 33],
      blocks: [chainOf(21).map(([i]) => i), Array.from({ length: 20 }, (_, i) => 20 + i)],
    }),
  ],
])('%s', (_, model) => {
  test('comes back from its files with every bit', () => {
    writeModel(path('large.json'), model);
    writeNumpyModel(path('large.npz'), model);
    for (const read of [
      readModel(path('large.json')),
      readNumpyModel(path('large.npz')),
      parseModel(modelToJson(model)),
    ]) {
      expect(read).toEqual(model);
    }
  });

  test('its parameters stand where they belong', () => {
    const { theta, edges, spins, biased } = model;
    expect(theta.length).toBe(edges.length + (biased ? spins : 0));
    const moved = withParameters(
      model,
      theta.map((_, a) => a),
    );
    expect(moved.theta[theta.length - 1]).toBe(theta.length - 1);
  });

  test.each(KERNEL_NAMES)('%s: has a sweep, and what needs its states is refused in one sentence', (kernel) => {
    expect(stepsPerSweep(model, kernel)).toBeGreaterThanOrEqual(1);
    const data = dataLawFromRows([model.visible.map(() => 1)]);
    const options = {
      kernel,
      burnIn: 1,
      window: 1,
      chains: 1,
      start: 'uniform' as const,
      epsilon: 1e-3,
      kappa: 2.5,
      gradient: false,
    };
    const refusals = [
      () => createRoute(model, data, { kernel }),
      () => createRoute(model, data, { kernel, route: 'table' }),
      () => evaluateModel(model, data, options),
      () => workload(model, options),
      () => measureSnr(model, data, { ...options, repetitions: 2, seed: 1 }),
      () => scanModels(model, model, data, { ...options, kernel: 'random-block', rule: 'window', steps: 2 }),
    ];
    for (const refused of refusals) {
      expect(refused).toThrow(UnsupportedError);
      expect(refused).toThrow(/^[^\n]*; [^\n]*or sampling \(htdml estimate, or [^\n]*\)\.$/);
    }
  });

  test('is no teacher, and has no state of an index', () => {
    expect(() => teacherLaw(model)).toThrow(UnsupportedError);
    expect(() => teacherWorkload(model)).toThrow(UnsupportedError);
    const data = dataLawFromRows([model.visible.map(() => 1)]);
    for (const start of ['state:0', 'state:4294967296'] as const) {
      const evaluate = () =>
        evaluateModel(model, data, {
          kernel: 'random-scan',
          burnIn: 0,
          window: 1,
          chains: 1,
          start,
          epsilon: 1e-3,
          kappa: 2.5,
          gradient: false,
        });
      expect(evaluate).toThrow(/^start must be "uniform", "stationary" or "data" for a model of \d+ spins, got state:/);
    }
  });

  test('sensitivities need no states', () => {
    const { constants } = sensitivity(model, 'random-scan');
    // DESIGN (4.1): beta / N for a coupling, half of it for a bias.
    constants.forEach((c, a) => {
      expect(c).toBeCloseTo(model.beta / model.spins / (a < model.edges.length ? 1 : 2), 15);
    });
  });
});

test('the largest RBM of a teacher is known before it is tabulated', () => {
  expect(() => teacherWorkload(machine(23, 1))).toThrow(/2\^23 patterns and the limit is 2\^22; give a file/);
  expect(teacherWorkload(machine(22, 1)).bytes).toBeGreaterThan(2 ** 30);
});

describe('hostile sizes are refused before anything is allocated', () => {
  const endless = (length: number) => ({ length }) as ArrayLike<number>;
  test.each([
    ['spins', () => ising({ spins: 65_537, edges: [], couplings: [], biases: [] })],
    ['spins', () => ising({ spins: 2 ** 40, edges: [], couplings: [], biases: [] })],
    ['visible', () => rbm({ visible: 2 ** 31, hidden: 1, weights: [] })],
    ['visible + hidden', () => rbm({ visible: 65_536, hidden: 1, weights: endless(65_536) })],
    ['visible x hidden', () => rbm({ visible: 32_768, hidden: 32_768, weights: endless(2 ** 30) })],
    ['edges', () => ising({ spins: 65_536, edges: new Array(2 ** 22 + 1), couplings: endless(2 ** 22 + 1) })],
    ['edges[0]', () => ising({ spins: 65_536, edges: new Array(2), couplings: [0, 0] })],
    [
      'edges[1]',
      () =>
        ising({
          spins: 65_536,
          edges: [
            [65_535, 65_534],
            [65_534, 65_535],
          ],
          couplings: [1, 1],
        }),
    ],
    ['couplings', () => ising({ spins: 65_536, edges: chainOf(65_536), couplings: endless(2 ** 32) })],
  ])('%s', (field, make) => {
    expect(make).toThrow(InputError);
    const began = performance.now();
    try {
      make();
    } catch (error) {
      expect((error as InputError).problem.field).toBe(field);
    }
    expect(performance.now() - began).toBeLessThan(1000);
  });

  test('edges of spins far apart are not taken for one another', () => {
    // min * 65536 + max needs 32 bits: a signed index would wrap.
    const model = ising({
      spins: 65_536,
      edges: [
        [65_534, 65_535],
        [0, 65_535],
        [1, 0],
        [32_768, 65_535],
        [65_535, 32_767],
      ],
      couplings: [1, 2, 3, 4, 5],
    });
    expect(model.edges).toHaveLength(5);
  });

  test('a matrix of more rows than a file should have is not written', () => {
    const spins = 8193;
    const model = ising({ spins, edges: chainOf(spins), couplings: new Float64Array(spins - 1).fill(1) });
    expect(() => writeNumpyModel(path('matrix.npy'), model)).toThrow(
      /8193 spins \(more than 8192\); write a .npz file/,
    );
    const small = ising({ spins: 100, edges: chainOf(100), couplings: normals(99, 1, 8) });
    writeNumpyModel(path('matrix.npy'), small);
    expect(readNumpyModel(path('matrix.npy'))).toEqual(small);
  });
});
