import { InputError, show } from '../errors.js';
import { oneLine } from './atomic-file.js';

/** An array of numbers in a `.npy` file, read in place. */
export interface NpyArray {
  readonly shape: readonly number[];
  /** Booleans, signed or unsigned integers, or floats. */
  readonly kind: 'b' | 'i' | 'u' | 'f';
  /** Bytes per element. */
  readonly size: number;
  /** The element at an index in C order, whatever the order in the file. */
  at(index: number): number;
}

/**
 * The array of booleans, integers or floats, of any shape and either byte order, in a `.npy` file of version 1 to 3.
 * Integers beyond 2^53 are rounded. Throws {@link InputError}; arrays of Python objects are refused without being looked at.
 */
export function parseNpy(bytes: Uint8Array): NpyArray {
  const record = readRecord(bytes);
  if (bytes.byteLength !== record.end) {
    throw wrongLength(record, bytes, 'save the array again, since the file is incomplete or holds more than one array');
  }
  return record.array;
}

/** The arrays of one `.npy` file after another in the same bytes, one per name. Throws {@link InputError} naming the array. */
export function parseNpySequence(bytes: Uint8Array, names: readonly string[]): NpyArray[] {
  let rest = bytes;
  const arrays = names.map((name) => {
    try {
      const record = readRecord(rest);
      if (rest.byteLength < record.end) throw wrongLength(record, rest, 'save the file again, since it is incomplete');
      rest = rest.subarray(record.end);
      return record.array;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      const problem = rest.byteLength === 0 ? { ...error.problem, got: 'the end of the file' } : error.problem;
      throw new InputError({ ...problem, field: `${problem.field} of ${name}` });
    }
  });
  if (rest.byteLength === 0) return arrays;
  throw new InputError({
    field: 'the file',
    expected: `${names.length} npy arrays, one after another`,
    got: `${rest.byteLength} bytes after them`,
    remedy: 'give the file as it was saved',
  });
}

interface NpyRecord {
  readonly array: NpyArray;
  readonly dataStart: number;
  readonly end: number;
  readonly type: string;
}

/** The array at the start of some bytes, which may be too few or too many for it. */
function readRecord(bytes: Uint8Array): NpyRecord {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { text, dataStart } = readHeader(bytes, view);
  const descr = entry(text, 'descr', /^'([^']*)'/);
  const fortran = entry(text, 'fortran_order', /^(True|False)/) === 'True';
  const dimensions = entry(text, 'shape', /^\(([\d\s,L]*)\)/);
  const shape = (dimensions.match(/\d+/g) ?? []).map(Number);
  const { kind, size, read } = elementType(descr, view);
  const expected = shape.reduce((product, length) => product * length, size);
  if (!Number.isSafeInteger(expected)) {
    throw new InputError({
      field: 'shape',
      expected: 'that of an array which fits into a file',
      got: oneLine(show(`(${dimensions})`)),
      remedy: 'save the array again with numpy.save',
    });
  }
  const place = fortran && shape.length > 1 ? (index: number) => fortranIndex(index, shape) : (index: number) => index;
  const array: NpyArray = { shape, kind, size, at: (index) => read(dataStart + size * place(index)) };
  return { array, dataStart, end: dataStart + expected, type: `shape ${shapeText(shape)} of ${descr}` };
}

function wrongLength({ dataStart, end, type }: NpyRecord, bytes: Uint8Array, remedy: string): InputError {
  return new InputError({
    field: 'the array data',
    expected: `${end - dataStart} bytes for ${type}`,
    got: `${bytes.byteLength - dataStart}`,
    remedy,
  });
}

/** A shape as numpy shows it: `()`, `(3,)`, `(3, 2)`. */
export function shapeText(shape: readonly (number | string)[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
}

/** Where the element at an index in C order stands in Fortran order. */
function fortranIndex(index: number, shape: readonly number[]): number {
  let rest = index;
  let place = 0;
  for (let d = shape.length - 1; d >= 0; d--) {
    place = place * shape[d] + (rest % shape[d]);
    rest = Math.floor(rest / shape[d]);
  }
  return place;
}

/** Numbers to write as a `.npy` file, in C order. */
export interface NpyContent {
  readonly kind: 'i' | 'f';
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
  /** Bytes per number; 8 by default, which keep every bit of a float. Four round floats to single precision. */
  readonly size?: 4 | 8 | undefined;
}

/** The bytes of a `.npy` file of version 1.0, little-endian, which numpy loads without pickling. */
export function formatNpy({ kind, shape, values, size = 8 }: NpyContent): Uint8Array {
  const dictionary = `{'descr': '<${kind}${size}', 'fortran_order': False, 'shape': ${shapeText(shape)}, }`;
  // The data start at a multiple of 64 bytes, after a line feed, as numpy's format asks.
  const dataStart = 64 * Math.ceil((PREFIX + dictionary.length + 1) / 64);
  const bytes = new Uint8Array(dataStart + size * values.length);
  const view = new DataView(bytes.buffer);
  bytes.set([...MAGIC, 1, 0]);
  view.setUint16(8, dataStart - PREFIX, true);
  bytes.set(new TextEncoder().encode(`${dictionary.padEnd(dataStart - PREFIX - 1)}\n`), PREFIX);
  for (let k = 0; k < values.length; k++) {
    const offset = dataStart + size * k;
    if (kind === 'f') {
      if (size === 8) view.setFloat64(offset, values[k], true);
      else view.setFloat32(offset, values[k], true);
    } else if (size === 8) view.setBigInt64(offset, BigInt(values[k]), true);
    else view.setInt32(offset, values[k], true);
  }
  return bytes;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** Bytes before the header's text: the mark, the version and the length. */
const PREFIX = 10;

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
  const textStart = version === 1 ? PREFIX : PREFIX + 2;
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
    remedy: key === 'descr' ? ASTYPE : 'save the array with numpy.save',
  });
}

/** What to do about an array of another type. */
const ASTYPE = 'save x.astype(numpy.int8) for spins, x.astype(float) for parameters';

function elementType(
  descr: string,
  view: DataView,
): { kind: NpyArray['kind']; size: number; read: (offset: number) => number } {
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
      remedy: ASTYPE,
    });
  }
  return { kind: type[0] as NpyArray['kind'], size, read: readers[type] };
}

/** The value of an IEEE 754 half-precision number, given its bits. */
function halfFloat(bits: number): number {
  const sign = bits >> 15 === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15));
}
