import type { ModeSets, ModeThresholds } from '../membership/mode-sets.js';
import type { SlowEnd } from './route.js';

/** Whether the slow cluster is all there: its anchor is known, and every mode up to its edge. */
export function isWindowKnown({ groups, clear }: SlowEnd, { relevant }: ModeSets, { kappa }: ModeThresholds): boolean {
  return relevant.length > 0 && kappa * groups[relevant[0]].gap < clear;
}

/** Whether no other group can be relevant: all weight that is left is less than a relevant group has. */
export function isRelevanceKnown({ groups, totalWeight }: SlowEnd, { epsilon }: ModeThresholds): boolean {
  return totalWeight - groups.reduce((sum, { weight }) => sum + weight, 0) < epsilon * totalWeight;
}
