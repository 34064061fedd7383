import { z } from 'zod';
import { InputError } from '../../errors.js';
import { type Edge, ising, type Model, rbm } from '../../model/model.js';
import { type NpyArray, type NpyContent, shapeText } from '../../model/npy.js';
import { checked, exactObject, says } from '../../model/schema.js';

const array = (expected: string, remedy: string) =>
  z.custom<NpyArray>((value) => value != null, says(expected, remedy));
const beta = array('given, a number', 'add beta=1.0 to the arrays if you have none');
const weights = array('given, an array of floats', 'add one weight per edge');
const optional = array('an array', 'leave it out').optional();

const ISING = {
  edges: array(
    'given, an integer array of shape (n_edges, 2)',
    'add one row [i, j] of spin indices per edge; for an RBM leave edges out and give weights of shape (visible, hidden)',
  ),
  weights,
  beta,
  biases: optional,
  visible: optional,
  blocks: optional,
  spins: optional,
};
const RBM = { weights, beta, visible_biases: optional, hidden_biases: optional };

/** Every name that an array of a model may have. */
export const ARRAY_NAMES: readonly string[] = [...new Set([...Object.keys(ISING), ...Object.keys(RBM)])];

/**
 * The model in a set of arrays; null stands for one of unknown name. With `edges` an Ising model:
 *
 * - `edges` int (n_edges, 2), spin indices from 0; `weights` (n_edges,); `beta`, a number;
 * - `biases` (n_spins,), where the model has them; without them `spins`, a whole number, where the last spins have no edge;
 * - `visible` int (n_visible,), the spins that the data set, default all; `blocks` int (n_spins,), the number of each spin's
 *   block in the order of a sweep, default the colours of the graph.
 *
 * Without `edges` an RBM: `weights` (visible, hidden), `beta`, and both or neither of `visible_biases`, `hidden_biases`.
 *
 * The convention is that of thrml's `IsingEBM`, `E = -beta (sum_i b_i s_i + sum_(ij) J_ij s_i s_j)` with law `exp(-E)` and `True`
 * for +1. There beta is inside the energy, here beside it (2.1); the law, the parameters and their order are the same: `theta` is
 * `weights`, then `biases`. Throws {@link InputError} naming the array, also for an edge given twice, whose weights thrml would add.
 */
export function modelFromArrays(arrays: Readonly<Record<string, NpyArray | null>>): Model {
  const isRbm = !Object.hasOwn(arrays, 'edges') && arrays.weights?.shape.length === 2;
  return isRbm ? rbmFromArrays(arrays) : isingFromArrays(arrays);
}

function isingFromArrays(arrays: Readonly<Record<string, NpyArray | null>>): Model {
  const given = checked(exactObject(ISING, 'a set of arrays', 'save them with numpy.savez'), arrays, 'the arrays');
  const edges = pairs(given.edges);
  const biases = given.biases && numbers('biases', given.biases, [null], 'one per spin');
  // Without biases the spins are those that have an edge, of which a model without biases needs one.
  const joined = edges.reduce((most, edge) => Math.max(most, ...edge), 0) + 1;
  const spins = given.spins ? integers('spins', given.spins, [], 'a single number')[0] : (biases?.length ?? joined);
  return ising({
    spins,
    edges,
    couplings: numbers('weights', given.weights, [edges.length], 'one per edge'),
    biases,
    beta: scalar('beta', given.beta),
    visible: given.visible && integers('visible', given.visible, [null], 'a list of spin indices'),
    blocks: given.blocks && blockLists(integers('blocks', given.blocks, [spins], 'one per spin')),
  });
}

function rbmFromArrays(arrays: Readonly<Record<string, NpyArray | null>>): Model {
  const given = checked(exactObject(RBM, 'a set of arrays', 'save them with numpy.savez'), arrays, 'the arrays');
  const [visible, hidden] = given.weights.shape;
  const { visible_biases: v, hidden_biases: h } = given;
  if ((v === undefined) !== (h === undefined)) {
    throw new InputError({
      field: v === undefined ? 'visible_biases' : 'hidden_biases',
      expected: 'given where the other array of biases is given',
      got: 'nothing',
      remedy: 'give both or neither',
    });
  }
  return rbm({
    visible,
    hidden,
    weights: numbers('weights', given.weights, [visible, hidden], 'visible x hidden'),
    visibleBiases: v && numbers('visible_biases', v, [visible], 'one per row of weights'),
    hiddenBiases: h && numbers('hidden_biases', h, [hidden], 'one per column of weights'),
    beta: scalar('beta', given.beta),
  });
}

