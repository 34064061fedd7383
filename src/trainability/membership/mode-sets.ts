import type { EigenvalueGroup, WeightedEigenvalue } from '../../spectrum/groups.js';

/** Thresholds of section 4. */
export interface ModeThresholds {
  /** A group is relevant when its weight is at least this share of the total. */
  readonly epsilon: number;
  /** The slow cluster reaches to this multiple of the slowest relevant group's `1 - s`. */
  readonly kappa: number;
}

export const DEFAULT_THRESHOLDS: ModeThresholds = { epsilon: 1e-3, kappa: 2.5 };

/** All membership rules. */
export const MEMBERSHIP_RULES = ['relevance', 'window'] as const;
/** How modes are chosen (section 4): `relevance` by weight, `M_O`; `window` by position in the spectrum, `C*`. */
export type MembershipRule = (typeof MEMBERSHIP_RULES)[number];

/** Positions in the list of groups, slowest first. Both sets are empty where no observable fluctuates. */
export interface ModeSets {
  /** `M_O`: by weight. */
  readonly relevant: readonly number[];
  /** `C*`: by position in the spectrum, anchored at the slowest relevant group. */
  readonly slowCluster: readonly number[];
}

/** Which groups count (section 4); membership is decided per group, never per mode. `total` is the weight of all groups, where not all of them are given. */
export function modeSets(
  groups: readonly EigenvalueGroup[],
  thresholds: ModeThresholds,
  total = groups.reduce((sum, group) => sum + group.weight, 0),
): ModeSets {
  const positions = groups.map((_, k) => k);
  const relevant = positions.filter((k) => total > 0 && groups[k].weight >= thresholds.epsilon * total);
  if (relevant.length === 0) return { relevant, slowCluster: [] };
  const edge = thresholds.kappa * groups[relevant[0]].gap;
  return { relevant, slowCluster: positions.filter((k) => groups[k].gap <= edge) };
}

/** A set of modes as a value: the spectrum that it was decided on, slowest first, and what is in it. */
export interface ModeSet {
  /** How it was decided. */
  readonly rule: MembershipRule;
  /** With which thresholds. */
  readonly thresholds: ModeThresholds;
  /** Single eigenvalues. */
  readonly levels: readonly WeightedEigenvalue[];
  /** The groups that they form, slowest first; `members` of a group index the levels. */
  readonly groups: readonly EigenvalueGroup[];
  /** Positions of the groups in the set. */
  readonly inside: readonly number[];
  /** Position of the slowest relevant group, whose eigenvalue is `s_1`; null where no observable fluctuates. */
  readonly anchor: number | null;
}

/** Decides a rule on a spectrum. */
export function modeSet(
  { levels, groups }: Pick<ModeSet, 'levels' | 'groups'>,
  rule: MembershipRule,
  thresholds: ModeThresholds = DEFAULT_THRESHOLDS,
): ModeSet {
  const { relevant, slowCluster } = modeSets(groups, thresholds);
  return {
    rule,
    thresholds,
    levels,
    groups,
    inside: rule === 'window' ? slowCluster : relevant,
    anchor: relevant[0] ?? null,
  };
}

/** Indices of the set's levels. */
export function levelsInside({ groups, inside }: ModeSet): readonly number[] {
  return inside.flatMap((k) => groups[k].members);
}

/**
 * Which modes of the sorted spectrum are inside, as text: `3+2-1+` says that the three slowest are, the next two are not and the one after is. Two sets
 * along a path are the same where these are the same and no mode inside has crossed one outside in between.
 */
export function membership({ groups, inside }: Pick<ModeSet, 'groups' | 'inside'>): string {
  const isInside = new Set(inside);
  const runs: { count: number; sign: string }[] = [];
  groups.forEach(({ multiplicity }, k) => {
    const sign = isInside.has(k) ? '+' : '-';
    const last = runs[runs.length - 1];
    if (last?.sign === sign) last.count += multiplicity;
    else runs.push({ count: multiplicity, sign });
  });
  return runs.map(({ count, sign }) => `${count}${sign}`).join('');
}

/** Whether two sets hold the same modes of the sorted spectrum. */
export function sameMembership(a: ModeSet, b: ModeSet): boolean {
  return membership(a) === membership(b);
}
