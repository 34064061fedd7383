import { type KernelName, type SampledObjective, sampledObjective } from 'htdml';

/** How far and how often {@link contrastiveDivergence} walks. */
export interface ContrastiveDivergenceOptions {
  /** The kernel that moves the chains; `alternating-block` on an RBM is Hinton's. */
  readonly kernel: KernelName;
  /** Kernel steps from the data to the sample, at least 1. */
  readonly k: number;
  /** Independent chains, each from a fresh draw of the data. */
  readonly chains: number;
}

/**
 * CD-k (Hinton 2002): chains start at the data, hidden spins at their posterior, and are seen once, after `k` kernel steps: (2.4) with `B = k - 1`, `K = 1`
 * and the start `data`. Biased, since a chain forgets the data only as `k` grows; A1 holds, parameters are fixed while the chains run. Costs `k` steps per
 * chain. Throws `InputError` for an option out of range.
 */
export function contrastiveDivergence({ kernel, k, chains }: ContrastiveDivergenceOptions): SampledObjective {
  return sampledObjective('contrastiveDivergence', {
    kernel,
    start: 'data',
    persistent: false,
    burnIn: k - 1,
    window: 1,
    chains,
  });
}
