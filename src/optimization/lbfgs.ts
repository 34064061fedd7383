/** Value and gradient of a function; null where it has no finite value. */
export type Differentiable = (x: Float64Array) => { readonly value: number; readonly gradient: Float64Array } | null;

export interface BoxOptions {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly maxEvaluations: number;
  /** Stops when the largest component of the projected gradient is below this. */
  readonly tolerance: number;
  /** Called for every step that is taken. Where it answers true the function has changed, and what was learned of its curvature is dropped. */
  readonly onStep?: ((x: Float64Array) => boolean) | undefined;
}

export interface BoxResult {
  /** The array that was handed to the function when it was evaluated there. */
  readonly x: Float64Array;
  readonly evaluations: number;
  /** Whether the projected gradient met the tolerance. */
  readonly converged: boolean;
}

const MEMORY = 12;
const SUFFICIENT_DECREASE = 1e-4;

/**
 * Minimises in a box by limited-memory BFGS in the free variables with a projected backtracking line search (two-metric projection, Bertsekas 1982).
 * Monotone: never returns a point worse than the start, which must be in the box and have a finite value. A box side of zero width freezes a variable.
 * Yields once per evaluation.
 */
export function* minimizeInBox(
  f: Differentiable,
  start: Float64Array,
  options: BoxOptions,
): Generator<void, BoxResult> {
  const { lower, upper } = options;
  const n = start.length;
  let x: Float64Array = Float64Array.from(start);
  let at = f(x);
  let evaluations = 1;
  yield;
  if (at === null) return { x, evaluations, converged: false };
  let pairs: { s: Float64Array; y: Float64Array; rho: number }[] = [];
  while (evaluations < options.maxEvaluations) {
    const { gradient, value } = at;
    const free = gradient.map((g, k) =>
      (x[k] <= lower[k] && g > 0) || (x[k] >= upper[k] && g < 0) || lower[k] === upper[k] ? 0 : 1,
    );
    const projected = gradient.map((g, k) => free[k] * g);
    if (projected.reduce((max, g) => Math.max(max, Math.abs(g)), 0) <= options.tolerance) {
      return { x, evaluations, converged: true };
    }
    let direction = twoLoop(projected, pairs).map((d, k) => -free[k] * d);
    if (dot(direction, gradient) >= 0) {
      pairs = [];
      direction = projected.map((g) => -g);
    }
    // Without curvature information the first step is a tenth of a unit long, the scale of a coupling.
    let step = pairs.length > 0 ? 1 : Math.min(1, 0.1 / Math.sqrt(dot(projected, projected)));
    let accepted: { x: Float64Array; at: NonNullable<ReturnType<Differentiable>> } | null = null;
    let changed = false;
    while (accepted === null && evaluations < options.maxEvaluations && step > 1e-12) {
      const candidate = x.map((value_, k) => Math.min(upper[k], Math.max(lower[k], value_ + step * direction[k])));
      const there = f(candidate);
      evaluations++;
      const expected = candidate.reduce((sum, c, k) => sum + gradient[k] * (c - x[k]), 0);
      if (there !== null && there.value <= value + SUFFICIENT_DECREASE * expected && there.value < value) {
        accepted = { x: candidate, at: there };
        changed = options.onStep?.(candidate) ?? false;
      } else {
        step *= there === null ? 0.1 : backtrack(value, expected, there.value);
      }
      yield;
    }
    if (accepted === null) {
      if (pairs.length === 0) break;
      pairs = []; // try once more along the plain gradient
      continue;
    }
    const s = accepted.x.map((value_, k) => value_ - x[k]);
    const y = accepted.at.gradient.map((g, k) => g - gradient[k]);
    const curvature = dot(s, y);
    if (changed) pairs = [];
    else if (curvature > 1e-10 * Math.sqrt(dot(s, s) * dot(y, y))) {
      pairs = [...pairs.slice(-(MEMORY - 1)), { s, y, rho: 1 / curvature }];
    }
    x = accepted.x;
    at = accepted.at;
  }
  return { x, evaluations, converged: false };

  /** Nocedal 1980: the inverse Hessian of the stored pairs applied to a vector. */
  function twoLoop(g: Float64Array, stored: typeof pairs): Float64Array {
    const q = Float64Array.from(g);
    const alphas: number[] = [];
    for (const { s, y, rho } of [...stored].reverse()) {
      const alpha = rho * dot(s, q);
      alphas.unshift(alpha);
      for (let k = 0; k < n; k++) q[k] -= alpha * y[k];
    }
    const last = stored[stored.length - 1];
    if (last !== undefined) {
      const scale = 1 / (last.rho * dot(last.y, last.y));
      for (let k = 0; k < n; k++) q[k] *= scale;
    }
    stored.forEach(({ s, y, rho }, i) => {
      const beta = rho * dot(y, q);
      for (let k = 0; k < n; k++) q[k] += s[k] * (alphas[i] - beta);
    });
    return q;
  }
}

/** The minimiser of the parabola through two values and a slope, kept between a tenth and a half. */
function backtrack(value: number, slope: number, there: number): number {
  const factor = -slope / (2 * (there - value - slope));
  return Number.isFinite(factor) ? Math.min(0.5, Math.max(0.1, factor)) : 0.1;
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < x.length; k++) sum += x[k] * y[k];
  return sum;
}
