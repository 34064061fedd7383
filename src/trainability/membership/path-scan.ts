import { ConvergenceError } from '../../errors.js';
import { type ModeSet, membership } from './mode-sets.js';

/** A point of a path, `at` from 0 to 1, and the set there. */
export interface PathPoint {
  readonly at: number;
  readonly set: ModeSet;
}

/** Two points no further apart than the tolerance, between which the set changes. */
export interface MembershipChange {
  readonly before: PathPoint;
  readonly after: PathPoint;
}

export interface PathScan {
  /** The points that were looked at, in order. */
  readonly points: readonly PathPoint[];
  readonly changes: readonly MembershipChange[];
  /**
   * Where the certificate says nothing and the ends agree, or beside a change that was found: a set that changes and changes back within one of these could have
   * been missed. Everywhere else the set provably is the one at the nearest point.
   */
  readonly uncertified: readonly (readonly [number, number])[];
}

/** A set, and how far along the path in either direction it provably is the same: worked out when asked for. */
export interface CertifiedSet {
  readonly set: ModeSet;
  readonly radii: () => { readonly forwards: number; readonly backwards: number };
}

export interface ScanOptions {
  /** Shorter intervals are not certified but looked at from their ends. */
  readonly resolution?: number;
  /** To this the places of changes are bisected. */
  readonly tolerance?: number;
  readonly maxEvaluations?: number;
  /** Ends at the first change: what lies beyond it is neither looked at nor listed. */
  readonly firstOnly?: boolean;
}

/**
 * Finds every change of a set of modes on `[0, 1]`.
 *
 * An interval is done when the certified radii of its ends cover it; otherwise it is cut in the middle of what they leave open. Sampling alone could
 * promise nothing: this visits as many points as the certificate needs and no more. `look` gives the set at a point and its certified radii forwards and
 * backwards. Throws {@link ConvergenceError} after `maxEvaluations` spectra.
 */
export function scanPath(
  look: (at: number) => CertifiedSet,
  { resolution = 1e-6, tolerance = 1e-10, maxEvaluations = 100_000, firstOnly = false }: ScanOptions = {},
): PathScan {
  const points: PathPoint[] = [];
  const changes: MembershipChange[] = [];
  const uncertified: [number, number][] = [];
  const visit = (at: number) => {
    if (points.length >= maxEvaluations) {
      throw new ConvergenceError('The scan of a path', `${maxEvaluations} spectra did not certify it, up to ${at}`);
    }
    const { set, radii } = look(at);
    const point = { at, set, radii: once(radii), name: membership(set) };
    points.push(point);
    return point;
  };
  type Visited = ReturnType<typeof visit>;
  // Both functions go from left to right, so what is found first is what comes first.
  const isDone = () => firstOnly && changes.length > 0;

  const bisect = (a: Visited, b: Visited): void => {
    if (a.name === b.name || isDone()) return;
    const middle = (a.at + b.at) / 2;
    if (b.at - a.at <= tolerance || middle <= a.at || middle >= b.at) {
      changes.push({ before: a, after: b });
      return;
    }
    const m = visit(middle);
    bisect(a, m);
    bisect(m, b);
  };
  const cover = (a: Visited, b: Visited): void => {
    if (isDone()) return;
    const [from, to] = [a.at + a.radii().forwards, b.at - b.radii().backwards];
    if (a.name === b.name && from >= to) return;
    if (b.at - a.at > resolution) {
      // Where the radii overlap and yet the sets differ the certificate is wrong; look closer all the same.
      const m = visit(from < to ? (from + to) / 2 : (a.at + b.at) / 2);
      cover(a, m);
      cover(m, b);
      return;
    }
    const last = uncertified[uncertified.length - 1];
    if (last?.[1] === a.at) last[1] = b.at;
    else uncertified.push([a.at, b.at]);
    bisect(a, b);
  };
  cover(visit(0), visit(1));
  points.sort((a, b) => a.at - b.at);
  return { points, changes, uncertified };
}

function once<T>(f: () => T): () => T {
  let value: T | undefined;
  return () => {
    value ??= f();
    return value;
  };
}
