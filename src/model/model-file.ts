import { z } from 'zod';
import { InputError } from '../errors.js';
import { namingFile, writeFileAtomic } from './atomic-file.js';
import { layerModel } from './grid/grid-layer.js';
import { parseLayer } from './grid/layer-file.js';
import { jsonLines } from './json-lines.js';
import { ising, MAX_SPINS, type Model, rbm } from './model.js';
import { beta, numbers, spin, spinList } from './model-fields.js';
import { checked, exactObject, number, readJson, says, schemaVersion } from './schema.js';

const count = number(
  (value) => Number.isInteger(value) && value >= 1 && value <= MAX_SPINS,
  `a whole number from 1 to ${MAX_SPINS}`,
  'give the number of spins',
);
const edge = z.tuple([spin, spin], says('a pair of spin indices', 'write it as [i, j]'));

const header = z.looseObject(
  {
    schemaVersion: schemaVersion.optional(),
    kind: z.enum(['ising', 'rbm', 'grid'], says('"ising", "rbm" or "grid"', 'say which kind of model this is')),
  },
  says('a JSON object', 'write a model as in {"kind":"ising",...}'),
);

const MODEL = ['a model object', 'write it between braces'] as const;

const isingFile = exactObject(
  {
    schemaVersion: schemaVersion.optional(),
    kind: z.literal('ising'),
    spins: count,
    beta,
    edges: z.array(edge, says('a list of pairs of spin indices', 'write it as [[0, 1], ...]')),
    couplings: numbers,
    biases: numbers.optional(),
    visible: spinList.optional(),
    blocks: z.array(spinList, says('a list of lists of spin indices', 'write it as [[0, 2], [1, 3]]')).optional(),
  },
  ...MODEL,
);

const rbmFile = exactObject(
  {
    schemaVersion: schemaVersion.optional(),
    kind: z.literal('rbm'),
    visible: count,
    hidden: count,
    beta,
    weights: z.array(numbers, says('a list of rows of numbers', 'write one row per visible spin')),
    visibleBiases: numbers.optional(),
    hiddenBiases: numbers.optional(),
  },
  ...MODEL,
);

/**
 * The model that a parsed model file describes; of a grid layer, the Ising model of its grid nodes, where it needs no input. Throws {@link InputError} naming the field that is
 * wrong.
 */
export function parseModel(json: unknown): Model {
  const { kind } = checked(header, json, 'the model');
  if (kind === 'ising') return ising(checked(isingFile, json, 'the model'));
  if (kind === 'grid') return layerModel(parseLayer(json));
  const file = checked(rbmFile, json, 'the model');
  checkRows(file.weights, file.visible, file.hidden);
  return rbm({ ...file, weights: file.weights.flat() });
}

/** The model in a file. Throws {@link InputError} naming the file and the field that is wrong. */
export function readModel(path: string): Model {
  return namingFile(path, () => parseModel(readJson(path)));
}

/** The content of the model's file: what {@link parseModel} reads back to the same model. */
export function modelToJson(model: Model): object {
  const theta = Array.from(model.theta);
  const { spins, layers } = model;
  const pairs = model.edges.length;
  if (layers !== null) {
    const { visible, hidden } = layers;
    return {
      schemaVersion: 1,
      kind: 'rbm',
      visible,
      hidden,
      beta: model.beta,
      weights: Array.from({ length: visible }, (_, i) => theta.slice(i * hidden, (i + 1) * hidden)),
      ...(model.biased && {
        visibleBiases: theta.slice(pairs, pairs + visible),
        hiddenBiases: theta.slice(pairs + visible),
      }),
    };
  }
  const allInOrder = model.visible.length === spins && model.visible.every((i, k) => i === k);
  return {
    schemaVersion: 1,
    kind: 'ising',
    spins,
    beta: model.beta,
    edges: model.edges.map(([i, j]) => [i, j]),
    couplings: theta.slice(0, pairs),
    ...(model.biased && { biases: theta.slice(pairs) }),
    ...(!allInOrder && { visible: [...model.visible] }),
    ...(model.customBlocks && { blocks: model.blocks.map((block) => [...block]) }),
  };
}

/** Writes the model's file, one key per line; every parameter comes back with the same bits. */
export function writeModel(path: string, model: Model): void {
  writeFileAtomic(path, jsonLines(modelToJson(model)));
}

function checkRows(rows: readonly (readonly number[])[], visible: number, hidden: number): void {
  if (rows.length !== visible) {
    throw new InputError({
      field: 'weights',
      expected: `a list of ${visible} rows (one per visible spin)`,
      got: `${rows.length}`,
      remedy: rows.length < visible ? 'add the missing ones' : 'remove the extra ones',
    });
  }
  rows.forEach((row, i) => {
    if (row.length !== hidden) {
      throw new InputError({
        field: `weights[${i}]`,
        expected: `a list of ${hidden} numbers (one per hidden spin)`,
        got: `${row.length}`,
        remedy: row.length < hidden ? 'add the missing ones' : 'remove the extra ones',
      });
    }
  });
}
