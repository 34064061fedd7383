import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createKernel } from '../../src/kernel/kernels.js';
import { boltzmann } from '../../src/model/boltzmann.js';
import { stateSpace } from '../../src/model/state-space.js';
import { detailedBalanceDefect, generatorEigen, transitionMatrix } from '../../src/spectrum/dense-kernel.js';
import {
  distance,
  dot,
  fullSpace,
  inner,
  largest,
  lawError,
  matrixOf,
  times,
  unfold,
  vector,
} from '../support/brute-force.js';
import { random } from '../support/models.js';
import { isings, kernels, RUNS, rbms } from './arbitraries.js';

const models = fc.oneof(isings, rbms);

test('reversible: the measured defect is rounding, and the stationary law stays', () => {
  fc.assert(
    fc.property(models, kernels, (model, name) => {
      const law = boltzmann(stateSpace(model), model.theta, model.beta);
      const kernel = createKernel(law, model, name);
      // A block of k spins multiplies k probabilities, each right to lawError.
      const error = 4 * model.spins * lawError(model);
      expect(detailedBalanceDefect(transitionMatrix(kernel), law.pi)).toBeLessThan(error);
      const moved = new Float64Array(law.space.states);
      kernel.propagate(law.pi, moved);
      expect(distance(moved, law.pi)).toBeLessThan(error);
    }),
    RUNS,
  );
});

test('spectrum in [0, 1] in every sector, and 0 of the generator once', () => {
  fc.assert(
    fc.property(models, kernels, (model, name) => {
      const law = boltzmann(stateSpace(model), model.theta, model.beta);
      const n = law.space.states;
      const rounding = 8 * n * lawError(model);
      const even = generatorEigen(transitionMatrix(createKernel(law, model, name)), n, law.pi).values;
      const odd = model.biased
        ? []
        : [...generatorEigen(transitionMatrix(createKernel(law, model, name, -1)), n, null).values];
      for (const gap of [...even, ...odd]) {
        expect(gap).toBeGreaterThan(rounding);
        expect(gap).toBeLessThan(1 + rounding);
      }
    }),
    RUNS,
  );
});

test('the operator is the average of conditional expectations over all states, in both sectors', () => {
  fc.assert(
    fc.property(models, kernels, fc.nat(1000), (model, name, seed) => {
      const full = fullSpace(model);
      const law = boltzmann(stateSpace(model), model.theta, model.beta);
      const p = matrixOf(full, name);
      const { normal } = random(seed);
      const [x, z] = [vector(law.space.states, normal), vector(law.space.states, normal)];
      const size = 4 * model.spins * lawError(model) * Math.max(largest(x), largest(z));
      const y = new Float64Array(x.length);
      for (const sector of model.biased ? ([1] as const) : ([1, -1] as const)) {
        const kernel = createKernel(law, model, name, sector);
        kernel.apply(x, y);
        expect(distance(unfold(model, y, sector), times(p, unfold(model, x, sector)))).toBeLessThan(size);
        const rate = new Float64Array(x.length);
        kernel.applyGenerator(x, rate);
        expect(
          distance(
            rate,
            x.map((value, s) => value - y[s]),
          ),
        ).toBeLessThan(2 * size);
        // Self-adjoint and a contraction: 0 <= <x, P x> <= <x, x>.
        const energy = inner(law.pi, x, y);
        expect(energy).toBeGreaterThan(-size * largest(x));
        expect(energy).toBeLessThan(inner(law.pi, x, x) + size * largest(x));
        const pz = new Float64Array(x.length);
        kernel.adjoint().apply(z, pz);
        expect(Math.abs(inner(law.pi, z, y) - inner(law.pi, pz, x))).toBeLessThan(
          2 * size * Math.max(largest(x), largest(z)),
        );
      }
    }),
    RUNS,
  );
});

test('propagation is dual to application: <mu P, f> = <mu, P f>', () => {
  fc.assert(
    fc.property(models, kernels, fc.nat(1000), (model, name, seed) => {
      const law = boltzmann(stateSpace(model), model.theta, model.beta);
      const kernel = createKernel(law, model, name);
      const { normal, uniform } = random(seed);
      const [mu, f] = [vector(law.space.states, uniform), vector(law.space.states, normal)];
      const [nu, pf] = [new Float64Array(mu.length), new Float64Array(mu.length)];
      kernel.propagate(mu, nu);
      kernel.apply(f, pf);
      const mass = mu.reduce((a, b) => a + b);
      const size = 4 * model.spins * lawError(model) * mass;
      expect(Math.abs(dot(nu, f) - dot(mu, pf))).toBeLessThan(size * largest(f));
      expect(Math.abs(nu.reduce((a, b) => a + b) - mass)).toBeLessThan(size);
      expect(nu.every((value) => value >= 0)).toBe(true);
    }),
    RUNS,
  );
});
