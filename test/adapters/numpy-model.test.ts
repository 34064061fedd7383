import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ARRAY_NAMES, modelFromArrays, modelToArrays } from '../../src/adapters/numpy/model-arrays.js';
import { formatNpz, parseNpz } from '../../src/adapters/numpy/npz.js';
import { readNumpyModel, writeNumpyModel } from '../../src/adapters/numpy/numpy-model.js';
import { InputError } from '../../src/errors.js';
import { boltzmann } from '../../src/model/boltzmann.js';
import { readData } from '../../src/model/data-file.js';
import { ising, type Model, rbm } from '../../src/model/model.js';
import { readModel, writeModel } from '../../src/model/model-file.js';
import { formatNpy, parseNpy } from '../../src/model/npy.js';
import { stateSpace } from '../../src/model/state-space.js';
import { isings, RUNS, rbms } from '../properties/arbitraries.js';
import { ROOT, scratch } from '../support/cli.js';

const { path } = scratch();
const fixture = (name: string) => `${ROOT}test/fixtures/numpy/${name}`;
const f32 = (values: readonly number[]) => values.map(Math.fround);

/** Equal to the last bit, the sign of zero included. */
function expectSame(model: Model, other: Model): void {
  expect(model).toEqual(other);
  expect(Buffer.from(model.theta.buffer)).toEqual(Buffer.from(other.theta.buffer));
}

const edges = [
  [2, 0],
  [0, 1],
  [1, 3],
] as const;
const [couplings, biases] = [
  [0.5, -0.25, 0.1],
  [0.1, 0, -0.2, 1 / 3],
];

describe('files that numpy wrote', () => {
  test('a stored archive', () => {
    const model = ising({ spins: 4, edges, couplings, biases, beta: 0.7, visible: [3, 0, 1] });
    expectSame(readNumpyModel(fixture('ising.npz')), model);
  });

  test('a deflated archive of big-endian and 4-byte numbers in Fortran order', () => {
    const values = { couplings: f32(couplings), biases: f32(biases) };
    const model = ising({ spins: 4, edges, ...values, beta: 0.7, visible: [3, 0, 1] });
    expectSame(readNumpyModel(fixture('ising-compressed.npz')), model);
  });

  test('an RBM', () => {
    const weights = [0.1, 0.2, 0.3, -0.4, -0.5, -0.6];
    const layers = { visibleBiases: [1, -1], hiddenBiases: [0, 0.5, -0.5] };
    expectSame(readNumpyModel(fixture('rbm.npz')), rbm({ visible: 2, hidden: 3, weights, ...layers, beta: 2 }));
  });

  test('a matrix of couplings: edges row by row, and the beta that is asked for', () => {
    const byRow = [
      [0, 1],
      [0, 2],
      [1, 3],
    ] as const;
    const model = ising({ spins: 4, edges: byRow, couplings: [-0.25, 0.5, 0.1], beta: 3 });
    expectSame(readNumpyModel(fixture('matrix.npy'), 3), model);
    expect(readNumpyModel(fixture('matrix.npy')).beta).toBe(1);
  });
});

