import { InputError, ising, randomSource } from 'htdml';
import { describe, expect, test } from 'vitest';
import { gridGraph } from '../../../src/model/grid/grid-graph.js';
import {
  type GridLayerOptions,
  gridLayer,
  inputBiases,
  isConditional,
  layerModel,
  layerWithInputs,
  randomPlacement,
  withLayerParameters,
  withoutInputs,
} from '../../../src/model/grid/grid-layer.js';
import { EPS, fullSpace, spinOf } from '../../support/brute-force.js';

const random = randomSource(11);
const normals = (count: number) => Float64Array.from({ length: count }, () => random.normal());
const small = gridLayer({
  graph: { side: 3, degree: 4, torus: false },
  image: [4, 0],
  label: [8],
  couplings: normals(12),
  biases: normals(9),
  inputCouplings: { image: 0.9, label: 1.7 },
  beta: 0.7,
});
const inputs = Array.from({ length: 8 }, (_, s) => [0, 1, 2].map((k) => spinOf(s, k)));

/** Written out: inputs are spins 9, 10, 11, with a bias of zero. */
const larger = ising({
  spins: 12,
  edges: [...small.graph.edges, [9, 4], [10, 0], [11, 8]],
  couplings: [...small.couplings, 0.9, 0.9, 1.7],
  biases: [...small.biases, 0, 0, 0],
  beta: 0.7,
  visible: [4, 0, 8],
});
const joint = fullSpace(larger);

describe('the model of the grid nodes', () => {
  test.each(inputs)(
    'given input %d, %d, %d, it is the law (2.9) of all nodes conditioned on the inputs',
    (...input) => {
      const above = input.reduce((s, x, k) => s + (x === 1 ? 2 ** (9 + k) : 0), 0);
      const given = joint.pi.slice(above, above + 512);
      const total = given.reduce((a, b) => a + b);
      const { pi } = fullSpace(layerModel(small, input));
      // Energies are sums of 24 terms below 4 in size, and each law is an exponential of one.
      pi.forEach((p, s) => {
        expect(Math.abs(p - given[s] / total)).toBeLessThan(200 * EPS * p);
      });
    },
  );

  test('has the parameters in the order of the layer, and no others', () => {
    const model = layerModel(small, [1, -1, 1]);
    expect(model).toMatchObject({ kind: 'ising', spins: 9, beta: 0.7, visible: [4, 0, 8], customBlocks: false });
    expect(model.edges).toEqual(small.graph.edges);
    const biases = small.biases.slice();
    biases[4] += 0.9;
    biases[0] -= 0.9;
    biases[8] += 1.7;
    expect([...model.theta]).toEqual([...small.couplings, ...biases]);
  });

  test.each([
    { side: 2, degree: 4 },
    { side: 4, degree: 4 },
    { side: 4, degree: 4, torus: false },
    { side: 3, degree: 8, torus: false },
  ])('its blocks are the two colours, upper nodes first: %o', (graph) => {
    const layer = gridLayer({ graph, image: [0], biases: new Float64Array(graph.side ** 2) });
    expect(layerModel(layer).blocks).toEqual([layer.graph.upper, layer.graph.lower]);
  });

  test('a layer without couplings to an input needs none, and one makes no difference', () => {
    const last = gridLayer({ ...small, graph: small.graph, inputCouplings: { image: 0, label: 0 } });
    expect(isConditional(last)).toBe(false);
    expect(layerModel(last)).toEqual(layerModel(last, [-1, 1, -1]));
    expect(isConditional(small)).toBe(true);
    // A label's coupling says nothing where there is no label.
    expect(isConditional(gridLayer({ ...small, label: [], inputCouplings: { image: 0, label: 2 } }))).toBe(false);
  });
});

test('with its inputs as spins', () => {
  expect(layerWithInputs(small)).toEqual(larger);
  // Two colours, so that all inputs may be clamped and all free spins of a colour drawn at once.
  expect(layerWithInputs(small).blocks).toEqual([small.graph.upper, [...small.graph.lower, 9, 10, 11]]);
});

test('given the visible spins, the law of the hidden ones depends on no input', () => {
  const posterior = (input: readonly number[]) => {
    const { pi } = fullSpace(layerModel(small, input));
    const inside = pi.map((p, s) => ([4, 0, 8].every((node) => spinOf(s, node) === 1) ? p : 0));
    const total = inside.reduce((a, b) => a + b);
    return inside.map((p) => p / total);
  };
  const plain = fullSpace(layerModel(withoutInputs(small))).pi;
  const some = posterior(inputs[3]);
  const all = posterior(inputs[6]);
  const first = some.findIndex((p) => p > 0);
  some.forEach((p, s) => {
    expect(Math.abs(p - all[s])).toBeLessThan(200 * EPS * p + Number.MIN_VALUE);
    if (p > 0) expect(Math.abs(p / some[first] / (plain[s] / plain[first]) - 1)).toBeLessThan(400 * EPS);
  });
});

