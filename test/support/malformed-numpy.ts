import type { Row } from './malformed-text.js';
import { npyBytes, npyHeader } from './npy.js';
import { type Entry, zipBytes } from './zip.js';

/** The bytes of a `.npy` file of 8-byte floats, or integers. */
export function npy(shape: string, values: readonly number[], kind: 'f' | 'i' = 'f'): Uint8Array {
  const data = kind === 'f' ? Float64Array.from(values) : BigInt64Array.from(values, BigInt);
  return npyBytes(npyHeader(`<${kind}8`, shape), new Uint8Array(data.buffer));
}

const good: Record<string, Uint8Array> = {
  edges: npy('(2, 2)', [0, 1, 1, 2], 'i'),
  weights: npy('(2,)', [0.5, -0.5]),
  biases: npy('(3,)', [0, 0.1, 0]),
  beta: npy('()', [1]),
};
const goodRbm: Record<string, Uint8Array> = {
  weights: npy('(2, 1)', [0.1, 0.2]),
  visible_biases: npy('(2,)', [0, 0]),
  hidden_biases: npy('(1,)', [0]),
  beta: npy('()', [1]),
};
const entries = (arrays: Record<string, Uint8Array | undefined>): Entry[] =>
  Object.entries(arrays).flatMap(([name, content]) => (content ? [{ name: `${name}.npy`, content }] : []));
const isingWith = (change: Record<string, Uint8Array | undefined>) => zipBytes(entries({ ...good, ...change }));
const rbmWith = (change: Record<string, Uint8Array | undefined>) => zipBytes(entries({ ...goodRbm, ...change }));
const goodZip = isingWith({});
const flipped = (bytes: Uint8Array, at: number) => bytes.map((byte, k) => (k === at ? byte ^ 1 : byte));
const bomb = new Uint8Array(2 ** 27);

/** An archive of the 64-bit kind whose directory claims four billion entries and holds none. */
function endless(): Uint8Array {
  const end = Buffer.alloc(4 + 56 + 20 + 22);
  end.write('PK\x03\x04', 0, 'latin1');
  end.write('PK\x06\x06', 4, 'latin1');
  end.writeUInt32LE(0xffffffff, 4 + 32);
  end.write('PK\x06\x07', 60, 'latin1');
  end.writeUInt32LE(4, 60 + 8);
  end.write('PK\x05\x06', 80, 'latin1');
  end.fill(0xff, 80 + 8, 80 + 20);
  return new Uint8Array(end);
}

