import type { Row } from './malformed-text.js';

const ising = {
  kind: 'ising',
  spins: 3,
  beta: 1,
  edges: [
    [0, 1],
    [1, 2],
  ],
  couplings: [0.5, -0.5],
  biases: [0, 0.1, 0],
};
const rbm = {
  kind: 'rbm',
  visible: 2,
  hidden: 1,
  beta: 1,
  weights: [[0.1], [0.2]],
  visibleBiases: [0, 0],
  hiddenBiases: [0],
};
const isingWith = (change: object) => JSON.stringify({ ...ising, ...change });
const rbmWith = (change: object) => JSON.stringify({ ...rbm, ...change });

/** JSON files that are not models. */
export const models: readonly Row[] = [
  ['an array', '[]', 'the model', /must be a JSON object, got \[\]/],
  ['null', 'null', 'the model', /must be a JSON object, got null/],
  ['a number', '3', 'the model', /must be a JSON object, got 3/],
  ['no kind', '{}', 'kind', /must be "ising", "rbm" or "grid", got nothing/],
  ['unknown kind', isingWith({ kind: 'potts' }), 'kind', /got "potts"; say which kind/],
  ['another version', isingWith({ schemaVersion: 2, potential: 'x' }), 'schemaVersion', /must be 1, got 2/],
  ['version as text', isingWith({ schemaVersion: '1' }), 'schemaVersion', /must be 1, got "1"/],
  [
    'a misspelt key',
    isingWith({ copulings: [1] }),
    'copulings',
    /a known key, got an unknown key; write couplings instead \(known keys: .*blocks/,
  ],
  [
    'a key of the other kind',
    isingWith({ weights: [] }),
    'weights',
    /remove it \(known keys: schemaVersion, kind, spins/,
  ],
  ['__proto__', isingWith({}).replace('{', '{"__proto__": {"spins": 4},'), '__proto__', /a known key/],
  ['a key with a line break', isingWith({ 'a\nb': 1 }), '"a\\nb"', /a known key/],
  ['no spins', isingWith({ spins: undefined }), 'spins', /a whole number from 1 to 65536, got nothing/],
  ['spins as text', isingWith({ spins: '3' }), 'spins', /got "3"/],
  ['half a spin', isingWith({ spins: 2.5 }), 'spins', /got 2\.5/],
  ['too many spins', isingWith({ spins: 65_537 }), 'spins', /from 1 to 65536, got 65537/],
  ['no beta', isingWith({ beta: undefined }), 'beta', /a positive finite number, got nothing/],
  ['beta of zero', isingWith({ beta: 0 }), 'beta', /got 0/],
  ['negative beta', isingWith({ beta: -1 }), 'beta', /got -1; give the inverse temperature/],
  ['infinite beta', isingWith({ beta: 7 }).replace('7', '1e400'), 'beta', /got Infinity/],
  ['beta of null', isingWith({ beta: null }), 'beta', /got null/],
  ['edges as an object', isingWith({ edges: {} }), 'edges', /a list of pairs of spin indices, got {}/],
  [
    'an edge of one spin',
    isingWith({ edges: [[0, 1], [1]] }),
    'edges[1]',
    /a pair of spin indices, got \[1\]; write it as \[i, j\]/,
  ],
  [
    'an edge of three spins',
    isingWith({
      edges: [
        [0, 1, 2],
        [1, 2],
      ],
    }),
    'edges[0]',
    /got \[0,1,2\]/,
  ],
  ['a flat list of edges', isingWith({ edges: [0, 1] }), 'edges[0]', /got 0/],
  [
    'an edge end as text',
    isingWith({
      edges: [
        [0, 1],
        [1, '2'],
      ],
    }),
    'edges[1][1]',
    /a spin index, got "2"/,
  ],
  [
    'an edge end between spins',
    isingWith({
      edges: [
        [0, 1],
        [1, 1.5],
      ],
    }),
    'edges[1][1]',
    /a spin index, got 1\.5/,
  ],
  [
    'an edge out of range',
    isingWith({
      edges: [
        [0, 1],
        [1, 3],
      ],
    }),
    'edges[1][1]',
    /from 0 to 2, got 3/,
  ],
  [
    'a self-loop',
    isingWith({
      edges: [
        [0, 1],
        [1, 1],
      ],
    }),
    'edges[1]',
    /two different spins/,
  ],
  [
    'a duplicate edge',
    isingWith({
      edges: [
        [0, 1],
        [1, 0],
      ],
    }),
    'edges[1]',
    /repeats edges\[0\]/,
  ],
  ['no parameters', isingWith({ edges: [], couplings: [], biases: undefined }), 'edges', /at least one edge/],
  ['too few couplings', isingWith({ couplings: [1] }), 'couplings', /a list of 2 numbers \(one per edge\), got 1; add/],
  ['couplings as a number', isingWith({ couplings: 1 }), 'couplings', /a list of numbers, got 1/],
  ['a coupling that was NaN', isingWith({ couplings: [1, NaN] }), 'couplings[1]', /a finite number, got null/],
  ['an infinite coupling', isingWith({ couplings: [1, 77] }).replace('77', '-1e999'), 'couplings[1]', /got -Infinity/],
  ['nested couplings', isingWith({ couplings: [[1], [2]] }), 'couplings[0]', /a finite number, got \[1\]/],
  [
    'too many biases',
    isingWith({ biases: [0, 0, 0, 0] }),
    'biases',
    /a list of 3 numbers \(one per spin\), got 4; remove/,
  ],
  ['biases of null', isingWith({ biases: null }), 'biases', /got null/],
  ['nothing visible', isingWith({ visible: [] }), 'visible', /at least one spin/],
  ['a spin visible twice', isingWith({ visible: [1, 1] }), 'visible[1]', /not listed before/],
  ['a visible spin out of range', isingWith({ visible: [-1] }), 'visible[0]', /from 0 to 2, got -1/],
  ['flat blocks', isingWith({ blocks: [0, 1, 2] }), 'blocks[0]', /a list of spin indices, got 0/],
  [
    'overlapping blocks',
    isingWith({
      blocks: [
        [0, 1],
        [1, 2],
      ],
    }),
    'blocks[1][0]',
    /already in blocks\[0\]/,
  ],
  ['blocks that miss a spin', isingWith({ blocks: [[0], [1]] }), 'blocks', /got no block with spin 2/],
  ['an empty block', isingWith({ blocks: [[0, 1, 2], []] }), 'blocks[1]', /remove the empty block/],
  ['flat weights', rbmWith({ weights: [0.1, 0.2] }), 'weights[0]', /a list of numbers, got 0\.1/],
  ['too few weight rows', rbmWith({ weights: [[0.1]] }), 'weights', /a list of 2 rows \(one per visible spin\), got 1/],
  ['transposed weights', rbmWith({ weights: [[0.1, 0.2]] }), 'weights', /one per visible spin/],
  [
    'a ragged weight row',
    rbmWith({ weights: [[0.1], [0.2, 0.3]] }),
    'weights[1]',
    /a list of 1 numbers .* got 2; remove/,
  ],
  ['a weight that was NaN', rbmWith({ weights: [[0.1], [NaN]] }), 'weights[1][0]', /a finite number, got null/],
  ['one bias array of two', rbmWith({ hiddenBiases: undefined }), 'hiddenBiases', /give both bias arrays or neither/],
  ['too few hidden biases', rbmWith({ hiddenBiases: [] }), 'hiddenBiases', /one per hidden spin\), got 0/],
  ['negative hidden', rbmWith({ hidden: -1 }), 'hidden', /got -1/],
  [
    'too large an RBM',
    rbmWith({ visible: 1, hidden: 65_536, weights: [Array(65_536).fill(0)] }),
    'visible + hidden',
    /at most 65536, got 65537/,
  ],
  ['blocks of an RBM', rbmWith({ blocks: [[0], [1, 2]] }), 'blocks', /a known key/],
];
