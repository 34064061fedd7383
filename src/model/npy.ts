import { InputError, show } from '../errors.js';
import { oneLine } from './atomic-file.js';

/** A table of numbers, read in place. */
export interface Table {
  readonly rows: number;
  readonly columns: number;
  at(row: number, column: number): number;
}

/** The 2-D array of booleans, integers or floats in a `.npy` file, versions 1 to 3. Throws {@link InputError}. */
export function parseNpy(bytes: Uint8Array): Table {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { text, dataStart } = readHeader(bytes, view);
  const descr = entry(text, 'descr', /^'([^']*)'/);
  const fortran = entry(text, 'fortran_order', /^(True|False)/) === 'True';
  const dimensions = entry(text, 'shape', /^\(([\d\s,L]*)\)/);
  const shape = (dimensions.match(/\d+/g) ?? []).map(Number);
  if (shape.length !== 2) {
    throw new InputError({
      field: 'shape',
      expected: 'two-dimensional (rows of visible spins)',
      got: `(${dimensions})`,
      remedy: 'reshape the array first: x.reshape(1, -1) makes one row, x.reshape(len(x), -1) one row per sample',
    });
  }
  const [rows, columns] = shape;
  const { size, read } = elementType(descr, view);
  const expected = rows * columns * size;
  if (bytes.byteLength - dataStart !== expected) {
    throw new InputError({
      field: 'the array data',
      expected: `${expected} bytes for shape (${rows}, ${columns}) of ${descr}`,
      got: `${bytes.byteLength - dataStart}`,
      remedy: 'save the array again, since the file is incomplete or holds more than one array',
    });
  }
  return {
    rows,
    columns,
    at: (row, column) => read(dataStart + size * (fortran ? column * rows + row : row * columns + column)),
  };
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

function readHeader(bytes: Uint8Array, view: DataView): { text: string; dataStart: number } {
  if (MAGIC.some((byte, k) => bytes[k] !== byte)) {
    throw new InputError({
      field: 'the file',
      expected: 'a .npy file',
      got: bytes.byteLength === 0 ? 'an empty file' : 'a file that does not start with the mark of one',
      remedy: 'save the array with numpy.save, or name a text file .csv',
    });
  }
  const version = bytes[6];
  if (version !== undefined && (version < 1 || version > 3)) {
    throw new InputError({
      field: 'the npy version',
      expected: '1, 2 or 3',
      got: String(version),
      remedy: 'save the array with numpy.save',
    });
  }
  const textStart = version === 1 ? 10 : 12;
  if (bytes.byteLength < textStart) throw truncatedHeader(bytes.byteLength);
  const dataStart = textStart + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (bytes.byteLength < dataStart) throw truncatedHeader(bytes.byteLength);
  return { text: new TextDecoder().decode(bytes.subarray(textStart, dataStart)), dataStart };
}

function truncatedHeader(length: number): InputError {
  return new InputError({
    field: 'the npy header',
    expected: 'complete',
    got: `a file of ${length} bytes that ends inside it`,
    remedy: 'save the array again with numpy.save',
  });
}

/** The part that `form` captures of one value in the header's dictionary. */
function entry(header: string, key: string, form: RegExp): string {
  const value = header.match(new RegExp(`['"]${key}['"]\\s*:\\s*(.*)`, 's'))?.[1];
  const found = value?.replaceAll('"', "'").match(form)?.[1];
  if (found !== undefined) return found;
  throw new InputError({
    field: key === 'descr' ? 'dtype' : key,
    expected: key === 'descr' ? 'a boolean, integer or float type' : 'given in the npy header',
    got: value === undefined ? 'nothing' : oneLine(show(value.trim())),
    remedy: key === 'descr' ? 'save x.astype(numpy.int8)' : 'save the array with numpy.save',
  });
}

function elementType(descr: string, view: DataView): { size: number; read: (offset: number) => number } {
  const [, order, type] = descr.match(/^([<>|])([a-z]\d)$/) ?? [];
  const little = order !== '>';
  const readers: Record<string, (offset: number) => number> = {
    b1: (offset) => view.getUint8(offset),
    i1: (offset) => view.getInt8(offset),
    u1: (offset) => view.getUint8(offset),
    i2: (offset) => view.getInt16(offset, little),
    u2: (offset) => view.getUint16(offset, little),
    i4: (offset) => view.getInt32(offset, little),
    u4: (offset) => view.getUint32(offset, little),
    i8: (offset) => Number(view.getBigInt64(offset, little)),
    u8: (offset) => Number(view.getBigUint64(offset, little)),
    f2: (offset) => halfFloat(view.getUint16(offset, little)),
    f4: (offset) => view.getFloat32(offset, little),
    f8: (offset) => view.getFloat64(offset, little),
  };
  const size = Number(type?.[1]);
  if (type === undefined || readers[type] === undefined || (order === '|' && size > 1)) {
    throw new InputError({
      field: 'dtype',
      expected: 'a boolean, integer or float type',
      got: oneLine(show(descr)),
      remedy: 'save x.astype(numpy.int8)',
    });
  }
  return { size, read: readers[type] };
}

/** The value of an IEEE 754 half-precision number, given its bits. */
function halfFloat(bits: number): number {
  const sign = bits >> 15 === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15));
}