/** `.npz` files that are not models. */
export const npz: readonly Row[] = [
  ['an empty file', '', 'the file', /a \.npz file, got an empty file/],
  ['a text file', '{"kind":"ising"}', 'the file', /not a zip archive; save the arrays with numpy\.savez/],
  ['a .npy file', good.edges, 'the file', /not a zip archive/],
  ['two letters', 'PK', 'the zip archive', /complete and intact, got one with a fault/],
  ['the first half', goodZip.slice(0, goodZip.length / 2), 'the zip archive', /complete and intact/],
  ['all but the last byte', goodZip.slice(0, -1), 'the zip archive', /complete and intact/],
  ['all but the first kilobyte', Buffer.concat([goodZip.slice(0, 4), goodZip.slice(400)]), 'the zip archive', /intact/],
  ['a wrong bit in the data', flipped(goodZip, 39 + 128 + 3), 'the zip archive', /a wrong checksum of edges/],
  [
    'a wrong bit in deflated data',
    flipped(zipBytes(entries(good).map((entry) => ({ ...entry, deflated: true }))), 80),
    'the zip archive',
    /complete and intact/,
  ],
  ['more entries than there are', zipBytes(entries(good), 60000), 'the zip archive', /complete and intact/],
  ['four billion entries', endless(), 'the zip archive', /a directory that leads nowhere/],
  ['an archive of nothing', zipBytes([]), 'edges', /given, an integer array of shape \(n_edges, 2\), got nothing/],
  [
    'a method of compression that numpy does not write',
    zipBytes([{ name: 'edges.npy', content: good.edges, method: 14 }]),
    'the zip archive',
    /unknown compression type 14/,
  ],
  [
    'a zip bomb',
    zipBytes([{ name: 'weights.npy', content: bomb, deflated: true }]),
    'weights',
    /an array of at most 102301696 bytes .*got 134217728 bytes/,
  ],
  [
    'a zip bomb in parts',
    zipBytes(
      ['edges', 'weights', 'biases'].map((name) => ({
        name: `${name}.npy`,
        content: bomb.subarray(0, 2 ** 26),
        deflated: true,
      })),
    ),
    'weights',
    /an array of at most 102301696 bytes with those before it, .*got 134217728 bytes/,
  ],
  [
    'a zip bomb that claims to be small',
    zipBytes([{ name: 'weights.npy', content: bomb, deflated: true, claimedSize: 200 }]),
    'the zip archive',
    /complete and intact/,
  ],
  [
    'a thousand arrays',
    zipBytes(Array.from({ length: 1000 }, (_, k) => ({ name: `arr_${k}.npy`, content: good.beta }))),
    'the archive',
    /at most 100 arrays/,
  ],
  ['an array twice', zipBytes([...entries(good), ...entries({ beta: npy('()', [2]) })]), 'beta', /once, got another/],
  [
    'an array under two names',
    zipBytes([...entries(good), { name: 'beta', content: good.beta }]),
    'beta',
    /once, got another/,
  ],
  ['arrays without names', zipBytes(entries({ arr_0: good.edges })), 'arr_0', /a known key, got an unknown key/],
  [
    'a misspelt array',
    isingWith({ bias: good.biases }),
    'bias',
    /unknown key; write biases instead \(known keys: edges, weights/,
  ],
  ['an array of another name', isingWith({ h: good.biases }), 'h', /unknown key; remove it \(known keys: edges/],
  ['__proto__', isingWith({ ['__proto__']: good.biases, x: good.biases }), '__proto__', /a known key/],
  ['a folder', zipBytes([...entries(good), { name: 'a\nb/', content: new Uint8Array(0) }]), '"a\\nb/"', /known key/],
  ['no weights', isingWith({ weights: undefined }), 'weights', /given, an array of floats, got nothing; add one/],
  ['no edges', isingWith({ edges: undefined }), 'edges', /for an RBM leave edges out and give weights of shape/],
  ['no beta', isingWith({ beta: undefined }), 'beta', /given, a number, got nothing; add beta=1\.0/],
  [
    'pickled objects',
    isingWith({ weights: npyBytes(npyHeader('|O', '(2,)'), Buffer.from('\x80\x04cos\nsystem\n', 'latin1')) }),
    'dtype of weights',
    /a boolean, integer or float type, got "\|O"/,
  ],
  [
    'strings',
    isingWith({ edges: npyBytes(npyHeader('<U1', '(2, 2)'), new Uint8Array(16)) }),
    'dtype of edges',
    /got "<U1"/,
  ],
  ['a text as array', isingWith({ beta: Buffer.from('1.0') }), 'the file of beta', /a \.npy file/],
  ['half an array', isingWith({ biases: good.biases.slice(0, -8) }), 'the array data of biases', /24 bytes .* got 16/],
  [
    'edges as floats',
    isingWith({ edges: npy('(2, 2)', [0, 1, 1, 2]) }),
    'edges',
    /integers, got floats; save numpy\.asarray/,
  ],
  [
    'transposed edges',
    isingWith({ edges: npy('(2, 3)', [0, 1, 2, 1, 2, 0], 'i') }),
    'edges',
    /\(n, 2\) .* got shape \(2, 3\)/,
  ],
  ['flat edges', isingWith({ edges: npy('(4,)', [0, 1, 1, 2], 'i') }), 'edges', /got shape \(4,\)/],
  ['an edge out of range', isingWith({ edges: npy('(2, 2)', [0, 1, 1, 3], 'i') }), 'edges[1][1]', /from 0 to 2, got 3/],
  ['a negative index', isingWith({ edges: npy('(2, 2)', [0, -1, 1, 2], 'i') }), 'edges[0][1]', /from 0 to 2, got -1/],
  ['a self-loop', isingWith({ edges: npy('(2, 2)', [0, 1, 2, 2], 'i') }), 'edges[1]', /two different spins/],
  [
    'an edge twice',
    isingWith({ edges: npy('(2, 2)', [0, 1, 1, 0], 'i') }),
    'edges[1]',
    /repeats edges\[0\]; merge the/,
  ],
  [
    'edges to a spin far away',
    isingWith({ biases: undefined, edges: npy('(2, 2)', [0, 1, 1, 2 ** 40], 'i') }),
    'spins',
    /from 1 to 65536, got 1099511627777/,
  ],
  [
    'too few weights',
    isingWith({ weights: npy('(1,)', [1]) }),
    'weights',
    /shape \(2,\) \(one per edge\), got shape \(1,\)/,
  ],
  ['weights as a column', isingWith({ weights: npy('(2, 1)', [1, 1]) }), 'weights', /got shape \(2, 1\)/],
  ['a weight of NaN', isingWith({ weights: npy('(2,)', [1, Number.NaN]) }), 'weights[1]', /a finite number, got NaN/],
  ['an infinite bias', isingWith({ biases: npy('(3,)', [0, 0, -Infinity]) }), 'biases[2]', /got -Infinity/],
  ['beta of NaN', isingWith({ beta: npy('()', [Number.NaN]) }), 'beta', /a finite number, got NaN/],
  ['beta of 0', isingWith({ beta: npy('()', [0]) }), 'beta', /a positive finite number, got 0/],
  ['two betas', isingWith({ beta: npy('(2,)', [1, 2]) }), 'beta', /shape \(1,\) \(a single number\), got shape \(2,\)/],
  ['no biases but empty', isingWith({ biases: npy('(0,)', []) }), 'spins', /from 1 to 65536, got 0/],
  [
    'a model of 65,537 spins',
    isingWith({ biases: npy('(65537,)', Array(65_537).fill(0)) }),
    'spins',
    /from 1 to 65536, got 65537; use a smaller model/,
  ],
  [
    'no parameters',
    zipBytes(entries({ edges: npy('(0, 2)', [], 'i'), weights: npy('(0,)', []), beta: good.beta })),
    'edges',
    /at least one edge/,
  ],
  [
    'spins that disagree',
    isingWith({ spins: npy('()', [4], 'i') }),
    'biases',
    /a list of 4 numbers \(one per spin\), got 3/,
  ],
  ['half a spin', isingWith({ biases: undefined, spins: npy('()', [2.5]) }), 'spins', /integers, got floats/],
  [
    'a mask of visible spins',
    isingWith({ visible: npyBytes(npyHeader('|b1', '(3,)'), Uint8Array.of(1, 1, 0)) }),
    'visible',
    /got booleans/,
  ],
  ['a spin visible twice', isingWith({ visible: npy('(2,)', [1, 1], 'i') }), 'visible[1]', /not listed before/],
  ['too few block numbers', isingWith({ blocks: npy('(2,)', [0, 1], 'i') }), 'blocks', /shape \(3,\) \(one per spin\)/],
  ['a negative block', isingWith({ blocks: npy('(3,)', [0, -1, 0], 'i') }), 'blocks[1]', /from 0 to 2, got -1/],
  ['a far block', isingWith({ blocks: npy('(3,)', [0, 1, 1e12], 'i') }), 'blocks[2]', /from 0 to 2, got 1000000000000/],
  ['a block left out', isingWith({ blocks: npy('(3,)', [0, 2, 2], 'i') }), 'blocks[1]', /at least one spin/],
  [
    'too large energies',
    isingWith({ weights: npy('(2,)', [1e308, 1e308]) }),
    'beta times the sum of all parameters',
    /finite/,
  ],
  [
    'one bias array of two',
    rbmWith({ hidden_biases: undefined }),
    'hidden_biases',
    /got nothing; give both or neither/,
  ],
  [
    'too many hidden biases',
    rbmWith({ hidden_biases: npy('(2,)', [0, 0]) }),
    'hidden_biases',
    /one per column of weights/,
  ],
  ['an RBM with biases of an Ising model', rbmWith({ biases: npy('(3,)', [0, 0, 0]) }), 'biases', /unknown key/],
  ['an RBM of NaN', rbmWith({ weights: npy('(2, 1)', [0, Number.NaN]) }), 'weights[1, 0]', /got NaN/],
  ['no hidden spins', rbmWith({ weights: npy('(2, 0)', []), hidden_biases: npy('(0,)', []) }), 'hidden', /got 0/],
  ['absurdly many spins', rbmWith({ weights: npy('(900000000000000, 0)', []) }), 'visible_biases', /got shape \(2,\)/],
];

/** `.npy` files that are not coupling matrices. */
export const matrices: readonly Row[] = [
  ['an empty file', '', 'the file', /a \.npy file, got an empty file/],
  [
    'samples',
    npyBytes(npyHeader('|b1', '(2, 3)'), new Uint8Array(6)),
    'the array',
    /a square matrix .* got shape \(2, 3\); .*--data/,
  ],
  ['a vector', npy('(4,)', [0, 1, 1, 0]), 'the array', /got shape \(4,\)/],
  ['a stack', npy('(1, 1, 1)', [0]), 'the array', /got shape \(1, 1, 1\)/],
  ['one triangle', npy('(2, 2)', [0, 0.5, 0, 0]), 'J[1, 0]', /0\.5 like J\[0, 1\], got 0; save J \+ J\.T/],
  ['a diagonal', npy('(2, 2)', [0, 0.5, 0.5, 0.1]), 'J[1, 1]', /must be 0, got 0\.1; set the diagonal to zero/],
  ['NaN', npy('(2, 2)', [0, Number.NaN, Number.NaN, 0]), 'J[0, 1]', /a finite number, got NaN/],
  ['no couplings', npy('(2, 2)', [0, 0, 0, 0]), 'edges', /at least one edge/],
  ['no spins', npy('(0, 0)', []), 'the matrix', /one of 1 to 8192 spins, got 0/],
  ['objects', npyBytes(npyHeader('|O', '(2, 2)'), Buffer.from('\x80\x04.', 'latin1')), 'dtype', /got "\|O"/],
  [
    'an absurd shape',
    npyBytes(npyHeader('<f8', `(1${'0'.repeat(400)}, 0)`), new Uint8Array(0)),
    'shape',
    /fits into a file/,
  ],
  [
    'a large shape',
    npyBytes(npyHeader('<f8', '(90000, 90000)'), new Uint8Array(8)),
    'the array data',
    /64800000000 bytes .* got 8/,
  ],
];
