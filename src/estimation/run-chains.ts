import type { KernelName } from '../kernel/kernels.js';
import type { Model } from '../model/model.js';
import { chain } from './chain.js';
import type { RandomSource } from './random.js';
import type { StartSampler } from './start-sampler.js';

/** Independent chains of a kernel: `burnIn` steps unseen, then `window` steps (2.4). */
export interface ChainPlan {
  /** The kernel that moves every chain. */
  readonly kernel: KernelName;
  /** `B` (2.4), kernel steps that are run unseen, at least 0. */
  readonly burnIn: number;
  /** `K` (2.4), kernel steps of each chain that are seen, at least 1. */
  readonly window: number;
  /** `M` (2.4), independent chains. */
  readonly chains: number;
}

/** What sees the spins after each step of the window: step `t` of chain `m`, both from 0. The array is the chain's own and changes with the next step. */
export type Visit = (spins: Int8Array, t: number, m: number) => void;

/** Runs the chains one after another, each from a draw of its start. */
export function runChains(model: Model, plan: ChainPlan, draw: StartSampler, random: RandomSource, visit: Visit): void {
  const { spins, step } = chain(model, plan.kernel, random, new Int8Array(model.spins));
  for (let m = 0; m < plan.chains; m++) {
    draw(random, spins);
    for (let t = 0; t < plan.burnIn; t++) step();
    for (let t = 0; t < plan.window; t++) {
      step();
      visit(spins, t, m);
    }
  }
}
