import { crc32 } from 'node:zlib';
import { unzipSync, zipSync } from 'fflate';
import { InputError } from '../../errors.js';
import { oneLine } from '../../model/atomic-file.js';
import { MAX_EDGES, MAX_SPINS } from '../../model/model.js';
import { formatNpy, type NpyArray, type NpyContent, parseNpy } from '../../model/npy.js';

/** A model's arrays hold three 8-byte numbers per edge and three per spin; what claims to be larger, headers included, is not unpacked. */
const MAX_BYTES = 24 * (MAX_EDGES + MAX_SPINS) + 2 ** 16;
/** Far more arrays than a model has; a directory that claims more is not read to its end. */
const MAX_ARRAYS = 100;

/**
 * The arrays of a `.npz` file by name, as numpy.savez or numpy.savez_compressed writes them; null for an array that is not
 * among the `known` ones, which is not unpacked. Throws {@link InputError}, also where a checksum is wrong.
 */
export function parseNpz(bytes: Uint8Array, known: readonly string[]): Record<string, NpyArray | null> {
  if (bytes[0] !== 0x50 || bytes[1] !== 0x4b) {
    throw new InputError({
      field: 'the file',
      expected: 'a .npz file',
      got: bytes.byteLength === 0 ? 'an empty file' : 'a file that is not a zip archive',
      remedy: 'save the arrays with numpy.savez',
    });
  }
  const names: string[] = [];
  let total = 0;
  const unpacked = intact(() =>
    unzipSync(bytes, {
      filter: ({ name, size, originalSize }) => {
        if (name === '') throw broken('a directory that leads nowhere');
        if (names.length === MAX_ARRAYS) throw notOne('the archive', `at most ${MAX_ARRAYS} arrays`, 'more');
        const array = arrayName(name);
        const again = names.some((other) => arrayName(other) === array);
        names.push(name);
        if (!known.includes(array)) return false;
        if (again) throw notOne(array, 'an array that stands in the archive once', 'another');
        const claimed = Math.max(size, originalSize);
        total += claimed;
        if (total > MAX_BYTES) {
          throw notOne(
            array,
            `an array of at most ${MAX_BYTES} bytes with those before it, as many as ${MAX_EDGES} edges need`,
            `${total} bytes`,
          );
        }
        return true;
      },
    }),
  );
  const sums = intact(() => checksums(bytes, names.length));
  return Object.fromEntries(
    names.map((file, k) => {
      const name = arrayName(file);
      if (!known.includes(name)) return [name, null];
      if (crc32(unpacked[file]) !== sums[k]) throw broken(`a wrong checksum of ${name}`);
      return [name, namingArray(name, () => parseNpy(unpacked[file]))];
    }),
  );
}

/** The bytes of a `.npz` file, stored like those of numpy.savez, and the same whenever and wherever they are written. */
export function formatNpz(arrays: Readonly<Record<string, NpyContent>>): Uint8Array {
  const files = Object.entries(arrays).map(([name, array]) => [`${name}.npy`, formatNpy(array)]);
  return zipSync(Object.fromEntries(files), { level: 0, mtime: new Date(1980, 0, 1) });
}

function arrayName(file: string): string {
  return file.replace(/\.npy$/, '');
}

/** CRC-32 of every entry from the central directory; fflate, which has read that directory, does not check them. */
function checksums(bytes: Uint8Array, entries: number): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.byteLength - 22;
  while (view.getUint32(end, true) !== 0x06054b50) end--;
  let at = view.getUint32(end + 16, true);
  return Array.from({ length: entries }, () => {
    const sum = view.getUint32(at + 16, true);
    at += 46 + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    return sum;
  });
}

/** Runs `body` on the archive; what it throws of its own tells that the archive is broken. */
function intact<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw error instanceof InputError ? error : broken(oneLine((error as Error).message));
  }
}

function broken(what: string): InputError {
  return new InputError({
    field: 'the zip archive',
    expected: 'complete and intact',
    got: `one with a fault (${what})`,
    remedy: 'save the arrays again with numpy.savez',
  });
}

function notOne(field: string, expected: string, got: string): InputError {
  return new InputError({ field, expected, got, remedy: 'save only the arrays of the model with numpy.savez' });
}

function namingArray<T>(name: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw error instanceof InputError
      ? new InputError({ ...error.problem, field: `${error.problem.field} of ${name}` })
      : error;
  }
}
