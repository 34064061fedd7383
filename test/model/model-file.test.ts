import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { InputError } from '../../src/errors.js';
import { writeFileAtomic } from '../../src/model/atomic-file.js';
import { ising, type Model, rbm } from '../../src/model/model.js';
import { modelToJson, parseModel, readModel, writeModel } from '../../src/model/model-file.js';

const folder = mkdtempSync(join(tmpdir(), 'htdml-model-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'model.json');

const chain = {
  spins: 3,
  edges: [
    [2, 1],
    [0, 1],
  ] as const,
  couplings: [1 / 3, -0],
};
const examples: Record<string, Model> = {
  'ising without biases': ising(chain),
  'ising with everything': ising({
    ...chain,
    biases: [1e-320, -0, 1.7e308],
    beta: 0.1,
    visible: [2, 0],
    blocks: [[0], [2, 1]],
  }),
  'ising with its visible spins in another order': ising({ ...chain, visible: [2, 0, 1] }),
  'ising with biases only': ising({ spins: 1, edges: [], couplings: [], biases: [5e-324] }),
  'rbm without biases': rbm({ visible: 2, hidden: 3, weights: [1, 2, 3, 4, 5, 0.1 + 0.2] }),
  'rbm with biases': rbm({
    visible: 2,
    hidden: 1,
    weights: [Math.PI, -0],
    visibleBiases: [1, 2],
    hiddenBiases: [3],
    beta: 2,
  }),
};

function expectSame(read: Model, model: Model): void {
  expect(read).toEqual(model);
  expect(Buffer.from(read.theta.buffer)).toEqual(Buffer.from(model.theta.buffer));
}

test.each(Object.entries(examples))('round trip: %s', (_name, model) => {
  writeModel(path, model);
  expectSame(readModel(path), model);
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(modelToJson(model));
});

test('every finite parameter comes back with the same bits', () => {
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
  fc.assert(
    fc.property(
      fc.array(finite, { minLength: 6, maxLength: 6 }),
      fc.double({ min: 5e-324, max: 1e300, noNaN: true }),
      (weights, beta) => {
        // Energies that are not finite are refused.
        fc.pre(Number.isFinite(2 * beta * weights.reduce((sum, weight) => sum + Math.abs(weight), 0)));
        const model = rbm({ visible: 3, hidden: 2, weights, beta });
        writeModel(path, model);
        expectSame(readModel(path), model);
      },
    ),
    { numRuns: 100 },
  );
});

test('keys come in a fixed order and only where they say something', () => {
  const keys = (name: string) => Object.keys(modelToJson(examples[name])).join(' ');
  expect(keys('ising without biases')).toBe('schemaVersion kind spins beta edges couplings');
  expect(keys('ising with everything')).toBe('schemaVersion kind spins beta edges couplings biases visible blocks');
  expect(keys('rbm without biases')).toBe('schemaVersion kind visible hidden beta weights');
  expect(keys('rbm with biases')).toBe('schemaVersion kind visible hidden beta weights visibleBiases hiddenBiases');
  expect(modelToJson(examples['rbm without biases'])).toMatchObject({
    weights: [
      [1, 2, 3],
      [4, 5, 0.1 + 0.2],
    ],
  });
});

test('a byte order mark and a missing schemaVersion are accepted', () => {
  const text = '{"kind":"ising","spins":2,"beta":1,"edges":[[0,1]],"couplings":[0.5]}';
  writeFileSync(path, `\ufeff${text}`);
  expectSame(readModel(path), parseModel(JSON.parse(text)));
});

test('a file is replaced as a whole, and nothing stays behind', () => {
  writeFileAtomic(path, 'first');
  writeFileAtomic(path, new Uint8Array([0x6f, 0x6b]));
  expect(readFileSync(path, 'utf8')).toBe('ok');
  expect(() => writeFileAtomic(join(folder, 'none', 'x.json'), '')).toThrow(InputError);
  expect(() => writeFileAtomic(join(folder, 'none', 'x.json'), '')).toThrow(
    /x\.json: the file must be a path that can be written, got a folder that does not exist; create the folder .*\.$/,
  );
  expect(() => writeFileAtomic(folder, 'x')).toThrow(/got a folder; /);
  expect(readdirSync(folder)).toEqual(['model.json']);
});