describe('files that thrml wrote', () => {
  const model = readNumpyModel(fixture('thrml.npz'));

  test('its energy is beta times ours in every state', () => {
    const { energies } = boltzmann(stateSpace(model), model.theta, model.beta);
    const theirs = parseNpy(readFileSync(fixture('thrml-energies.npy')));
    expect(theirs.shape).toEqual([64]);
    // thrml adds in 4-byte floats.
    const tolerance = 2 ** -23 * model.theta.reduce((sum, x) => sum + 2 * Math.abs(x), 0) * model.beta;
    energies.forEach((energy, s) => {
      expect(Math.abs(model.beta * energy - theirs.at(s))).toBeLessThan(tolerance);
    });
    expect(Math.max(...energies) - Math.min(...energies)).toBeGreaterThan(1);
  });

  test('its blocks are those of its sampling program', () => {
    expect(model.blocks).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    expect(model.customBlocks).toBe(true);
  });

  test('its samples are rows of booleans, True for +1', () => {
    const rows = parseNpy(readFileSync(fixture('thrml-samples.npy')));
    expect([rows.kind, rows.shape]).toEqual(['b', [40, 6]]);
    const counts = new Map<number, number>();
    for (let r = 0; r < 40; r++) {
      let pattern = 0;
      for (let c = 0; c < 6; c++) pattern += rows.at(6 * r + c) * 2 ** c;
      counts.set(pattern, (counts.get(pattern) ?? 0) + 1);
    }
    const law = readData(fixture('thrml-samples.npy'));
    expect(law.spins).toBe(6);
    expect([...law.patterns]).toEqual([...counts.keys()].sort((a, b) => a - b));
    expect([...law.probabilities]).toEqual([...law.patterns].map((pattern) => (counts.get(pattern) ?? 0) / 40));
  });
});

describe('round trips', () => {
  test('.npz holds every model, and every bit of it', () => {
    fc.assert(
      fc.property(fc.oneof(isings, rbms), (model) => {
        const bytes = formatNpz(modelToArrays(model));
        const back = modelFromArrays(parseNpz(bytes, ARRAY_NAMES));
        // The order inside a block means nothing and is not kept.
        expectSame(back, { ...model, blocks: model.blocks.map((block) => [...block].sort((i, j) => i - j)) });
      }),
      RUNS,
    );
  });

  test('a spin without edge and bias is kept', () => {
    const model = ising({ spins: 4, edges: [[0, 1]], couplings: [1] });
    writeNumpyModel(path('free.npz'), model);
    expectSame(readNumpyModel(path('free.npz')), model);
  });

  test('the same model gives the same bytes', () => {
    const model = readNumpyModel(fixture('ising.npz'));
    writeNumpyModel(path('a.npz'), model);
    writeNumpyModel(path('b.npz'), readNumpyModel(path('a.npz')));
    expect(readFileSync(path('a.npz'))).toEqual(readFileSync(path('b.npz')));
  });

  test('.npy: the same energies; the edges come back row by row', () => {
    const ring = [
      [3, 2],
      [2, 0],
      [1, 0],
      [3, 1],
    ] as const;
    writeNumpyModel(path('ring.npy'), ising({ spins: 5, edges: ring, couplings: [1, 2, 3, 4] }));
    const back = readNumpyModel(path('ring.npy'));
    const byRow = [
      [0, 1],
      [0, 2],
      [1, 3],
      [2, 3],
    ] as const;
    expectSame(back, ising({ spins: 5, edges: byRow, couplings: [3, 2, 4, 1] }));
  });

  test.each<[string, Model, RegExp]>([
    ['biases', ising({ spins: 2, edges: [[0, 1]], couplings: [1], biases: [0, 0] }), /got biases; write a \.npz/],
    ['beta', ising({ spins: 2, edges: [[0, 1]], couplings: [1], beta: 2 }), /got beta 2/],
    ['hidden spins', ising({ spins: 2, edges: [[0, 1]], couplings: [1], visible: [0] }), /got hidden spins/],
    ['an RBM', rbm({ visible: 1, hidden: 1, weights: [1] }), /got hidden spins/],
    ['order', ising({ spins: 2, edges: [[0, 1]], couplings: [1], visible: [1, 0] }), /got visible spins in another/],
    ['blocks', ising({ spins: 2, edges: [[0, 1]], couplings: [1], blocks: [[0, 1]] }), /got blocks of its own/],
    ['zero', ising({ spins: 2, edges: [[0, 1]], couplings: [-0] }), /got an edge of weight zero/],
  ])('.npy refuses what it would lose: %s', (_, model, pattern) => {
    const write = () => writeNumpyModel(path('lost.npy'), model);
    expect(write).toThrow(InputError);
    expect(write).toThrow(pattern);
    expect(() => readFileSync(path('lost.npy'))).toThrow();
  });

  test('arrays of any shape: what is written is read back', () => {
    for (const shape of [[], [1], [0], [7], [2, 3], [3, 0, 2], [2, 2, 2, 2]]) {
      const values = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, k) => k - 3);
      for (const kind of ['i', 'f'] as const) {
        const bytes = formatNpy({ kind, shape, values });
        const read = parseNpy(bytes);
        expect([read.kind, read.shape, values.map((_, k) => read.at(k))]).toEqual([kind, shape, values]);
      }
    }
  });
});

