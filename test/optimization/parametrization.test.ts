import { type ConstraintOptions, InputError, ising, parametrization } from 'htdml';
import { describe, expect, test } from 'vitest';
import { clip, satisfies } from '../../src/optimization/parametrization.js';
import { complete, random } from '../support/models.js';

const couplings = [0.5, -0.3, 0.8, 0.2, -1.4, 0.1];
const model = ising({ spins: 4, edges: complete(4), couplings, biases: [0.1, 0.2, 0.3, 0.4] });
const of = (options: ConstraintOptions) => parametrization(model, options);
const numbers = (x: Float64Array) => [...x];

test('without constraints u is theta', () => {
  const free = of({});
  expect(free.size).toBe(10);
  expect(numbers(free.theta(model.theta))).toEqual(numbers(model.theta));
  expect(numbers(free.free(model.theta))).toEqual(numbers(model.theta));
  expect(numbers(free.pullback(model.theta))).toEqual(numbers(model.theta));
  expect(free.upper.every((value) => value === Number.POSITIVE_INFINITY)).toBe(true);
  expect(satisfies(free, model.theta)).toBe(true);
});

test('frozen, masked and tied parameters', () => {
  const some = of({
    frozen: [1, 7],
    mask: [1, 1, 0, 1, 1, 1],
    tied: [
      [3, 0],
      [9, 6],
    ],
    maxCoupling: [1, 1, 1, 0.4, 2, 2],
  });
  // u: J0 with J3, J4, J5, h0 with h3, h2.
  expect(some.size).toBe(5);
  expect(numbers(some.theta(Float64Array.of(1, 2, 3, 4, 5)))).toEqual([1, -0.3, 0, 1, 2, 3, 4, 0.2, 5, 4]);
  expect(numbers(some.free(model.theta))).toEqual([0.35, -1.4, 0.1, 0.25, 0.3]);
  // The tightest bound of a group is its bound.
  const free = Number.POSITIVE_INFINITY;
  expect(numbers(some.upper)).toEqual([0.4, 2, 2, free, free]);
  expect(numbers(some.lower)).toEqual([-0.4, -2, -2, -free, -free]);
  expect(satisfies(some, model.theta)).toBe(false);
  expect(satisfies(some, some.theta(Float64Array.of(0.4, -2, 1, 7, 8)))).toBe(true);
  expect(satisfies(some, some.theta(Float64Array.of(0.41, -2, 1, 7, 8)))).toBe(false);
});

test('pullback is the transpose of the map', () => {
  const { normal } = random(3);
  for (const options of [
    {},
    {
      tied: [
        [0, 1, 2],
        [4, 5],
      ],
    },
    { frozen: [0, 9], tied: [[6, 8]] },
    { mask: [0, 1, 0, 1, 0, 1] },
  ]) {
    const some = of(options);
    const [u, v] = [0, 1].map(() => Float64Array.from({ length: some.size }, normal));
    const bar = Float64Array.from({ length: 10 }, normal);
    const moved = some.theta(v);
    const change = some.theta(u.map((x, k) => x + v[k])).map((x, a) => x - some.theta(u)[a]);
    const held = some.theta(new Float64Array(some.size));
    const left = change.reduce((sum, x, a) => sum + x * bar[a], 0);
    const right = some.pullback(bar).reduce((sum, x, k) => sum + x * v[k], 0);
    expect(Math.abs(left - right)).toBeLessThan(1e-13);
    // It is affine, and its inverse on its image is exact.
    expect(numbers(some.free(moved))).toEqual(numbers(v));
    expect(moved.length).toBe(held.length);
  }
});

