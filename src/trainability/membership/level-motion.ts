import { symmetricEigen } from '../../spectrum/symmetric-eigen.js';
import type { Rates } from './rates.js';

/**
 * How the eigenvalues of `I - A` move along a direction, to second order and with a proven remainder.
 *
 * The matrix is `L = I - A + 2 psi psi^T` with `psi = sqrt(pi)`: the stationary mode is moved to the eigenvalue 2, out of the way. In the eigenbasis at hand
 * `L' = inner`, with the elements to the stationary mode apart.
 */
export interface LevelMotion {
  /** `1 - s_j`, ascending. */
  readonly gaps: Float64Array;
  /** `<phi_j, L' phi_k>` for the modes `j` that were asked for, row by row. */
  readonly inner: Float64Array;
  readonly rows: number;
  /** `<phi_j, L' psi> = (2 - gap_j) <phi_j, l / 2>`, `l = d log pi`. */
  readonly stationary: Float64Array;
  readonly rates: Rates;
  /** Runs that were looked at. */
  readonly runs: Map<number, Run>;
}

/** Where the stationary mode is put. */
export const STATIONARY_LEVEL = 2;
/** Neighbours on either side that are taken together with a level, where that puts the rest further away. */
const NEIGHBOURS = 2;

/** Bounds on one eigenvalue at a distance `t >= 0` forwards along the direction (`sense` 1) or backwards (-1). */
export type LevelBounds = (t: number) => {
  /** `1 - s` per kernel step is at least this. */
  readonly low: number;
  /** And at most this. */
  readonly high: number;
};

/**
 * Bounds on the eigenvalue `gap_j`, the best of two kinds. Weyl: it moves by at most `matrix t`. Second order: let `H` be a run of neighbouring modes that holds `j`,
 * at the distance `g` to all others. With `L'` restricted to `H` between `low` and `high`, `c` its elements from `H` to the rest, and `|L''| <= r`, the eigenvalue moves by between
 * `low t` and `high t`, up to `r t^2 / 2 + (c t + r t^2 / 2)^2 / (g - 2 d t)`, `d` the bound on `|L'|` (Mathias 1998 for the last term).
 */
export function levelBounds(motion: LevelMotion, j: number, sense: 1 | -1): LevelBounds {
  const { gaps, rates } = motion;
  // |psi'| <= b/2 and |psi''| <= b^2 / (2 sqrt 3), since |l| ranges over at most 2 b.
  const b = rates.observables;
  const whole = rates.matrix + (STATIONARY_LEVEL * b) / 2;
  const curvature = rates.curvature + STATIONARY_LEVEL * (1 / Math.sqrt(3) + 0.5) * b * b;
  const runs = runsAround(motion, j).map(({ slow, fast, coupling, distance }) => ({
    slow: sense === 1 ? slow : -fast,
    fast: sense === 1 ? fast : -slow,
    coupling,
    distance,
  }));
  return (t) => {
    let low = gaps[j] - rates.matrix * t;
    let high = gaps[j] + rates.matrix * t;
    for (const run of runs) {
      const apart = run.distance - 2 * whole * t;
      if (!(apart > 0)) continue;
      const rest = (curvature * t * t) / 2;
      const remainder = rest + (run.coupling * t + rest) ** 2 / apart;
      low = Math.max(low, gaps[j] + run.slow * t - remainder);
      high = Math.min(high, gaps[j] + run.fast * t + remainder);
    }
    return { low, high };
  };
}

/** Neighbouring modes taken together: the extreme slopes, the coupling to the rest and the distance to it. */
interface Run {
  readonly slow: number;
  readonly fast: number;
  readonly coupling: number;
  readonly distance: number;
}

function runsAround(motion: LevelMotion, j: number): Run[] {
  const { gaps, rows, runs } = motion;
  const found: Run[] = [];
  for (let from = Math.max(0, j - NEIGHBOURS); from <= j; from++) {
    for (let to = j; to <= Math.min(j + NEIGHBOURS, rows - 1); to++) {
      const key = from * rows + to;
      let run = runs.get(key);
      if (run === undefined) {
        const below = from > 0 ? gaps[from] - gaps[from - 1] : Number.POSITIVE_INFINITY;
        const above = to + 1 < gaps.length ? gaps[to + 1] - gaps[to] : Number.POSITIVE_INFINITY;
        const distance = Math.min(below, above, STATIONARY_LEVEL - gaps[to]);
        const [slow, fast] = slopes(motion, from, to);
        run = { slow, fast, coupling: coupling(motion, from, to), distance };
        runs.set(key, run);
      }
      found.push(run);
    }
  }
  return found;
}

/** The extreme eigenvalues of `L'` restricted to a run. */
function slopes({ inner, gaps }: LevelMotion, from: number, to: number): readonly [number, number] {
  const count = gaps.length;
  if (from === to) return [inner[from * count + from], inner[from * count + from]];
  const n = to - from + 1;
  const block = Float64Array.from(
    { length: n * n },
    (_, k) => inner[(from + Math.floor(k / n)) * count + from + (k % n)],
  );
  const { values } = symmetricEigen(block, n);
  return [values[0], values[n - 1]];
}

/** The Frobenius norm of `L'` between a run and everything else. */
function coupling({ inner, gaps, stationary }: LevelMotion, from: number, to: number): number {
  const count = gaps.length;
  let square = 0;
  for (let j = from; j <= to; j++) {
    square += stationary[j] ** 2;
    for (let k = 0; k < count; k++) if (k < from || k > to) square += inner[j * count + k] ** 2;
  }
  return Math.sqrt(square);
}