describe('numpy at hand', () => {
  const python = (code: string) => execFileSync('python3', ['-c', code], { encoding: 'utf8', cwd: path() });
  const absent = spawnSync('python3', ['-c', 'import numpy']).status !== 0;

  test.skipIf(absent)('numpy loads what is written here, without pickling, to the same bits', () => {
    const model = ising({ spins: 4, edges, couplings: [1 / 3, 5e-324, -0], biases, beta: 0.1, visible: [3, 1] });
    writeNumpyModel(path('ours.npz'), model);
    writeNumpyModel(path('ours.npy'), ising({ spins: 4, edges, couplings }));
    const shown = python(`
import json, numpy as np
z = np.load('ours.npz', allow_pickle=False)
m = np.load('ours.npy', allow_pickle=False)
print(json.dumps([{k: [str(v.dtype), v.shape, v.tolist()] for k, v in z.items()}, m.tolist()]))
`);
    const [arrays, matrix] = JSON.parse(shown);
    expect(arrays).toEqual({
      edges: ['int64', [3, 2], edges],
      weights: ['float64', [3], [1 / 3, 5e-324, -0]],
      biases: ['float64', [4], biases],
      beta: ['float64', [], 0.1],
      visible: ['int64', [2], [3, 1]],
    });
    expect(matrix).toEqual([
      [0, -0.25, 0.5, 0],
      [-0.25, 0, 0, 0.1],
      [0.5, 0, 0, 0],
      [0, 0.1, 0, 0],
    ]);
  });

  test.skipIf(absent)('the two lines of a user, with what numpy chooses for lists', () => {
    python(`
import numpy as np
np.savez("model.npz", edges=[[0, 1], [1, 2]], weights=[0.5, -0.3], biases=[0.0, 0.1, 0.0], beta=1)
np.save("samples.npy", np.array([[True, True, False], [False, True, True]]))
`);
    writeModel(path('model.json'), readNumpyModel(path('model.npz')));
    const json = {
      edges: [
        [0, 1],
        [1, 2],
      ],
      couplings: [0.5, -0.3],
      biases: [0, 0.1, 0],
      beta: 1,
    } as const;
    expectSame(readModel(path('model.json')), ising({ spins: 3, ...json }));
    expect([...readData(path('samples.npy')).patterns]).toEqual([0b011, 0b110]);
  });

  test.skipIf(absent)('Fortran order in three dimensions', () => {
    python(`
import numpy as np
np.save("cube.npy", np.asfortranarray(np.arange(24.0).reshape(2, 3, 4)))
`);
    const cube = parseNpy(readFileSync(path('cube.npy')));
    expect(cube.shape).toEqual([2, 3, 4]);
    expect(Array.from({ length: 24 }, (_, k) => cube.at(k))).toEqual(Array.from({ length: 24 }, (_, k) => k));
  });

  test.skipIf(absent)('an archive that numpy wrote to a pipe, whose local headers hold no sizes', () => {
    const bytes = execFileSync('python3', [
      '-c',
      'import sys, numpy as np; np.savez(sys.stdout.buffer, weights=np.ones((2, 1)), beta=1.0)',
    ]);
    writeFileSync(path('pipe.npz'), bytes);
    expectSame(readNumpyModel(path('pipe.npz')), rbm({ visible: 2, hidden: 1, weights: [1, 1] }));
  });
});
