import { describe, expect, test } from 'vitest';
import { createKernel } from '../../src/kernel/kernels.js';
import { MixtureKernel } from '../../src/kernel/mixture-kernel.js';
import { boltzmann, centredObservable } from '../../src/model/boltzmann.js';
import { stateSpace } from '../../src/model/state-space.js';
import { centre, conjugateGradient, lanczosMatrix, dot as weighted } from '../../src/spectrum/conjugate-gradient.js';
import { transitionMatrix } from '../../src/spectrum/dense-kernel.js';
import { gaussQuadrature } from '../../src/spectrum/gauss.js';
import { groundedSolver } from '../../src/spectrum/grounded.js';
import {
  dot,
  EPS,
  fullSpace,
  inner,
  jacobiEigen,
  lawError,
  matrixOf,
  poisson,
  symmetrised,
  unfold,
} from '../support/brute-force.js';
import { GIBBS, gradientCases } from '../support/models.js';

const norm = (pi: Float64Array, x: Float64Array) => Math.sqrt(inner(pi, x, x));

describe.each(gradientCases())('$name', ({ model }) => {
  const full = fullSpace(model);
  const law = boltzmann(stateSpace(model), model.theta, model.beta);
  const n = law.space.states;
  const { pi } = law;

  describe.each(GIBBS)('%s', (name) => {
    const kernel = createKernel(law, model, name);
    const p = matrixOf(full, name);
    const modes = jacobiEigen(symmetrised(p, full.pi));
    const gaps = Float64Array.from(modes.values, (value) => 1 - value).sort();
    const solver = groundedSolver(transitionMatrix(kernel), pi);
    const fc = full.centred.map((_, a) => {
      const out = new Float64Array(n);
      centredObservable(law, a, out);
      return out;
    });

    test('conjugate gradients and elimination against a dense solve on all states', () => {
      expect(solver.irreducible).toBe(true);
      fc.forEach((b, a) => {
        const expected = poisson(p, full.pi, full.centred[a]);
        const size = norm(full.pi, expected);
        // The dense solve: n eps over the gap of all states; the law under each: lawError over the gap.
        const reference = ((full.states * EPS + 4 * lawError(model)) / gaps[1]) * size;
        const eliminated = solver.solve(b);
        const direct = unfold(model, eliminated).map((value, s) => value - expected[s]);
        expect(norm(full.pi, direct)).toBeLessThan(reference);
        expect(Math.abs(dot(pi, eliminated))).toBeLessThan(n * EPS * size);
        // Converged means a backward error of at most 64 eps sqrt(n).
        const iterated = conjugateGradient(kernel, b);
        expect(iterated.converged).toBe(true);
        expect(iterated.backwardError).toBeLessThanOrEqual(64 * EPS * Math.sqrt(n));
        const backward = (iterated.backwardError * (norm(pi, b) + 2 * size)) / gaps[1];
        const apart = unfold(model, iterated.u).map((value, s) => value - expected[s]);
        expect(norm(full.pi, apart)).toBeLessThan(reference + 2 * backward);
        // No more steps than there are states, up to the few that rounding adds.
        expect(iterated.iterations).toBeLessThanOrEqual(2 * n + 8);
      });
    });

    test('Gauss quadrature from the iteration against the spectrum of the full matrix', () => {
      const root = full.pi.map(Math.sqrt);
      // Smooth functions of the gap, bounded by 1 with derivatives bounded by 2 on [0, 1], so the error is that of nodes and weights.
      const functions = [
        () => 1,
        (x: number) => x,
        (x: number) => x * x,
        (x: number) => Math.exp(-x),
        (x: number) => 1 / (1 + x),
      ];
      fc.forEach((b, a) => {
        const steps = conjugateGradient(kernel, b);
        const { diagonal, offDiagonal } = lanczosMatrix(steps.alphas, steps.betas);
        const { nodes, weights } = gaussQuadrature(diagonal, offDiagonal);
        const variance = inner(pi, b, b);
        // Weights are the squared first components of unit vectors; nodes lie in the spectrum (0, 1].
        expect(Math.abs(weights.reduce((x, y) => x + y) - 1)).toBeLessThan(16 * EPS * nodes.length);
        expect(Math.min(...nodes)).toBeGreaterThan(0);
        expect(Math.max(...nodes)).toBeLessThan(1 + n * lawError(model));
        const y = modes.vectors.map(
          (v) =>
            dot(
              v,
              full.centred[a].map((value, s) => value * root[s]),
            ) ** 2,
        );
        for (const q of functions) {
          const quadrature = variance * weights.reduce((sum, w, k) => sum + w * q(nodes[k]), 0);
          const exact = y.reduce((sum, w, j) => sum + w * q(1 - modes.values[j]), 0);
          expect(Math.abs(quadrature - exact)).toBeLessThan(16 * full.states * lawError(model) * variance);
        }
        // The pole at zero: <b, (I - P)^-1 b>, with the sensitivity 1 / gap of a solve.
        const pole = variance * weights.reduce((sum, w, k) => sum + w / nodes[k], 0);
        const solved = inner(pi, b, solver.solve(b));
        expect(Math.abs(pole / solved - 1)).toBeLessThan((64 * EPS * Math.sqrt(n) + 4 * lawError(model)) / gaps[1]);
      });
    });
  });

  test('centring and the inner product', () => {
    const x = Float64Array.from(law.energies, (energy, s) => energy + s);
    const centred = Float64Array.from(x);
    centre(pi, centred);
    const mean = dot(pi, x);
    const size = Math.max(...x.map(Math.abs));
    centred.forEach((value, s) => expect(Math.abs(value - (x[s] - mean))).toBeLessThan(2 * n * EPS * size));
    expect(Math.abs(weighted(pi, x, centred) - inner(pi, x, centred))).toBeLessThan(2 * n * EPS * size * size);
  });
});

