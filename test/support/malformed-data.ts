import { type Row, utf16 } from './malformed-text.js';
import { npyBytes, npyHeader } from './npy.js';

/** Contents of `.csv` files that are not data. */
export const csv: readonly Row[] = [
  ['an empty file', '', 'the data', /at least one row/],
  ['blank lines only', '\n\n', 'the data', /at least one row/],
  ['a header', 'v0,v1\n1,0\n', 'row 1, column 1', /no header line, got "v0"; remove the header line/],
  ['a header with quotes', '"a","b"\n1,0\n', 'row 1, column 1', /remove the header line/],
  ['a header of numbers', '0,1,2,3\n1,0,1,0\n', 'row 1, column 3', /no header line, got "2"/],
  ['a comment', '# spins\n1,0\n', 'row 1, column 1', /remove the header line/],
  ['a word', '1,0\n1,up\n', 'row 2, column 2', /-1 or 1 \(or 0 or 1 throughout\), got "up"/],
  ['grey values', '1,0\n0.5,0\n', 'row 2, column 1', /got "0\.5"; binarise/],
  ['values close to 1', '1,0.99999999999999999999\n', 'row 1, column 2', /binarise/],
  ['values close to 0', '1,1e-400\n', 'row 1, column 2', /binarise/],
  ['nan', '1,nan\n', 'row 1, column 2', /got "nan"; binarise/],
  [
    'both codings',
    '1,-1\n1,1\n0,1\n',
    'row 3, column 1',
    /-1 or 1, as row 1, column 2 is -1, got 0; use -1\/1 or 0\/1/,
  ],
  ['a short row', '1,0\n1\n', 'row 2', /2 values like row 1, got 1/],
  ['a long row', '1,0\n1,0,1\n', 'row 2', /got 3; give every row the same length/],
  ['a trailing comma', '1,0,\n', 'row 1, column 3', /got an empty cell; fill it, or remove the comma/],
  ['a blank line between', '1,0\n\n1,1\n', 'row 2', /got a blank line; remove it/],
  ['semicolons', '1;0\n', 'row 1, column 1', /separate the values of a row by commas/],
  ['spaces', '1 0\n', 'row 1, column 1', /separate the values of a row by commas/],
  [
    'too many columns',
    `${Array(65_537).fill(1).join(',')}\n`,
    'row 1',
    /at most 65536 values, one per visible spin, got 65537/,
  ],
  ['UTF-16', utf16('1,0\n'), 'the file', /must be UTF-8 text, got UTF-16/],
  ['a binary file', npyBytes(npyHeader('|i1', '(1, 2)'), Uint8Array.of(1, 0)), 'the file', /must be UTF-8 text/],
];

const four = Uint8Array.of(1, 0, 0, 1);
const header = (descr: string, shape: string) => npyBytes(npyHeader(descr, shape), four);
const square = header('|i1', '(2, 2)');

/** Contents of `.npy` files that are not data. */
export const npy: readonly Row[] = [
  ['an empty file', '', 'the file', /a \.npy file, got an empty file/],
  ['bad magic', '1,0\n', 'the file', /a \.npy file, got a file that does not start with the mark/],
  ['the magic only', square.slice(0, 6), 'the npy header', /complete, got a file of 6 bytes/],
  ['a truncated header', square.slice(0, 40), 'the npy header', /got a file of 40 bytes that ends inside it/],
  ['truncated data', square.slice(0, -1), 'the array data', /4 bytes for shape \(2, 2\) of \|i1, got 3/],
  ['two arrays', Buffer.concat([square, square]), 'the array data', /more than one array/],
  ['an unknown version', npyBytes(npyHeader('|i1', '(2, 2)'), four, 9), 'the npy version', /1, 2 or 3, got 9/],
  ['no dtype', npyBytes("{'shape': (2, 2)}", four), 'dtype', /a boolean, integer or float type, got nothing/],
  [
    'no shape',
    npyBytes("{'descr': '|i1', 'fortran_order': False}", four),
    'shape',
    /given in the npy header, got nothing/,
  ],
  ['objects', header('|O', '(2, 2)'), 'dtype', /a boolean, integer or float type, got "\|O"; save x\.astype/],
  ['complex numbers', header('<c8', '(2, 2)'), 'dtype', /got "<c8"/],
  ['strings', header('<U1', '(2, 2)'), 'dtype', /got "<U1"/],
  ['extended precision', header('<f16', '(2, 2)'), 'dtype', /got "<f16"/],
  ['records', npyBytes("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (2,), }", four), 'dtype', /astype/],
  ['one dimension', header('|i1', '(4,)'), 'shape', /two-dimensional .* got \(4,\); reshape .*reshape\(1, -1\)/],
  ['no dimension', npyBytes(npyHeader('|i1', '()'), four.slice(0, 1)), 'shape', /got \(\)/],
  ['three dimensions', header('|i1', '(1, 2, 2)'), 'shape', /reshape\(len\(x\), -1\)/],
  ['no rows', npyBytes(npyHeader('|i1', '(0, 2)'), new Uint8Array(0)), 'the data', /at least one row/],
  ['no columns', npyBytes(npyHeader('|i1', '(2, 0)'), new Uint8Array(0)), 'the data', /at least one row/],
  [
    'too many columns',
    npyBytes(npyHeader('|i1', '(1, 65537)'), new Uint8Array(65_537)),
    'row 1',
    /at most 65536 values/,
  ],
  [
    'both codings',
    npyBytes(npyHeader('|i1', '(2, 2)'), Uint8Array.of(1, 0, 1, 255)),
    'row 2, column 2',
    /0 or 1, as row 1, column 2 is 0, got -1/,
  ],
  [
    'grey values',
    npyBytes(npyHeader('|u1', '(2, 2)'), Uint8Array.of(1, 0, 255, 1)),
    'row 2, column 1',
    /got 255; binarise/,
  ],
  ['nan', npyBytes(npyHeader('<f2', '(1, 2)'), Uint8Array.of(0, 0x3c, 0, 0x7e)), 'row 1, column 2', /got NaN/],
];
