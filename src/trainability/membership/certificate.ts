import type { LevelBounds } from './level-motion.js';
import type { ModeSet } from './mode-sets.js';
import type { Rates } from './rates.js';

/** What a certificate is limited by: an eigenvalue near the window's edge, a weight near `epsilon`, two levels that are too near to tell apart, or a multiple eigenvalue that may split. */
export type CertificateLimit =
  | 'edge'
  | 'anchor-weight'
  | 'slower-weight'
  | 'weight'
  | 'gap'
  | 'multiplicity'
  | 'no-modes';

/** How far a set of modes is certified along a direction (4.1). */
export interface CertifiedRadius {
  /** In units of the direction: within it the set provably does not change. Zero where nothing can be certified. */
  readonly radius: number;
  /** What ends it. */
  readonly limitedBy: CertificateLimit;
}

/** Bounds on the eigenvalues of the groups' slowest and fastest modes along a direction, by group; sharper than Weyl's where modes are known. */
export interface GroupBounds {
  /** Of the smallest `1 - s` in a group, by its position in the set's list. */
  slowest(group: number): LevelBounds;
  /** Of the largest `1 - s` in it. */
  fastest(group: number): LevelBounds;
}

/**
 * The radius within which a set of modes provably stays the same set of the sorted spectrum (4.1, D6).
 *
 * `window`: let `G` be neighbouring modes that hold the anchor, with all slower ones together, `U`, below `epsilon`. While the share of `G` stays above `k epsilon`
 * for its `k` modes and that of `U` below `epsilon`, the anchor is a group within `G`; while no eigenvalue crosses the edges that the two ends of `G`
 * give, the cluster is the same; a single mode that is `G` and the fastest of the cluster is in its own window wherever it goes. Eigenvalues move by at most the change of `A` (Weyl), shares by Davis and Kahan. The best `G` counts.
 *
 * `relevance`: every relevant group keeps its share above `epsilon` and the groups between them theirs below. A relevant group of several modes may split into
 * some that are not: there is no certificate for it.
 */
export function certifiedRadius(set: ModeSet, rates: Rates, bounds: GroupBounds = weyl(set, rates)): CertifiedRadius {
  if (!(totalWeight(set) > 0)) return { radius: 0, limitedBy: 'no-modes' };
  // Where nothing is relevant both rules give the empty set, as long as nothing becomes relevant.
  if (set.anchor === null) return relevanceRadius(set, rates);
  return set.rule === 'window' ? windowRadius(set, set.anchor, rates, bounds) : relevanceRadius(set, rates);
}

/** Every eigenvalue moves by at most the change of the matrix. */
function weyl({ groups }: ModeSet, { matrix }: Rates): GroupBounds {
  const of = (k: number) => (t: number) => ({ low: groups[k].gap - matrix * t, high: groups[k].gap + matrix * t });
  return { slowest: of, fastest: of };
}

/** Eigenvalues are known to rounding, and groups are as wide as what joins them. */
const RELATIVE_SLACK = 1e-6;
const ABSOLUTE_SLACK = 1e-12;
/** Eigenvectors are known to this over the distance to the next eigenvalue. */
const ROUNDING = 1e-13;

function slack(gap: number): number {
  return RELATIVE_SLACK * gap + ABSOLUTE_SLACK;
}

/** A run of neighbouring groups: its ends, its modes, its share of the weight and its distance to the rest of the sector. */
interface Run {
  readonly low: number;
  readonly high: number;
  readonly modes: number;
  readonly share: number;
  readonly distance: number;
}

function runOf({ groups }: ModeSet, total: number, from: number, to: number): Run {
  let modes = 0;
  let share = 0;
  for (let k = from; k <= to; k++) {
    modes += groups[k].multiplicity;
    share += groups[k].weight / total;
  }
  const [low, high] = [groups[from].gap, groups[to].gap];
  const below = from > 0 ? low - groups[from - 1].gap : Number.POSITIVE_INFINITY;
  const above = to + 1 < groups.length ? groups[to + 1].gap - high : Number.POSITIVE_INFINITY;
  return { low, high, modes, share, distance: Math.min(below, above) - slack(high) };
}

function totalWeight({ groups }: ModeSet): number {
  return groups.reduce((sum, { weight }) => sum + weight, 0);
}

function windowRadius(set: ModeSet, anchor: number, rates: Rates, bounds: GroupBounds): CertifiedRadius {
  const { groups, inside } = set;
  const { epsilon, kappa } = set.thresholds;
  const total = totalWeight(set);
  const last = inside[inside.length - 1];
  const inner = bounds.fastest(last);
  const outer = last + 1 < groups.length ? bounds.slowest(last + 1) : null;
  let best: CertifiedRadius = { radius: 0, limitedBy: 'gap' };
  for (let from = 0; from <= anchor; from++) {
    const slower = from === 0 ? null : runOf(set, total, 0, from - 1);
    if (slower !== null && slower.share >= epsilon) break;
    for (let to = anchor; to <= last; to++) {
      const run = runOf(set, total, from, to);
      const shares = smallest([
        shareRadius(Math.sqrt(run.share) - Math.sqrt(run.modes * epsilon), run.distance, rates, 'anchor-weight'),
        ...(slower === null
          ? []
          : [shareRadius(Math.sqrt(epsilon) - Math.sqrt(slower.share), slower.distance, rates, 'slower-weight')]),
      ]);
      if (shares.radius <= best.radius) continue;
      const [slow, fast] = [bounds.slowest(from), bounds.fastest(to)];
      const isOwnEdge = from === last && run.modes === 1;
      const edge = lastBefore(shares.radius, (t) => {
        const inwards = isOwnEdge ? Number.POSITIVE_INFINITY : apart(inner(t).high, kappa * slow(t).low, kappa);
        return outer === null ? inwards : Math.min(inwards, apart(kappa * fast(t).high, outer(t).low, kappa));
      });
      if (edge > best.radius) best = edge < shares.radius ? { radius: edge, limitedBy: 'edge' } : shares;
    }
  }
  if (best.radius > 0) return best;
  // Nothing could be certified: say whether the eigenvalues or the weights are in the way.
  const edge = kappa * groups[anchor].gap;
  const near = groups.some(({ gap }) => !(apart(Math.min(gap, edge), Math.max(gap, edge), kappa) > 0));
  return { radius: 0, limitedBy: near ? 'edge' : best.limitedBy };
}

