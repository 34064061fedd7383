import { createRoute, InputError, type KernelName, type Model, UnsupportedError } from 'htdml';
import { describe, expect, test } from 'vitest';
import { boundFromSamples } from '../../../src/estimation/bound/timescale-bound.js';
import { dataMoments } from '../../../src/estimation/data-moments.js';
import { sampleEquilibrium } from '../../../src/estimation/samples/equilibrium.js';
import { positiveLaw } from '../../support/fitted.js';
import { gradientCases, MIXTURES } from '../../support/models.js';

const sampling = { chains: 24, samples: 150, burnIn: 100, apart: 1, seed: 3 };
const dataOf = (model: Model) => positiveLaw(model.visible.length, 5);
const exactly = (model: Model, kernel: KernelName) => {
  const at = createRoute(model, dataOf(model), { kernel, route: 'table' }).evaluate(model.theta, [
    'timescale',
    'variance',
  ]);
  return { T: at.value.timescale ?? Number.NaN, variance: at.value.variance ?? Number.NaN, at };
};
const kernelsOf = (model: Model): KernelName[] => [
  ...MIXTURES,
  ...(model.blocks.length === 2 ? (['alternating-block'] as const) : []),
];

describe.each(gradientCases())('$name', ({ name, model }) => {
  const samples = sampleEquilibrium(model, dataOf(model), sampling);
  test.each(kernelsOf(model))('%s: at most T beyond the error, and close to it', (kernel) => {
    const { bound } = boundFromSamples(model, samples, { kernel, seed: 1 });
    const { T } = exactly(model, kernel);
    expect(bound.missing.length === 0).toBe(bound.verdict === 'resolved');
    if (name === 'strongly coupled') return;
    // 4.5 standard errors, and what 50 eps of T leaves where there is no error.
    expect(bound.timescale - T).toBeLessThan(4.5 * bound.standardError + 1e-3 * T);
    expect(T - bound.timescale).toBeLessThan(4.5 * bound.standardError + 0.05 * T + bound.slack);
    expect(bound.standardError).toBeLessThan(0.2 * T);
  });

  test.each(name === 'strongly coupled' ? [] : MIXTURES)('%s: D8 within its error', (kernel) => {
    const { derivatives } = boundFromSamples(model, samples, { kernel, seed: 1 });
    const { timescale, variance } = derivatives(dataMoments(model, dataOf(model)));
    const { at } = exactly(model, kernel);
    for (const [found, exact] of [
      [timescale, at.pullback({ timescale: 1 })],
      [variance, at.pullback({ variance: 1 })],
    ] as const) {
      const scale = Math.sqrt(exact.reduce((sum, value) => sum + value * value, 0) / exact.length);
      found.value.forEach((value, b) => {
        // Six standard errors, whose share of the fit is known to a factor of two, and a twentieth for features that do not span all.
        expect(Math.abs(value - exact[b])).toBeLessThan(6 * (found.standardError?.[b] ?? 0) + 0.05 * scale);
      });
    }
  });
});

test('the order of magnitude of the stated errors of D8 is right over all cases', () => {
  let squares = 0;
  let count = 0;
  for (const { name, model } of gradientCases()) {
    if (name === 'strongly coupled') continue;
    const samples = sampleEquilibrium(model, dataOf(model), sampling);
    const { timescale } = boundFromSamples(model, samples, { kernel: 'random-scan', seed: 1 }).derivatives(
      dataMoments(model, dataOf(model)),
    );
    const exact = exactly(model, 'random-scan').at.pullback({ timescale: 1 });
    timescale.value.forEach((value, b) => {
      squares += ((value - exact[b]) / (timescale.standardError?.[b] ?? 0)) ** 2;
      count++;
    });
  }
  // Components of one model are correlated, so that this is an average over some sixteen, not over all.
  expect(Math.sqrt(squares / count)).toBeGreaterThan(0.5);
  expect(Math.sqrt(squares / count)).toBeLessThan(1.6);
});

describe('refusals', () => {
  const [{ model }] = gradientCases();
  const samples = sampleEquilibrium(model, dataOf(model), { ...sampling, samples: 20, chains: 12 });
  const options = { kernel: 'random-scan', seed: 1 } as const;
  test('kernels that are no mixture name the alternative', () => {
    expect(() => boundFromSamples(model, samples, { ...options, kernel: 'palindrome' })).toThrow(UnsupportedError);
    expect(() => boundFromSamples(model, samples, { ...options, kernel: 'palindrome-block' })).toThrow(/random-block/);
  });
  test('too few samples, and those of another model', () => {
    const { chains } = samples;
    const other = { ...chains[3], spins: model.spins + 1 };
    for (const change of [
      { chains: chains.slice(1) },
      { pilot: [] },
      { chains: chains.map((one, m) => (m === 3 ? other : one)) },
      { chains: chains.map((one, m) => (m === 3 ? { ...one, count: 19 } : one)) },
      { chains: chains.map((one) => ({ ...one, count: 3 })) },
    ]) {
      expect(() => boundFromSamples(model, { ...samples, ...change }, options)).toThrow(InputError);
    }
  });
});

test('chains that do not mix are not resolved, and the sentence says why', () => {
  const frozen = gradientCases().find(({ name }) => name === 'strongly coupled');
  if (frozen === undefined) throw new Error('no such case');
  const samples = sampleEquilibrium(frozen.model, dataOf(frozen.model), sampling);
  const { verdict, missing } = boundFromSamples(frozen.model, samples, { kernel: 'random-scan', seed: 1 }).bound;
  expect(verdict).toBe('unresolved');
  expect(missing[0]).toMatch(/^split R-hat is/);
});
