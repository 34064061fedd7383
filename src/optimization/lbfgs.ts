/** Value and gradient of a function at a point. */
export interface Evaluated {
  readonly value: number;
  readonly gradient: Float64Array;
}

/** Value and gradient of a function; null where it has no finite value. */
export type Differentiable = (x: Float64Array) => Evaluated | null;

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

/** A step that was taken, and by how much the gradient changed on it; plain data. */
export interface CurvaturePair {
  /** Where the step ended less where it began. */
  readonly step: readonly number[];
  /** The gradient there less the one before. */
  readonly change: readonly number[];
}

/** What one iteration came to. */
export interface IterationResult {
  /** Where it ended: the array that was handed to the function there, or the one that it began with. */
  readonly x: Float64Array;
  readonly at: Evaluated;
  /** For the next iteration. */
  readonly pairs: readonly CurvaturePair[];
  readonly evaluations: number;
  /** `converged`: the projected gradient is below the tolerance where it began. `stalled`: no step lowers the function. `spent`: out of evaluations. */
  readonly status: 'moved' | 'converged' | 'stalled' | 'spent';
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
  let x: Float64Array = Float64Array.from(start);
  let at = f(x);
  let evaluations = 1;
  yield;
  if (at === null) return { x, evaluations, converged: false };
  let pairs: readonly CurvaturePair[] = [];
  while (evaluations < options.maxEvaluations) {
    const left = { ...options, maxEvaluations: options.maxEvaluations - evaluations };
    const result: IterationResult = yield* minimizeOnce(f, x, at, pairs, left);
    evaluations += result.evaluations;
    ({ x, at, pairs } = result);
    if (result.status === 'converged') return { x, evaluations, converged: true };
    if (result.status !== 'moved') break;
  }
  return { x, evaluations, converged: false };
}

/**
 * One iteration: a direction from the pairs (Nocedal 1980), and a line search that ends at a point of sufficient decrease; where the pairs lead nowhere, once more along the
 * gradient. It depends on its arguments alone, so a run can go on from what it returns. Yields once per evaluation.
 */
export function* minimizeOnce(
  f: Differentiable,
  x: Float64Array,
  at: Evaluated,
  known: readonly CurvaturePair[],
  options: BoxOptions,
): Generator<void, IterationResult> {
  const { lower, upper } = options;
  const { gradient, value } = at;
  let pairs = known;
  let evaluations = 0;
  const free = gradient.map((g, k) =>
    (x[k] <= lower[k] && g > 0) || (x[k] >= upper[k] && g < 0) || lower[k] === upper[k] ? 0 : 1,
  );
  const projected = gradient.map((g, k) => free[k] * g);
  if (projected.reduce((max, g) => Math.max(max, Math.abs(g)), 0) <= options.tolerance) {
    return { x, at, pairs, evaluations, status: 'converged' };
  }
  for (;;) {
    let direction = twoLoop(projected, pairs).map((d, k) => -free[k] * d);
    if (dot(direction, gradient) >= 0) {
      pairs = [];
      direction = projected.map((g) => -g);
    }
    // Without curvature information the first step is a tenth of a unit long, the scale of a coupling.
    let step = pairs.length > 0 ? 1 : Math.min(1, 0.1 / Math.sqrt(dot(projected, projected)));
    while (evaluations < options.maxEvaluations && step > 1e-12) {
      const candidate = x.map((value_, k) => Math.min(upper[k], Math.max(lower[k], value_ + step * direction[k])));
      const there = f(candidate);
      evaluations++;
      const expected = candidate.reduce((sum, c, k) => sum + gradient[k] * (c - x[k]), 0);
      if (there !== null && there.value <= value + SUFFICIENT_DECREASE * expected && there.value < value) {
        const changed = options.onStep?.(candidate) ?? false;
        yield;
        const next = changed ? [] : withPair(pairs, x, gradient, candidate, there.gradient);
        return { x: candidate, at: there, pairs: next, evaluations, status: 'moved' };
      }
      step *= there === null ? 0.1 : backtrack(value, expected, there.value);
      yield;
    }
    if (evaluations >= options.maxEvaluations) return { x, at, pairs, evaluations, status: 'spent' };
    if (pairs.length === 0) return { x, at, pairs, evaluations, status: 'stalled' };
    pairs = [];
  }
}

function withPair(
  pairs: readonly CurvaturePair[],
  x: Float64Array,
  gradient: Float64Array,
  to: Float64Array,
  gradientThere: Float64Array,
): readonly CurvaturePair[] {
  const step = Array.from(to, (value, k) => value - x[k]);
  const change = Array.from(gradientThere, (g, k) => g - gradient[k]);
  if (dot(step, change) <= 1e-10 * Math.sqrt(dot(step, step) * dot(change, change))) return pairs;
  return [...pairs.slice(-(MEMORY - 1)), { step, change }];
}

/** The inverse Hessian of the pairs applied to a vector. */
function twoLoop(g: Float64Array, pairs: readonly CurvaturePair[]): Float64Array {
  const q = Float64Array.from(g);
  const alphas: number[] = [];
  const rho = pairs.map(({ step, change }) => 1 / dot(step, change));
  for (let i = pairs.length - 1; i >= 0; i--) {
    const { step, change } = pairs[i];
    alphas[i] = rho[i] * dot(step, q);
    for (let k = 0; k < q.length; k++) q[k] -= alphas[i] * change[k];
  }
  const last = pairs.at(-1);
  if (last !== undefined) {
    const scale = 1 / (rho[pairs.length - 1] * dot(last.change, last.change));
    for (let k = 0; k < q.length; k++) q[k] *= scale;
  }
  pairs.forEach(({ step, change }, i) => {
    const beta = rho[i] * dot(change, q);
    for (let k = 0; k < q.length; k++) q[k] += step[k] * (alphas[i] - beta);
  });
  return q;
}

/** The minimiser of the parabola through two values and a slope, kept between a tenth and a half. */
function backtrack(value: number, slope: number, there: number): number {
  const factor = -slope / (2 * (there - value - slope));
  return Number.isFinite(factor) ? Math.min(0.5, Math.max(0.1, factor)) : 0.1;
}

function dot(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < x.length; k++) sum += x[k] * y[k];
  return sum;
}
