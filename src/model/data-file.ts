import { extname } from 'node:path';
import { InputError, show } from '../errors.js';
import { namingFile, oneLine, readBytes, readText } from './atomic-file.js';
import { checkColumns, type DataLaw, dataLawFromWords } from './data-law.js';
import { type NpyArray, parseNpy, shapeText } from './npy.js';
import { wordsOf } from './spin-words.js';

/** A table of numbers. */
interface Table {
  readonly rows: number;
  readonly columns: number;
  at(row: number, column: number): number;
}

/**
 * The empirical law of a `.csv` or `.npy` file with one sample of the visible spins per row, all values -1/1 or all 0/1
 * (0 means -1). Throws {@link InputError} naming the file and, counted from 1, the row and column.
 */
export function readData(path: string): DataLaw {
  return namingFile(path, () => {
    const extension = extname(path).toLowerCase();
    if (extension === '.csv') return lawOfTable(parseCsv(readText(path)));
    if (extension === '.npy') return lawOfTable(tableOf(parseNpy(readBytes(path))));
    throw new InputError({
      field: 'the data file',
      expected: 'a .csv or .npy file',
      got: extension === '' ? 'a name without extension' : oneLine(show(extension)),
      remedy: extension === '.json' ? 'give a model file as the teacher instead' : 'convert it to one of the two',
    });
  });
}

/** The law of a table's rows. Which of the two codings it uses, its first -1 or 0 tells. */
function lawOfTable({ rows, columns, at }: Table): DataLaw {
  if (rows === 0 || columns === 0) throw noRows();
  checkColumns(columns);
  const width = wordsOf(columns);
  const words = new Uint32Array(rows * width);
  let first: { value: number; place: string } | undefined;
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const value = at(r, c);
      if (value === 1) {
        words[r * width + (c >>> 5)] |= 1 << (c & 31);
      } else if (value === 0 || value === -1) {
        first ??= { value, place: place(r, c) };
        if (value !== first.value) throw mixedCoding(r, c, value, first);
      } else {
        throw notASpin(r, c, String(value), 'binarise the data first');
      }
    }
  }
  return dataLawFromWords(columns, words);
}

/** The rows and columns of a two-dimensional array. */
function tableOf({ shape, at }: NpyArray): Table {
  if (shape.length !== 2) {
    throw new InputError({
      field: 'shape',
      expected: 'two-dimensional (rows of visible spins)',
      got: shapeText(shape),
      remedy: 'reshape the array first: x.reshape(1, -1) makes one row, x.reshape(len(x), -1) one row per sample',
    });
  }
  const [rows, columns] = shape;
  return { rows, columns, at: (row, column) => at(row * columns + column) };
}

/** Comma-separated rows of -1, 0 and 1, also as `1.0` or `1.000e+00`; blank lines only at the end. */
function parseCsv(text: string): Table {
  const lines = text.trimEnd() === '' ? [] : text.trimEnd().split(/\r\n|\n|\r/);
  const cells: number[] = [];
  let columns = 0;
  lines.forEach((line, r) => {
    const row = line.split(',').map((cell) => cell.trim());
    if (line.trim() === '') {
      throw new InputError({
        field: `row ${r + 1}`,
        expected: r === 0 ? 'a row of values' : `${columns} values like row 1`,
        got: 'a blank line',
        remedy: 'remove it',
      });
    }
    if (r === 0) {
      columns = row.length;
      refuseHeader(row);
      checkColumns(columns);
    } else if (row.length !== columns) {
      throw new InputError({
        field: `row ${r + 1}`,
        expected: `${columns} values like row 1`,
        got: String(row.length),
        remedy: 'give every row the same length',
      });
    }
    row.forEach((cell, c) => {
      if (!/^[+-]?[01](\.0*)?(e[+-]?0+)?$/i.test(cell)) {
        throw notASpin(r, c, cell === '' ? 'an empty cell' : oneLine(show(cell)), csvRemedy(cell));
      }
      cells.push(Number(cell) + 0);
    });
  });
  return { rows: lines.length, columns, at: (row, column) => cells[row * columns + column] };
}

/** Refuses a first row of column names or column numbers. */
function refuseHeader(row: readonly string[]): void {
  const named = row.findIndex(
    (cell) => /\p{L}/u.test(cell) && !/^[+-]?(nan|inf|infinity|[\d.]+e[+-]?\d+.*)$/i.test(cell),
  );
  const numbered = row.length > 2 && row.every((cell, k) => cell === String(k));
  if (named < 0 && !numbered) return;
  throw new InputError({
    field: `row 1, column ${named < 0 ? 3 : named + 1}`,
    expected: '-1, 0 or 1, since a data file has no header line',
    got: oneLine(show(row[named < 0 ? 2 : named])),
    remedy: 'remove the header line',
  });
}

function csvRemedy(cell: string): string {
  if (cell === '') return 'fill it, or remove the comma that is too much';
  if (/^[-+\d.e]+([;\s]+[-+\d.e]+)+;?$/i.test(cell)) return 'separate the values of a row by commas';
  return 'binarise the data first';
}

function place(row: number, column: number): string {
  return `row ${row + 1}, column ${column + 1}`;
}

function notASpin(row: number, column: number, got: string, remedy: string): InputError {
  return new InputError({ field: place(row, column), expected: '-1 or 1 (or 0 or 1 throughout)', got, remedy });
}

function mixedCoding(row: number, column: number, value: number, first: { value: number; place: string }): InputError {
  return new InputError({
    field: place(row, column),
    expected: `${first.value} or 1, as ${first.place} is ${first.value}`,
    got: String(value),
    remedy: 'use -1/1 or 0/1 throughout',
  });
}

function noRows(): InputError {
  return new InputError({
    field: 'the data',
    expected: 'at least one row of at least one value',
    got: 'none',
    remedy: 'give data with at least one sample',
  });
}
