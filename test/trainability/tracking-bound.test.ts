import { describe, expect, test } from 'vitest';
import { ACCURACY } from '../../src/trainability/accuracy.js';
import { propagatedError } from '../../src/trainability/exact-snr.js';
import { TableRoute } from '../../src/trainability/routes/table-route.js';
import { startLaw } from '../../src/trainability/start.js';
import {
  deviationSum,
  logChi,
  slowestGap,
  startTerm,
  trackingInterval,
  windowShare,
} from '../../src/trainability/tracking-bound.js';
import { EPS, fold, fromLeft, fullSpace, jointLaw, lawError, matrixOf, vector } from '../support/brute-force.js';
import { gradientCases, REVERSIBLE, random } from '../support/models.js';

const STARTS = ['uniform', 'stationary', 'data', 'state:1'] as const;
const ESTIMATORS = [
  { burnIn: 0, window: 1 },
  { burnIn: 0, window: 8 },
  { burnIn: 3, window: 50 },
  { burnIn: 60, window: 400 },
];

/** How much a sum over stretches may lie above the sum over steps: the chord of a log-convex fall over 1/64 of the time since the start. */
const CHORD = 2e-3;

describe.each(gradientCases())('$name', ({ model, data }) => {
  const full = fullSpace(model);
  const observables = model.theta.length;

  describe.each(REVERSIBLE)('%s', (name) => {
    const route = new TableRoute(model, data, name);
    const { law, kernel } = route.at(model.theta);
    const modes = route.modes(model.theta);
    const { measure } = route.relaxation(model.theta);
    const timescale = route.evaluate(model.theta, ['timescale']).value.timescale ?? Number.NaN;
    const gap = Math.min(...modes.gaps);
    const p = matrixOf(full, name);
    // Spectral sums are right to n lawError / gap.
    const spectral = (16 * full.states * lawError(model)) / gap;

    test.each(STARTS)('from %s, K mse / (2 T) is within delta2 of 1 - delta1', (start) => {
      const mu = startLaw(model, data, law, start);
      for (const { burnIn, window } of ESTIMATORS) {
        const { couplings, biases } = propagatedError(law, kernel, model.edges.length, mu, burnIn, window);
        const actual = (window * (couplings.mse + biases.mse)) / (2 * timescale);
        const share = windowShare(measure ?? [], timescale, window);
        const delta2 = startTerm(law, modes, mu, { burnIn, window }, timescale) ?? Number.NaN;
        // B + K steps of an operator that is right to lawError, on observables bounded by 2.
        const step = 8 * EPS * model.spins + lawError(model);
        const slack = (8 * observables * (burnIn + window) * step * window) / (2 * timescale) + spectral;
        expect(slack).toBeLessThan(ACCURACY.bound);
        expect(actual).toBeGreaterThan(share - delta2 - slack);
        expect(actual).toBeLessThan(share + delta2 + slack);
        expect(share).toBeGreaterThan(0);
        expect(share).toBeLessThan(1 + spectral);
        const interval = trackingInterval(share, delta2);
        expect(interval === null).toBe(delta2 >= share);
        if (interval !== null) {
          expect(1 / actual).toBeGreaterThan(interval[0] * (1 - slack / actual));
          expect(1 / actual).toBeLessThan(interval[1] * (1 + slack / (share - delta2)));
        }
      }
    });

    test.each(STARTS)('from %s, delta2 is its definition, from powers of the matrix of all states', (start) => {
      const uniform = vector(full.states, () => 1 / full.states);
      const point = vector(full.states, (s) => (s === 1 ? 1 : 0));
      const folded = startLaw(model, data, law, start);
      const mass = { uniform, stationary: full.pi, 'state:1': point, data: jointLaw(full, data).joint }[start];
      const pi = fold(model, full.pi);
      const top = full.pi.reduce(
        (most, _, s) =>
          Math.max(
            most,
            full.centred.reduce((sum, f) => sum + f[s] ** 2, 0),
          ),
        0,
      );
      let amplification = 0;
      for (let j = 0; j < modes.count; j++) {
        let mu = 0;
        for (let a = 0; a < observables; a++) mu += modes.coefficients[a * modes.count + j] ** 2;
        amplification += mu * Math.max(1, 2 / modes.gaps[j] - 1) ** 2;
      }
      const deviations: number[] = [];
      for (let law2 = mass, t = 0; t <= 461; t++, law2 = fromLeft(law2, p)) {
        deviations.push(Math.sqrt(fold(model, law2).reduce((sum, m, s) => sum + (m - pi[s]) ** 2 / pi[s], 0)));
      }
      const chi = deviations[0];
      expect(Math.abs(Math.exp(logChi(law, folded)) - chi)).toBeLessThan(
        16 * full.states * lawError(model) * (1 + chi),
      );
      for (const { burnIn, window } of ESTIMATORS) {
        const factor = (Math.sqrt(top) / (2 * window * timescale)) * Math.sqrt(amplification);
        const expected = factor * deviations.slice(burnIn + 1, burnIn + window + 1).reduce((sum, d) => sum + d, 0);
        const delta2 = startTerm(law, modes, folded, { burnIn, window }, timescale) ?? Number.NaN;
        // Each coefficient carries a rounding allowance of n eps (1 + chi) sqrt(n), and each law of the reference its own rounding.
        const rounding = factor * window * full.states ** 2 * lawError(model) * (1 + chi) * 16;
        expect(delta2).toBeGreaterThan(expected * (1 - spectral) - rounding);
        expect(delta2).toBeLessThan(expected * (1 + CHORD + spectral) + rounding);
        // The last form of D11, for a spectrum in [0, 1].
        if (name === 'metropolis') continue;
        const closed =
          (Math.sqrt(top) * chi * (1 - gap) ** (burnIn + 1)) / (window * gap ** 1.5 * Math.sqrt(timescale));
        expect(delta2).toBeLessThan(closed * (1 + CHORD + spectral) + rounding);
      }
    });
  });
});