describe('a converter of b bits', () => {
  test.each([2, 3, 6, 12])('%i bits: levels, zero among them, at most half a step away', (bits) => {
    const rounded = of({ bits, maxCoupling: 1.5 });
    expect(rounded.rounded).toBe(true);
    const step = 1.5 / (2 ** (bits - 1) - 1);
    const { normal } = random(bits);
    const seen = new Set<number>();
    for (let k = 0; k < 2000; k++) {
      const u = clip(
        Float64Array.from({ length: 10 }, () => 1.2 * normal()),
        rounded,
      );
      const theta = rounded.theta(u);
      for (let a = 0; a < 6; a++) {
        expect(Math.abs(theta[a] - u[a])).toBeLessThanOrEqual(step / 2 + 1e-15);
        expect(Math.abs(theta[a] / step - Math.round(theta[a] / step))).toBeLessThan(1e-12);
        expect(Math.abs(theta[a])).toBeLessThanOrEqual(1.5 * (1 + Number.EPSILON));
        seen.add(Math.round(theta[a] / step));
      }
      // Biases are not rounded.
      expect(numbers(theta.subarray(6))).toEqual(numbers(u.subarray(6)));
    }
    expect(seen.size).toBeLessThanOrEqual(2 ** bits - 1);
    if (bits <= 6) expect(seen.size).toBe(2 ** bits - 1);
    expect(seen).toContain(0);
    expect(Object.is(rounded.theta(new Float64Array(10).fill(-1e-9))[0], 0)).toBe(true);
  });

  test('the derivative goes straight through, and frozen couplings stay off the levels', () => {
    const rounded = of({ bits: 4, maxCoupling: 2, frozen: [0], tied: [[1, 2]] });
    expect(numbers(rounded.pullback(Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)))).toEqual([
      5, 4, 5, 6, 7, 8, 9, 10,
    ]);
    const theta = rounded.theta(rounded.free(model.theta));
    expect(theta[0]).toBe(0.5);
    expect(theta[1]).toBe(theta[2]);
    expect(theta[1]).toBeCloseTo(2 / 7, 15);
  });
});

test.each<[string, ConstraintOptions, RegExp]>([
  ['frozen beyond theta', { frozen: [10] }, /^frozen\[0\] must be a parameter index from 0 to 9, got 10;/],
  ['frozen at half an index', { frozen: [0, 0.5] }, /^frozen\[1\] must be .* got 0\.5;/],
  ['frozen twice', { frozen: [1, 2, 1] }, /^frozen\[2\] must be an index not listed before, got 1;/],
  [
    'frozen and masked',
    { frozen: [2], mask: [1, 1, 0, 1, 1, 1] },
    /^mask\[2\] must be 1 where the coupling is frozen, got 0;/,
  ],
  ['a short mask', { mask: [1, 0] }, /^mask must be a list of 6 numbers, one per edge, got 2;/],
  ['a mask of true', { mask: [true] as never }, /^mask must be a list of 6/],
  ['a mask of 2', { mask: [1, 1, 2, 1, 1, 1] }, /^mask\[2\] must be 0 or 1, got 2;/],
  ['a group of one', { tied: [[0, 1], [2]] }, /^tied\[1\] must be a group of at least two parameters, got \[2\];/],
  ['a group with a bias', { tied: [[0, 7]] }, /^tied\[0\]\[1\] must be a coupling like the first, got 7;/],
  ['a group of biases with a coupling', { tied: [[7, 0]] }, /^tied\[0\]\[1\] must be a bias like the first, got 0;/],
  [
    'tied twice',
    {
      tied: [
        [0, 1],
        [1, 2],
      ],
    },
    /^tied\[1\]\[0\] must be a parameter that is tied once, got 1;/,
  ],
  ['tied and frozen', { tied: [[0, 1]], frozen: [1] }, /^tied\[0\]\[1\] must be a parameter that is not frozen/],
  ['tied beyond theta', { tied: [[0, -1]] }, /^tied\[0\]\[1\] must be a parameter index from 0 to 9, got -1;/],
  ['a bound of zero', { maxCoupling: 0 }, /^maxCoupling must be a positive number, got 0;/],
  [
    'bounds of another number',
    { maxCoupling: [1, 2] },
    /^maxCoupling must be a list of 6 numbers, one per edge, got 2;/,
  ],
  [
    'an infinite bound',
    { maxCoupling: [1, 1, 1, 1, 1, 1 / 0] },
    /^maxCoupling\[5\] must be a positive number, got Infinity;/,
  ],
  ['bits without a range', { bits: 4 }, /^maxCoupling must be given where there are bits, got null;/],
  ['one bit', { bits: 1, maxCoupling: 1 }, /^bits must be a whole number from 2 to 32, got 1;/],
])('%s is refused', (_, options, message) => {
  expect(() => of(options)).toThrow(InputError);
  expect(() => of(options)).toThrow(message);
});
