import { ReversibilityError } from '../errors.js';
import type { Boltzmann } from '../model/boltzmann.js';
import type { Model } from '../model/model.js';
import { MetropolisKernel } from './metropolis-kernel.js';
import { MixtureKernel } from './mixture-kernel.js';
import type { KernelOperator } from './operator.js';
import { ProductKernel } from './product-kernel.js';

/** How a kernel uses its blocks: one of them per step, or all of them in sequence. Metropolis proposes one spin per step. */
export type Schedule =
  | { readonly kind: 'mixture'; readonly blocks: readonly (readonly number[])[] }
  | { readonly kind: 'product'; readonly blocks: readonly (readonly number[])[] }
  | { readonly kind: 'metropolis'; readonly spins: number };

/**
 * Every kernel of section 2 for models on a table: whether it is reversible, whether it has derivatives, and whether an RBM under it is also
 * solved factored, on one of its layers (D4).
 */
export const KERNELS = {
  'random-scan': { reversible: true, differentiable: true, factored: false },
  'random-block': { reversible: true, differentiable: true, factored: true },
  palindrome: { reversible: true, differentiable: true, factored: false },
  'palindrome-block': { reversible: true, differentiable: true, factored: true },
  metropolis: { reversible: true, differentiable: false, factored: false },
  'alternating-block': { reversible: false, differentiable: true, factored: true },
} as const;

/** Name of a kernel, as in options and SPECs. */
export type KernelName = keyof typeof KERNELS;
/** All kernels, in the order in which they are listed everywhere. */
export const KERNEL_NAMES = Object.keys(KERNELS) as readonly KernelName[];

/** The kernels under which an RBM is solved on one layer. */
export type FactoredKernel = {
  [K in KernelName]: (typeof KERNELS)[K]['factored'] extends true ? K : never;
}[KernelName];
export const FACTORED_KERNELS = KERNEL_NAMES.filter(isFactored);

export function isFactored(kernel: KernelName): kernel is FactoredKernel {
  return KERNELS[kernel].factored;
}

export function schedule(model: Model, kernel: KernelName): Schedule {
  const sites = () => Array.from({ length: model.spins }, (_, i) => [i]);
  switch (kernel) {
    case 'random-scan':
      return { kind: 'mixture', blocks: sites() };
    case 'random-block':
      return { kind: 'mixture', blocks: model.blocks };
    case 'palindrome':
      return { kind: 'product', blocks: thereAndBack(sites()) };
    case 'palindrome-block':
      return { kind: 'product', blocks: thereAndBack(model.blocks) };
    case 'alternating-block':
      return { kind: 'product', blocks: model.blocks };
    case 'metropolis':
      return { kind: 'metropolis', spins: model.spins };
  }
  return kernel satisfies never;
}

/** Kernel steps that visit every spin once (twice, but for the last block, in a palindrome). */
export function stepsPerSweep(model: Model, kernel: KernelName): number {
  const plan = schedule(model, kernel);
  switch (plan.kind) {
    case 'mixture':
      return plan.blocks.length;
    case 'product':
      return 1;
    case 'metropolis':
      return plan.spins;
  }
  return plan satisfies never;
}

/** The kernel as an operator; `sector` -1 on odd functions of the global flip, where the law's space is folded. */
export function createKernel(law: Boltzmann, model: Model, kernel: KernelName, sector: 1 | -1 = 1): KernelOperator {
  const plan = schedule(model, kernel);
  switch (plan.kind) {
    case 'mixture':
      return new MixtureKernel(law, plan.blocks, sector);
    case 'product':
      return ProductKernel.of(law, plan.blocks, sector);
    case 'metropolis':
      return new MetropolisKernel(law, sector);
  }
  return plan satisfies never;
}

/** Refuses what needs the modes of a kernel that has none in general. */
export function requireReversible(kernel: KernelName, what: string): void {
  if (!KERNELS[kernel].reversible) throw new ReversibilityError(what, kernel);
}

function thereAndBack<T>(list: readonly T[]): T[] {
  return [...list, ...list.slice(0, -1).reverse()];
}
