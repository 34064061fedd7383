import { InputError, show } from '../../errors.js';
import { ising, type Model } from '../model.js';
import { type GridGraph, type GridShape, gridGraph } from './grid-graph.js';

/** The strengths of the inputs' fixed couplings: one for all image spins, one for all label spins. */
export interface InputCouplings {
  /** Of every image spin with its input. */
  readonly image: number;
  /** Of every label spin with its input. */
  readonly label: number;
}

/**
 * One layer of a denoising thermodynamic model: the law of a cleaner image `y` and hidden spins `h` on a grid, given a noisier image `x`, `pi(y, h | x) ~ exp(-beta E)`,
 * `E = -sum_(i,j) J_ij s_i s_j - sum_i b_i s_i - sum_k w_k x_k y_k` (2.9). Each visible spin has one input, always clamped and without a bias.
 *
 * Immutable. Its parameters are those of the grid; the inputs' couplings are fixed by the forward process.
 */
export interface GridLayer {
  /** The grid and its edges. */
  readonly graph: GridGraph;
  /** Inverse temperature of the law (2.9); multiplies the inputs' couplings too. */
  readonly beta: number;
  /** Grid nodes of the image, in the order of its columns in the data. All are upper nodes. */
  readonly image: readonly number[];
  /** Grid nodes of the label, whose columns follow the image's. All are upper nodes. */
  readonly label: readonly number[];
  /** `J`, one per edge of the graph. */
  readonly couplings: Float64Array;
  /** `b`, one per grid node. */
  readonly biases: Float64Array;
  /** `w`; both zero in the last layer, whose law does not depend on an input. */
  readonly inputCouplings: InputCouplings;
}

/** What {@link gridLayer} makes a layer of. */
export interface GridLayerOptions {
  /** The grid, or what {@link gridGraph} makes one of. */
  readonly graph: GridShape | GridGraph;
  /** Upper nodes of the grid, at least one. */
  readonly image: readonly number[];
  /** Upper nodes of the grid; none by default. */
  readonly label?: readonly number[] | undefined;
  /** One per edge; all zero by default, where the published runs start. */
  readonly couplings?: ArrayLike<number> | undefined;
  /** One per node; all zero by default. */
  readonly biases?: ArrayLike<number> | undefined;
  /** Default: none, the last layer. */
  readonly inputCouplings?: InputCouplings | undefined;
  /** Inverse temperature, positive; 1 by default. */
  readonly beta?: number | undefined;
}

/** A layer on a grid (2.9). Throws {@link InputError} naming the option that is wrong. */
export function gridLayer(options: GridLayerOptions): GridLayer {
  const { graph: shape, image, label = [], inputCouplings = { image: 0, label: 0 }, beta = 1 } = options;
  const graph = 'edges' in shape ? shape : gridGraph(shape);
  if (!Number.isFinite(beta) || beta <= 0) {
    throw refused('beta', 'a positive finite number', show(beta), 'give the inverse temperature, 1 by default');
  }
  checkPlacement(graph, image, label);
  const { edges, nodes } = graph;
  return {
    graph,
    beta,
    image: [...image],
    label: [...label],
    couplings: numbers('couplings', options.couplings, edges.length, 'one per edge of the grid'),
    biases: numbers('biases', options.biases, nodes, 'one per node of the grid'),
    inputCouplings: {
      image: coupling('inputCouplings.image', inputCouplings.image),
      label: coupling('inputCouplings.label', inputCouplings.label),
    },
  };
}

/** Number of visible spins of a layer, and of inputs: image, then label. */
export function visibleSize({ image, label }: GridLayer): number {
  return image.length + label.length;
}

/** Whether a layer's law depends on an input, which it does in all layers but the last. */
export function isConditional({ inputCouplings: { image, label }, label: nodes }: GridLayer): boolean {
  return image !== 0 || (label !== 0 && nodes.length > 0);
}

/**
 * The layer's law of its grid nodes, given an input, as an Ising model: the input `x`, a row of -1 and +1 in the order of the visible spins, is folded into their biases,
 * `b_k + w_k x_k` (2.9). Spins are grid nodes; `theta` is the layer's couplings, then biases; blocks are the two colours, upper nodes first, since a grid is connected and its
 * first node is upper. Throws {@link InputError} where a conditional layer is given no input, or a wrong one.
 */
export function layerModel(layer: GridLayer, input?: ArrayLike<number>): Model {
  const { graph, beta, image, label, couplings } = layer;
  return ising({
    spins: graph.nodes,
    edges: graph.edges,
    couplings,
    biases: inputBiases(layer, input),
    beta,
    visible: [...image, ...label],
  });
}

/**
 * The layer with its inputs as spins of their own, for chains that are each clamped to an input: grid nodes first, then one spin per visible spin, image first. Edges are the
 * grid's, then (input, visible); inputs have a bias of zero. Only the law given all inputs is the layer's (2.9).
 */
export function layerWithInputs(layer: GridLayer): Model {
  const { graph, beta, image, label, inputCouplings: w } = layer;
  const visible = [...image, ...label];
  const biases = new Float64Array(graph.nodes + visible.length);
  biases.set(layer.biases);
  return ising({
    spins: graph.nodes + visible.length,
    edges: [...graph.edges, ...visible.map((node, k) => [graph.nodes + k, node] as const)],
    couplings: [...layer.couplings, ...image.map(() => w.image), ...label.map(() => w.label)],
    biases,
    beta,
    visible,
  });
}

