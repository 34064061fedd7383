import { describe, expect, test } from 'vitest';
import type { SpectralFunction } from '../../../src/spectrum/spectral-function.js';
import { hardMembership, softMembership } from '../../../src/trainability/membership/soft-window.js';
import { EPS } from '../../support/brute-force.js';

const PARTS = [
  { timescale: 1, mass: 0 },
  { timescale: 0, mass: 1 },
  { timescale: 0.7, mass: 0.3 },
  { timescale: -2, mass: 0.4 },
];
/** Gaps with pairs at 1e-10, exact repetitions and everything between deep and fast. */
const GAPS = [
  1e-9,
  1e-9 + 1e-19,
  1e-4,
  1e-4,
  0.1,
  0.1 + 1e-10,
  0.1 + 2e-10,
  0.2,
  0.25,
  0.2500001,
  0.3,
  0.5,
  0.5,
  0.999,
  1,
];

/** Every pair of indices. */
const pairs = GAPS.flatMap((_, j) => GAPS.map((_, k) => [j, k] as const));

/** What a difference `q_j - q_k` loses: each value is right to a few eps of itself, and the logistic to `eps |x - center| / eta` more where it is not flat. */
function subtraction(q: SpectralFunction, j: number, k: number, argument: number): number {
  return (16 * EPS * (1 + argument) * (Math.abs(q.value(j)) + Math.abs(q.value(k)))) / Math.abs(GAPS[j] - GAPS[k]);
}

describe.each(PARTS)('hard, $timescale tau + $mass', (part) => {
  const members = new Set([0, 1, 4, 5, 6, 10]);
  const q = hardMembership(GAPS, members, part);

  test('against differences, symmetric, zero outside, derivative at coincidence', () => {
    for (const [j, k] of pairs) {
      const value = q.divided(j, k);
      expect(Number.isFinite(value)).toBe(true);
      expect(q.divided(k, j)).toBe(value);
      if (!members.has(j) && !members.has(k)) expect(value).toBe(0);
      if (GAPS[j] !== GAPS[k]) {
        const direct = (q.value(j) - q.value(k)) / (GAPS[j] - GAPS[k]);
        expect(Math.abs(value - direct)).toBeLessThanOrEqual(subtraction(q, j, k, 0));
      } else if (members.has(j)) {
        expect(value / (-part.timescale / GAPS[j] ** 2 || 1)).toBeCloseTo(part.timescale === 0 ? 0 : 1, 12);
      }
    }
  });
});

describe.each([1e-12, 1e-9, 1e-3, 0.05, 0.3, 1, 1e3])('soft, eta %d', (eta) => {
  for (const center of [1e-9, 0.1, 0.25, 2, -1]) {
    test.each(PARTS)(`centre ${center}, $timescale tau + $mass`, (part) => {
      const q = softMembership(GAPS, { center, eta }, part);
      const slope = (x: number) => {
        // q' in closed form, where x is a gap: chi f' + chi' f.
        const z = (x - center) / eta;
        const chi = 1 / (1 + Math.exp(z));
        return (
          (-chi * part.timescale) / x ** 2 -
          (chi / (1 + Math.exp(-z)) / eta) * (part.timescale * (1 / x - 0.5) + part.mass)
        );
      };
      for (const [j, k] of pairs) {
        const [x, y] = [GAPS[j], GAPS[k]];
        const value = q.divided(j, k);
        expect(Number.isFinite(value), `${x}, ${y}`).toBe(true);
        // Symmetric, though the product rule treats the two differently: up to the rounding of its two terms.
        const terms = Math.abs(part.timescale) / (x * y) + Math.abs(slope(x)) + Math.abs(slope(y));
        const chiSlope = Math.abs(value) + terms;
        expect(Math.abs(value - q.divided(k, j)), `${x}, ${y}`).toBeLessThanOrEqual(
          64 * EPS * (1 + Math.abs(x - y) / eta) * chiSlope,
        );
        const argument = Math.max(Math.abs(x - center), Math.abs(y - center)) / eta;
        if (x !== y) {
          const direct = (q.value(j) - q.value(k)) / (x - y);
          // exp(z) is right to |z| eps, relative; beyond 745 both are 0 or 1.
          expect(Math.abs(value - direct), `${x}, ${y}`).toBeLessThanOrEqual(
            subtraction(q, j, k, Math.min(argument, 745)) + Number.MIN_VALUE,
          );
        }
        if (x === y) {
          const exact = slope(x);
          expect(Math.abs(value - exact), `${x}`).toBeLessThanOrEqual(64 * EPS * (1 + Math.min(argument, 745)) * terms);
        }
      }
    });
  }
});

