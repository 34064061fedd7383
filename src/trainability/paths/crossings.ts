import type { Boltzmann } from '../../model/boltzmann.js';
import { joins } from '../../spectrum/groups.js';
import type { DenseModes } from '../routes/dense-modes.js';

/** Two neighbouring levels that meet, or nearly, along a path, at least one of them in the set. */
export interface Crossing {
  /** The path parameter. */
  readonly at: number;
  /** Whether both levels are in the set: then the set's functions are smooth there. */
  readonly inside: boolean;
  /**
   * `true`: they meet, to what joins two eigenvalues to a group, and pass through each other. `avoided`: they repel, and exchange their eigenvectors while they pass. Within one symmetry
   * sector levels repel in general; between sectors and between decoupled parts they cross.
   */
  readonly kind: 'true' | 'avoided';
  /** `s` of the two levels there, slower first. */
  readonly eigenvalues: readonly [number, number];
}

/** The modes at one point, with the law that they are orthonormal in. */
export interface ModesAt {
  readonly at: number;
  readonly law: Boltzmann;
  readonly modes: DenseModes;
  /** Number of the slowest modes to look at, one more than the last in the set, and which of them are in it. */
  readonly isInside: (j: number) => boolean;
  readonly count: number;
}

/** To this the place of closest approach is found: its square is what remains of the distance. */
const PLACE = 1e-9;
/** The part of the first and of the last interval of the grid within which a crossing is not seen: a minimum needs a point on both sides. */
const MARGIN = 1e-4;

/**
 * Crossings between the points of a grid: where the distance of two neighbouring levels has a minimum on the grid, the minimum is refined by golden section. It counts as
 * avoided only where the two levels exchange more than half of their eigenvectors from where the distance is twice as large on the one side to where it is on
 * the other; a distance that merely is smallest somewhere is no crossing. Where more than two levels meet at one place, that is one crossing.
 */
export function findCrossings(grid: readonly ModesAt[], look: (at: number) => ModesAt): Crossing[] {
  const points = withinEnds(grid, look);
  const found: Crossing[] = [];
  for (let k = 1; k + 1 < points.length; k++) {
    const [left, here, right] = [points[k - 1], points[k], points[k + 1]];
    const count = Math.min(Math.max(left.count, here.count, right.count), here.modes.count - 1);
    for (let j = 0; j < count; j++) {
      const [a, b, c] = [left, here, right].map((point) => distance(point, j));
      if (!(b <= a && b < c)) continue;
      // Levels that are one group on either side are one level, whatever rounding does to them.
      if (isOne(left, j) && isOne(right, j)) continue;
      const crossing = refine(points, k, j, look);
      if (crossing !== null && !found.some((other) => isSame(other, crossing))) found.push(crossing);
    }
  }
  return found.sort((x, y) => x.at - y.at);
}

/** The grid with a point beside either end, so that what lies nearest to the end of a path is between two others. */
function withinEnds(grid: readonly ModesAt[], look: (at: number) => ModesAt): readonly ModesAt[] {
  if (grid.length < 2) return grid;
  const beside = (end: ModesAt, next: ModesAt) => look(end.at + MARGIN * (next.at - end.at));
  const [last, next] = [grid[grid.length - 1], grid[grid.length - 2]];
  return [grid[0], beside(grid[0], grid[1]), ...grid.slice(1, -1), beside(last, next), last];
}

function distance({ modes }: ModesAt, j: number): number {
  return modes.gaps[j + 1] - modes.gaps[j];
}

function isOne({ modes }: ModesAt, j: number): boolean {
  return joins(modes.gaps[j], modes.gaps[j + 1]);
}

/** Where levels only touch, the place is known to the square root of what their distance is. */
function isSame(a: Crossing, b: Crossing): boolean {
  return (
    a.kind === b.kind && Math.abs(a.at - b.at) <= 1e4 * PLACE && Math.abs(a.eigenvalues[0] - b.eigenvalues[0]) <= 1e-7
  );
}

function refine(points: readonly ModesAt[], k: number, j: number, look: (at: number) => ModesAt): Crossing | null {
  const [left, right] = [points[k - 1], points[k + 1]];
  const closest = closestApproach(left, right, j, look);
  const { gaps } = closest.modes;
  const least = distance(closest, j);
  const place = { at: closest.at, eigenvalues: [1 - gaps[j], 1 - gaps[j + 1]] as const };
  // What a true crossing leaves at a place known to PLACE.
  const slope = Math.max(distance(left, j), distance(right, j)) / (right.at - left.at);
  if (least <= Math.max(1e-8 * gaps[j], 64 * Number.EPSILON, 4 * slope * PLACE)) {
    const flags = beside(closest.at, left, right, j, look).flatMap((point) => [
      point.isInside(j),
      point.isInside(j + 1),
    ]);
    return flags.includes(true) ? { ...place, inside: !flags.includes(false), kind: 'true' } : null;
  }
  const flags = [closest.isInside(j), closest.isInside(j + 1)];
  const apart = (point: ModesAt) => distance(point, j) >= 2 * least;
  const [before, after] = [points.slice(0, k).reverse().find(apart), points.slice(k + 1).find(apart)];
  if (!flags.includes(true) || before === undefined || after === undefined || !exchanges(before, after, j)) return null;
  return { ...place, inside: !flags.includes(false), kind: 'avoided' };
}

/** Golden section for the smallest distance. */
function closestApproach(left: ModesAt, right: ModesAt, j: number, look: (at: number) => ModesAt): ModesAt {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [left.at, right.at];
  let x = look(high - ratio * (high - low));
  let y = look(low + ratio * (high - low));
  while (high - low > PLACE) {
    if (distance(x, j) <= distance(y, j)) {
      high = y.at;
      y = x;
      x = look(high - ratio * (high - low));
    } else {
      low = x.at;
      x = y;
      y = look(low + ratio * (high - low));
    }
  }
  return distance(x, j) <= distance(y, j) ? x : y;
}

/** The points on both sides of a true crossing from which on the two levels are two groups: where they are one, they are in the set together. */
function beside(
  at: number,
  left: ModesAt,
  right: ModesAt,
  j: number,
  look: (at: number) => ModesAt,
): readonly [ModesAt, ModesAt] {
  const clear = (end: ModesAt): ModesAt => {
    for (let reach = 8 * PLACE; reach < Math.abs(end.at - at); reach *= 2) {
      const point = look(at + Math.sign(end.at - at) * reach);
      if (!isOne(point, j)) return point;
    }
    return end;
  };
  return [clear(left), clear(right)];
}

/** Whether the lower level on the one side is more like the upper one on the other side. */
function exchanges(left: ModesAt, right: ModesAt, j: number): boolean {
  const overlap = (a: number, b: number) => {
    const n = left.modes.states;
    let sum = 0;
    for (let s = 0; s < n; s++) {
      const weight = Math.sqrt(left.law.pi[s] * right.law.pi[s]);
      sum += weight * left.modes.functions[a * n + s] * right.modes.functions[b * n + s];
    }
    return sum * sum;
  };
  return overlap(j, j + 1) > overlap(j, j);
}
