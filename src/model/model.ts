import { InputError, show } from '../errors.js';
import { bipartiteOrGreedyBlocks } from './blocks.js';

/** Two different spins that a coupling joins, each edge listed once. */
export type Edge = readonly [number, number];

/** An RBM's layer sizes. */
export interface Layers {
  /** Number of visible spins. */
  readonly visible: number;
  /** Number of hidden spins. */
  readonly hidden: number;
}

/**
 * A pairwise spin model, `E(x) = -sum_(i,j) J_ij x_i x_j - sum_i h_i x_i` with law `pi ~ exp(-beta E)` (2.1).
 *
 * Immutable: change parameters with {@link withParameters}. Parameters are `theta = (J in edge order, then h)`; a model without
 * biases has no bias parameters and no bias observables.
 */
export interface Model {
  /** How the model was made, and the kind of its file. */
  readonly kind: 'ising' | 'rbm';
  /** Number of spins N, hidden ones included. */
  readonly spins: number;
  /** Inverse temperature of the law (2.1). */
  readonly beta: number;
  /** Pairs of spins with a coupling, in the order of `theta`; an RBM's are visible-major. */
  readonly edges: readonly Edge[];
  /** Whether the model has a bias on every spin. Without biases it has the global spin-flip symmetry. */
  readonly biased: boolean;
  /** The parameters: `edges.length` couplings, then `spins` biases where `biased`. */
  readonly theta: Float64Array;
  /** Spins that the data sets, in the order of the data's columns. All others are hidden. */
  readonly visible: readonly number[];
  /** Disjoint blocks that `random-block` resamples, covering all spins. */
  readonly blocks: readonly (readonly number[])[];
  /** Whether `blocks` were given by the caller (and belong into the model's file) rather than derived. */
  readonly customBlocks: boolean;
  /** An RBM's layer sizes; null for Ising models. Visible spins are `0..visible-1`, hidden ones follow. */
  readonly layers: Layers | null;
}

/** What {@link ising} makes a model of. */
export interface IsingOptions {
  /** `N`, from 1 to 65,536. */
  readonly spins: number;
  /** Pairs of different spins `0..N-1`, at most 4,194,304; their order is that of the couplings in `theta`. */
  readonly edges: readonly Edge[];
  /** `J`, one per edge. */
  readonly couplings: ArrayLike<number>;
  /** One per spin; leave out for a model without biases. */
  readonly biases?: ArrayLike<number> | undefined;
  /** Inverse temperature, positive; 1 by default. */
  readonly beta?: number | undefined;
  /** Default: every spin. */
  readonly visible?: readonly number[] | undefined;
  /** Default: the two colour classes of a bipartite graph, else greedy colours. */
  readonly blocks?: readonly (readonly number[])[] | undefined;
}

/** What {@link rbm} makes a model of. */
export interface RbmOptions {
  /** Number of visible spins; they are spins `0..visible-1`. */
  readonly visible: number;
  /** Number of hidden spins; with the visible ones at most 65,536, times them at most 4,194,304. */
  readonly hidden: number;
  /** Row-major, one row per visible spin: `weights[i * hidden + j]` couples `v_i` and `h_j`. */
  readonly weights: ArrayLike<number>;
  /** One per visible spin; leave both bias arrays out for a model without biases. */
  readonly visibleBiases?: ArrayLike<number> | undefined;
  /** One per hidden spin. */
  readonly hiddenBiases?: ArrayLike<number> | undefined;
  /** Inverse temperature, positive; 1 by default. */
  readonly beta?: number | undefined;
}

/** Spins and couplings of a model, at most. */
export const MAX_SPINS = 65_536;
export const MAX_EDGES = 2 ** 22;

/** A state index has 32 bits: only of so many spins does one tell the state. */
export const MAX_INDEXED_SPINS = 32;

/** An Ising model on any graph. Throws {@link InputError} naming the option that is wrong. */
export function ising(options: IsingOptions): Model {
  const { spins, edges } = options;
  const beta = checkBeta(options.beta);
  checkCount('spins', spins);
  checkEdges(edges, spins);
  const couplings = checkNumbers('couplings', options.couplings, edges.length, 'one per edge');
  const biases = options.biases === undefined ? null : checkNumbers('biases', options.biases, spins, 'one per spin');
  if (edges.length === 0 && biases === null) {
    throw new InputError({
      field: 'edges',
      expected: 'a list with at least one edge where the model has no biases',
      got: '[]',
      remedy: 'add an edge or biases, since a model without parameters has no gradient',
    });
  }
  const visible = options.visible ?? Array.from({ length: spins }, (_, i) => i);
  checkVisible(visible, spins);
  if (options.blocks !== undefined) checkBlocks(options.blocks, spins);
  return checkEnergies({
    kind: 'ising',
    spins,
    beta,
    edges: edges.map(([i, j]) => [i, j] as const),
    biased: biases !== null,
    theta: biases === null ? couplings : joined(couplings, biases),
    visible: [...visible],
    blocks: options.blocks?.map((block) => [...block]) ?? bipartiteOrGreedyBlocks(spins, edges),
    customBlocks: options.blocks !== undefined,
    layers: null,
  });
}