test('coincidences are limits: the derivative is a central difference, and nearby pairs tend to it', () => {
  const part = { timescale: 0.6, mass: 0.5 };
  const x = 0.21;
  for (const [center, eta] of [
    [0.2, 0.03],
    [0.5, 0.4],
    [0.21, 0.01],
  ]) {
    // Analytic in a disc of twice this radius, and bounded in it by what 1/x and the logistic are on one half as large.
    const radius = Math.min(x, Math.PI * eta) / 2;
    const bound = 4 * (part.timescale * (2 / x + 0.5) + part.mass);
    const h = 1e-3 * radius;
    const gaps = [x, x, x + h, x - h, x + 2 * h, x - 2 * h, x + 1e-10, x - 1e-10];
    const q = softMembership(gaps, { center, eta }, part);
    const numeric = (8 * (q.value(2) - q.value(3)) - (q.value(4) - q.value(5))) / (12 * h);
    const exact = q.divided(0, 1);
    // h^4 / 30 of a fifth derivative below 5! bound / radius^5 (Cauchy), and rounding over h.
    const truncation = (4 * 120 * bound * h ** 4) / (30 * radius ** 5);
    const rounding = 16 * EPS * bound * (1 / eta + 1 / x);
    expect(Math.abs(numeric - exact)).toBeLessThan(truncation + (16 * EPS * bound) / h);
    // A pair at equal distances differs by the square of its distance times the third derivative.
    expect(Math.abs(q.divided(6, 7) - exact)).toBeLessThan(rounding + (6 * bound * 1e-20) / radius ** 3);
  }
});

test('differences chain: (x - y) q_xy + (y - z) q_yz = (x - z) q_xz without cancellation', () => {
  const part = { timescale: 1, mass: 0.2 };
  for (const eta of [1e-3, 0.05, 10]) {
    const q = softMembership(GAPS, { center: 0.2, eta }, part);
    for (const [j, k] of pairs) {
      for (let m = 0; m < GAPS.length; m++) {
        const terms = [
          (GAPS[j] - GAPS[k]) * q.divided(j, k),
          (GAPS[k] - GAPS[m]) * q.divided(k, m),
          (GAPS[m] - GAPS[j]) * q.divided(m, j),
        ];
        const size = terms.reduce((sum, x) => sum + Math.abs(x), 0);
        expect(Math.abs(terms[0] + terms[1] + terms[2])).toBeLessThanOrEqual(64 * EPS * (1 + 1 / eta) * size);
      }
    }
  }
});

test('as eta goes to 0 the soft value is the hard one, exponentially in the distance to the centre over eta', () => {
  const part = { timescale: 1, mass: 0 };
  const [inside, outside] = [0.2, 0.4];
  for (const eta of [0.02, 0.01, 0.005]) {
    const q = softMembership([inside, outside], { center: 0.3, eta }, part);
    const tail = Math.exp(-0.1 / eta);
    expect(Math.abs(q.value(0) / (1 / inside - 0.5) - 1 + tail)).toBeLessThan(tail ** 2 + 4 * EPS);
    expect(q.value(1) / (1 / outside - 0.5) / tail).toBeCloseTo(1 / (1 + tail), 12);
  }
});

test('a window that is none is refused by name', () => {
  for (const window of [
    { center: 0.1, eta: 0 },
    { center: 0.1, eta: -1 },
    { center: Number.NaN, eta: 0.1 },
    { center: 0.1, eta: Number.POSITIVE_INFINITY },
  ]) {
    expect(() => softMembership(GAPS, window, PARTS[0])).toThrow(/^soft must be a window/);
  }
});
