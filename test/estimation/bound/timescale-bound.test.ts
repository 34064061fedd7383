import { createRoute, InputError, type Model, UnsupportedError } from 'htdml';
import { describe, expect, test } from 'vitest';
import { boundTimescale } from '../../../src/estimation/bound/timescale-bound.js';
import { positiveLaw } from '../../support/fitted.js';
import { gradientCases, MIXTURES } from '../../support/models.js';

const exact = (model: Model, kernel: (typeof MIXTURES)[number]) =>
  createRoute(model, positiveLaw(model.visible.length, 5), { kernel }).evaluate(model.theta, ['timescale']).value
    .timescale ?? Number.NaN;

describe.each(gradientCases())('$name', ({ model }) => {
  test.each(MIXTURES)('%s: at most T beyond the error, and close to it', (kernel) => {
    const bound = boundTimescale(model, positiveLaw(model.visible.length, 5), {
      kernel,
      samples: 150,
      chains: 24,
      burnIn: 400,
      seed: 3,
    });
    const T = exact(model, kernel);
    expect(bound.timescale - T).toBeLessThan(4.5 * bound.standardError);
    if (bound.verdict === 'resolved') expect(T - bound.timescale).toBeLessThan(4.5 * bound.standardError + 0.05 * T);
    // Where it is resolved the error bar means something; elsewhere it may be of any size.
    if (bound.verdict === 'resolved') expect(bound.standardError).toBeLessThan(0.2 * T);
    expect(bound.missing.length === 0).toBe(bound.verdict === 'resolved');
  });
});

describe('refusals', () => {
  const [{ model, data }] = gradientCases();
  const asked = { kernel: 'random-scan', samples: 20, chains: 12, burnIn: 10, seed: 1 } as const;
  test('kernels that are no mixture name the alternative', () => {
    expect(() => boundTimescale(model, data, { ...asked, kernel: 'palindrome' })).toThrow(UnsupportedError);
    expect(() => boundTimescale(model, data, { ...asked, kernel: 'palindrome-block' })).toThrow(/random-block/);
  });
  test('options out of range', () => {
    for (const change of [{ chains: 11 }, { samples: 3 }, { burnIn: -1 }, { seed: 0.5 }]) {
      expect(() => boundTimescale(model, data, { ...asked, ...change })).toThrow(InputError);
    }
  });
});

test('chains that do not mix are not resolved, and the sentence says why', () => {
  const frozen = gradientCases().find(({ name }) => name === 'strongly coupled');
  if (frozen === undefined) throw new Error('no such case');
  const { verdict, missing } = boundTimescale(frozen.model, frozen.data, {
    kernel: 'random-scan',
    samples: 150,
    chains: 24,
    burnIn: 400,
    seed: 3,
  });
  expect(verdict).toBe('unresolved');
  expect(missing[0]).toMatch(/^split R-hat is/);
});
