import type { EigenvalueGroup } from '../spectrum/groups.js';

/** Thresholds of section 4. */
export interface ModeThresholds {
  /** A group is relevant when its weight is at least this share of the total. */
  readonly epsilon: number;
  /** The slow cluster reaches to this multiple of the slowest relevant group's `1 - s`. */
  readonly kappa: number;
}

export const DEFAULT_THRESHOLDS: ModeThresholds = { epsilon: 1e-3, kappa: 2.5 };

/** Positions in the list of groups, slowest first. Both sets are empty where no observable fluctuates. */
export interface ModeSets {
  /** `M_O`: by weight. */
  readonly relevant: readonly number[];
  /** `C*`: by position in the spectrum, anchored at the slowest relevant group. */
  readonly slowCluster: readonly number[];
}

/** Which groups count (section 4); membership is decided per group, never per mode. */
export function modeSets(groups: readonly EigenvalueGroup[], thresholds: ModeThresholds): ModeSets {
  const total = groups.reduce((sum, group) => sum + group.weight, 0);
  const positions = groups.map((_, k) => k);
  const relevant = positions.filter((k) => total > 0 && groups[k].weight >= thresholds.epsilon * total);
  if (relevant.length === 0) return { relevant, slowCluster: [] };
  const edge = thresholds.kappa * groups[relevant[0]].gap;
  return { relevant, slowCluster: positions.filter((k) => groups[k].gap <= edge) };
}