/** A restricted Boltzmann machine: visible spins first, edges visible-major. Give both bias arrays or neither. Throws {@link InputError} naming the option that is wrong. */
export function rbm(options: RbmOptions): Model {
  const { visible: m, hidden: n } = options;
  const beta = checkBeta(options.beta);
  checkCount('visible', m);
  checkCount('hidden', n);
  checkLayers(m, n);
  const weights = checkNumbers('weights', options.weights, m * n, 'visible x hidden');
  if ((options.visibleBiases === undefined) !== (options.hiddenBiases === undefined)) {
    const missing = options.visibleBiases === undefined ? 'visibleBiases' : 'hiddenBiases';
    throw new InputError({
      field: missing,
      expected: 'given where the other bias array is given',
      got: 'nothing',
      remedy: 'give both bias arrays or neither',
    });
  }
  const biased = options.visibleBiases !== undefined && options.hiddenBiases !== undefined;
  const theta = biased
    ? joined(
        weights,
        checkNumbers('visibleBiases', options.visibleBiases, m, 'one per visible spin'),
        checkNumbers('hiddenBiases', options.hiddenBiases, n, 'one per hidden spin'),
      )
    : weights;
  return checkEnergies({
    kind: 'rbm',
    spins: m + n,
    beta,
    edges: Array.from({ length: m * n }, (_, a) => [Math.floor(a / n), m + (a % n)] as const),
    biased,
    theta,
    visible: Array.from({ length: m }, (_, i) => i),
    blocks: [Array.from({ length: m }, (_, i) => i), Array.from({ length: n }, (_, j) => m + j)],
    customBlocks: false,
    layers: { visible: m, hidden: n },
  });
}

/** The same model with other parameters, `theta = (J in edge order, then h)`. Throws {@link InputError} for another length or energies that are not finite. */
export function withParameters(model: Model, theta: ArrayLike<number>): Model {
  return checkEnergies({ ...model, theta: checkNumbers('theta', theta, model.theta.length, 'one per parameter') });
}

/** Name of one parameter for tables and messages: `J[0,5]`, `h[2]`. */
export function parameterName(model: Model, a: number): string {
  if (a < model.edges.length) {
    const [i, j] = model.edges[a];
    return `J[${i},${j}]`;
  }
  return `h[${a - model.edges.length}]`;
}

/** Refuses layers of more spins or couplings than a model has. */
export function checkLayers(visible: number, hidden: number, prefix = ''): void {
  const refuse = (field: string, most: number, got: number) => {
    throw new InputError({ field, expected: `at most ${most}`, got: String(got), remedy: 'use a smaller model' });
  };
  const [v, h] = [`${prefix}visible`, `${prefix}hidden`];
  if (visible + hidden > MAX_SPINS) refuse(`${v} + ${h}`, MAX_SPINS, visible + hidden);
  if (visible * hidden > MAX_EDGES) refuse(`${v} x ${h}`, MAX_EDGES, visible * hidden);
}

