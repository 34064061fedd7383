import { ising, type Model, rbm } from 'htdml';
import { describe, expect, test } from 'vitest';
import {
  boltzmann,
  centredObservable,
  linearCombination,
  observableSums,
  pullbackLogPi,
} from '../../src/model/boltzmann.js';
import { foldPattern, parity, stateSpace } from '../../src/model/state-space.js';
import {
  distance,
  dot,
  EPS,
  fold,
  fullSpace,
  inner,
  largest,
  lawError,
  unfold,
  vector,
  visiblePattern,
} from '../support/brute-force.js';
import { complete, gradientCases, random } from '../support/models.js';

const lawOf = (model: Model) => boltzmann(stateSpace(model), model.theta, model.beta);

describe.each(gradientCases())('$name', ({ model }) => {
  const full = fullSpace(model);
  const law = lawOf(model);
  const { space } = law;
  const error = lawError(model);
  const observables = full.observables.length;

  test('folds exactly the models without biases', () => {
    expect(space.folded).toBe(!model.biased);
    expect(space.states).toBe(full.states / (model.biased ? 1 : 2));
    expect(law.pi.length).toBe(space.states);
  });

  test('energies against the double sum, on all states', () => {
    // p terms of size sum |theta| in all, in two orders.
    const size = model.theta.reduce((sum, value) => sum + Math.abs(value), 0);
    expect(distance(unfold(model, law.energies), full.energies)).toBeLessThanOrEqual(
      (model.theta.length + model.spins) * EPS * size,
    );
  });

  test('law against direct normalisation', () => {
    const expected = fold(model, full.pi);
    law.pi.forEach((p, s) => {
      expect(Math.abs(p / expected[s] - 1)).toBeLessThan(2 * error);
      // log pi has the absolute error of a relative one of pi.
      expect(Math.abs(law.logPi[s] - Math.log(expected[s]))).toBeLessThan(2 * error + 2 * EPS * Math.abs(law.logPi[s]));
    });
    expect(law.energies[law.ground]).toBe(Math.min(...law.energies));
  });

  test('observables, their sums and their combinations against the table of f', () => {
    const { uniform, normal } = random(3);
    const measure = vector(full.states, uniform);
    const sums = observableSums(space, fold(model, measure));
    const mass = measure.reduce((a, b) => a + b);
    full.observables.forEach((f, a) => {
      const table = vector(space.states, (s) => space.signs[a] * parity(space.masks[a] & s));
      expect([...unfold(model, table)]).toEqual([...f]);
      // 2^N terms of total mass `mass`.
      expect(Math.abs(sums[a] - dot(measure, f))).toBeLessThan(2 * full.states * EPS * mass);
    });
    const coefficients = vector(observables, normal);
    const size = coefficients.reduce((sum, value) => sum + Math.abs(value), 0);
    const combined = vector(full.states, (s) =>
      full.observables.reduce((sum, f, a) => sum + coefficients[a] * f[s], 0),
    );
    expect(distance(unfold(model, linearCombination(space, coefficients)), combined)).toBeLessThan(
      2 * observables * EPS * size,
    );
  });

  test('centred observables and their variances', () => {
    const fc = new Float64Array(space.states);
    for (let a = 0; a < observables; a++) {
      const variance = centredObservable(law, a, fc);
      expect(distance(unfold(model, fc), full.centred[a])).toBeLessThan(4 * error);
      expect(Math.abs(variance - inner(full.pi, full.centred[a], full.centred[a]))).toBeLessThan(8 * error);
      expect(Math.abs(dot(law.pi, fc))).toBeLessThan(4 * error);
    }
  });

  test('pullback of log pi is minus beta times the covariance with each observable', () => {
    // With Lbar = pi r, dT = sum pi r l and l = -beta sum_a (f_a - E f_a) d theta_a.
    const r = vector(space.states, random(5).normal);
    const whole = unfold(model, r);
    const gradient = pullbackLogPi(
      law,
      vector(space.states, (s) => law.pi[s] * r[s]),
    );
    full.centred.forEach((fc, a) => {
      const expected = -model.beta * inner(full.pi, whole, fc);
      expect(Math.abs(gradient[a] - expected)).toBeLessThan(8 * error * model.beta * largest(r));
    });
  });

  test('flips change one spin, and visible indices name visible patterns', () => {
    const last = full.states - 1;
    const index = (s: number) => (s < space.states ? s : last - s);
    for (let s = 0; s < space.states; s++) {
      for (let i = 0; i < model.spins; i++) expect(s ^ space.flips[i]).toBe(index(s ^ (1 << i)));
      const pattern = visiblePattern(model, s);
      const mirrored = visiblePattern(model, last - s);
      const expected = space.folded ? Math.min(pattern, mirrored) : pattern;
      expect(space.visibleOf[s]).toBe(expected);
      expect(foldPattern(pattern, model.visible.length, space.folded)).toBe(expected);
      expect(expected).toBeLessThan(space.visibleStates);
    }
  });
});

test('a law stays finite and centred at couplings where most states underflow', () => {
  const cold = ising({ spins: 4, edges: complete(4), couplings: Array(6).fill(300), biases: [1, 0, 0, 0] });
  const law = lawOf(cold);
  expect(law.ground).toBe(15);
  // The mirror state lies 2 h = 2 above, everything else more than 1,000 above.
  const p = 1 / (1 + Math.exp(2));
  expect(Math.abs(law.pi[0] / p - 1)).toBeLessThan(16 * EPS * 1800);
  expect(law.logPi.every(Number.isFinite)).toBe(true);
  // log pi of one flipped spin: three couplings of 300 broken and, for spin 0, its field.
  expect(Math.abs(law.logPi[0b1110] - law.logPi[15] + 1802)).toBeLessThan(8 * EPS * 1802);
  const fc = new Float64Array(16);
  expect(centredObservable(law, 0, fc)).toBe(0);
  expect(Math.abs(centredObservable(law, 6, fc) - 4 * p * (1 - p))).toBeLessThan(32 * EPS * 1800);
});

test('variances keep their relative accuracy where the mean is one to double precision', () => {
  // Two spins: Var(x_0 x_1) = 1 / cosh(J)^2, here about 1e-34; one minus the squared mean would be zero.
  const law = lawOf(ising({ spins: 2, edges: [[0, 1]], couplings: [40] }));
  const variance = centredObservable(law, 0, new Float64Array(2));
  // The relative error of exp(-80) is that of its argument.
  expect(Math.abs(variance * Math.cosh(40) ** 2 - 1)).toBeLessThan(8 * EPS * 80);
});

test('an RBM has the energy of its edge list', () => {
  const model = rbm({
    visible: 2,
    hidden: 2,
    weights: [1, 2, 4, 8],
    visibleBiases: [16, 32],
    hiddenBiases: [64, 128],
  });
  // v = (+, -), h = (-, +): powers of two, so every sum is exact.
  expect(lawOf(model).energies[0b1001]).toBe(-(-1 + 2 + 4 - 8 + 16 - 32 - 64 + 128));
});
