import { describe, expect, test } from 'vitest';
import { type BoxOptions, type Differentiable, minimizeInBox } from '../../src/optimization/lbfgs.js';
import { random } from '../support/models.js';

const FREE = Number.POSITIVE_INFINITY;

interface Outcome {
  readonly x: Float64Array;
  readonly evaluations: number;
  readonly yields: number;
  /** Points at which the function was asked, in order. */
  readonly asked: readonly Float64Array[];
}

function minimize(f: Differentiable, start: ArrayLike<number>, options: Partial<BoxOptions> = {}): Outcome {
  const asked: Float64Array[] = [];
  const counted: Differentiable = (x) => {
    asked.push(Float64Array.from(x));
    return f(x);
  };
  const run = minimizeInBox(counted, Float64Array.from(start), {
    lower: new Float64Array(start.length).fill(-FREE),
    upper: new Float64Array(start.length).fill(FREE),
    maxEvaluations: 2000,
    tolerance: 1e-6,
    ...options,
  });
  let yields = 0;
  for (;;) {
    const next = run.next();
    if (next.done) return { ...next.value, yields, asked };
    yields++;
  }
}

interface Quadratic {
  readonly f: Differentiable;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly solution: Float64Array;
}

/** `x'Qx/2 - b'x` with eigenvalues of Q in [1, 1 + trace], whose solution in the box has the coordinates at bounds that are chosen first. */
function boxQuadratic(n: number, seed: number): Quadratic {
  const { normal, uniform, integer } = random(seed);
  const a = Array.from({ length: n }, () => Array.from({ length: n }, normal));
  const q = a.map((_, i) => a.map((_, j) => a.reduce((sum, row) => sum + row[i] * row[j], 0) / n + (i === j ? 1 : 0)));
  const solution = Float64Array.from({ length: n }, normal);
  const lower = solution.map((x) => x - 0.5 - uniform());
  const upper = solution.map((x) => x + 0.5 + uniform());
  // Multipliers of at least 1/2: pointing out of the box on a side that is moved onto the solution.
  const multiplier = solution.map((x, k) => {
    const side = integer(3);
    if (side === 0) return 0;
    (side === 1 ? lower : upper)[k] = x;
    return (side === 1 ? 1 : -1) * (0.5 + uniform());
  });
  const times = (x: Float64Array) =>
    Float64Array.from(q, (row) => row.reduce((sum, value, k) => sum + value * x[k], 0));
  const b = times(solution).map((value, k) => value - multiplier[k]);
  const f: Differentiable = (x) => {
    const qx = times(x);
    return {
      value: x.reduce((sum, value, k) => sum + value * (qx[k] / 2 - b[k]), 0),
      gradient: qx.map((value, k) => value - b[k]),
    };
  };
  return { f, lower, upper, solution };
}

describe('a convex quadratic in a box', () => {
  test.each(Array.from({ length: 20 }, (_, seed) => [seed, 2 + (seed % 9)]))('seed %i, %i variables', (seed, n) => {
    const { f, lower, upper, solution } = boxQuadratic(n, seed);
    const tolerance = 1e-6;
    const start = lower.map((low, k) => (low + upper[k]) / 2);
    const { x, evaluations } = minimize(f, start, { lower, upper, tolerance });
    expect(evaluations).toBeLessThan(300);
    const gradient = f(x)?.gradient ?? new Float64Array();
    x.forEach((value, k) => {
      expect(value).toBeGreaterThanOrEqual(lower[k]);
      expect(value).toBeLessThanOrEqual(upper[k]);
      // The conditions of Karush, Kuhn and Tucker.
      if (value > lower[k]) expect(gradient[k]).toBeLessThanOrEqual(tolerance);
      if (value < upper[k]) expect(gradient[k]).toBeGreaterThanOrEqual(-tolerance);
      // No eigenvalue is below 1, so the distance is at most the norm of the free gradient.
      expect(Math.abs(value - solution[k])).toBeLessThan(tolerance * Math.sqrt(n));
    });
  });

  test('a frozen variable keeps its value exactly and the others find their best for it', () => {
    const { f, solution } = boxQuadratic(6, 100);
    const start = solution.map((x) => x + 0.3);
    const lower = new Float64Array(6).fill(-FREE);
    const upper = new Float64Array(6).fill(FREE);
    for (const k of [1, 4]) lower[k] = upper[k] = start[k];
    const { x, asked } = minimize(f, start, { lower, upper });
    for (const at of [...asked, x]) for (const k of [1, 4]) expect(at[k]).toBe(start[k]);
    const gradient = f(x)?.gradient ?? new Float64Array();
    for (const k of [0, 2, 3, 5]) expect(Math.abs(gradient[k])).toBeLessThanOrEqual(1e-6);
    expect(Math.abs(gradient[1])).toBeGreaterThan(1e-3);
  });

  test('with every variable frozen the start is the answer after one evaluation', () => {
    const { f, solution } = boxQuadratic(3, 5);
    const start = solution.map((x) => x + 1);
    const { x, evaluations } = minimize(f, start, { lower: start, upper: start });
    expect([...x]).toEqual([...start]);
    expect(evaluations).toBe(1);
  });
});

