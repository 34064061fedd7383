import type { PairSpace } from '../kernel/pair-space.js';

/** Above this edge a filter is `p(x) = 1 - x`. */
const LARGEST_EDGE = 0.6;
const MAX_DEGREE = 200;

/**
 * `p(x) = T_d((c - x) / e) / T_d(c / e)` with the Chebyshev polynomial `T_d` and `[c - e, c + e] = [edge, largest]`: 1 at zero, decreasing up to the edge, and
 * at most `floor` in size from there to the largest eigenvalue (Zhou and Saad 2007).
 */
export interface Filter {
  readonly edge: number;
  readonly degree: number;
  /** `max |p|` over what is damped. */
  readonly floor: number;
  /** `p(x)` for x up to the edge. */
  value(x: number): number;
  /** The `x` up to the edge with `p(x)` this large; the edge where it is below the floor. */
  gap(value: number): number;
}

/** The filter with this edge whose degree makes `1 / floor` about `contrast`. */
export function chebyshevFilter(edge: number, largest: number, contrast: number): Filter {
  if (edge > LARGEST_EDGE * largest) {
    const floor = Math.max(0, largest - 1);
    return { edge: 1, degree: 1, floor, value: (x) => 1 - x, gap: (value) => 1 - value };
  }
  const e = (largest - edge) / 2;
  const c = (largest + edge) / 2;
  const rate = Math.acosh(c / e);
  const degree = Math.min(MAX_DEGREE, Math.max(2, Math.round(Math.acosh(contrast) / rate)));
  const top = Math.cosh(degree * rate);
  return {
    edge,
    degree,
    floor: 1 / top,
    value: (x) => Math.cosh(degree * Math.acosh(Math.max(1, (c - x) / e))) / top,
    gap: (value) => c - e * Math.cosh(Math.acosh(Math.max(1, value * top)) / degree),
  };
}

/** `p(I - P)` on the panel in a slot, which keeps it; `spare` are two slots, in one of which the image is, and that one is returned. */
export function applyFilter(
  space: PairSpace,
  filter: Filter,
  largest: number,
  x: number,
  spare: readonly [number, number],
): number {
  const [a, b] = spare;
  space.clear(b);
  if (filter.degree === 1) {
    space.step(b, x, -1, 1, 0);
    return b;
  }
  const e = (largest - filter.edge) / 2;
  const c = (largest + filter.edge) / 2;
  const first = -e / c;
  let sigma = first;
  space.copy(x, a);
  space.step(b, x, sigma / e, c, 0);
  let [before, current] = [a, b];
  for (let k = 2; k <= filter.degree; k++) {
    const next = 1 / (2 / first - sigma);
    space.step(before, current, (2 * next) / e, c, -sigma * next);
    [before, current] = [current, before];
    sigma = next;
  }
  return current;
}

/**
 * About how many eigenvalues of `I - P` lie below `x`: `n` times the spectral measure of two random functions, its Chebyshev moments damped by Jackson's
 * kernel (Weisse, Wellein, Alvermann and Fehske 2006). `start` is a slot with two functions of norm 1, `spare` two free slots.
 */
export function countBelow(
  space: PairSpace,
  largest: number,
  degree: number,
  start: number,
  spare: readonly [number, number],
): (x: number) => number {
  const half = largest / 2;
  let [before, current] = spare;
  const moments = new Float64Array(2 * degree);
  const mean = (w: number, v: number) => {
    const g = space.gram(v, 1, w);
    return (g[0] + g[3]) / 2;
  };
  space.copy(start, before);
  space.clear(current);
  space.step(current, start, 1 / half, half, 0);
  moments[0] = mean(start, start);
  moments[1] = mean(start, current);
  for (let k = 1; k < degree; k++) {
    // T_2k and T_(2k+1) from the products of T_k with itself and with T_(k+1).
    moments[2 * k] = 2 * mean(current, current) - moments[0];
    space.step(before, current, 2 / half, half, -1);
    [before, current] = [current, before];
    moments[2 * k + 1] = 2 * mean(before, current) - moments[1];
  }
  const m = moments.length + 1;
  const q = Math.PI / m;
  const damped = moments.map((value, k) => (value * ((m - k) * Math.cos(q * k) + Math.sin(q * k) / Math.tan(q))) / m);
  return (x) => {
    const phi = Math.acos(Math.min(1, Math.max(-1, x / half - 1)));
    let sum = damped[0] * (Math.PI - phi);
    for (let k = 1; k < damped.length; k++) sum -= (2 * damped[k] * Math.sin(k * phi)) / k;
    return (space.states * sum) / Math.PI;
  };
}
