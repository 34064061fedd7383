import { InputError } from 'htdml';
import { describe, expect, test } from 'vitest';
import {
  indicator,
  type SpectralFunction,
  spectralDerivative,
  spectralMatrix,
} from '../../src/spectrum/spectral-function.js';
import { type SymmetricEigen, symmetricEigen } from '../../src/spectrum/symmetric-eigen.js';
import { hardMembership, softMembership } from '../../src/trainability/membership/soft-window.js';
import { distance, dot, EPS, largest } from '../support/brute-force.js';
import { product, symmetricDirection, trace, withSpectrum } from '../support/spectra.js';

/** Spectra, and how many of the slowest are in the set. The distance to the others is at least 0.2 in each. */
const cases = [
  { name: 'separated', values: [0.1, 0.3, 0.55, 0.8, 1.2], inside: 2 },
  { name: 'clustered to 1e-6', values: [0.1, 0.1 + 1e-6, 0.1 + 3e-6, 0.5, 0.8], inside: 3 },
  { name: 'a gap of 1e-10', values: [0.1, 0.1 + 1e-10, 0.4, 0.7, 0.7 + 1e-10, 0.9], inside: 3 },
  { name: 'exactly degenerate inside and outside', values: [0.2, 0.2, 0.2, 0.6, 0.6, 1], inside: 3 },
  { name: 'one level apart from a multiple one', values: [0.1, 0.5, 0.5, 0.5], inside: 1 },
] as const;

/**
 * The functions under test, with the radius of the disc of matrices `A + z dA`, `|dA| <= 1`, on which each is analytic, and a bound there.
 *
 * Hard: by the contour integral on a circle at `g/2` from the set, of radius below `1`, the resolvent is below `1 / (g/2 - g/4)` for `|z| <= g/4`, and so is
 * `F` below `4 max|q| / g`. Soft: `q` on the numerical range, widened by the disc's radius, times `1 + sqrt 2` (Crouzeix and Palencia 2017).
 */
function functions(values: readonly number[], inside: number) {
  const members = new Set(Array.from({ length: inside }, (_, j) => j));
  const external = values[inside] - values[inside - 1];
  const slowest = values[0];
  const part = { timescale: 0.7, mass: 0.2 };
  const eta = 0.1;
  const center = 0.45;
  // Half of what keeps the poles of 1/x and of the logistic out.
  const soft = Math.min(slowest, Math.PI * eta) / 2;
  // The contour of 1/x stays away from its pole at 0.
  const hard = Math.min(external, slowest) / 4;
  const largestTau = part.timescale * (2 / slowest) + part.mass + part.timescale;
  return [
    {
      name: 'indicator',
      of: (gaps: Float64Array) => indicator(gaps, members),
      radius: external / 4,
      bound: 4 / external,
    },
    {
      name: 'hard membership',
      of: (gaps: Float64Array) => hardMembership(gaps, members, part),
      radius: hard,
      bound: largestTau / hard,
    },
    {
      name: 'soft membership',
      of: (gaps: Float64Array) => softMembership(gaps, { center, eta }, part),
      // For |Im x| <= pi eta / 2 the logistic is at most 1.
      radius: soft,
      bound: (1 + Math.SQRT2) * largestTau,
    },
  ];
}

