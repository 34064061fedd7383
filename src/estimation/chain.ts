import { UnsupportedError } from '../errors.js';
import { type KernelName, type Schedule, schedule } from '../kernel/kernels.js';
import type { Model } from '../model/model.js';
import { MAX_TABLE_BITS } from '../model/state-space.js';
import { type Conditionals, conditionals } from './conditionals.js';
import type { RandomSource } from './random.js';

/** A Markov chain on the spins of a model, with the semantics of the kernel's operator: `step` is one kernel step. */
export interface Chain {
  /** The current spins, -1 or +1. */
  readonly spins: Int8Array;
  step(): void;
}

/** A chain at the given spins, which it owns from then on. Throws {@link UnsupportedError} for a block of many spins with inside edges. */
export function chain(model: Model, kernel: KernelName, random: RandomSource, spins: Int8Array): Chain {
  const laws = conditionals(model);
  const logOdds = (i: number) => laws.logOdds(i, spins);
  const plan = schedule(model, kernel);
  const coupled = plan.kind === 'metropolis' ? new Set() : coupledBlocks(plan.blocks, laws);
  const resample = (block: readonly number[]) => {
    if (coupled.has(block)) resampleJointly(block, spins, logOdds, random);
    else for (const i of block) spins[i] = random.uniform() * (1 + Math.exp(-logOdds(i))) < 1 ? 1 : -1;
  };
  return { spins, step: stepOf(plan, resample, spins, logOdds, random) };
}

/** Spins of a block with inside edges, at most: its draw visits as many configurations as a table has states. */
const MAX_COUPLED_BLOCK = MAX_TABLE_BITS;

/** The blocks that have inside edges. Throws {@link UnsupportedError} where one of them is too large to be drawn jointly. */
function coupledBlocks(blocks: readonly (readonly number[])[], laws: Conditionals): Set<readonly number[]> {
  const coupled = blocks.filter(laws.coupled);
  const large = coupled.find(({ length }) => length > MAX_COUPLED_BLOCK);
  if (large === undefined) return new Set(coupled);
  throw new UnsupportedError(
    `A joint draw of a block of ${large.length} spins with edges inside`,
    `it visits 2^${large.length} configurations and the limit is 2^${MAX_COUPLED_BLOCK}`,
    'choose blocks without inside edges, or random-scan',
  );
}

/** One step of a kernel: a random block, all blocks in sequence, or one proposal of Metropolis. */
function stepOf(
  plan: Schedule,
  resample: (block: readonly number[]) => void,
  spins: Int8Array,
  logOdds: (i: number) => number,
  random: RandomSource,
): () => void {
  switch (plan.kind) {
    case 'mixture': {
      const { blocks } = plan;
      return () => resample(blocks[blocks.length === 1 ? 0 : random.integer(blocks.length)]);
    }
    case 'product':
      return () => {
        for (const block of plan.blocks) resample(block);
      };
    case 'metropolis':
      return () => {
        const i = random.integer(plan.spins);
        // Flipping takes the log weight from x log_odds / 2 to minus that.
        if (random.uniform() < Math.exp(-spins[i] * logOdds(i))) spins[i] = spins[i] > 0 ? -1 : 1;
      };
  }
  return plan satisfies never;
}

/** Draws a block with inside edges from its joint conditional law, by visiting its configurations in Gray-code order. */
function resampleJointly(
  block: readonly number[],
  spins: Int8Array,
  logOdds: (i: number) => number,
  random: RandomSource,
): void {
  const count = 2 ** block.length;
  const logWeights = new Float64Array(count);
  for (const i of block) spins[i] = -1;
  let configuration = 0;
  let logWeight = 0;
  let top = 0;
  for (let step = 1; step < count; step++) {
    const k = 31 - Math.clz32(step & -step);
    configuration ^= 1 << k;
    const up = (configuration >> k) & 1;
    logWeight += up ? logOdds(block[k]) : -logOdds(block[k]);
    spins[block[k]] = up ? 1 : -1;
    logWeights[configuration] = logWeight;
    top = Math.max(top, logWeight);
  }
  let total = 0;
  for (let c = 0; c < count; c++) total += Math.exp(logWeights[c] - top);
  let left = random.uniform() * total;
  let drawn = 0;
  for (; drawn < count - 1; drawn++) {
    left -= Math.exp(logWeights[drawn] - top);
    if (left < 0) break;
  }
  block.forEach((i, k) => {
    spins[i] = (drawn >> k) & 1 ? 1 : -1;
  });
}