/** The arrays of a model: what {@link modelFromArrays} reads back to the same model, every parameter with the same bits. */
export function modelToArrays(model: Model): Record<string, NpyContent> {
  const floats = (shape: readonly number[], values: ArrayLike<number>): NpyContent => ({ kind: 'f', shape, values });
  const ints = (shape: readonly number[], values: ArrayLike<number>): NpyContent => ({ kind: 'i', shape, values });
  const { spins, theta, visible, blocks, layers } = model;
  const n = model.edges.length;
  if (layers !== null) {
    const { visible: v, hidden: h } = layers;
    return {
      weights: floats([v, h], theta.subarray(0, n)),
      ...(model.biased && {
        visible_biases: floats([v], theta.subarray(n, n + v)),
        hidden_biases: floats([h], theta.subarray(n + v)),
      }),
      beta: floats([], [model.beta]),
    };
  }
  const allInOrder = visible.length === spins && visible.every((i, k) => i === k);
  const blockOf = new Int32Array(spins);
  blocks.forEach((block, c) => {
    for (const i of block) blockOf[i] = c;
  });
  return {
    edges: ints([n, 2], model.edges.flat()),
    weights: floats([n], theta.subarray(0, n)),
    ...(model.biased ? { biases: floats([spins], theta.subarray(n)) } : { spins: ints([], [spins]) }),
    beta: floats([], [model.beta]),
    ...(!allInOrder && { visible: ints([visible.length], visible) }),
    ...(model.customBlocks && { blocks: ints([spins], blockOf) }),
  };
}

function pairs(edges: NpyArray): Edge[] {
  const flat = integers('edges', edges, [null, 2], 'one row [i, j] of spin indices per edge');
  return Array.from({ length: edges.shape[0] }, (_, a) => [flat[2 * a], flat[2 * a + 1]] as const);
}

/** The spins of each block, from the number of each spin's block. */
function blockLists(numberOf: readonly number[]): number[][] {
  numberOf.forEach((c, i) => {
    if (c >= 0 && c < numberOf.length) return;
    throw new InputError({
      field: `blocks[${i}]`,
      expected: `the number of a block, from 0 to ${numberOf.length - 1}`,
      got: String(c),
      remedy: 'number the blocks from 0 in the order of a sweep',
    });
  });
  const lists: number[][] = Array.from({ length: numberOf.reduce((most, c) => Math.max(most, c), -1) + 1 }, () => []);
  numberOf.forEach((c, i) => {
    lists[c].push(i);
  });
  return lists;
}

function integers(name: string, given: NpyArray, shape: readonly (number | null)[], meaning: string): number[] {
  if (given.kind !== 'i' && given.kind !== 'u') {
    throw new InputError({
      field: name,
      expected: 'an array of integers',
      got: given.kind === 'b' ? 'booleans' : 'floats',
      remedy: `save numpy.asarray(${name}, int)`,
    });
  }
  return numbers(name, given, shape, meaning);
}

function scalar(name: string, given: NpyArray): number {
  return numbers(name, given, given.shape.length === 1 ? [1] : [], 'a single number')[0];
}

/** The elements in C order of an array that must have this shape, null for any length, and hold finite numbers. */
export function numbers(name: string, given: NpyArray, shape: readonly (number | null)[], meaning: string): number[] {
  const fits = given.shape.length === shape.length && shape.every((n, d) => n === null || n === given.shape[d]);
  if (!fits) {
    throw new InputError({
      field: name,
      expected: `an array of shape ${shapeText(shape.map((n) => n ?? 'n'))} (${meaning})`,
      got: `shape ${shapeText(given.shape)}`,
      remedy: 'save it in that shape',
    });
  }
  return Array.from({ length: given.shape.reduce((product, n) => product * n, 1) }, (_, k) => {
    const value = given.at(k);
    if (Number.isFinite(value)) return value;
    throw new InputError({
      field: shape.length === 0 ? name : `${name}[${indexText(k, given.shape)}]`,
      expected: 'a finite number',
      got: String(value),
      remedy: 'replace it by a number',
    });
  });
}

/** The numpy index, `3` or `1, 2`, of the element at an index in C order. */
function indexText(index: number, shape: readonly number[]): string {
  return shape.length === 2 ? `${Math.floor(index / shape[1])}, ${index % shape[1]}` : String(index);
}
