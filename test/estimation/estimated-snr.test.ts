import {
  evaluateModel,
  InputError,
  ising,
  type KernelName,
  type MeasureOptions,
  randomSource,
  type Start,
} from 'htdml';
import { describe, expect, test } from 'vitest';
import { dataMoments } from '../../src/estimation/data-moments.js';
import { estimateSnr } from '../../src/estimation/estimated-snr.js';
import { type ReferencePlan, referenceMoments, sampleMoments } from '../../src/estimation/reference-moments.js';
import { emptySamples, writeSample } from '../../src/estimation/samples/packed-samples.js';
import { designLadder } from '../../src/estimation/tempering/design-ladder.js';
import { temperedSamples } from '../../src/estimation/tempering/tempered-samples.js';
import { dot, fullSpace } from '../support/brute-force.js';
import { positiveLaw } from '../support/fitted.js';
import { complete, gradientCases } from '../support/models.js';
import { meanAndError } from '../support/statistics.js';

const names = ['random Ising, biased', 'hidden spins', 'RBM 3 + 2'];
const cases = gradientCases()
  .filter(({ name }) => names.includes(name))
  .map(({ name, model }) => ({ name, model, data: positiveLaw(model.visible.length, 77) }));

const options = (kernel: KernelName, start: Start, change: Partial<MeasureOptions> = {}): MeasureOptions => ({
  kernel,
  start,
  burnIn: 2,
  window: 12,
  chains: 1,
  repetitions: 1500,
  seed: 2,
  ...change,
});

const plan = (change: Partial<ReferencePlan> = {}): ReferencePlan => ({
  kernel: 'palindrome',
  start: 'uniform',
  burnIn: 100,
  window: 800,
  chains: 24,
  seed: 9,
  ...change,
});

const exact = ({ model, data }: (typeof cases)[number], asked: MeasureOptions) => {
  const { operational, signal } = evaluateModel(model, data, { ...asked, epsilon: 1e-3, kappa: 2.5, gradient: false });
  return { R: operational?.R ?? Number.NaN, mse: operational?.mse ?? Number.NaN, signal };
};

describe.each(cases)('$name', (one) => {
  const { model, data } = one;
  const reference = referenceMoments(model, data, plan());

  test('signal, error and R are the exact ones, g unknown', () => {
    for (const kernel of ['random-scan', 'palindrome-block', 'alternating-block'] as const) {
      for (const start of ['uniform', 'data'] as const) {
        const asked = options(kernel, start);
        const estimated = estimateSnr(model, data, asked, reference);
        const { R, mse, signal } = exact(one, asked);
        expect(estimated).toMatchObject({ verdict: 'resolved', missing: [], repetitions: 1500, references: 24 });
        // Errors over 24 references: beyond 5 of them with a chance of 5e-5, for 54 numbers 3e-3.
        expect(Math.abs((estimated.R ?? Number.NaN) - R)).toBeLessThan(5 * (estimated.standardError ?? 0));
        expect(Math.abs(estimated.mse - mse)).toBeLessThan(5 * estimated.mseStandardError);
        expect(Math.abs(estimated.signal - signal)).toBeLessThan(5 * estimated.signalStandardError);
        expect(estimated.standardError).toBeLessThan(0.2 * R);
      }
    }
  });

  test('with references that are exact, errors are those of the repetitions and nothing is missing', () => {
    const { pi, observables } = fullSpace(model);
    const moments = Float64Array.from(observables, (f) => dot(pi, f));
    const same = Array(8).fill(moments);
    const asked = options('random-scan', 'uniform');
    const estimated = estimateSnr(model, data, asked, { first: same, second: same });
    const { mse, signal } = exact(one, asked);
    expect(estimated.verdict).toBe('resolved');
    expect(Math.abs(estimated.signal - signal)).toBeLessThan(1e-12);
    expect(estimated.signalStandardError).toBeLessThan(1e-12);
    expect(Math.abs(estimated.mse - mse)).toBeLessThan(5 * estimated.mseStandardError);
    expect(estimated.R).toBe(estimated.signal / estimated.mse);
  });
});

