import { DEFAULT_GATE_THRESHOLDS as thresholds } from 'htdml';
import { expect, test } from 'vitest';
import { type EstimatedFacts, estimatedGates } from '../../src/estimation/estimate-gates.js';
import { claim } from '../../src/trainability/gates.js';

const facts: EstimatedFacts = {
  kernel: 'random-scan',
  biased: true,
  burnIn: 1000,
  window: 10_000,
  variance: 3,
  tauMax: 100,
  resolved: true,
  thresholds,
};
const gates = (change: Partial<EstimatedFacts> = {}) => estimatedGates({ ...facts, ...change });

test('a lower bound of the time refutes A5, and never meets it', () => {
  // One mode of integrated time 100 has 1/(1 - s) = 101/2.
  const needed = (thresholds.burnInLog * 101) / 2;
  expect(gates().A5).toMatchObject({ value: 1000, needed, met: null });
  expect(gates({ burnIn: needed - 1 }).A5.met).toBe(false);
  expect(gates({ burnIn: needed }).A5.met).toBeNull();
  expect(gates({ tauMax: null }).A5).toMatchObject({ needed: null, met: null });
  // P_1 P_2 with correlation c of the blocks: s = c^2, and the slowest time of a function of both is 1 + 2 c/(1 - c^2).
  const c = 0.9;
  const tauMax = 1 + (2 * c) / (1 - c * c);
  const least = gates({ kernel: 'alternating-block', tauMax }).A5.needed ?? Number.NaN;
  expect(least).toBeLessThanOrEqual(thresholds.burnInLog / (1 - c * c));
  expect(least).toBeGreaterThan((0.8 * thresholds.burnInLog) / (1 - c * c));
});

test('A6 is met where the bound is the time, refuted where it is too short for the bound', () => {
  const needed = thresholds.windowTimes * 100;
  expect(gates().A6).toEqual({ value: 10_000, needed, met: true });
  expect(gates({ resolved: false }).A6.met).toBeNull();
  expect(gates({ window: needed - 1 }).A6.met).toBe(false);
  expect(gates({ window: needed - 1, resolved: false }).A6.met).toBe(false);
  expect(gates({ thresholds: { ...thresholds, windowTimes: 101 } }).A6.met).toBe(false);
});

test('what is known by construction, and what is not known', () => {
  expect(gates().A2).toEqual({ value: 'by construction', met: true });
  expect(gates({ kernel: 'alternating-block' }).A2).toMatchObject({ met: true, exemption: 'two-block (5.6)' });
  expect(gates({ variance: 0 }).A4.met).toBe(false);
  expect(gates({ biased: false }).A9).toMatchObject({ value: 0, met: null });
  expect(gates().A9.value).toBeNull();
  for (const gate of Object.values(gates({ tauMax: null }))) {
    if (gate.value === null || gate.met === null) expect(gate.reason).toBeTruthy();
  }
  expect(claim(gates())).toEqual({
    conditional: 'unchecked',
    gates: ['A3', 'A5', 'A7', 'A8'],
    operational: 'untested',
  });
  expect(claim(gates({ window: 1 }))).toMatchObject({ conditional: 'unmet', gates: ['A6'] });
});
