import { csv, npy } from './malformed-data.js';
import { models } from './malformed-models.js';
import { matrices, npz } from './malformed-numpy.js';
import { specs } from './malformed-specs.js';
import { notJson, type Row } from './malformed-text.js';

/** A file that must be refused: the field that the message names after the file, and what else it says. */
export interface Malformed {
  readonly name: string;
  readonly kind: 'model' | 'data' | 'spec';
  readonly file: string;
  readonly content: string | Uint8Array;
  readonly field: string;
  readonly pattern: RegExp;
}

const table = (kind: Malformed['kind'], file: string, rows: readonly Row[]): Malformed[] =>
  rows.map(([name, content, field, pattern]) => ({ name: `${file}: ${name}`, kind, file, content, field, pattern }));

/** Every malformed file, each broken in one way only. */
export const malformed: readonly Malformed[] = [
  ...table('model', 'model.json', [...notJson, ...models]),
  ...table('model', 'model.npz', npz),
  ...table('model', 'model.npy', matrices),
  ...table('data', 'data.csv', csv),
  ...table('data', 'data.npy', npy),
  ...table('data', 'data.txt', [
    ['a text file', '1,0\n', 'the data file', /a \.csv or \.npy file, got "\.txt"; convert it/],
  ]),
  ...table('data', 'data.json', [
    ['a model file', '{"kind":"ising"}', 'the data file', /give a model file as the teacher instead/],
  ]),
  ...table('spec', 'spec.json', [...notJson, ...specs]),
];