test('a layer of 60 x 60 nodes: an input is folded into the biases of the visible nodes only', () => {
  const graph = gridGraph({ side: 60, degree: 12 });
  const nodes = randomPlacement(graph, { image: 784, label: 100 }, randomSource(2));
  const layer = gridLayer({ graph, ...nodes, inputCouplings: { image: 0.5, label: 0.25 } });
  const input = Array.from({ length: 884 }, (_, k) => (k % 3 === 0 ? 1 : -1));
  const biases = inputBiases(layer, input);
  nodes.image.forEach((node, k) => {
    expect(biases[node]).toBe(0.5 * input[k]);
  });
  nodes.label.forEach((node, k) => {
    expect(biases[node]).toBe(0.25 * input[784 + k]);
  });
  expect(biases.filter((b) => b !== 0)).toHaveLength(884);
  expect(layer.couplings).toEqual(new Float64Array(21600));
});

test('parameters by theta', () => {
  const theta = normals(21);
  const changed = withLayerParameters(small, theta);
  expect([...changed.couplings, ...changed.biases]).toEqual([...theta]);
  expect(changed).toMatchObject({ image: [4, 0], label: [8], inputCouplings: { image: 0.9, label: 1.7 }, beta: 0.7 });
  expect(() => withLayerParameters(small, [1])).toThrow(/^theta must be a list of 21 numbers/);
});

describe('random placement', () => {
  const graph = gridGraph({ side: 8, degree: 8 });

  test('takes different upper nodes, each list ascending, the same for the same seed', () => {
    const draw = (seed: number) => randomPlacement(graph, { image: 20, label: 12 }, randomSource(seed));
    const { image, label } = draw(1);
    expect([image.length, label.length]).toEqual([20, 12]);
    expect([...image, ...label].sort((a, b) => a - b)).toEqual(graph.upper);
    for (const list of [image, label]) expect(list).toEqual([...list].sort((a, b) => a - b));
    expect(draw(1)).toEqual({ image, label });
    expect(draw(2)).not.toEqual({ image, label });
  });

  test('every node is as likely as any other', () => {
    const source = randomSource(3);
    const runs = 4000;
    const counts = { image: new Array<number>(64).fill(0), label: new Array<number>(64).fill(0) };
    for (let run = 0; run < runs; run++) {
      const drawn = randomPlacement(graph, { image: 5, label: 3 }, source);
      for (const name of ['image', 'label'] as const) for (const node of drawn[name]) counts[name][node]++;
    }
    for (const [name, size] of [
      ['image', 5],
      ['label', 3],
    ] as const) {
      const p = size / 32;
      for (const node of graph.upper) {
        // 64 comparisons at 4.5 deviations: a right draw fails this test once in 2,000 times.
        expect(Math.abs(counts[name][node] - runs * p)).toBeLessThan(4.5 * Math.sqrt(runs * p * (1 - p)));
      }
    }
  });

  test('more spins than there are upper nodes', () => {
    expect(() => randomPlacement(graph, { image: 30, label: 3 }, randomSource(1))).toThrow(
      /^image \+ label must be at most 32, the upper nodes, got 33/,
    );
  });
});

test.each<[string, Partial<GridLayerOptions>, RegExp]>([
  ['no image', { image: [] }, /^image must be a list of at least one node, got \[\]/],
  ['a lower node', { image: [1] }, /^image\[0\] must be an upper node of the grid, got 1, a lower node/],
  ['a node outside', { label: [10] }, /^label\[0\] must be an upper node of the grid, got 10;/],
  ['a node that is none', { label: [0.5] }, /^label\[0\] .* got 0\.5;/],
  ['a node twice', { label: [0] }, /^label\[0\] must be a node not listed before, got 0, which is image\[1\]/],
  ['a coupling too few', { couplings: [1] }, /^couplings must be a list of 12 numbers .* got 1; add the missing/],
  ['a bias too many', { biases: normals(10) }, /^biases must be a list of 9 numbers .* got 10; remove the extra/],
  ['an infinite bias', { biases: normals(9).fill(Infinity, 3, 4) }, /^biases\[3\] must be a finite number/],
  ['no beta', { beta: 0 }, /^beta must be a positive finite number, got 0/],
  ['an infinite input', { inputCouplings: { image: 0, label: Infinity } }, /^inputCouplings\.label must be a finite/],
])('refused: %s', (_, change, pattern) => {
  const make = () => gridLayer({ ...small, ...change } as GridLayerOptions);
  expect(make).toThrow(InputError);
  expect(make).toThrow(pattern);
});

test.each<[string, number[] | undefined, RegExp]>([
  ['none', undefined, /^inputCouplings must be zero where .* without an input, got image 0\.9, label 1\.7; give an/],
  ['too short', [1, 1], /^the input must be a row of 3 spins \(image, then label\), got 2/],
  ['bits', [1, 0, 1], /^the input, spin 2 must be -1 or 1, got 0/],
])('an input refused: %s', (_, input, pattern) => {
  expect(() => layerModel(small, input)).toThrow(InputError);
  expect(() => layerModel(small, input)).toThrow(pattern);
});