describe('poor references', () => {
  const [one] = cases;
  const { model, data } = one;
  const asked = options('random-scan', 'stationary', { repetitions: 150, window: 40 });
  const { signal, mse } = exact(one, asked);
  const runs = Array.from({ length: 150 }, (_, seed) => {
    // Few steps from equilibrium: unbiased, and as noisy as the estimator itself.
    const reference = referenceMoments(
      model,
      data,
      plan({ start: 'stationary', burnIn: 0, window: 10, chains: 8, seed }),
    );
    const means = reference.first.map((half, i) => half.map((value, a) => (value + reference.second[i][a]) / 2));
    const centre = means[0].map((_, a) => means.reduce((sum, m) => sum + m[a], 0) / 8);
    const variance = means.reduce((sum, m) => sum + m.reduce((s, v, a) => s + (v - centre[a]) ** 2, 0), 0) / 56;
    return { variance, ...estimateSnr(model, data, { ...asked, seed }, reference) };
  });

  test('leave signal and error unbiased, by far more than without the pairs', () => {
    const [signals, errors] = [meanAndError(runs.map((run) => run.signal)), meanAndError(runs.map((run) => run.mse))];
    expect(Math.abs(signals.mean - signal)).toBeLessThan(5 * signals.error);
    expect(Math.abs(errors.mean - mse)).toBeLessThan(5 * errors.error);
    // The square about the mean of the references is too large by its variance.
    const { mean: bias } = meanAndError(runs.map((run) => run.variance));
    expect(bias).toBeGreaterThan(10 * errors.error);
  });

  test('have the errors that they claim', () => {
    for (const [values, claims] of [
      [runs.map((run) => run.signal), runs.map((run) => run.signalStandardError)],
      [runs.map((run) => run.mse), runs.map((run) => run.mseStandardError)],
    ]) {
      const spread = meanAndError(values).error * Math.sqrt(values.length);
      const claimed = Math.sqrt(meanAndError(claims.map((claim) => claim ** 2)).mean);
      // A standard deviation of 150 nearly normal values is known to 6 %; the jackknife over eight references errs upwards by up to a seventh.
      expect(claimed / spread).toBeGreaterThan(1 - 5 * 0.06);
      expect(claimed / spread).toBeLessThan(1.15 + 5 * 0.06);
    }
  });

  test('give no R where their own variance is larger than the error', () => {
    const far = { first: [3, -3, 3, -3, 3, -3, 3, -3].map((x) => new Float64Array(model.theta.length).fill(x)) };
    const estimated = estimateSnr(model, data, asked, { ...far, second: far.first });
    expect(estimated).toMatchObject({ R: null, standardError: null, verdict: 'unresolved' });
    expect(estimated.mse).toBeLessThan(0);
    expect(estimated.missing.length).toBe(2);
    expect(estimated.missing.join()).not.toContain('NaN');
    expect(estimated.missing[1]).toMatch(/^the references disagree: their variance is Infinity times/);
  });
});

test('a data term that is estimated itself: its groups count in the signal and in its error', () => {
  const [, one] = cases;
  const { model, data } = one;
  const asked = options('random-scan', 'uniform', { repetitions: 400 });
  const { signal, R } = exact(one, asked);
  const exactly = dataMoments(model, data);
  const random = randomSource(3);
  const reference = referenceMoments(model, data, plan({ window: 4000 }));
  const runs = Array.from({ length: 100 }, (_, seed) => {
    const groups = Array.from({ length: 8 }, () => exactly.map((value) => value + 0.3 * random.normal()));
    const means = exactly.map((_, a) => groups.reduce((sum, group) => sum + group[a] / 8, 0));
    return estimateSnr(model, data, { ...asked, seed, positive: { means, groups } }, reference);
  });
  // The same references all the while, whose error is their own.
  const own = estimateSnr(model, data, asked, reference);
  const { mean, error } = meanAndError(runs.map((run) => run.signal));
  expect(Math.abs(mean - signal)).toBeLessThan(5 * Math.hypot(error, own.signalStandardError));
  const claimed = meanAndError(runs.map((run) => run.signalStandardError)).mean;
  expect(claimed).toBeGreaterThan(3 * own.signalStandardError);
  expect(claimed / (error * 10)).toBeGreaterThan(0.65);
  expect(claimed / (error * 10)).toBeLessThan(1.45);
  const far = runs.filter((run) => Math.abs((run.R ?? 0) - R) > 2.5 * (run.standardError ?? 0)).length;
  expect(far).toBeLessThan(15);
});

test('sound references are not blamed', () => {
  // Two tests at 3.5 standard deviations: 200 runs raise 0.1 alarms.
  const [{ model, data }] = cases;
  const asked = options('random-scan', 'uniform', { repetitions: 2 });
  const alarms = Array.from({ length: 200 }, (_, seed) => {
    const reference = referenceMoments(model, null, plan({ burnIn: 20, window: 200, chains: 8 + (seed % 9), seed }));
    return estimateSnr(model, data, asked, reference).missing.filter((text) => text.startsWith('the references'));
  });
  expect(alarms.flat().length).toBeLessThan(2);
});