describe.each(cases)('$name', ({ values, inside }) => {
  const n = values.length;
  const a = withSpectrum(values, 3);
  const eigen = symmetricEigen(a, n);
  const members = new Set(Array.from({ length: inside }, (_, j) => j));
  const external = values[inside] - values[inside - 1];

  test.each(functions(values, inside))('$name: derivative against central differences', ({ of, radius, bound }) => {
    const direction = symmetricDirection(n, 5);
    const h = radius * EPS ** (1 / 5);
    const at = (t: number) => {
      const moved = symmetricEigen(
        a.map((x, k) => x + t * direction[k]),
        n,
      );
      return spectralMatrix(moved, of(moved.values));
    };
    const [p1, m1, p2, m2] = [at(h), at(-h), at(2 * h), at(-2 * h)];
    const numeric = p1.map((x, k) => (8 * (x - m1[k]) - (p2[k] - m2[k])) / (12 * h));
    // Fourth-order stencil: off by h^4 / 30 of the fifth derivative, which is below 5! bound / radius^5 by Cauchy (over the smaller disc that 2 h leaves, hence
    // the factor two); a backward error of 8 n eps in A moves F by at most bound / radius of it.
    const truncation = (2 * 120 * bound * h ** 4) / (30 * radius ** 5);
    const rounding = (3 * (8 * n * EPS) * bound) / (radius * h);
    const derivative = spectralDerivative(eigen, of(eigen.values), direction);
    expect(largest(derivative)).toBeGreaterThan(1e-3);
    expect(distance(derivative, numeric)).toBeLessThan(truncation + rounding);
    // The bound is no bigger than what it is to tell apart.
    expect(truncation + rounding).toBeLessThan(1e-4 * Math.max(1, bound / radius));
  });

  test('derivative of the projector: trace, inside and outside blocks vanish; self-adjoint and linear in dA', () => {
    const q = indicator(eigen.values, members);
    const p = spectralMatrix(eigen, q);
    const [x, y] = [symmetricDirection(n, 7), symmetricDirection(n, 9)];
    const [dx, dy] = [spectralDerivative(eigen, q, x), spectralDerivative(eigen, q, y)];
    const rest = p.map((value, k) => (k % (n + 1) === 0 ? 1 : 0) - value);
    // Sums of n products of entries below 1, over the gap.
    const tolerance = (16 * n * n * EPS) / external;
    expect(distance(product(p, p, n), p)).toBeLessThan(16 * n * EPS);
    expect(Math.abs(trace(p, n) - inside)).toBeLessThan(16 * n * EPS);
    expect(Math.abs(trace(dx, n))).toBeLessThan(tolerance);
    expect(largest(product(product(p, dx, n), p, n))).toBeLessThan(tolerance);
    expect(largest(product(product(rest, dx, n), rest, n))).toBeLessThan(tolerance);
    expect(Math.abs(dot(dx, y) - dot(x, dy))).toBeLessThan(tolerance);
    const both = spectralDerivative(
      eigen,
      q,
      x.map((value, k) => 2 * value - y[k]),
    );
    expect(largest(both.map((value, k) => value - 2 * dx[k] + dy[k]))).toBeLessThan(tolerance);
  });

  test('what the eigensolver chose as a basis of a multiple eigenvalue does not matter', () => {
    // Modes 0 and 1 are mixed where their eigenvalues agree to 1e-9; F and dF may change by that much.
    if (inside < 2 || values[1] - values[0] > 1e-9) return;
    const vectors = Float64Array.from(eigen.vectors);
    const [c, s] = [Math.cos(0.7), Math.sin(0.7)];
    for (let k = 0; k < n; k++) {
      vectors[k] = c * eigen.vectors[k] - s * eigen.vectors[n + k];
      vectors[n + k] = s * eigen.vectors[k] + c * eigen.vectors[n + k];
    }
    const mixed: SymmetricEigen = { values: eigen.values, vectors };
    const direction = symmetricDirection(n, 13);
    for (const { of } of functions(values, inside)) {
      const q: SpectralFunction = of(eigen.values);
      const tolerance = (values[1] - values[0] + 64 * n * n * EPS) * 1e3;
      expect(distance(spectralMatrix(mixed, q), spectralMatrix(eigen, q))).toBeLessThan(tolerance);
      expect(distance(spectralDerivative(mixed, q, direction), spectralDerivative(eigen, q, direction))).toBeLessThan(
        tolerance,
      );
    }
  });
});

test('a set that splits an eigenvalue has no derivative and says so', () => {
  const eigen = { values: Float64Array.of(1, 1, 2), vectors: Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1) };
  const q = indicator(eigen.values, new Set([0]));
  expect(() => spectralDerivative(eigen, q, symmetricDirection(3, 1))).toThrow(InputError);
  expect([...spectralMatrix(eigen, q)]).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0]);
});
