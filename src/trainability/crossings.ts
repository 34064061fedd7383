import type { Boltzmann } from '../model/boltzmann.js';
import { joins } from '../spectrum/groups.js';
import type { DenseModes } from './dense-modes.js';

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

/**
 * Crossings between the points of a grid: where the distance of two neighbouring levels has a minimum on the grid, the minimum is refined by golden section. It counts as
 * avoided only where the two levels exchange more than half of their eigenvectors across it; a distance that merely is smallest somewhere is no crossing.
 */
export function findCrossings(grid: readonly ModesAt[], look: (at: number) => ModesAt): Crossing[] {
  const found: Crossing[] = [];
  for (let k = 1; k + 1 < grid.length; k++) {
    const [left, here, right] = [grid[k - 1], grid[k], grid[k + 1]];
    const count = Math.min(left.count, here.count, right.count, here.modes.count - 1);
    for (let j = 0; j < count; j++) {
      const [a, b, c] = [left, here, right].map((point) => distance(point, j));
      if (!(b <= a && b < c)) continue;
      // Levels that are one group on either side are one level, whatever rounding does to them.
      if (isOne(left, j) && isOne(right, j)) continue;
      const crossing = refine(left, right, j, look);
      if (crossing !== null && !found.some((other) => isSame(other, crossing))) found.push(crossing);
    }
  }
  return found.sort((x, y) => x.at - y.at);
}

function distance({ modes }: ModesAt, j: number): number {
  return modes.gaps[j + 1] - modes.gaps[j];
}

function isOne({ modes }: ModesAt, j: number): boolean {
  return joins(modes.gaps[j], modes.gaps[j + 1]);
}

function isSame(a: Crossing, b: Crossing): boolean {
  return Math.abs(a.at - b.at) <= 10 * PLACE && Math.abs(a.eigenvalues[0] - b.eigenvalues[0]) <= 1e-12;
}

function refine(left: ModesAt, right: ModesAt, j: number, look: (at: number) => ModesAt): Crossing | null {
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
  const closest = distance(x, j) <= distance(y, j) ? x : y;
  const { gaps } = closest.modes;
  const [inside, beside] = [closest.isInside(j), closest.isInside(j + 1)];
  if (!inside && !beside) return null;
  const crossing = { at: closest.at, inside: inside && beside, eigenvalues: [1 - gaps[j], 1 - gaps[j + 1]] as const };
  // What a true crossing leaves at a place known to PLACE.
  const slope = Math.max(distance(left, j), distance(right, j)) / (right.at - left.at);
  if (gaps[j + 1] - gaps[j] <= Math.max(1e-8 * gaps[j], 64 * Number.EPSILON, 4 * slope * PLACE)) {
    return { ...crossing, kind: 'true' };
  }
  return exchanges(left, right, j) && distance(closest, j) < 0.5 * Math.min(distance(left, j), distance(right, j))
    ? { ...crossing, kind: 'avoided' }
    : null;
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
