import { readFileSync, writeFileSync } from 'node:fs';
import { InputError, randomSource, readModel } from 'htdml';
import { expect, test } from 'vitest';
import { gridGraph } from '../../../src/model/grid/grid-graph.js';
import { type GridLayer, gridLayer, layerModel, randomPlacement } from '../../../src/model/grid/grid-layer.js';
import { layerToJson, parseLayer, readLayer, writeLayer } from '../../../src/model/grid/layer-file.js';
import { scratch } from '../../support/cli.js';

const { path } = scratch();
const file = path('layer.json');
const random = randomSource(4);
const graph = gridGraph({ side: 60, degree: 12 });
const edgeCases = [-0, 0, 5e-324, -1.7e300, 1 / 3];
const values = (count: number) => Float64Array.from({ length: count }, (_, k) => edgeCases[k] ?? random.normal());
const layers: Record<string, GridLayer> = {
  '60 x 60, an image and a label': gridLayer({
    graph,
    ...randomPlacement(graph, { image: 784, label: 100 }, random),
    couplings: values(21600),
    biases: values(3600),
    inputCouplings: { image: 1.407, label: -0 },
    beta: 0.8,
  }),
  'wide, open, without a label': gridLayer({
    graph: { side: 10, degree: 12, torus: false, family: 'wide' },
    image: [22, 0, 99],
    inputCouplings: { image: -0, label: 0 },
  }),
};

test.each(Object.entries(layers))('round trip: %s', (_, layer) => {
  writeLayer(file, layer);
  const read = readLayer(file);
  // toEqual tells -0 from 0.
  expect(read).toEqual(layer);
  expect(Buffer.from(read.couplings.buffer)).toEqual(Buffer.from(layer.couplings.buffer));
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(layerToJson(layer));
});

const square = gridLayer({
  graph: { side: 2, degree: 4 },
  image: [3],
  couplings: [1, 2, 3, -4],
  biases: [0, 0.1, 0, 0],
});
const good = {
  kind: 'grid',
  side: 2,
  degree: 4,
  torus: true,
  image: [3],
  label: [],
  inputCouplings: { image: 0, label: 0 },
  beta: 1,
  couplings: [1, 2, 3, -4],
  biases: [0, 0.1, 0, 0],
};

test('the keys of a file', () => {
  expect(layerToJson(square)).toEqual({ schemaVersion: 1, ...good });
  expect(parseLayer(good)).toEqual(square);
  expect(layerToJson(layers['wide, open, without a label'])).toMatchObject({ family: 'wide', torus: false });
});

test('read as a model it is the law of its grid nodes, where that needs no input', () => {
  writeFileSync(file, JSON.stringify(good));
  expect(readModel(file)).toEqual(layerModel(square));
  writeFileSync(file, JSON.stringify({ ...good, inputCouplings: { image: 0.5, label: 0 } }));
  expect(readLayer(file).inputCouplings.image).toBe(0.5);
  expect(() => readModel(file)).toThrow(
    `${file}: inputCouplings must be zero where a layer is taken without an input, got image 0.5, label 0; give an input.`,
  );
});

test.each<[string, object, string, RegExp]>([
  ['another kind', { kind: 'ising' }, 'kind', /must be "grid", got "ising"; give the file of a grid layer/],
  ['a key that is not known', { visible: [1] }, 'visible', /must be a known key/],
  ['a misspelt key', { inputcouplings: {} }, 'inputcouplings', /write inputCouplings instead/],
  ['a key inside', { inputCouplings: { image: 0, label: 0, pixels: 1 } }, 'inputCouplings.pixels', /a known key/],
  [
    'no input couplings',
    { inputCouplings: undefined },
    'inputCouplings',
    /an object with image and label, got nothing/,
  ],
  ['half of them', { inputCouplings: { image: 1 } }, 'inputCouplings.label', /a finite number, got nothing/],
  ['an enormous side', { side: 1e6 }, 'side', /a whole number from 2 to 256, got 1000000/],
  ['a side as text', { side: '4' }, 'side', /got "4"/],
  ['an odd torus', { side: 3 }, 'side', /must be even on a torus, got 3/],
  ['degree 5', { degree: 5 }, 'degree', /a multiple of 4 from 4 to 32, got 5/],
  ['torus as a number', { torus: 1 }, 'torus', /true or false, got 1/],
  ['another family', { family: 'odd' }, 'family', /"standard" or "wide", got "odd"/],
  ['a lower node', { image: [1] }, 'image[0]', /an upper node of the grid, got 1, a lower node/],
  ['a node as text', { image: ['0'] }, 'image[0]', /a spin index, got "0"/],
  ['a coupling too few', { couplings: [1, 2, 3] }, 'couplings', /a list of 4 numbers .* got 3/],
  ['a bias of null', { biases: [0, null, 0, 0] }, 'biases[1]', /a finite number, got null/],
  ['beta of 0', { beta: 0 }, 'beta', /a positive finite number, got 0/],
])('refused: %s', (_, change, field, pattern) => {
  writeFileSync(file, JSON.stringify({ ...good, ...change }));
  expect(() => readLayer(file)).toThrow(InputError);
  expect(() => readLayer(file)).toThrow(`${file}: ${field} must be `);
  expect(() => readLayer(file)).toThrow(pattern);
});