describe('the sum of deviations', () => {
  const { uniform, integer } = random(17);
  const spectra = Array.from({ length: 60 }, () => {
    const count = 1 + integer(12);
    return {
      squares: Float64Array.from({ length: count }, () => 10 ** (8 * uniform() - 4)),
      logs: Float64Array.from({ length: count }, () => Math.log1p(-(10 ** (-5 * uniform())))),
      burnIn: integer(40),
      window: 1 + integer(20_000),
    };
  });

  test('is the sum over all steps, from above', () => {
    let worst = 0;
    for (const { squares, logs, burnIn, window } of spectra) {
      let sum = 0;
      for (let t = burnIn + 1; t <= burnIn + window; t++) {
        sum += Math.sqrt(squares.reduce((d, x, j) => d + x * Math.exp(2 * t * logs[j]), 0));
      }
      const ratio = deviationSum(squares, logs, burnIn, window) / sum;
      expect(ratio).toBeGreaterThan(1 - window * EPS);
      worst = Math.max(worst, ratio - 1);
    }
    expect(worst).toBeLessThan(CHORD);
  });

  test('one mode is a geometric sum; modes at zero are gone after a step; windows beyond counting cost nothing', () => {
    const s = 0.9;
    const sum = deviationSum(Float64Array.of(4, 9), Float64Array.of(Math.log(s), Number.NEGATIVE_INFINITY), 2, 1e15);
    expect(Math.abs(sum / ((2 * s ** 3) / (1 - s)) - 1)).toBeLessThan(1e-12);
    const slow = deviationSum(Float64Array.of(1), Float64Array.of(-1e-12), 0, 1e15);
    expect(Math.abs(slow / 1e12 - 1)).toBeLessThan(1e-6);
    expect(deviationSum(Float64Array.of(0), Float64Array.of(-1), 0, 10)).toBe(0);
  });
});

test('the interval has no upper end once delta2 reaches 1 - delta1', () => {
  expect(trackingInterval(0.8, 0)).toEqual([1.25, 1.25]);
  expect(trackingInterval(0.5, 0.25)).toEqual([1 / 0.75, 4]);
  for (const delta2 of [0.5, 0.7, Number.POSITIVE_INFINITY, Number.NaN]) {
    expect(trackingInterval(0.5, delta2)).toBeNull();
  }
});

test('the slowest gap counts eigenvalues near minus one', () => {
  expect(slowestGap([{ gap: 0.5 }, { gap: 1.75 }])).toBe(0.25);
  expect(slowestGap([{ gap: 0.125 }, { gap: 1.75 }])).toBe(0.125);
  expect(slowestGap([])).toBe(1);
});
