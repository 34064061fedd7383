import { InputError, show, UnsupportedError } from '../../errors.js';
import { type KernelName, requireReversible } from '../../kernel/kernels.js';
import type { Model } from '../../model/model.js';

/** Replicas of more betas than this are refused. */
export const MAX_REPLICAS = 256;

/** What {@link replicaLadder} makes a ladder of. */
export interface LadderOptions {
  /** Of the replicas, at least two, strictly increasing from a hottest one of at least 0 to the model's own, which stands last. */
  readonly betas: ArrayLike<number>;
  /** The reversible kernel that moves every replica at its own beta. */
  readonly kernel: KernelName;
  /** Sweeps of that kernel in one local move; 1 by default. */
  readonly sweeps?: number | undefined;
}

/**
 * Copies of one model at several inverse temperatures, with law `prod_k exp(-beta_k E(x_k)) / Z_k`, and what moves them: the local moves `L` and the swaps `S` of
 * the kernel `tempering`, `(1/2)(L S + S L)`. The sampler and the exact operator both take laws, energies and acceptances from here, so they cannot differ.
 */
export interface ReplicaLadder {
  /** The model whose law is wanted, that of the last replica. */
  readonly model: Model;
  /** From the hottest to the model's own. */
  readonly betas: Float64Array;
  /** Of the local move. */
  readonly kernel: KernelName;
  /** Of that kernel in one local move. */
  readonly sweeps: number;
  /** A swap tries one of these sets of pairs, each set as likely as another: replicas `k` and `k + 1` for every `k` of it. */
  readonly pairings: readonly (readonly number[])[];
  /** The model at the beta of replica `k`, which may be 0. */
  replica(k: number): Model;
  /** `E(x)` (2.1), the same for all replicas. */
  energy(spins: ArrayLike<number>): number;
  /** Probability `min(1, exp((beta_k - beta_(k+1)) (E_k - E_(k+1))))` that replicas `k` and `k + 1` of these energies swap their spins. */
  acceptance(k: number, energy: number, nextEnergy: number): number;
}

/** Throws {@link InputError} for betas out of order or range, and ReversibilityError for a kernel that is not reversible. */
export function replicaLadder(model: Model, options: LadderOptions): ReplicaLadder {
  const { kernel, sweeps = 1 } = options;
  const betas = Float64Array.from(options.betas);
  checkBetas(model, betas);
  checkLocal(kernel, sweeps);
  const energy = energyFunction(model);
  const pairs = Array.from({ length: betas.length - 1 }, (_, k) => k);
  return {
    model,
    betas,
    kernel,
    sweeps,
    pairings: [0, 1].map((parity) => pairs.filter((k) => k % 2 === parity)).filter((set) => set.length > 0),
    replica: (k) => ({ ...model, beta: betas[k] }),
    energy,
    acceptance: (k, own, next) => Math.min(1, Math.exp((betas[k] - betas[k + 1]) * (own - next))),
  };
}

/** Refuses what is no local move. */
export function checkLocal(kernel: KernelName, sweeps: number): void {
  requireReversible(kernel, 'A local move of replicas');
  if (Number.isSafeInteger(sweeps) && sweeps >= 1) return;
  throw new InputError({
    field: 'sweeps',
    expected: 'a whole number of at least 1',
    got: show(sweeps),
    remedy: 'give the sweeps of one local move, 1 by default',
  });
}

function checkBetas(model: Model, betas: Float64Array): void {
  const last = betas.length - 1;
  const refuse = (k: number, expected: string, remedy: string) =>
    new InputError({ field: `betas[${k}]`, expected, got: show(betas[k]), remedy });
  if (last < 1) {
    throw new InputError({
      field: 'betas',
      expected: 'a list of at least two inverse temperatures',
      got: `${betas.length}`,
      remedy: 'add hotter ones, or sample without replicas',
    });
  }
  if (betas.length > MAX_REPLICAS) {
    throw new UnsupportedError(
      `A ladder of ${betas.length} replicas`,
      `the limit is ${MAX_REPLICAS}`,
      'use fewer betas, further apart',
    );
  }
  betas.forEach((beta, k) => {
    if (!Number.isFinite(beta) || beta < 0) {
      throw refuse(k, 'a finite number of at least 0', 'give inverse temperatures, 0 for independent spins');
    }
    if (k > 0 && beta <= betas[k - 1]) {
      throw refuse(k, `above the one before it, ${betas[k - 1]}`, 'list betas from the hottest to the coldest');
    }
  });
  if (betas[last] !== model.beta) {
    throw refuse(last, `the model's own, ${model.beta}`, 'let the ladder end at the law that is wanted');
  }
}

/** `E(x)` (2.1) of spins -1 or +1: the couplings gathered by their first spin, whose sign then multiplies a sum. */
export function energyFunction({ edges, theta, biased, spins: count }: Model): (spins: ArrayLike<number>) => number {
  const order = edges.map((_, a) => a).sort((a, b) => edges[a][0] - edges[b][0]);
  const near = Int32Array.from(order, (a) => edges[a][1]);
  const couplings = Float64Array.from(order, (a) => theta[a]);
  const ends = new Int32Array(count);
  for (const [i] of edges) ends[i]++;
  for (let i = 1; i < count; i++) ends[i] += ends[i - 1];
  const biases = biased ? theta.subarray(edges.length) : new Float64Array(count);
  return (spins) => {
    let energy = 0;
    for (let i = 0, a = 0; i < count; i++) {
      let field = biases[i];
      for (; a < ends[i]; a++) field += couplings[a] * spins[near[a]];
      energy -= spins[i] * field;
    }
    return energy;
  };
}
