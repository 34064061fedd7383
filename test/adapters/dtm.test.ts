import { readFileSync, writeFileSync } from 'node:fs';
import { adamStep, InputError } from 'htdml';
import { describe, expect, test } from 'vitest';
import { type EqxRecords, formatEqx, parseEqx } from '../../src/adapters/dtm/eqx-records.js';
import { readDtmStep, untrainedStep, writeDtmStep } from '../../src/adapters/dtm/saved-step.js';
import { forwardLayers } from '../../src/model/grid/forward-process.js';
import { gridLayer, inputBiases } from '../../src/model/grid/grid-layer.js';
import { readLayer } from '../../src/model/grid/layer-file.js';
import { formatNpy } from '../../src/model/npy.js';
import { ROOT, scratch } from '../support/cli.js';

const { path } = scratch();
const fixture = (name: string) => `${ROOT}test/fixtures/dtm/${name}`;
const graph = readLayer(fixture('graph.json'));
const bytes = readFileSync(fixture('step.eqx'));
const step = readDtmStep(fixture('step.eqx'), graph);
const out = path('out.eqx');

/** Grid nodes in the order of the file: the visible ones as listed, then hidden ones by colour. */
const ORDER = [10, 2, 5, 0, 7, 8, 13, 15, 1, 3, 4, 6, 9, 11, 12, 14];
const byNode = (at: (k: number) => number) => ORDER.map((_, node) => Math.fround(at(ORDER.indexOf(node))));
const byEdge = (at: (a: number) => number) => Array.from({ length: 32 }, (_, a) => Math.fround(at(a)));

describe('a file that numpy wrote', () => {
  test('parameters: inputs first, visible nodes as the graph lists them, edges as its generator orders them', () => {
    expect([...step.layer.biases]).toEqual(byNode((k) => k / 10));
    expect([...step.layer.couplings]).toEqual(byEdge((a) => (a - 16) / 7));
    expect(step.layer.inputCouplings).toEqual({ image: Math.fround(1.407), label: Math.fround(2.158) });
    expect(step.layer).toMatchObject({ graph: graph.graph, image: [10, 2], label: [5], beta: 1 });
  });

  test("Adam's state in the order of theta, and both counts", () => {
    expect(step.adam).toEqual({
      steps: 37,
      first: [...byEdge((a) => (a + 1) / 3), ...byNode((k) => (0 - k) / 11)],
      second: [...byEdge((a) => (a + 1) / 1e6), ...byNode((k) => k / 1e7)],
    });
    expect(step.scheduleSteps).toBe(38);
  });

  test.each(['step.eqx', 'last.eqx'])('%s comes back bit for bit', (name) => {
    const original = readFileSync(fixture(name));
    expect(Buffer.from(formatEqx(parseEqx(original)))).toEqual(original);
    writeDtmStep(out, readDtmStep(fixture(name), graph));
    expect(readFileSync(out)).toEqual(original);
  });

  test('the couplings of the last layer are zero of negative sign, and it needs no input', () => {
    const { layer } = readDtmStep(fixture('last.eqx'), graph);
    expect(layer.inputCouplings).toEqual({ image: -0, label: -0 });
  });
});

describe("a step that dtm-replication's own code trained and saved", () => {
  const file = fixture('trained.eqx');
  const trained = readDtmStep(file, readLayer(fixture('trained-graph.json')));

  test('every energy is that of its own nodes and edges', () => {
    const { layer } = trained;
    const states = JSON.parse(readFileSync(fixture('trained-energies.json'), 'utf8'));
    expect(states).toHaveLength(10);
    for (const { input, state, energy } of states) {
      const biases = inputBiases(layer, input);
      const pairs = layer.graph.edges.reduce((sum, [i, j], a) => sum + layer.couplings[a] * state[i] * state[j], 0);
      const ours = -pairs - biases.reduce((sum, b, i) => sum + b * state[i], 0);
      // Sums of 118 numbers of at most 2.1.
      expect(Math.abs(ours - energy)).toBeLessThan(118 * 250 * Number.EPSILON);
    }
  });

  test('parameters, couplings and optimiser are those of a second batch', () => {
    const [w, coupling] = [trained.layer.couplings, forwardLayers({ layers: 8 })[1].inputCouplings];
    // Adam's first steps are of the size of its rate, 0.02, each.
    expect(Math.max(...w.map(Math.abs))).toBeLessThan(0.0401);
    expect(w.every((x) => x !== 0)).toBe(true);
    expect(trained.layer.inputCouplings.image).toBeCloseTo(coupling.image, 6);
    expect(trained.layer.inputCouplings.label).toBeCloseTo(coupling.label, 6);
    expect([trained.adam.steps, trained.scheduleSteps]).toEqual([2, 2]);
    // From zero, the first step of Adam is its rate against the sign of the first gradient, and the second is known from the state: without it, one rate is left.
    const theta = [...w, ...trained.layer.biases];
    const { first, second } = trained.adam;
    const left = theta.map((x, a) =>
      Math.abs(x + (0.02 * (first[a] / (1 - 0.9 ** 2))) / (Math.sqrt(second[a] / (1 - 0.999 ** 2)) + 1e-8)),
    );
    // To four digits, as 1 - 0.999^2 in single precision. Less is left where the first gradient was the rounding error of a zero, below Adam's 1e-8.
    expect(Math.max(...left)).toBeLessThan(0.02 * 1.001);
    expect(left.filter((x) => Math.abs(x / 0.02 - 1) < 1e-3).length).toBeGreaterThan(0.95 * theta.length);
  });

  test('it comes back bit for bit', () => {
    writeDtmStep(out, trained);
    expect(readFileSync(out)).toEqual(readFileSync(file));
  });
});

