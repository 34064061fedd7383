import { LuDecomposition, Matrix } from 'ml-matrix';
import { InputError, show } from '../errors.js';

/** A circle around a centre on the real axis. */
export interface Circle {
  /** On the real axis, in units of the matrix's eigenvalues. */
  readonly centre: number;
  /** Positive, in the same units. */
  readonly radius: number;
}

/** The projector and how its quadrature went. */
export interface ContourProjector {
  /** Row-major `n x n`. */
  readonly projector: Float64Array;
  /** Resolvents that were formed, each on one half of the circle. */
  readonly nodes: number;
  /** Largest change of an entry at the last doubling of the nodes. */
  readonly change: number;
  /** Whether that change is at the level of rounding and the result is a projector. False where an eigenvalue lies on the circle or too near to it. */
  readonly converged: boolean;
}

const MAX_NODES = 512;

/**
 * The Riesz projector `(1 / 2 pi i) oint (z - A)^{-1} dz` on the eigenvalues of a symmetric row-major matrix inside a circle, by the trapezoidal rule: with
 * nodes `z_k = c + r e^{i t_k}` it is the mean of `r e^{i t_k} (z_k - A)^{-1}`, which gives an eigenvalue at distance `d` from the centre the weight
 * `1 / (1 + (d/r)^m)` for `m` nodes: 1 inside and 0 outside with geometric convergence (Trefethen and Weideman 2014).
 *
 * Uses no eigenvectors, which makes it a second opinion on those that do. The nodes are doubled until nothing changes. An eigenvalue on the circle has the weight 1/2
 * for every number of nodes, which shows only in that the result is not idempotent. Work: `O(n^3)` per node.
 */
export function contourProjector(a: Float64Array, n: number, { centre, radius }: Circle): ContourProjector {
  if (!(radius > 0) || !Number.isFinite(radius + centre)) {
    throw new InputError({
      field: 'radius',
      expected: 'a positive finite number around a finite centre',
      got: show({ centre, radius }),
      remedy: 'choose a circle that separates the eigenvalues wanted from the others',
    });
  }
  let norm = 0;
  for (let s = 0; s < n; s++) {
    norm = Math.max(
      norm,
      a.subarray(s * n, (s + 1) * n).reduce((sum, x) => sum + Math.abs(x), 0),
    );
  }
  let previous = trapezoid(a, n, centre, radius, 8).projector;
  for (let nodes = 16; ; nodes *= 2) {
    const { projector, squares } = trapezoid(a, n, centre, radius, nodes);
    // A resolvent R is known to a few n eps of |z - A| |R|^2.
    const rounding = 8 * n * Number.EPSILON * Math.max(1, (Math.abs(centre) + radius + norm) * squares);
    let change = 0;
    for (let k = 0; k < n * n; k++) change = Math.max(change, Math.abs(projector[k] - previous[k]));
    const settled = change <= rounding;
    // A singular resolvent shows as a change that is not a number.
    if (settled || nodes >= MAX_NODES || Number.isNaN(change)) {
      // A weight of 1/2 leaves a defect of at least 1 / (4 n).
      const isProjector = idempotenceDefect(projector, n) <= Math.min(4 * n * rounding, 1 / (8 * n));
      return { projector, nodes, change, converged: settled && isProjector };
    }
    previous = projector;
  }
}

/** The largest entry of `P - P^2`. */
function idempotenceDefect(p: Float64Array, n: number): number {
  let defect = 0;
  for (let s = 0; s < n; s++) {
    for (let t = 0; t < n; t++) {
      let entry = p[s * n + t];
      for (let k = 0; k < n; k++) entry -= p[s * n + k] * p[k * n + t];
      defect = Math.max(defect, Math.abs(entry));
    }
  }
  return defect;
}

/**
 * The mean over the nodes of `r e^{i t} (z - A)^{-1}`, and of `r |(z - A)^{-1}|^2`, in the Frobenius norm. Nodes stand symmetrically about the real axis, off it, so that the upper half gives the
 * real part of the whole.
 */
function trapezoid(a: Float64Array, n: number, centre: number, radius: number, nodes: number) {
  const out = new Float64Array(n * n);
  let squares = 0;
  for (let k = 0; k < nodes / 2; k++) {
    const angle = (2 * Math.PI * (k + 0.5)) / nodes;
    const [x, y] = [radius * Math.cos(angle), radius * Math.sin(angle)];
    // (z - A)(u + i v) = I as a real system of twice the size: [[x + c - A, -y], [y, x + c - A]] (u, v) = (I, 0).
    const system = Matrix.zeros(2 * n, 2 * n);
    const right = Matrix.zeros(2 * n, n);
    for (let s = 0; s < n; s++) {
      for (let t = 0; t < n; t++) {
        const value = (s === t ? centre + x : 0) - a[s * n + t];
        system.set(s, t, value);
        system.set(n + s, n + t, value);
      }
      system.set(s, n + s, -y);
      system.set(n + s, s, y);
      right.set(s, s, 1);
    }
    const lu = new LuDecomposition(system);
    if (lu.isSingular()) return { projector: out.fill(Number.NaN), squares: Number.POSITIVE_INFINITY };
    const solution = lu.solve(right);
    for (let s = 0; s < n; s++) {
      for (let t = 0; t < n; t++) {
        const [u, v] = [solution.get(s, t), solution.get(n + s, t)];
        out[s * n + t] += (2 / nodes) * (x * u - y * v);
        squares += (2 / nodes) * radius * (u * u + v * v);
      }
    }
  }
  return { projector: out, squares };
}
