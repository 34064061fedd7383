import { EPS, linearSolve, vector } from './brute-force.js';

/** An estimate and a bound on its error. */
export interface Derivative {
  readonly value: number;
  readonly error: number;
}

/** Weights of the derivative of an order at 0 from values at the whole numbers in the list, exact for polynomials of degree below its length. */
function stencil(places: readonly number[], order: number): Float64Array {
  const n = places.length;
  const powers = Array.from({ length: n }, (_, m) => vector(n, (k) => places[k] ** m));
  let factorial = 1;
  for (let k = 2; k <= order; k++) factorial *= k;
  return linearSolve(
    powers,
    vector(n, (m) => (m === order ? factorial : 0)),
  );
}

/**
 * The derivative of an order at `at` from values on one side alone (`side` 1 or -1), `h` apart, the place itself left out. The error is that of the values, relative `noise` in units of eps,
 * through the weights, and what two more points change, which bounds the remainder of the shorter formula.
 */
export function oneSided(
  f: (t: number) => number,
  at: number,
  order: number,
  side: 1 | -1,
  { h, points = 8, noise }: { readonly h: number; readonly points?: number; readonly noise: number },
): Derivative {
  const values = Array.from({ length: points + 2 }, (_, k) => f(at + side * (k + 1) * h));
  const size = values.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  const estimate = (n: number) => {
    const weights = stencil(
      Array.from({ length: n }, (_, k) => k + 1),
      order,
    );
    const scale = (side / h) ** order;
    return {
      value: scale * weights.reduce((sum, weight, k) => sum + weight * values[k], 0),
      rounding: Math.abs(scale) * weights.reduce((sum, weight) => sum + Math.abs(weight), 0) * size * noise * EPS,
    };
  };
  const [short, long] = [estimate(points), estimate(points + 2)];
  return { value: long.value, error: long.rounding + Math.abs(long.value - short.value) };
}

/** The derivative along a line by central differences of sixth order, and a bound on its error. */
export function central(f: (t: number) => number, h: number, noise: number): Derivative {
  const odd = [1, 2, 3].map((k) => (f(k * h) - f(-k * h)) / 2);
  const fourth = (8 * odd[0] - odd[1]) / (6 * h);
  const sixth = (45 * odd[0] - 9 * odd[1] + odd[2]) / (30 * h);
  return { value: sixth, error: Math.abs(sixth - fourth) + (2 * noise * EPS * Math.abs(f(0))) / h };
}
