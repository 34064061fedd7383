import type { ModeSet } from './mode-sets.js';
import type { MembershipChange } from './path-scan.js';
import type { Rates } from './rates.js';

/** All types of events. */
export const EVENT_TYPES = ['enters', 'leaves', 'slows-down', 'speeds-up', 'joins', 'splits', 'anchor'] as const;
/**
 * How a set of modes changes (section 4). Under `relevance` a group's weight crosses `epsilon` (`enters`, `leaves`); under `window` an eigenvalue crosses the edge
 * inwards or outwards (`slows-down`, `speeds-up`), or the anchor `s_1` changes hands because a weight crosses `epsilon` (`anchor`). Under both a group
 * merges with one on the other side (`joins`) or comes apart from it (`splits`).
 */
export type EventType = (typeof EVENT_TYPES)[number];

/** A change of the set of modes at one place of a path (section 4). */
export interface MembershipEvent {
  /** How the set changes. */
  readonly type: EventType;
  /** The path parameter, within the tolerance of the scan. */
  readonly at: number;
  /** The groups that change sides, as they are on the side where they are in the set; for `anchor` the old anchor and the new one. */
  readonly groups: readonly {
    /** `s`. */
    readonly eigenvalue: number;
    /** Dimension of its eigenspace. */
    readonly multiplicity: number;
    /** `mu` (2.6). */
    readonly weight: number;
  }[];
  /** By how much `log R_hat` of the set jumps, from before to after; null where it has no finite value on one side. */
  readonly jumpLogRhat: number | null;
}

/** `T_C` of a set (3.1). */
export function setTimescale({ groups, inside }: ModeSet): number {
  return inside.reduce((sum, k) => sum + groups[k].weight * (1 / groups[k].gap - 0.5), 0);
}

/** The events that make up one change. `rates` bound how far an eigenvalue can have moved between the two points. */
export function eventsOf(change: MembershipChange, rates: Rates): MembershipEvent[] {
  const { before, after } = change;
  const named =
    before.set.rule === 'window'
      ? [windowEvent(before.set, after.set, moved(change, rates))]
      : relevanceEvents(before.set, after.set);
  const jump = Math.log(setTimescale(before.set)) - Math.log(setTimescale(after.set));
  return named.map(({ type, groups }) => ({
    type,
    at: (before.at + after.at) / 2,
    groups: groups.map(({ gap, multiplicity, weight }) => ({ eigenvalue: 1 - gap, multiplicity, weight })),
    jumpLogRhat: Number.isFinite(jump) ? jump : null,
  }));
}

type Group = ModeSet['groups'][number];

interface Named {
  readonly type: EventType;
  readonly groups: readonly Group[];
}

/** How far an eigenvalue can have moved between two points. */
function moved({ before, after }: MembershipChange, rates: Rates): number {
  return rates.matrix * (after.at - before.at) + 64 * Number.EPSILON;
}

function windowEvent(a: ModeSet, b: ModeSet, reach: number): Named {
  const [oldAnchor, newAnchor] = [
    a.anchor === null ? null : a.groups[a.anchor],
    b.anchor === null ? null : b.groups[b.anchor],
  ];
  // A level that crosses the anchor takes its place in the order without changing s_1.
  if (
    oldAnchor === null ||
    newAnchor === null ||
    Math.abs(newAnchor.gap - oldAnchor.gap) > 2 * reach + 1e-7 * oldAnchor.gap
  ) {
    return { type: 'anchor', groups: [oldAnchor, newAnchor].filter((group) => group !== null) };
  }
  const [inA, inB] = [count(a), count(b)];
  const grows = inB > inA;
  const [from, to] = [Math.min(inA, inB), Math.max(inA, inB)];
  const { kappa } = a.thresholds;
  const slow = (set: ModeSet, anchor: Group) => ownGaps(set, from, to).every((gap) => gap <= kappa * anchor.gap);
  const fast = (set: ModeSet, anchor: Group) => ownGaps(set, from, to).every((gap) => gap > kappa * anchor.gap);
  const groups = groupsOver(grows ? b : a, from, to);
  // By themselves the modes were on the one side before and are on the other after; otherwise it is their groups that decide.
  const wasThere = grows ? fast(a, oldAnchor) : slow(a, oldAnchor);
  const isHere = grows ? slow(b, newAnchor) : fast(b, newAnchor);
  if (!wasThere) return { type: 'splits', groups };
  if (!isHere) return { type: 'joins', groups };
  return { type: grows ? 'slows-down' : 'speeds-up', groups };
}

function relevanceEvents(a: ModeSet, b: ModeSet): Named[] {
  const [flagsA, flagsB] = [flags(a), flags(b)];
  const length = Math.max(flagsA.length, flagsB.length);
  const events: Named[] = [];
  for (let i = 0; i < length; ) {
    const [was, is] = [flagsA[i] ?? false, flagsB[i] ?? false];
    if (was === is) {
      i++;
      continue;
    }
    let end = i + 1;
    while (end < length && (flagsA[end] ?? false) === was && (flagsB[end] ?? false) === is) end++;
    const [old, now] = [groupsOver(a, i, end), groupsOver(b, i, end)];
    const [sizeOld, sizeNow] = [old, now].map((list) => list.reduce((sum, group) => sum + group.multiplicity, 0));
    const groups = is ? now : old;
    if (old.length === now.length && sizeOld === sizeNow) events.push({ type: is ? 'enters' : 'leaves', groups });
    else events.push({ type: sizeNow > sizeOld || now.length < old.length ? 'joins' : 'splits', groups });
    i = end;
  }
  return swapped(events);
}

/** A member and a non-member that change places within the tolerance have merged and come apart. */
function swapped(events: Named[]): Named[] {
  return events.flatMap((event, k) => {
    const near = (other: Named | undefined) =>
      other !== undefined &&
      ((event.type === 'enters' && other.type === 'leaves') || (event.type === 'leaves' && other.type === 'enters')) &&
      Math.abs(event.groups[0].gap - other.groups[0].gap) <= 1e-6 * event.groups[0].gap;
    if (near(events[k + 1])) return [{ type: 'joins' as const, groups: event.groups }];
    if (near(events[k - 1])) return [{ type: 'splits' as const, groups: event.groups }];
    return [event];
  });
}

/** Modes inside, which under `window` are the slowest ones. */
function count({ groups, inside }: ModeSet): number {
  return inside.reduce((sum, k) => sum + groups[k].multiplicity, 0);
}

/** Per mode of the sorted spectrum, up to the last one inside, whether it is. */
function flags(set: ModeSet): boolean[] {
  const isInside = new Set(set.inside);
  const last = set.inside[set.inside.length - 1] ?? -1;
  return set.groups
    .slice(0, last + 1)
    .flatMap(({ multiplicity }, k) => Array.from({ length: multiplicity }, () => isInside.has(k)));
}

/** The groups that hold the modes from one index to another. */
function groupsOver({ groups }: ModeSet, from: number, to: number): Group[] {
  let start = 0;
  return groups.filter(({ multiplicity }) => {
    const end = start + multiplicity;
    const over = start < to && end > from;
    start = end;
    return over;
  });
}

/** The modes' own gaps, by their levels and not their groups. */
function ownGaps(set: ModeSet, from: number, to: number): number[] {
  const sorted = set.groups.flatMap(({ members }) => members.map((j) => set.levels[j]));
  let start = 0;
  return sorted.flatMap(({ gap, multiplicity }) => {
    const end = start + multiplicity;
    const over = start < to && end > from;
    start = end;
    return over ? [gap] : [];
  });
}
