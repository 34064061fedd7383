import { describe, expect, test } from 'vitest';
import { createKernel } from '../../src/kernel/kernels.js';
import { boltzmann } from '../../src/model/boltzmann.js';
import { stateSpace } from '../../src/model/state-space.js';
import { generatorEigen, transitionMatrix } from '../../src/spectrum/dense-kernel.js';
import { symmetricEigen } from '../../src/spectrum/symmetric-eigen.js';
import {
  distance,
  dot,
  EPS,
  fullSpace,
  jacobiEigen,
  lawError,
  matrixOf,
  symmetrised,
  vector,
} from '../support/brute-force.js';
import { GIBBS, gradientCases, random } from '../support/models.js';

describe.each([1, 2, 3, 8, 25])('a random symmetric matrix of order %i', (n) => {
  const { normal } = random(n);
  const raw = vector(n * n, normal);
  const matrix = vector(n * n, (k) => raw[k] + raw[(k % n) * n + Math.floor(k / n)]);
  const rows = Array.from({ length: n }, (_, s) => matrix.slice(s * n, (s + 1) * n));
  // Backward stable: a few eps per order of the norm, here the Frobenius norm.
  const tolerance = 8 * n * EPS * Math.sqrt(dot(matrix, matrix));

  test('values against Jacobi rotations, ascending; vectors orthonormal with small residuals', () => {
    const { values, vectors } = symmetricEigen(Float64Array.from(matrix), n);
    expect(distance(values, jacobiEigen(rows).values.sort())).toBeLessThan(tolerance);
    for (let j = 0; j < n; j++) {
      const v = vectors.slice(j * n, (j + 1) * n);
      rows.forEach((row, s) => expect(Math.abs(dot(row, v) - values[j] * v[s])).toBeLessThan(tolerance));
      for (let k = 0; k <= j; k++) {
        const overlap = dot(v, vectors.slice(k * n, (k + 1) * n));
        expect(Math.abs(overlap - (j === k ? 1 : 0))).toBeLessThan(8 * n * EPS);
      }
      if (j > 0) expect(values[j]).toBeGreaterThanOrEqual(values[j - 1]);
    }
  });
});

describe.each(gradientCases())('$name', ({ model }) => {
  const full = fullSpace(model);
  const law = boltzmann(stateSpace(model), model.theta, model.beta);
  const n = law.space.states;

  test.each(GIBBS)('%s: both sectors together are the spectrum of the full matrix', (name) => {
    const p = matrixOf(full, name);
    const expected = jacobiEigen(symmetrised(p, full.pi))
      .values.map((value) => 1 - value)
      .sort();
    const even = generatorEigen(transitionMatrix(createKernel(law, model, name)), n, law.pi);
    const odd = model.biased
      ? new Float64Array(0)
      : generatorEigen(transitionMatrix(createKernel(law, model, name, -1)), n, null).values;
    // The stationary mode is left out.
    const all = Float64Array.from([0, ...even.values, ...odd]).sort();
    // Two backward stable solvers on matrices of norm 1 whose entries are right to lawError.
    const tolerance = full.states * (8 * EPS + lawError(model));
    expect(all.length).toBe(expected.length);
    expect(distance(all, expected)).toBeLessThan(tolerance);
    expect(all[0]).toBeGreaterThan(-tolerance);
    expect(all[all.length - 1]).toBeLessThan(1 + tolerance);
    // All other modes are orthogonal to sqrt(pi): it was moved to an eigenvalue at least 1 away, so to tolerance.
    const root = law.pi.map(Math.sqrt);
    for (let j = 0; j < n - 1; j++) {
      expect(Math.abs(dot(root, even.vectors.slice(j * n, (j + 1) * n)))).toBeLessThan(tolerance);
    }
  });
});

test('a mode slower than rounding does not mix with the stationary one', () => {
  // Two states, unevenly likely, that meet at a rate far below eps: the only mode left is sqrt(1 - pi), with signs.
  const pi = Float64Array.of(0.25, 0.75);
  const { values, vectors } = generatorEigen(Float64Array.of(1, 3e-30, 1e-30, 1), 2, pi);
  expect(values.length).toBe(1);
  expect(Math.abs(values[0])).toBeLessThan(8 * EPS);
  expect(Math.abs(vectors[0] * Math.sqrt(pi[0]) + vectors[1] * Math.sqrt(pi[1]))).toBeLessThan(8 * EPS);
});
