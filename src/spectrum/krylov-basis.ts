import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { PairOperator, PairSpace } from '../kernel/pair-space.js';

/** A part of a function that is this small beside the whole is rounding. */
const SPENT = 64 * Number.EPSILON;
/** Where orthogonalising leaves less than this of a function it is done again (Daniel, Gragg, Kaufman and Stewart 1976). */
const ENOUGH = 0.25;
/** Squared sines that a difference of products still tells from rounding. */
const UNSURE = 1e-10;
const MAX_PASSES = 6;

/** Writes random functions, isotropic in `L2(pi)`, into one lane of a slot. */
export type Randomise = (space: PairSpace, slot: number, lane: 0 | 1) => void;

export function randomFunctions({ states, pi }: PairOperator, seed: number): Randomise {
  const generator = xoroshiro128plus(seed);
  const scale = pi.map((p) => 1 / Math.sqrt(p));
  return (space, slot, lane) => {
    const x = new Float64Array(states);
    for (let s = 0; s < states; s += 2) {
      // Box and Muller 1958.
      const radius = Math.sqrt(-2 * Math.log(1 - uniformFloat64(generator)));
      const angle = 2 * Math.PI * uniformFloat64(generator);
      x[s] = scale[s] * radius * Math.cos(angle);
      if (s + 1 < states) x[s + 1] = scale[s + 1] * radius * Math.sin(angle);
    }
    space.write(slot, lane, x);
  };
}

/** A range of slots with orthonormal panels. */
export interface Panels {
  readonly first: number;
  readonly count: number;
}

/** What orthonormalising a panel `W` found: `W = sum V C + Q R`, for the ranges of `V` one after the other. */
export interface Orthonormalised {
  readonly coefficients: readonly Float64Array[];
  /** Upper triangular, row by row; a row of zeros where nothing was left and a random function stands instead. */
  readonly r: Float64Array;
}

/**
 * Makes the panel in a slot orthonormal, and orthogonal to constants where they are in the sector and to other panels, in passes until nothing is lost to rounding.
 * Where a function lies in the span of the others to rounding, a random one takes its place: this is how a Krylov basis goes on past an invariant subspace, and
 * how the further vectors of a multiple eigenvalue are found.
 */
export function orthonormalise(
  space: PairSpace,
  slot: number,
  others: readonly Panels[],
  randomise: Randomise,
  stationary: boolean,
): Orthonormalised {
  const coefficients = others.map(({ count }) => new Float64Array(4 * count));
  let r: Float64Array = Float64Array.of(1, 0, 0, 1);
  let clean = false;
  for (let pass = 0; pass < MAX_PASSES && !clean; pass++) {
    const before = pass === 0 ? space.gram(slot, 1, slot) : Float64Array.of(1, 0, 0, 1);
    if (stationary) space.centre(slot);
    others.forEach(({ first, count }, k) => {
      if (count === 0) return;
      const g = space.gram(first, count, slot);
      accumulate(coefficients[k], g, r);
      space.add(
        first,
        count,
        g.map((value) => -value),
        slot,
      );
    });
    const g = space.gram(slot, 1, slot);
    const step = new Float64Array(4);
    const inverse = new Float64Array(4);
    const fresh = [false, false];
    clean = true;
    const n0 = Math.sqrt(g[0]);
    if (n0 <= SPENT) fresh[0] = true;
    else {
      step[0] = n0;
      inverse[0] = 1 / n0;
      step[1] = g[1] / n0;
    }
    if (!(n0 > ENOUGH * Math.sqrt(before[0]))) clean = false;
    const left = g[3] - step[1] * step[1];
    if (Math.sqrt(g[3]) <= SPENT) fresh[1] = true;
    else {
      const sure = left > UNSURE * g[3];
      // Where it is not sure how much is left, the size is kept for the next pass to tell.
      step[3] = sure ? Math.sqrt(left) : 1;
      inverse[3] = 1 / step[3];
      inverse[1] = -(step[1] * inverse[0]) / step[3];
      if (!sure) clean = false;
    }
    if (!(Math.sqrt(Math.max(0, left)) > ENOUGH * Math.sqrt(before[3]))) clean = false;
    // In place: Q = W R^-1.
    space.add(slot, 1, Float64Array.of(inverse[0] - 1, inverse[1], 0, inverse[3] - 1), slot);
    r = product(step, r);
    for (const lane of [0, 1] as const) {
      if (!fresh[lane]) continue;
      randomise(space, slot, lane);
      clean = false;
    }
    if (fresh[0] || fresh[1]) {
      // Its size is not W's: orthonormal from here on, with a row of zeros.
      if (stationary) space.centre(slot);
      const h = space.gram(slot, 1, slot);
      space.add(
        slot,
        1,
        Float64Array.of(fresh[0] ? 1 / Math.sqrt(h[0]) - 1 : 0, 0, 0, fresh[1] ? 1 / Math.sqrt(h[3]) - 1 : 0),
        slot,
      );
    }
  }
  return { coefficients, r };
}

/** `c += g r` for 2 x 2 matrices, one after the other. */
function accumulate(c: Float64Array, g: Float64Array, r: Float64Array): void {
  for (let k = 0; k < c.length; k += 4) {
    c[k] += g[k] * r[0] + g[k + 1] * r[2];
    c[k + 1] += g[k] * r[1] + g[k + 1] * r[3];
    c[k + 2] += g[k + 2] * r[0] + g[k + 3] * r[2];
    c[k + 3] += g[k + 2] * r[1] + g[k + 3] * r[3];
  }
}

function product(a: Float64Array, b: Float64Array): Float64Array {
  const out = new Float64Array(4);
  accumulate(out, a, b);
  return out;
}

/** Writes `V S` from a range of panels to the slots from `out` on; `s` is row-major with `columns` columns, an even number of which are used. */
export function combine(
  space: PairSpace,
  { first, count }: Panels,
  s: Float64Array,
  columns: number,
  used: number,
  out: number,
): void {
  const matrices = new Float64Array(4 * count);
  for (let o = 0; o < used; o += 2) {
    for (let k = 0; k < count; k++) {
      matrices[4 * k] = s[2 * k * columns + o];
      matrices[4 * k + 1] = s[2 * k * columns + o + 1];
      matrices[4 * k + 2] = s[(2 * k + 1) * columns + o];
      matrices[4 * k + 3] = s[(2 * k + 1) * columns + o + 1];
    }
    space.clear(out + o / 2);
    space.add(first, count, matrices, out + o / 2);
  }
}
