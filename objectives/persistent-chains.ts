import { type KernelName, type SampledObjective, type Start, sampledObjective } from 'htdml';

/** The chains of {@link persistentChains}. */
export interface PersistentChainsOptions {
  /** The kernel that moves the chains. */
  readonly kernel: KernelName;
  /** Steps of every chain that an estimate averages, at least 1. */
  readonly window: number;
  /** Independent chains. */
  readonly chains: number;
  /** Law of the very first states; default `data`. */
  readonly start?: Start | undefined;
}

/**
 * Persistent contrastive divergence (Tieleman 2008): each estimate averages the next `window` steps of chains that are never restarted (2.4, `B = 0`).
 * Outside A1: the chains carry states of earlier parameters, so `R` (2.5) at the present ones does not describe the estimate, and its bias depends on how fast
 * the parameters move. At fixed parameters the bias dies out. Throws `InputError` for an option out of range.
 */
export function persistentChains(options: PersistentChainsOptions): SampledObjective {
  const { kernel, window, chains, start = 'data' } = options;
  return sampledObjective('persistentChains', { kernel, start, persistent: true, burnIn: 0, window, chains });
}
