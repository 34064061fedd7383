import { z } from 'zod';
import { namingFile, writeFileAtomic } from '../atomic-file.js';
import { jsonLines } from '../json-lines.js';
import { beta, numbers, spinList } from '../model-fields.js';
import { checked, exactObject, number, readJson, says, schemaVersion } from '../schema.js';
import { GRID_FAMILIES } from './grid-graph.js';
import { type GridLayer, gridLayer } from './grid-layer.js';

/** So that the graph of a file of a few bytes does not fill the memory. */
const MAX_SIDE = 256;

const coupling = number(() => true, 'a finite number', 'give the coupling of the forward process, 0 in the last layer');

/** Checked first: another kind or version has other keys. */
const header = {
  schemaVersion: schemaVersion.optional(),
  kind: z.literal('grid', says('"grid"', 'give the file of a grid layer')),
};

const LAYER = ['a grid layer', 'write it between braces'] as const;

const layerFile = exactObject(
  {
    ...header,
    side: number(
      (value) => Number.isInteger(value) && value >= 2 && value <= MAX_SIDE,
      `a whole number from 2 to ${MAX_SIDE}`,
      'give the number of nodes per side',
    ),
    degree: number(Number.isInteger, 'a whole number', 'give the number of neighbours, for example 12'),
    torus: z.boolean(says('true or false', 'say whether the sides are joined')),
    family: z.enum(GRID_FAMILIES, says('"standard" or "wide"', 'leave it out for the standard offsets')).optional(),
    image: spinList,
    label: spinList,
    inputCouplings: exactObject(
      { image: coupling, label: coupling },
      'an object with image and label',
      'write it as {"image":0,"label":0}',
    ),
    beta,
    couplings: numbers,
    biases: numbers,
  },
  ...LAYER,
);

/** The layer that a parsed file of kind `grid` describes. Throws {@link InputError} naming the field that is wrong. */
export function parseLayer(json: unknown): GridLayer {
  checked(z.looseObject(header, says(...LAYER)), json, 'the layer');
  const { side, degree, torus, family, ...rest } = checked(layerFile, json, 'the layer');
  return gridLayer({ ...rest, graph: { side, degree, torus, family } });
}

/** The layer in a file. Throws {@link InputError} naming the file and the field that is wrong. */
export function readLayer(path: string): GridLayer {
  return namingFile(path, () => parseLayer(readJson(path)));
}

/** The content of a layer's file: what {@link parseLayer} reads back to the same layer. */
export function layerToJson(layer: GridLayer): object {
  const { side, degree, torus, family } = layer.graph;
  return {
    schemaVersion: 1,
    kind: 'grid',
    side,
    degree,
    torus,
    ...(family !== 'standard' && { family }),
    image: [...layer.image],
    label: [...layer.label],
    inputCouplings: { ...layer.inputCouplings },
    beta: layer.beta,
    couplings: Array.from(layer.couplings),
    biases: Array.from(layer.biases),
  };
}

/** Writes the layer's file, one key per line; every parameter comes back with the same bits. */
export function writeLayer(path: string, layer: GridLayer): void {
  writeFileAtomic(path, jsonLines(layerToJson(layer)));
}
