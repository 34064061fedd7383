import { describe, expect, test } from 'vitest';
import { walshHadamard } from '../../src/model/walsh-hadamard.js';
import { EPS, spinOf, vector } from '../support/brute-force.js';
import { random } from '../support/models.js';

/** `(-1)^popcount(mask & s)`, bit by bit. */
function character(mask: number, s: number): number {
  let sign = 1;
  for (let i = 0; i < 10; i++) if (spinOf(mask, i) > 0 && spinOf(s, i) > 0) sign = -sign;
  return sign;
}

describe.each([0, 1, 2, 3, 5, 7])('length 2^%i', (bits) => {
  const n = 2 ** bits;
  const { integer, normal } = random(bits + 1);
  // Integers below 2^20 have exact sums, so the two computations must agree bit by bit.
  const whole = vector(n, () => integer(2 ** 20) - 2 ** 19);
  const real = vector(n, normal);
  const direct = (x: Float64Array) =>
    vector(n, (mask) => x.reduce((sum, value, s) => sum + character(mask, s) * value, 0));

  test('is the sum over characters', () => {
    expect([...walshHadamard(Float64Array.from(whole))]).toEqual([...direct(whole)]);
    // Two sums of n terms, each addition rounding once relative to at most sum |x|.
    const size = real.reduce((sum, value) => sum + Math.abs(value), 0);
    const expected = direct(real);
    walshHadamard(Float64Array.from(real)).forEach((value, mask) => {
      expect(Math.abs(value - expected[mask])).toBeLessThanOrEqual(n * EPS * size);
    });
  });

  test('is its own inverse up to the length, and works in place', () => {
    const x = Float64Array.from(whole);
    expect(walshHadamard(walshHadamard(x))).toBe(x);
    expect([...x]).toEqual([...whole.map((value) => n * value)]);
  });

  test('keeps the norm up to the length', () => {
    const norm = (x: Float64Array) => x.reduce((sum, value) => sum + value * value, 0);
    expect(norm(walshHadamard(Float64Array.from(whole)))).toBe(n * norm(whole));
  });
});