/** How far one bound is below another, less what rounding and joining can take of that. */
function apart(low: number, high: number, kappa: number): number {
  return high * (1 - RELATIVE_SLACK) - low - (1 + kappa) * ABSOLUTE_SLACK;
}

/** A step beyond which nothing is asked: no path is longer. */
const LONGEST = 1e3;

/** The largest `t` up to `limit` with `f >= 0` on `[0, t]`, from below, for an `f` that falls once it is negative. */
function lastBefore(limit: number, f: (t: number) => number): number {
  if (!(f(0) > 0)) return 0;
  let high = Math.min(limit, LONGEST);
  if (f(high) >= 0) return high;
  let low = 0;
  // Bisection in the exponent first, so that a tiny radius keeps its digits.
  for (let k = 0; k < 60 && f(high / 4) < 0; k++) high /= 4;
  for (let k = 0; k < 30; k++) {
    const middle = (low + high) / 2;
    if (f(middle) >= 0) low = middle;
    else high = middle;
  }
  return low;
}

function relevanceRadius(set: ModeSet, rates: Rates): CertifiedRadius {
  const { groups, inside } = set;
  const { epsilon } = set.thresholds;
  const total = totalWeight(set);
  const isInside = new Set(inside);
  const limits: CertifiedRadius[] = [];
  for (let from = 0; from < groups.length; ) {
    if (isInside.has(from)) {
      if (groups[from].multiplicity > 1) return { radius: 0, limitedBy: 'multiplicity' };
      const { share, distance } = runOf(set, total, from, from);
      limits.push(shareRadius(Math.sqrt(share) - Math.sqrt(epsilon), distance, rates, 'weight'));
      from++;
      continue;
    }
    let to = from;
    while (to + 1 < groups.length && !isInside.has(to + 1)) to++;
    // Together below epsilon they stay so whatever they do among themselves; else each must stay by itself, in groups that do not split.
    const together = runOf(set, total, from, to);
    if (together.share < epsilon) {
      limits.push(shareRadius(Math.sqrt(epsilon) - Math.sqrt(together.share), together.distance, rates, 'weight'));
    } else {
      for (let k = from; k <= to; k++) {
        const { share, distance } = runOf(set, total, k, k);
        limits.push(shareRadius(Math.sqrt(epsilon) - Math.sqrt(share), distance, rates, 'weight'));
      }
    }
    from = to + 1;
  }
  const least = smallest(limits);
  return { ...least, radius: Math.max(0, least.radius) };
}

/**
 * The largest `x` with `b x + c x / (distance - c x) <= margin`, which bounds the change of the square root of a run's share, and with `2 c x <= distance`, so
 * that the run is still the same one.
 *
 * `c x / (distance - c x)` is the angle to the rest of the sector (Davis and Kahan). `Y / |Y|`, which has no part along `psi = sqrt(pi)`, turns by at most `b x / 2`,
 * since `dY = l Y / 2` up to the sign of its part along `psi` and `l = d log pi` has the range `2 b`. What the new `psi'` takes of `Y` is at most the product of its overlaps with the run,
 * below 1, and with `Y / |Y|`, again at most `b x / 2`. Together `b x`.
 */
function shareRadius(
  margin: number,
  distance: number,
  { matrix: c, observables: b }: Rates,
  name: CertificateLimit,
): CertifiedRadius {
  if (!(margin > 0)) return { radius: 0, limitedBy: name };
  if (!(distance > 0)) return { radius: 0, limitedBy: 'gap' };
  if (distance === Number.POSITIVE_INFINITY) {
    // All modes there are: their share cannot change.
    return { radius: Number.POSITIVE_INFINITY, limitedBy: name };
  }
  const known = margin - ROUNDING * (1 + 1 / distance);
  if (!(known > 0)) return { radius: 0, limitedBy: 'gap' };
  // b c x^2 - (b distance + c + margin c) x + margin distance = 0, the smaller root without cancellation.
  const linear = b * distance + c + known * c;
  const root =
    (2 * known * distance) / (linear + Math.sqrt(Math.max(0, linear * linear - 4 * b * c * known * distance)));
  // Slightly less than half, since what joins two eigenvalues grows with them.
  const halfway = distance / ((2 + RELATIVE_SLACK) * c);
  return root <= halfway ? { radius: root, limitedBy: name } : { radius: halfway, limitedBy: 'gap' };
}

function smallest(limits: readonly CertifiedRadius[]): CertifiedRadius {
  return limits.reduce((least, limit) => (limit.radius < least.radius ? limit : least));
}