describe('the function of Rosenbrock', () => {
  const f: Differentiable = ([x, y]) => ({
    value: (1 - x) ** 2 + 100 * (y - x * x) ** 2,
    gradient: Float64Array.of(-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)),
  });

  test('from the usual start', () => {
    const tolerance = 1e-8;
    const { x, evaluations } = minimize(f, [-1.2, 1], { tolerance });
    // The smallest eigenvalue of the Hessian at (1, 1) is 0.3994.
    expect(Math.hypot(x[0] - 1, x[1] - 1)).toBeLessThan((Math.SQRT2 * tolerance) / 0.39);
    expect(evaluations).toBeLessThan(100);
  });

  test('cut off by a bound', () => {
    // On x <= 1/2 the slope in x at (1/2, 1/4) points out of the box; along that side it is 100 (y - 1/4)^2 + 1/4.
    const [lower, upper] = [Float64Array.of(-2, -2), Float64Array.of(0.5, 2)];
    const { x } = minimize(f, [-1.2, 1], { lower, upper });
    expect(x[0]).toBe(0.5);
    expect(Math.abs(x[1] - 0.25)).toBeLessThan(1e-6 / 200);
  });
});

describe('where there is no finite value', () => {
  /** `-log(1 - |x|^2) - b.x`, which has no value from the unit sphere outwards. */
  const barrier =
    (b: readonly number[]): Differentiable =>
    (x) => {
      const room = 1 - x.reduce((sum, value) => sum + value * value, 0);
      if (room <= 0) return null;
      return {
        value: -Math.log(room) - x.reduce((sum, value, k) => sum + b[k] * value, 0),
        gradient: x.map((value, k) => (2 * value) / room - b[k]),
      };
    };

  test('the line search comes back from there', () => {
    const b = [30, -40];
    const { x, asked } = minimize(barrier(b), [0, 0], { tolerance: 1e-5 });
    expect(asked.some((at) => at[0] ** 2 + at[1] ** 2 >= 1)).toBe(true);
    // 2 r / (1 - r^2) = |b| along b; no curvature is below 2.
    const r = (Math.sqrt(1 + 50 ** 2) - 1) / 50;
    expect(Math.hypot(x[0] - 0.6 * r, x[1] + 0.8 * r)).toBeLessThan((Math.SQRT2 * 1e-5) / 2);
  });

  test('a start without a value is given back', () => {
    const { x, evaluations, yields } = minimize(() => null, [3, 4]);
    expect([...x]).toEqual([3, 4]);
    expect(evaluations).toBe(1);
    expect(yields).toBe(1);
  });

  test('a start with no better neighbour is given back', () => {
    const f: Differentiable = (x) => (x[0] === 3 ? { value: 1, gradient: Float64Array.of(1) } : null);
    const { x, evaluations } = minimize(f, [3]);
    expect([...x]).toEqual([3]);
    expect(evaluations).toBeLessThan(20);
  });
});

test('never worse than the start, in the box, within the evaluations, on functions with holes and many minima', () => {
  for (let seed = 0; seed < 200; seed++) {
    const { normal, uniform, integer } = random(seed);
    const n = 1 + integer(4);
    const [a, b] = [Float64Array.from({ length: n }, normal), Float64Array.from({ length: n }, normal)];
    const hole = 0.3 * uniform();
    const f: Differentiable = (x) => {
      if (Math.abs(x[0] - 0.7) < hole) return null;
      return {
        value: x.reduce((sum, value, k) => sum + a[k] * Math.sin(3 * value) + b[k] * value, 0),
        gradient: x.map((value, k) => 3 * a[k] * Math.cos(3 * value) + b[k]),
      };
    };
    const lower = Float64Array.from({ length: n }, () => -1 - uniform());
    const upper = Float64Array.from({ length: n }, () => 1 + uniform());
    const start = lower.map((low, k) => low + uniform() * (upper[k] - low));
    const maxEvaluations = 1 + integer(40);
    const { x, evaluations, yields, asked } = minimize(f, start, { lower, upper, maxEvaluations });
    const before = f(start);
    expect(asked.length).toBe(evaluations);
    expect(evaluations).toBeLessThanOrEqual(maxEvaluations);
    for (const at of asked) {
      at.forEach((value, k) => expect(value >= lower[k] && value <= upper[k]).toBe(true));
    }
    if (before === null) {
      expect([...x]).toEqual([...start]);
    } else {
      expect(yields).toBe(evaluations);
      expect(f(x)?.value).toBeLessThanOrEqual(before.value);
      const moved = x.some((value, k) => value !== start[k]);
      if (moved) expect(f(x)?.value).toBeLessThan(before.value);
    }
  }
});
