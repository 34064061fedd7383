import { InputError, show, UnsupportedError } from '../../errors.js';
import type { Model } from '../../model/model.js';
import { type KernelName, schedule } from '../kernels.js';

/** How a step uses the blocks: all of them in order; one that each chain draws; the same where every block is a single spin. */
export type StepOrder = 'in-order' | 'one-block' | 'one-site';

/** A kernel of a pairwise model, ready to be run: blocks of spins without inside edges, and what each spin feels. Clamped spins stand in no block. */
export interface ChainProgram {
  readonly spins: number;
  readonly order: StepOrder;
  /** Free spins only; palindromes go there and back. */
  readonly blocks: readonly (readonly number[])[];
  /** Kernel steps that visit every free spin once. */
  readonly stepsPerSweep: number;
  /** `2 h`, zero without biases. */
  readonly bias: Float64Array;
  /** The neighbours of spin `i` are `near[first[i]]` to `near[first[i + 1] - 1]`. */
  readonly first: Int32Array;
  readonly near: Int32Array;
  /** `2 J`, neighbour by neighbour. */
  readonly strength: Float64Array;
}

/**
 * The program of a kernel with some spins clamped: the kernel of section 2 for the law of the free spins given the clamped ones. Throws {@link UnsupportedError} for
 * Metropolis and for blocks with an edge between free spins, {@link InputError} for clamped spins that are none and for parameters whose sum is not finite.
 */
export function chainProgram(model: Model, kernel: KernelName, clamped: readonly number[] = []): ChainProgram {
  requireFiniteFields(model);
  const free = freeSpins(model.spins, clamped);
  const plan = schedule(model, kernel);
  if (plan.kind === 'metropolis') {
    throw new UnsupportedError('Sampling many chains at once', 'metropolis has no compiled loop', 'use random-scan');
  }
  const blocks = plan.blocks.map((block) => block.filter((i) => free[i] === 1)).filter((block) => block.length > 0);
  requireNoInsideEdges(model, kernel, plan.blocks, free);
  const sites = blocks.every((block) => block.length === 1);
  const mixture = plan.kind === 'mixture';
  return {
    spins: model.spins,
    order: mixture ? (sites ? 'one-site' : 'one-block') : 'in-order',
    blocks,
    stepsPerSweep: mixture ? blocks.length : 1,
    ...adjacency(model, 2),
  };
}

function freeSpins(spins: number, clamped: readonly number[]): Uint8Array {
  const free = new Uint8Array(spins).fill(1);
  clamped.forEach((i, k) => {
    if (!Number.isInteger(i) || i < 0 || i >= spins || free[i] === 0) {
      throw new InputError({
        field: `clamped[${k}]`,
        expected: `a spin index from 0 to ${spins - 1} not listed before`,
        got: show(i),
        remedy: 'list each clamped spin once, counted from 0',
      });
    }
    free[i] = 0;
  });
  if (clamped.length < spins) return free;
  throw new InputError({
    field: 'clamped',
    expected: 'a list that leaves at least one spin free',
    got: `all ${spins} spins`,
    remedy: 'leave some spins out',
  });
}

function requireNoInsideEdges(
  { spins, edges }: Model,
  kernel: KernelName,
  blocks: readonly (readonly number[])[],
  free: Uint8Array,
): void {
  const home = new Int32Array(spins);
  blocks.forEach((block, c) => {
    for (const i of block) home[i] = c;
  });
  for (let a = 0; a < edges.length; a++) {
    const i = edges[a][0];
    const j = edges[a][1];
    if (home[i] !== home[j] || free[i] === 0 || free[j] === 0) continue;
    throw new UnsupportedError(
      `Sampling many chains at once under ${kernel}`,
      `spins ${i} and ${j} are coupled and in one block`,
      'use random-scan or palindrome, or blocks without inside edges',
    );
  }
}

/** Fields must be finite without beta too, which every chain has of its own. */
function requireFiniteFields({ theta }: Model): void {
  const sum = 2 * theta.reduce((total, value) => total + Math.abs(value), 0);
  if (Number.isFinite(sum)) return;
  throw new InputError({
    field: 'twice the sum of all parameters',
    expected: 'a finite number',
    got: show(sum),
    remedy: 'use smaller parameters and a larger beta',
  });
}

/** What each spin feels: biases, and the couplings to its neighbours in the order of the edges, times a factor. */
export function adjacency({ spins, edges, theta, biased }: Model, factor: number) {
  const first = new Int32Array(spins + 1);
  for (let a = 0; a < edges.length; a++) {
    first[edges[a][0] + 1]++;
    first[edges[a][1] + 1]++;
  }
  for (let i = 0; i < spins; i++) first[i + 1] += first[i];
  const next = first.slice(0, spins);
  const near = new Int32Array(2 * edges.length);
  const strength = new Float64Array(2 * edges.length);
  for (let a = 0; a < edges.length; a++) {
    const i = edges[a][0];
    const j = edges[a][1];
    near[next[i]] = j;
    strength[next[i]++] = factor * theta[a];
    near[next[j]] = i;
    strength[next[j]++] = factor * theta[a];
  }
  const bias = new Float64Array(spins);
  if (biased) for (let i = 0; i < spins; i++) bias[i] = factor * theta[edges.length + i];
  return { bias, first, near, strength };
}
