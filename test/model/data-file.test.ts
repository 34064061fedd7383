import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readData } from '../../src/model/data-file.js';
import { type DataLaw, dataLawFromRows } from '../../src/model/data-law.js';
import { npyBytes, npyHeader } from '../support/npy.js';

const folder = mkdtempSync(join(tmpdir(), 'htdml-data-'));
afterAll(() => rmSync(folder, { recursive: true }));

const spins = [
  [1, -1, 1],
  [-1, -1, 1],
  [1, -1, 1],
  [1, 1, -1],
];
const expected = dataLawFromRows(spins);

function read(name: string, content: string | Uint8Array): DataLaw {
  const path = join(folder, name);
  writeFileSync(path, content);
  return readData(path);
}

describe('csv', () => {
  const lines = (rows: readonly (readonly (number | string)[])[]) => rows.map((row) => row.join(','));
  const bits = spins.map((row) => row.map((x) => (x === 1 ? 1 : 0)));
  const floats = bits.map((row) => row.map((x) => x.toExponential(18).replace('e+0', 'e+00')));
  const texts: Record<string, string> = {
    '-1/1': `${lines(spins).join('\n')}\n`,
    '0/1': `${lines(bits).join('\n')}\n`,
    'no newline at the end': lines(bits).join('\n'),
    'blank last lines': `${lines(bits).join('\n')}\n\n  \n`,
    'CRLF and a byte order mark': `\ufeff${lines(spins).join('\r\n')}\r\n`,
    'spaces and tabs around': lines(spins)
      .map((line) => `  ${line.replaceAll(',', ' ,\t')} `)
      .join('\n'),
    'numbers as floats': lines(floats).join('\n'),
    'signs and decimals': lines(spins)
      .join('\n')
      .replace(/\b1/g, '1.0')
      .replace(/(^|,)1/gm, '$1+1'),
  };
  test.each(Object.entries(texts))('%s', (_name, text) => {
    expect(read('x.csv', text)).toEqual(expected);
  });

  test('all ones, one column, 30 columns', () => {
    expect(read('x.csv', '1,1\n1,1\n')).toEqual(dataLawFromRows([[1, 1]]));
    expect(read('x.CSV', '1\n0\n')).toEqual(dataLawFromRows([[1], [-1]]));
    const wide = Array.from({ length: 30 }, (_, k) => (k === 29 ? 1 : -1));
    expect(read('x.csv', wide.join(',')).patterns).toEqual(Uint32Array.of(2 ** 29));
  });
});

describe('npy', () => {
  type Put = (view: DataView, offset: number, value: number, little: boolean) => void;
  const half: Put = (v, o, x, e) => v.setUint16(o, x === 0 ? 0 : x < 0 ? 0xbc00 : 0x3c00, e);
  const types: Record<string, Put> = {
    b1: (v, o, x) => v.setUint8(o, x),
    i1: (v, o, x) => v.setInt8(o, x),
    u1: (v, o, x) => v.setUint8(o, x),
    i2: (v, o, x, e) => v.setInt16(o, x, e),
    u2: (v, o, x, e) => v.setUint16(o, x, e),
    i4: (v, o, x, e) => v.setInt32(o, x, e),
    u4: (v, o, x, e) => v.setUint32(o, x, e),
    i8: (v, o, x, e) => v.setBigInt64(o, BigInt(x), e),
    u8: (v, o, x, e) => v.setBigUint64(o, BigInt(x), e),
    f2: half,
    f4: (v, o, x, e) => v.setFloat32(o, x, e),
    f8: (v, o, x, e) => v.setFloat64(o, x, e),
  };
  const cases = Object.keys(types).flatMap((type) =>
    (type.endsWith('1') ? ['|'] : ['<', '>']).flatMap((order) =>
      [false, true].map((fortran) => ({ type, order, fortran })),
    ),
  );

  function file(type: string, order: string, fortran: boolean, version = 1): Uint8Array {
    const size = Number(type[1]);
    const signed = type.startsWith('i') || type.startsWith('f');
    const data = new DataView(new ArrayBuffer(12 * size));
    spins.forEach((row, r) => {
      row.forEach((x, c) => {
        const place = fortran ? c * 4 + r : r * 3 + c;
        types[type](data, place * size, signed || x === 1 ? x : 0, order !== '>');
      });
    });
    return npyBytes(npyHeader(`${order}${type}`, '(4, 3)', fortran), new Uint8Array(data.buffer), version);
  }

  test.each(cases)('$order$type, Fortran order $fortran', ({ type, order, fortran }) => {
    expect(read('x.npy', file(type, order, fortran))).toEqual(expected);
  });

  test.each([1, 2, 3])('version %i', (version) => {
    expect(read('x.npy', file('f8', '<', false, version))).toEqual(expected);
  });

  test('a header with long integers and double quotes', () => {
    const header = `{"fortran_order": False, "shape": (2L, 1L), "descr": "|u1"}`;
    expect(read('x.npy', npyBytes(header, Uint8Array.of(1, 0)))).toEqual(dataLawFromRows([[1], [-1]]));
  });
});
