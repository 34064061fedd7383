import {
  type DataLaw,
  evaluateModel,
  InputError,
  KERNEL_NAMES,
  type KernelName,
  type MeasureOptions,
  type Model,
  measureSnr,
  type Start,
} from 'htdml';
import { describe, expect, test } from 'vitest';
import { ACCURACY } from '../../src/trainability/accuracy.js';
import { positiveLaw } from '../support/fitted.js';
import { gradientCases, MIXTURES } from '../support/models.js';
import { meanAndError } from '../support/statistics.js';

/** Data of its own for each model; the divergence does not matter here. */
const cases = gradientCases().map(({ name, model }) => ({ name, model, data: positiveLaw(model.visible.length, 77) }));

function exact(model: Model, data: DataLaw, options: MeasureOptions) {
  const { operational, signal } = evaluateModel(model, data, {
    ...options,
    epsilon: 1e-3,
    kappa: 2.5,
    gradient: false,
  });
  if (operational === null || operational.R === null) throw new Error('no exact value');
  return { R: operational.R, mse: operational.mse, biasSquared: operational.biasSquared, signal };
}

const options = (kernel: KernelName, start: Start, change: Partial<MeasureOptions> = {}): MeasureOptions => ({
  kernel,
  start,
  burnIn: 2,
  window: 12,
  chains: 1,
  repetitions: 3000,
  seed: 2,
  ...change,
});

describe.each(cases)('$name', ({ model, data }) => {
  test.each(KERNEL_NAMES)('%s: the measured R is the exact one, from every start', (kernel) => {
    for (const start of ['stationary', 'uniform', 'data', 'state:3'] as const) {
      const asked = options(kernel, start);
      const measured = measureSnr(model, data, asked);
      const { R, mse, signal } = exact(model, data, asked);
      // Errors are carried to first order: an error of a few percent, of which its square is what is left out.
      expect(measured.standardError).toBeLessThan(0.05 * measured.R);
      expect(Math.abs(measured.R - R)).toBeLessThan(ACCURACY.standardErrors * measured.standardError);
      expect(Math.abs(measured.mse - mse)).toBeLessThan(ACCURACY.standardErrors * measured.mseStandardError);
      expect(Math.abs(measured.R * measured.mse - signal)).toBeLessThan(1e-13 * signal);
      expect(measured.repetitions).toBe(3000);
    }
  });
});

describe('chains', () => {
  const [{ model, data }] = cases;

  test('divide the variance and keep the bias', () => {
    // From one state without burn-in the bias is a large part of the error.
    for (const kernel of MIXTURES) {
      const asked = options(kernel, 'state:0', { burnIn: 0, window: 6 });
      const single = exact(model, data, asked);
      expect(single.biasSquared).toBeGreaterThan(0.1 * single.mse);
      for (const chains of [2, 5, 20]) {
        const many = { ...asked, chains, repetitions: 1500 };
        const measured = measureSnr(model, data, many);
        const { R, mse } = exact(model, data, many);
        expect(Math.abs(measured.R - R)).toBeLessThan(ACCURACY.standardErrors * measured.standardError);
        // Far from what dividing all of it would give.
        expect(mse - single.mse / chains).toBeGreaterThan(10 * measured.mseStandardError);
      }
    }
  });
});

describe('errors and seeds', () => {
  const [{ model, data }] = cases;
  const asked = options('random-scan', 'uniform', { repetitions: 200 });

  test('the standard errors are those of independent measurements', () => {
    const runs = Array.from({ length: 60 }, (_, seed) => measureSnr(model, data, { ...asked, seed }));
    const { R, mse } = exact(model, data, asked);
    for (const [values, errors, expected] of [
      [runs.map((run) => run.mse), runs.map((run) => run.mseStandardError), mse],
      [runs.map((run) => run.R), runs.map((run) => run.standardError), R],
    ] as const) {
      const { mean, error } = meanAndError(values);
      const spread = error * Math.sqrt(60);
      const claimed = meanAndError(errors).mean;
      // A standard deviation of 60 values is known to 1 / sqrt(118); 1 / mse is biased upwards by the square of its relative error.
      expect(Math.abs(spread / claimed - 1)).toBeLessThan(5 / Math.sqrt(118));
      expect(Math.abs(mean - expected)).toBeLessThan(5 * error + expected * (claimed / expected) ** 2);
    }
  });

  test('the same seed gives the same numbers, another seed others', () => {
    for (const start of ['stationary', 'uniform', 'data', 'state:3'] as const) {
      const once = measureSnr(model, data, { ...asked, start });
      expect(measureSnr(model, data, { ...asked, start })).toEqual(once);
      expect(measureSnr(model, data, { ...asked, start, seed: 3 }).R).not.toBe(once.R);
    }
  });

  test.each([
    { repetitions: 1 },
    { repetitions: 2.5 },
    { window: 0 },
    { chains: 0 },
    { burnIn: -1 },
    { seed: 0.5 },
    { start: 'state:32' } as const,
  ])('%o is refused', (change) => {
    expect(() => measureSnr(model, data, { ...asked, ...change })).toThrow(InputError);
  });

  test('data of another size is refused', () => {
    expect(() => measureSnr(model, positiveLaw(3, 1), asked)).toThrow(InputError);
  });
});
