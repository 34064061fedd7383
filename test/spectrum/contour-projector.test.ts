import { InputError } from 'htdml';
import { describe, expect, test } from 'vitest';
import { contourProjector } from '../../src/spectrum/contour-projector.js';
import { indicator, type SpectralFunction, spectralMatrix } from '../../src/spectrum/spectral-function.js';
import { symmetricEigen } from '../../src/spectrum/symmetric-eigen.js';
import { distance, EPS, largest } from '../support/brute-force.js';
import { withSpectrum } from '../support/spectra.js';

const diagonal = (values: readonly number[]) =>
  Float64Array.from({ length: values.length ** 2 }, (_, k) =>
    k % (values.length + 1) === 0 ? values[k / (values.length + 1)] : 0,
  );

describe.each([
  { name: 'separated', values: [0.1, 0.3, 0.55, 0.8, 1.2], inside: 2, centre: 0.2, radius: 0.2 },
  { name: 'clustered', values: [0.1, 0.1 + 1e-6, 0.1 + 3e-6, 0.5, 0.8], inside: 3, centre: 0.1, radius: 0.1 },
  { name: 'degenerate', values: [0.2, 0.2, 0.2, 0.6, 0.6, 1], inside: 3, centre: 0.2, radius: 0.2 },
  { name: 'a gap of 1e-10 inside', values: [0.1, 0.1 + 1e-10, 0.4, 0.7, 0.9], inside: 2, centre: 0.1, radius: 0.15 },
  { name: 'a tiny circle', values: [1e-5, 1.1e-5, 3e-5, 0.7, 0.9], inside: 2, centre: 1e-5, radius: 5e-6 },
])('$name', ({ values, inside, centre, radius }) => {
  const n = values.length;
  const a = withSpectrum(values, 17);
  const eigen = symmetricEigen(a, n);

  test('the projector from eigenvectors', () => {
    const expected = spectralMatrix(eigen, indicator(eigen.values, new Set([...Array(inside).keys()])));
    const { projector, converged, change } = contourProjector(a, n, { centre, radius });
    expect(converged).toBe(true);
    // Eigenvectors are right to 8 n eps over the gap, resolvents to 64 n eps n / radius.
    expect(distance(projector, expected)).toBeLessThan((64 * n * n * EPS) / radius);
    expect(change).toBeLessThan((64 * n * n * EPS * 2) / radius);
  });

  test('nothing in the circle, and everything', () => {
    expect(largest(contourProjector(a, n, { centre: -5, radius: 1 }).projector)).toBeLessThan(64 * n * n * EPS);
    const all = contourProjector(a, n, { centre: 0.6, radius: 2 }).projector;
    expect(distance(all, diagonal(values.map(() => 1)))).toBeLessThan(64 * n * n * EPS);
  });
});

test('geometric convergence: the error is squared at every doubling, so the nodes go as 1 / log of the ratio', () => {
  for (const ratio of [0.1, 0.3, 0.5, 0.7, 0.85]) {
    const a = withSpectrum([0, ratio, 1 / ratio], 19);
    const { nodes, converged } = contourProjector(a, 3, { centre: 0, radius: 1 });
    // The change from m / 2 to m nodes is ratio^(m / 2); it settles where that is at the rounding that the code allows, 64 n eps |A|. At these
    // ratios it is far above that at one number of nodes and far below at the next.
    let expected = 16;
    while (ratio ** (expected / 2) > (64 * 3 * EPS * 3) / ratio) expected *= 2;
    expect(converged).toBe(true);
    expect(nodes, `ratio ${ratio}`).toBe(expected);
  }
});

test('too near to the circle: reported, with the weights that the rule gives', () => {
  const values = [0, 0.999, 1.001, 3];
  const a = withSpectrum(values, 23);
  const { projector, nodes, converged } = contourProjector(a, 4, { centre: 0, radius: 1 });
  expect({ nodes, converged }).toEqual({ nodes: 512, converged: false });
  const eigen = symmetricEigen(a, 4);
  const weights: SpectralFunction = { value: (j) => 1 / (1 + values[j] ** 512), divided: () => 0 };
  // The resolvent at the nearest node, at pi / 512 from the axis, magnifies rounding by 512 / pi; weights move by 512 / 4 of an eigenvalue's error.
  expect(distance(projector, spectralMatrix(eigen, weights))).toBeLessThan(512 * 16 * EPS);
});

test('on the circle: never a projector by accident', () => {
  for (const radius of [1, 1 + EPS, 1 - EPS / 2, 1 + 1e-15, 1 + 1e-9, 1 - 1e-6]) {
    // One on the circle, two on opposite sides of it, whose half weights add up to one, and a multiple one.
    for (const values of [
      [1, 2, 5],
      [0, 2, 5],
      [0, 1, 2, 2],
      [2, 2],
    ]) {
      const { converged, change } = contourProjector(diagonal(values), values.length, { centre: 1, radius });
      expect(converged, `${values} at ${radius}`).toBe(false);
      expect(change).not.toBeNaN();
    }
    const a = withSpectrum([0, 1, 2, 5], 29);
    expect(contourProjector(a, 4, { centre: 1, radius }).converged).toBe(false);
  }
});

test('a circle that is none is refused by name; a matrix that is not finite does not converge', () => {
  for (const radius of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => contourProjector(diagonal([1]), 1, { centre: 0, radius })).toThrow(InputError);
  }
  expect(() => contourProjector(diagonal([1]), 1, { centre: Number.NaN, radius: 1 })).toThrow(/^radius must be/);
  expect(contourProjector(diagonal([Number.NaN, 1]), 2, { centre: 0, radius: 0.5 }).converged).toBe(false);
});