describe('limits of the iteration', () => {
  const { model } = gradientCases()[0];
  const law = boltzmann(stateSpace(model), model.theta, model.beta);
  const kernel = createKernel(law, model, 'random-scan');
  const b = new Float64Array(law.space.states);
  centredObservable(law, 0, b);

  test('a zero right-hand side has the zero solution', () => {
    const result = conjugateGradient(kernel, new Float64Array(law.space.states));
    expect(result.converged).toBe(true);
    expect(result.iterations).toBe(0);
    expect(result.u.every((value) => value === 0)).toBe(true);
  });

  test('too few iterations are not called converged, and the backward error says by how much', () => {
    const short = conjugateGradient(kernel, b, 2);
    expect(short.iterations).toBe(2);
    expect(short.converged).toBe(false);
    const r = new Float64Array(b.length);
    kernel.applyGenerator(short.u, r);
    const residual = norm(
      law.pi,
      r.map((value, s) => b[s] - value),
    );
    const scale = norm(law.pi, b) + 2 * norm(law.pi, short.u);
    expect(short.backwardError).toBeCloseTo(residual / scale, 14);
    expect(short.backwardError).toBeGreaterThan(1e-4);
  });

  test('converged means a backward error of 64 eps sqrt(n), reached from above as iterations are allowed', () => {
    const limit = 64 * EPS * Math.sqrt(b.length);
    const runs = Array.from({ length: 2 * b.length }, (_, k) => conjugateGradient(kernel, b, k));
    runs.forEach(({ converged, backwardError }) => expect(converged).toBe(backwardError <= limit));
    expect(runs[0].backwardError).toBe(1);
    expect(runs[runs.length - 1].converged).toBe(true);
    // On the way there are errors just too large, not only plain failures.
    expect(runs.some(({ backwardError }) => backwardError > limit && backwardError < 1e-6)).toBe(true);
  });

  test('an eigenvector takes one step: the quadrature is one node', () => {
    // At J = 0 a spin is an eigenvector of random-scan with gap 1/N.
    const flat = gradientCases().find(({ name }) => name === 'J = 0, biased');
    if (flat === undefined) throw new Error('the case is gone');
    const space = boltzmann(stateSpace(flat.model), flat.model.theta, 1);
    const x = new Float64Array(16);
    centredObservable(space, 6, x);
    const { alphas, betas, iterations } = conjugateGradient(new MixtureKernel(space, [[0], [1], [2], [3]]), x);
    const { diagonal, offDiagonal } = lanczosMatrix(alphas, betas);
    expect(iterations).toBe(1);
    const { nodes, weights } = gaussQuadrature(diagonal, offDiagonal);
    expect([...nodes]).toEqual([0.25]);
    expect([...weights]).toEqual([1]);
  });
});
