import type { ModeSet } from './mode-sets.js';

/**
 * How fast things can move along a direction, per unit of it: `matrix` bounds the spectral norm of the change of `A` (4.1), `observables` that of
 * `Y / |Y|`, `Y = sqrt(pi) fc` (D6): at most `beta` in the 1-norm of theta.
 */
export interface Rates {
  readonly matrix: number;
  readonly observables: number;
}

/** What a certificate is limited by: an eigenvalue near the window's edge, a weight near `epsilon`, two levels that are too near to tell apart, or a multiple eigenvalue that may split. */
export type CertificateLimit =
  | 'edge'
  | 'anchor-weight'
  | 'slower-weight'
  | 'weight'
  | 'gap'
  | 'multiplicity'
  | 'no-modes';

export interface CertifiedRadius {
  /** In units of the direction: within it the set provably does not change. Zero where nothing can be certified. */
  readonly radius: number;
  readonly limitedBy: CertificateLimit;
}

/**
 * The radius within which a set of modes provably stays the same set of the sorted spectrum (4.1, D6).
 *
 * `window`: let `G` be neighbouring modes that hold the anchor, with all slower ones together, `U`, below `epsilon`. While the share of `G` stays above `k epsilon`
 * for its `k` modes and that of `U` below `epsilon`, the anchor is a group within `G`; while no eigenvalue crosses the edges that the two ends of `G`
 * give, the cluster is the same. Eigenvalues move by at most the change of `A` (Weyl), shares by Davis and Kahan. The best `G` counts.
 *
 * `relevance`: every relevant group keeps its share above `epsilon` and the groups between them theirs below. A relevant group of several modes may split into
 * some that are not: there is no certificate for it.
 */
export function certifiedRadius(set: ModeSet, rates: Rates): CertifiedRadius {
  if (set.anchor === null) return { radius: 0, limitedBy: 'no-modes' };
  return set.rule === 'window' ? windowRadius(set, set.anchor, rates) : relevanceRadius(set, rates);
}

/** Eigenvalues are known to rounding, and groups are as wide as what joins them. */
function slack(gap: number): number {
  return 1e-6 * gap + 1e-12;
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

function windowRadius(set: ModeSet, anchor: number, rates: Rates): CertifiedRadius {
  const { groups, inside } = set;
  const { epsilon, kappa } = set.thresholds;
  const total = totalWeight(set);
  const last = inside[inside.length - 1];
  const inner = groups[last].gap;
  const outer = last + 1 < groups.length ? groups[last + 1].gap : Number.POSITIVE_INFINITY;
  let best: CertifiedRadius = { radius: 0, limitedBy: 'gap' };
  for (let from = 0; from <= anchor; from++) {
    const slower = from === 0 ? null : runOf(set, total, 0, from - 1);
    if (slower !== null && slower.share >= epsilon) break;
    for (let to = anchor; to <= last; to++) {
      const run = runOf(set, total, from, to);
      if (kappa * run.high >= outer) break;
      const edge =
        Math.min(kappa * run.low - inner, outer - kappa * run.high) - (1 + kappa) * slack(outer < 3 ? outer : inner);
      const radius = smallest([
        { radius: edge / ((1 + kappa) * rates.matrix), limitedBy: 'edge' },
        shareRadius(Math.sqrt(run.share) - Math.sqrt(run.modes * epsilon), run.distance, rates, 'anchor-weight'),
        ...(slower === null
          ? []
          : [shareRadius(Math.sqrt(epsilon) - Math.sqrt(slower.share), slower.distance, rates, 'slower-weight')]),
      ]);
      if (radius.radius > best.radius || best.radius === 0) best = radius;
    }
  }
  return { ...best, radius: Math.max(0, best.radius) };
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
 * The largest `x` with `b x + c x / (distance - c x) <= margin`, which bounds the change of the square root of a run's share (Davis and Kahan), and with
 * `2 c x <= distance`, so that the run is still the same one.
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
  // b c x^2 - (b distance + c + margin c) x + margin distance = 0, the smaller root without cancellation.
  const linear = b * distance + c + margin * c;
  const root =
    (2 * margin * distance) / (linear + Math.sqrt(Math.max(0, linear * linear - 4 * b * c * margin * distance)));
  const apart = distance / (2 * c);
  return root <= apart ? { radius: root, limitedBy: name } : { radius: apart, limitedBy: 'gap' };
}

function smallest(limits: readonly CertifiedRadius[]): CertifiedRadius {
  return limits.reduce((least, limit) => (limit.radius < least.radius ? limit : least));
}
