import {
  DEFAULT_GATE_THRESHOLDS,
  DEFAULT_REFERENCES,
  evaluateModel,
  type GateThresholds,
  InputError,
  type References,
} from 'htdml';
import { describe, expect, test } from 'vitest';
import { gradientCases } from '../support/models.js';

const [{ model, data }] = gradientCases();

const evaluated = (gateThresholds: Partial<GateThresholds>, references: Partial<References> = {}) =>
  evaluateModel(model, data, {
    kernel: 'random-scan',
    burnIn: 500,
    window: 5000,
    chains: 1,
    start: 'uniform',
    epsilon: 1e-3,
    kappa: 2.5,
    gradient: false,
    gateThresholds,
    references,
  });

describe('every threshold decides its gate, and the report says what it was', () => {
  const strict: [keyof GateThresholds, number, 'A2' | 'A3' | 'A5' | 'A6' | 'A7' | 'A8' | 'F4'][] = [
    ['detailedBalance', 1e-300, 'A2'],
    ['gapPerState', 0.9, 'A3'],
    ['burnInLog', 1e6, 'A5'],
    ['windowTimes', 1e6, 'A6'],
    ['windowDeficit', 1e-300, 'A6'],
    ['bulkRelaxation', 1e3, 'A7'],
    ['epsilonFactor', 1e6, 'A8'],
    ['trackingFactor', 1, 'F4'],
  ];
  // The default of A8 is not met here; at a factor of 1 it always is.
  const met = { epsilonFactor: 1 };
  const plain = evaluated(met);

  test.each(strict)('%s', (name, value, gate) => {
    expect(plain.gates[gate].met).toBe(true);
    const other = evaluated({ ...met, [name]: value });
    expect(other.gates[gate].met).toBe(false);
    expect(other.gateThresholds).toEqual({ ...DEFAULT_GATE_THRESHOLDS, ...met, [name]: value });
  });

  test('groups below bulkWeight are not seen', () => {
    expect(plain.gates.A7.value).toBeLessThan(Number.POSITIVE_INFINITY);
    expect(evaluated({ bulkWeight: 0.999 }).gates.A7.value).toBe(null);
  });

  test('the cases above are all there are', () => {
    expect(Object.keys(DEFAULT_GATE_THRESHOLDS).sort()).toEqual(
      [...new Set(strict.map(([name]) => name)), 'bulkWeight'].sort(),
    );
    expect(evaluated({}).gateThresholds).toEqual(DEFAULT_GATE_THRESHOLDS);
    expect(plain.references).toEqual(DEFAULT_REFERENCES);
  });
});

describe('what is out of range is refused by name', () => {
  const bad = [Number.NaN, Number.POSITIVE_INFINITY, -1, 0, '1', null];
  test.each(Object.keys(DEFAULT_GATE_THRESHOLDS))('%s', (name) => {
    for (const value of bad) {
      expect(() => evaluated({ [name]: value })).toThrow(InputError);
      expect(() => evaluated({ [name]: value })).toThrow(new RegExp(`^gateThresholds\\.${name} must be a .*number`));
    }
    expect(() => evaluated({ [name]: undefined })).not.toThrow();
  });

  test.each(Object.keys(DEFAULT_REFERENCES))('%s', (name) => {
    for (const value of bad) {
      expect(() => evaluated({}, { [name]: value })).toThrow(new RegExp(`^references\\.${name} must be a .*number`));
    }
  });

  test('an unknown one, with the nearest that exists', () => {
    const misspelt = { windowtimes: 3 } as Partial<GateThresholds>;
    expect(() => evaluated(misspelt)).toThrow(
      /^gateThresholds\.windowtimes must be a known key, got an unknown key; write windowTimes instead \(known/,
    );
  });
});