function joined(...parts: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Energies must be finite whatever the state, so that no later number is NaN. */
function checkEnergies(model: Model): Model {
  const largest = model.beta * model.theta.reduce((sum, value) => sum + Math.abs(value), 0);
  if (Number.isFinite(2 * largest)) return model;
  throw new InputError({
    field: 'beta times the sum of all parameters',
    expected: 'a finite number',
    got: show(largest),
    remedy: 'use smaller parameters or a smaller beta',
  });
}

function checkBeta(beta: number | undefined): number {
  if (beta === undefined) return 1;
  if (typeof beta !== 'number' || !Number.isFinite(beta) || beta <= 0) {
    throw new InputError({
      field: 'beta',
      expected: 'a positive finite number',
      got: show(beta),
      remedy: 'give the inverse temperature, 1 by default',
    });
  }
  return beta;
}

function checkCount(field: string, value: number): void {
  if (!Number.isInteger(value) || value < 1 || value > MAX_SPINS) {
    throw new InputError({
      field,
      expected: `a whole number from 1 to ${MAX_SPINS}`,
      got: show(value),
      remedy: value > MAX_SPINS ? 'use a smaller model' : 'give the number of spins',
    });
  }
}

function checkNumbers(field: string, values: ArrayLike<number>, length: number, meaning: string): Float64Array {
  if (values.length !== length) {
    throw new InputError({
      field,
      expected: `a list of ${length} numbers (${meaning})`,
      got: `${values.length}`,
      remedy: values.length < length ? 'add the missing ones' : 'remove the extra ones',
    });
  }
  for (let k = 0; k < length; k++) {
    if (typeof values[k] !== 'number' || !Number.isFinite(values[k])) {
      throw new InputError({
        field: `${field}[${k}]`,
        expected: 'a finite number',
        got: show(values[k]),
        remedy: 'replace it by a number',
      });
    }
  }
  return Float64Array.from(values);
}

function checkSpinIndex(field: string, i: unknown, spins: number): void {
  if (!Number.isInteger(i) || (i as number) < 0 || (i as number) >= spins) {
    throw new InputError({
      field,
      expected: `a spin index from 0 to ${spins - 1}`,
      got: show(i),
      remedy: 'spins are counted from 0',
    });
  }
}

function checkEdges(edges: readonly Edge[], spins: number): void {
  if (edges.length > MAX_EDGES) {
    throw new InputError({
      field: 'edges',
      expected: `a list of at most ${MAX_EDGES} edges`,
      got: String(edges.length),
      remedy: 'use a smaller model',
    });
  }
  const seen = new Map<number, number>();
  for (const [a, edge] of edges.entries()) {
    if (!Array.isArray(edge) || edge.length !== 2) {
      throw new InputError({
        field: `edges[${a}]`,
        expected: 'a pair of spin indices',
        got: show(edge),
        remedy: 'write it as [i, j]',
      });
    }
    const [i, j] = edge;
    checkSpinIndex(`edges[${a}][0]`, i, spins);
    checkSpinIndex(`edges[${a}][1]`, j, spins);
    if (i === j) {
      throw new InputError({
        field: `edges[${a}]`,
        expected: 'a pair of two different spins',
        got: show(edge),
        remedy: 'remove the self-loop, or use a bias',
      });
    }
    const key = Math.min(i, j) * spins + Math.max(i, j);
    const first = seen.get(key);
    if (first !== undefined) {
      throw new InputError({
        field: `edges[${a}]`,
        expected: 'a pair that no earlier edge joins',
        got: `${show(edge)}, which repeats edges[${first}]`,
        remedy: 'merge the two couplings into one',
      });
    }
    seen.set(key, a);
  }
}

function checkVisible(visible: readonly number[], spins: number): void {
  if (visible.length === 0) {
    throw new InputError({
      field: 'visible',
      expected: 'a list of at least one spin',
      got: '[]',
      remedy: 'name the visible spins, or leave the key out for all',
    });
  }
  const seen = new Set<number>();
  for (const [k, i] of visible.entries()) {
    checkSpinIndex(`visible[${k}]`, i, spins);
    if (seen.has(i)) {
      throw new InputError({
        field: `visible[${k}]`,
        expected: 'a spin not listed before',
        got: show(i),
        remedy: 'list each visible spin once',
      });
    }
    seen.add(i);
  }
}

function checkBlocks(blocks: readonly (readonly number[])[], spins: number): void {
  const owner = new Map<number, number>();
  blocks.forEach((block, c) => {
    if (block.length === 0) {
      throw new InputError({
        field: `blocks[${c}]`,
        expected: 'a list of at least one spin',
        got: '[]',
        remedy: 'remove the empty block',
      });
    }
    block.forEach((i, k) => {
      checkSpinIndex(`blocks[${c}][${k}]`, i, spins);
      if (owner.has(i)) {
        throw new InputError({
          field: `blocks[${c}][${k}]`,
          expected: 'a spin that stands in no other place',
          got: `${i}, already in blocks[${owner.get(i)}]`,
          remedy: 'put each spin in exactly one block',
        });
      }
      owner.set(i, c);
    });
  });
  for (let i = 0; i < spins; i++) {
    if (!owner.has(i)) {
      throw new InputError({
        field: 'blocks',
        expected: 'a partition of all spins',
        got: `no block with spin ${i}`,
        remedy: 'put each spin in exactly one block',
      });
    }
  }
}
