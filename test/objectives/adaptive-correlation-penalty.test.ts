import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { adaptCorrelationPenalty, type CorrelationControl, UNCONTROLLED } from 'htdml/objectives';
import { expect, test } from 'vitest';
import { ROOT } from '../support/cli.js';

const log: { threshold: number; least: number; autocorrelations: number[][]; penalties: number[][] } = JSON.parse(
  readFileSync(join(ROOT, 'test', 'fixtures', 'adaptive-correlation-penalty.json'), 'utf8'),
);

test('replays a published run: 488 weights of 8 layers, from the autocorrelations beside them', () => {
  const { autocorrelations, penalties, threshold, least } = log;
  expect([autocorrelations.length, penalties.length]).toEqual([62, 61]);
  for (let layer = 0; layer < 8; layer++) {
    let state: CorrelationControl = UNCONTROLLED;
    autocorrelations.forEach((row, epoch) => {
      state = adaptCorrelationPenalty(state, row[layer], { threshold, least });
      // The log starts with the epoch after the first measurement. The run computed in single precision, a rounding a step while a weight lasts.
      if (epoch === 0) return;
      const logged = penalties[epoch - 1][layer];
      expect(Math.abs(state.weight - logged)).toBeLessThanOrEqual(10 * 2 ** -24 * logged);
    });
  }
  const some = penalties.flat().filter((weight) => weight > 0);
  expect(some.length).toBeGreaterThan(20);
});

const settings = { threshold: 0.1 };
const from = (weight: number, autocorrelation: number | null) => ({ weight, autocorrelation });

test.each([
  ['nothing seen, and high', from(0, null), 0.5, 0],
  ['low', from(0.01, 0.2), 0.05, 0.007],
  ['none at all', from(0.01, 0.2), 0, 0.006],
  ['negative counts as none', from(0.01, 0.2), -0.3, 0.006],
  ['at the threshold, risen', from(0.01, 0.05), 0.1, 0.012],
  ['at the threshold, fallen', from(0.01, 0.2), 0.1, 0.0095],
  ['high and as before', from(0.01, 0.2), 0.2, 0.0095],
  ['just below 1.8 thresholds, risen', from(0.01, 0.15), 0.1799, 0.012],
  ['beyond 1.8 thresholds, risen', from(0.01, 0.15), 0.2, 0.015],
  ['from no penalty, risen', from(0, 0.05), 0.15, 0.0012],
  ['from no penalty, far above', from(0, 0.05), 0.5, 0.0015],
  ['from no penalty, fallen', from(0, 0.6), 0.5, 0],
  ['below the least', from(0.0012, 0.2), 0.01, 0],
] as const)('%s', (_, state, a, weight) => {
  const next = adaptCorrelationPenalty(state, a, settings);
  expect(next.weight).toBeCloseTo(weight, 15);
  expect(next.autocorrelation).toBe(Math.max(0, a));
});