/** The layer without the field of an input. Given its visible spins the law of the hidden ones is the same, whatever the input: that of the positive phase. */
export function withoutInputs(layer: GridLayer): GridLayer {
  return { ...layer, inputCouplings: { image: 0, label: 0 } };
}

/** The biases of {@link layerModel}: the layer's, and at visible nodes the field of the input. */
export function inputBiases(layer: GridLayer, input?: ArrayLike<number>): Float64Array {
  const { image, label, inputCouplings: w } = layer;
  const biases = layer.biases.slice();
  if (input === undefined) {
    if (!isConditional(layer)) return biases;
    const got = `image ${w.image}, label ${w.label}`;
    throw refused('inputCouplings', 'zero where a layer is taken without an input', got, 'give an input');
  }
  if (input.length !== visibleSize(layer)) {
    const expected = `a row of ${visibleSize(layer)} spins (image, then label)`;
    throw refused('the input', expected, String(input.length), 'give one spin per visible spin');
  }
  for (let k = 0; k < input.length; k++) {
    const x = input[k];
    if (x !== 1 && x !== -1) throw refused(`the input, spin ${k + 1}`, '-1 or 1', show(x), 'binarise the input first');
    if (k < image.length) biases[image[k]] += w.image * x;
    else biases[label[k - image.length]] += w.label * x;
  }
  return biases;
}

/** The layer with other parameters, `theta = (J in edge order, then b)` as in {@link layerModel} without an input. Throws {@link InputError} for another length. */
export function withLayerParameters(layer: GridLayer, theta: ArrayLike<number>): GridLayer {
  const pairs = layer.graph.edges.length;
  const all = numbers('theta', theta, pairs + layer.graph.nodes, 'couplings, then biases');
  return { ...layer, couplings: all.slice(0, pairs), biases: all.slice(pairs) };
}

/** How many nodes {@link randomPlacement} places. */
export interface PlacementSize {
  /** Pixels of the image. */
  readonly image: number;
  /** Spins of the label. */
  readonly label: number;
}

/**
 * Upper nodes for an image and a label at random, every choice equally likely; each list ascending, so that pixels stand in raster order. The draw is this library's own,
 * not the one that dtm-replication makes from its seed, whose order rests on JAX's version and on Python's sets: to read a layer of theirs, export its nodes. Throws
 * {@link InputError} for more spins than there are upper nodes.
 */
export function randomPlacement(
  graph: GridGraph,
  size: PlacementSize,
  random: { uniform(): number },
): Pick<GridLayer, 'image' | 'label'> {
  const nodes = [...graph.upper];
  const count = size.image + size.label;
  if (count > nodes.length) {
    throw refused('image + label', `at most ${nodes.length}, the upper nodes`, String(count), 'use a larger side');
  }
  for (let k = 0; k < count; k++) {
    const other = k + Math.floor((nodes.length - k) * random.uniform());
    [nodes[k], nodes[other]] = [nodes[other], nodes[k]];
  }
  const ascending = (a: number, b: number) => a - b;
  return {
    image: nodes.slice(0, size.image).sort(ascending),
    label: nodes.slice(size.image, count).sort(ascending),
  };
}

function checkPlacement(graph: GridGraph, image: readonly number[], label: readonly number[]): void {
  if (image.length === 0) throw refused('image', 'a list of at least one node', '[]', 'name the nodes of the image');
  const upper = new Set(graph.upper);
  const owner = new Map<number, string>();
  for (const [name, list] of Object.entries({ image, label })) {
    list.forEach((node, k) => {
      const field = `${name}[${k}]`;
      if (!upper.has(node)) {
        const got = graph.nodes > node && node >= 0 && Number.isInteger(node) ? `${node}, a lower node` : show(node);
        throw refused(field, 'an upper node of the grid', got, 'take nodes i * side + j with i + j even');
      }
      const other = owner.get(node);
      if (other !== undefined) {
        throw refused(field, 'a node not listed before', `${node}, which is ${other}`, 'list each visible node once');
      }
      owner.set(node, field);
    });
  }
}

function coupling(field: string, value: number): number {
  if (Number.isFinite(value)) return value;
  throw refused(field, 'a finite number', show(value), 'give the coupling of the forward process, 0 in the last layer');
}

function numbers(field: string, values: ArrayLike<number> | undefined, length: number, meaning: string): Float64Array {
  if (values === undefined) return new Float64Array(length);
  if (values.length !== length) {
    throw refused(
      field,
      `a list of ${length} numbers (${meaning})`,
      `${values.length}`,
      values.length < length ? 'add the missing ones' : 'remove the extra ones',
    );
  }
  const wrong = Array.prototype.findIndex.call(values, (value) => !Number.isFinite(value));
  if (wrong < 0) return Float64Array.from(values);
  throw refused(`${field}[${wrong}]`, 'a finite number', show(values[wrong]), 'replace it by a number');
}

function refused(field: string, expected: string, got: string, remedy: string): InputError {
  return new InputError({ field, expected, got, remedy });
}