describe('a metastable model', () => {
  const model = ising({
    spins: 8,
    edges: complete(8),
    couplings: Array(28).fill(0.35),
    biases: Array(8).fill(0.03),
    beta: 2,
  });
  const data = positiveLaw(8, 77);
  const asked = options('random-scan', 'uniform', { repetitions: 300, burnIn: 50, window: 200 });

  test('chains that stay in their wells disagree', () => {
    const { verdict, missing } = estimateSnr(model, data, asked, referenceMoments(model, null, plan()));
    expect(verdict).toBe('unresolved');
    expect(missing.join()).toMatch(/the references disagree: their variance is [\d.]+ times what their halves predict/);
  });

  test('tempered ensembles give the exact signal, error and R', () => {
    const { ladder, state } = designLadder(model, { kernel: 'palindrome', ensembles: 24, steps: 200, seed: 4 });
    const { samples } = temperedSamples(ladder, state, { burnIn: 50, samples: 1500 });
    const estimated = estimateSnr(model, data, asked, sampleMoments(model, samples));
    expect(estimated).toMatchObject({ verdict: 'resolved', missing: [] });
    const { R, mse, signal } = exact({ name: '', model, data }, asked);
    expect(Math.abs(estimated.signal - signal)).toBeLessThan(5 * estimated.signalStandardError);
    expect(Math.abs(estimated.mse - mse)).toBeLessThan(5 * estimated.mseStandardError);
    expect(Math.abs((estimated.R ?? Number.NaN) - R)).toBeLessThan(5 * (estimated.standardError ?? 0));
    expect(estimated.standardError).toBeLessThan(0.3 * R);
  });
});

test('references that have not forgotten their start move', () => {
  const model = ising({ spins: 6, edges: complete(6), couplings: Array(15).fill(0.05), biases: Array(6).fill(0) });
  const data = positiveLaw(6, 1);
  const early = referenceMoments(
    model,
    null,
    plan({ kernel: 'random-scan', start: 'state:63', burnIn: 0, window: 20, chains: 64 }),
  );
  const { missing } = estimateSnr(model, data, options('random-scan', 'uniform', { repetitions: 50 }), early);
  expect(missing.join()).toMatch(/the references have not forgotten their start/);
});

test('halves are means over the two halves of a chain or of samples, the first of an odd number left out', () => {
  const model = ising({ spins: 2, edges: [[0, 1]], couplings: [0.3], biases: [0, 0] });
  const rows = [
    [-1, -1],
    [1, -1],
    [1, 1],
    [-1, 1],
    [-1, 1],
  ];
  const list = emptySamples(2, 5);
  rows.forEach((row, s) => {
    writeSample(list, s, row);
  });
  const { first, second } = sampleMoments(model, [list]);
  expect([...first[0]]).toEqual([0, -1, 0]);
  expect([...second[0]]).toEqual([1, 1, -1]);
  const even = referenceMoments(model, null, plan({ window: 6 }));
  const odd = referenceMoments(model, null, plan({ window: 5, burnIn: 101 }));
  expect(odd.first[0].length).toBe(3);
  expect(Math.abs(2 * odd.second[0][0])).toBeLessThanOrEqual(2);
  expect(even.first.length).toBe(24);
});

describe('what is refused', () => {
  const [{ model, data }] = cases;
  const reference = referenceMoments(model, null, plan({ window: 10 }));
  const run =
    (change: Partial<MeasureOptions>, own = reference) =>
    () =>
      estimateSnr(model, data, { ...options('random-scan', 'uniform'), ...change }, own);
  test.each([{ repetitions: 1 }, { window: 0 }, { chains: 0 }, { burnIn: -1 }, { seed: 0.5 }])('%o', (change) => {
    expect(run(change)).toThrow(InputError);
  });

  test('references that are too few, of another model, or no numbers', () => {
    const { first, second } = reference;
    const message = /^reference must be two halves of at least 8 estimates of 15 finite numbers/;
    expect(run({}, { first: first.slice(0, 7), second: second.slice(0, 7) })).toThrow(message);
    expect(run({}, { first, second: second.slice(1) })).toThrow(message);
    expect(run({}, { first: first.map((x) => x.slice(1)), second })).toThrow(message);
    expect(run({}, { first: first.map((x) => x.map(() => Number.NaN)), second })).toThrow(message);
  });

  test('plans of references out of range', () => {
    for (const change of [{ window: 1 }, { burnIn: -1 }, { chains: 0 }, { seed: -1 }]) {
      expect(() => referenceMoments(model, data, plan(change))).toThrow(InputError);
    }
    expect(() => sampleMoments(model, [emptySamples(5, 1)])).toThrow(
      /^samples\[0\].count must be a whole number of at least 2/,
    );
  });
});
