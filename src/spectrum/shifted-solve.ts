import type { PairOperator } from '../kernel/pair-space.js';

const MAX_ITERATIONS = 5000;
/** Residual relative to the right-hand side, before it is projected, at which a solution is taken; the true one is checked at the end. */
const TOLERANCE = 1e-14;
/** Normwise backward error of a solution that is taken for one. */
const LARGEST_BACKWARD_ERROR = 1e-12;

/** Solutions of the shifted systems, and whether all of them are solutions to rounding. */
export interface ShiftedSolutions {
  readonly solutions: readonly Float64Array[];
  readonly converged: boolean;
}

/**
 * `(I - P - gap_j) z_j = b_j` on the complement of given functions, orthonormal in `L2(pi)`, and of constants where they are in the sector, by conjugate gradients with
 * two systems in lockstep (D7). The operator must be positive there: every mode of the complement is faster than `gap_j`. Null where memory does not reach.
 */
export function shiftedSolve(
  operator: PairOperator,
  functions: Float64Array,
  gaps: ArrayLike<number>,
  sides: readonly Float64Array[],
): ShiftedSolutions | null {
  const { states, stationary } = operator;
  const count = Math.ceil(functions.length / states / 2);
  const space = operator.open(count + 5);
  if (space === null) return null;
  const [b, x, r, p, q] = [count, count + 1, count + 2, count + 3, count + 4];
  for (let k = 0; k < 2 * count; k++) {
    const start = k * states;
    const values = start < functions.length ? functions.subarray(start, start + states) : new Float64Array(states);
    space.write(k >> 1, k % 2 === 0 ? 0 : 1, values);
  }
  const project = (slot: number) => {
    if (stationary) space.centre(slot);
    space.add(
      0,
      count,
      space.gram(0, count, slot).map((value) => -value),
      slot,
    );
  };
  const norms = (slot: number): [number, number] => {
    const g = space.gram(slot, 1, slot);
    return [g[0], g[3]];
  };
  const diagonal = (left: number, right: number) => Float64Array.of(left, 0, 0, right);
  const apply = (from: number, to: number, shifts: readonly [number, number]) => {
    space.clear(to);
    space.step(to, from, 1, 0, 0);
    space.add(from, 1, diagonal(-shifts[0], -shifts[1]), to);
    project(to);
  };
  const solutions: Float64Array[] = [];
  let converged = true;
  for (let j = 0; j < sides.length; j += 2) {
    const pair = j + 1 < sides.length;
    const shifts = [gaps[j], pair ? gaps[j + 1] : gaps[j]] as const;
    space.write(b, 0, sides[j]);
    space.write(b, 1, pair ? sides[j + 1] : new Float64Array(states));
    // What projecting leaves of a side in the span of the functions is rounding of this; it is projected once more.
    const size = norms(b);
    project(b);
    project(b);
    space.clear(x);
    space.copy(b, r);
    space.copy(b, p);
    let rho = norms(b);
    for (let k = 0; k < MAX_ITERATIONS; k++) {
      apply(p, q, shifts);
      const curvature = space.gram(p, 1, q);
      const alpha = [0, 1].map((lane) => {
        const going = rho[lane] > TOLERANCE ** 2 * size[lane] && curvature[3 * lane] > 0;
        return going ? rho[lane] / curvature[3 * lane] : 0;
      });
      if (alpha.every((value) => value === 0)) break;
      space.add(p, 1, diagonal(alpha[0], alpha[1]), x);
      space.add(q, 1, diagonal(-alpha[0], -alpha[1]), r);
      // Rounding puts back what the operator does not see; left in, it would be all that is left of the residual.
      project(r);
      const next = norms(r);
      const beta = [0, 1].map((lane) => (alpha[lane] > 0 ? next[lane] / rho[lane] : 0));
      // p = r + beta p.
      space.add(p, 1, diagonal(beta[0] - 1, beta[1] - 1), p);
      space.add(r, 1, diagonal(1, 1), p);
      rho = next;
    }
    project(x);
    apply(x, q, shifts);
    space.add(b, 1, diagonal(-1, -1), q);
    const missing = norms(q);
    const sizes = norms(x);
    for (let lane = 0; lane < (pair ? 2 : 1); lane++) {
      const scale = Math.sqrt(size[lane]) + operator.largest * Math.sqrt(sizes[lane]);
      converged &&= Math.sqrt(missing[lane]) <= LARGEST_BACKWARD_ERROR * scale;
      solutions.push(space.read(x, lane === 0 ? 0 : 1));
    }
  }
  return { solutions, converged };
}