test('training goes on from it, and what it changes is rounded to single precision', () => {
  const theta = Float64Array.of(...step.layer.couplings, ...step.layer.biases);
  const { x, memory } = adamStep(step.adam, theta, theta, 0.01);
  const layer = gridLayer({ ...step.layer, couplings: x.slice(0, 32), biases: x.slice(32) });
  writeDtmStep(out, { layer, adam: memory, scheduleSteps: 39 });
  const read = readDtmStep(out, graph);
  expect([...read.layer.couplings, ...read.layer.biases]).toEqual(Array.from(x, Math.fround));
  expect(read.adam.first).toEqual(memory.first.map(Math.fround));
  expect([read.adam.steps, read.scheduleSteps]).toEqual([38, 39]);
  expect(x.some((value) => value !== Math.fround(value))).toBe(true);
});

test('an untrained layer, also one without a label', () => {
  const layer = gridLayer({ graph: graph.graph, image: [0, 2], inputCouplings: { image: 0.5, label: 0 } });
  writeDtmStep(out, untrainedStep(layer));
  expect(readDtmStep(out, layer)).toEqual(untrainedStep(layer));
  const { biases, weights, adamSteps } = parseEqx(readFileSync(out));
  expect([biases.length, weights.length, adamSteps]).toEqual([18, 34, 0]);
  expect([...weights.subarray(0, 3)]).toEqual([0.5, 0.5, 0]);
});

describe('refused', () => {
  const records = parseEqx(bytes);
  const changed = (name: keyof EqxRecords, index: number, value: number) => {
    const values = (records[name] as Float32Array).slice();
    values[index] = value;
    return formatEqx({ ...records, [name]: values });
  };
  const double = formatNpy({ kind: 'f', shape: [19], values: records.biases });

  test.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(), /the file of biases must be a \.npy file, got the end of the file/],
    ['another file', new TextEncoder().encode('PK'), /the file of biases must be a \.npy file, got a file that/],
    ['a file that ends early', bytes.subarray(0, 740), /array data of firstWeights must be 140 bytes .* incomplete/],
    [
      'a file without its last two arrays',
      bytes.subarray(0, -336),
      /the file of secondBiases .* got the end of the file/,
    ],
    ['more after the arrays', Buffer.concat([bytes, bytes]), /the file must be 8 npy arrays, .* got \d+ bytes after/],
    ['double precision', Buffer.concat([double, bytes.subarray(204)]), /biases must be an array of 4-byte .* 8-byte/],
    [
      'the bias of an input',
      changed('biases', 1, 0.5),
      /biases\[1\] must be 0, since it is that of an input, got 0\.5/,
    ],
    ['its state', changed('secondWeights', 0, 1), /secondWeights\[0\] must be 0/],
    ['image couplings that differ', changed('weights', 1, 1), /weights\[1\] must be 1\.40.* like weights\[0\], got 1/],
    [
      'a weight that is no number',
      changed('weights', 4, Number.NaN),
      /couplings\[1\] must be a finite number, got NaN/,
    ],
    ['a state that is none', changed('firstBiases', 4, Infinity), /Adam's means\[\d+\] must be a finite number/],
    ['a negative count', formatEqx({ ...records, adamSteps: -1 }), /adamSteps must be a number of steps .* got -1/],
    [
      'arrays of other lengths',
      formatEqx({ ...records, firstWeights: records.firstBiases }),
      /firstWeights must be an array of 4-byte floats of shape \(35,\), got 4-byte floats of shape \(19,\)/,
    ],
  ])('%s', (_, content, pattern) => {
    writeFileSync(out, content);
    expect(() => readDtmStep(out, graph)).toThrow(InputError);
    expect(() => readDtmStep(out, graph)).toThrow(pattern);
    expect(() => readDtmStep(out, graph)).toThrow(`${out}: `);
  });

  test('the graph of another step', () => {
    const other = gridLayer({ graph: { side: 6, degree: 4 }, image: [0, 2, 4] });
    expect(() => readDtmStep(fixture('step.eqx'), other)).toThrow(
      /biases must be 39 numbers \(inputs and grid nodes of the graph\), got 19; give the graph of this step/,
    );
  });

  test('what single precision has no room for', () => {
    const layer = gridLayer({ graph: graph.graph, image: [0], biases: new Float64Array(16).fill(1e39, 3, 4) });
    expect(() => writeDtmStep(out, untrainedStep(layer))).toThrow(
      /out\.eqx: biases\[\d+\] must be a number of single precision, got 1e\+39/,
    );
    expect(() => writeDtmStep(out, { ...step, scheduleSteps: 2 ** 31 })).toThrow(/scheduleSteps must be a whole/);
    const adam = { steps: 0, first: [1], second: [1] };
    expect(() => writeDtmStep(out, { ...step, adam })).toThrow(/Adam's state must be 48 numbers/);
  });
});
