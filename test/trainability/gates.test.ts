import { describe, expect, test } from 'vitest';
import { groupEigenvalues } from '../../src/spectrum/groups.js';
import { CONDITIONS, checkGates, claim, type GateInputs, type Gates, gateNotes } from '../../src/trainability/gates.js';
import { modeSets } from '../../src/trainability/membership/mode-sets.js';
import { DEFAULT_GATE_THRESHOLDS } from '../../src/trainability/thresholds.js';
import { EPS } from '../support/brute-force.js';
import { random } from '../support/models.js';

const groupsOf = (...list: readonly (readonly [gap: number, weight: number])[]) =>
  groupEigenvalues(
    list.map(([gap, weight]) => ({
      gap,
      multiplicity: 1,
      couplingsWeight: weight / 4,
      biasesWeight: (3 * weight) / 4,
    })),
  );

/** Inputs with which every gate is met, by a margin of a factor of two or so. */
const good: GateInputs = {
  spins: 4,
  stepsPerSweep: 4,
  burnIn: 1000,
  window: 1000,
  stationary: false,
  thresholds: { epsilon: 1e-3, kappa: 2.5 },
  gateThresholds: DEFAULT_GATE_THRESHOLDS,
  variance: 3,
  integratedTime: 10,
  delta1: 0.01,
  spectralGap: 0.1,
  groups: groupsOf([0.1, 2], [0.2, 1], [0.5, 0.4], [0.9, 1e-6]),
  resolved: true,
  slow: null,
  nonnegative: false,
  table: { detailedBalanceDefect: 1e-16, logChi: 2, flipDefect: 0.3 },
  R: 2,
  relevantRhat: 2.2,
  reasons: { table: 'no table', modes: 'no modes', timescale: 'no timescale' },
};

const gateOf = (name: keyof Gates, change: Partial<GateInputs>) => checkGates({ ...good, ...change })[name];

/** Something null needs a reason, and something with a reason a note. */
function expectReasons(gates: Gates): void {
  for (const [name, gate] of Object.entries(gates)) {
    const missing = Object.values(gate).includes(null);
    expect([name, gate.reason !== undefined]).toEqual([name, missing]);
  }
  expect(gateNotes(gates).map(({ path }) => path)).toEqual(
    Object.entries(gates).flatMap(([name, { reason }]) => (reason === undefined ? [] : [`gates.${name}`])),
  );
}

test('all met', () => {
  const gates = checkGates(good);
  for (const name of [...CONDITIONS, 'F4'] as const) expect([name, gates[name].met]).toEqual([name, true]);
  expect(gates.A9).toMatchObject({ value: 0.3, met: null });
  expect(claim(gates)).toEqual({ conditional: 'met', gates: [], operational: 'tracked' });
  expectReasons(gates);
});

describe('flips at its threshold', () => {
  const table = (change: Partial<NonNullable<GateInputs['table']>>) => ({
    table: { detailedBalanceDefect: 0, logChi: 2, flipDefect: 0, ...change },
  });
  const at = (gap: number) => ({ groups: groupsOf([0.1, 2], [0.2, 1], [gap, 0.4]) });
  const share = (weight: number) => ({ groups: groupsOf([0.1, 1 - weight], [0.2, weight]) });
  const cases: [keyof Gates, string, Partial<GateInputs>, Partial<GateInputs>][] = [
    ['A2', 'defect', table({ detailedBalanceDefect: 1e-12 }), table({ detailedBalanceDefect: 1.01e-12 })],
    ['A3', '1 - s_2', { spectralGap: 17 * EPS }, { spectralGap: 16 * EPS }],
    ['A3', '1 - s_2 of more spins', { spectralGap: 33 * EPS, spins: 5 }, { spectralGap: 33 * EPS, spins: 6 }],
    ['A3', '1 + s_min', { groups: groupsOf([2 - 20 * EPS, 1]) }, { groups: groupsOf([2 - 16 * EPS, 1]) }],
    ['A4', 'variance', { variance: 1e-300 }, { variance: 0 }],
    ['A4', 'a finite variance', { variance: 1e300 }, { variance: Number.POSITIVE_INFINITY }],
    ['A5', 'burn-in', { burnIn: 50 }, { burnIn: 49 }],
    ['A5', 'chi', { burnIn: 50, ...table({ logChi: 1.99 }) }, { burnIn: 50, ...table({ logChi: 2.01 }) }],
    ['A5', 'chi below one', { burnIn: 30, ...table({ logChi: -5 }) }, { burnIn: 29, ...table({ logChi: -5 }) }],
    ['A5', 'an eigenvalue near -1', { burnIn: 50 }, { burnIn: 50, groups: groupsOf([0.1, 2], [1.95, 0]) }],
    ['A5', 'a periodic chain', { burnIn: 50 }, { groups: groupsOf([0.1, 2], [2 + EPS, 0]) }],
    ['A6', 'window', { window: 500 }, { window: 499 }],
    ['A6', 'delta1', { delta1: 0.1 }, { delta1: 0.101 }],
    ['A7', 'bulk', { ...at(0.3), stepsPerSweep: 1 }, { ...at(0.26), stepsPerSweep: 0.15 }],
    ['A8', 'below', share(0.0004 / 1.3), share(0.0004)],
    ['A8', 'above', share(0.00301), share(0.00299)],
    ['F4', 'above', { R: 2, relevantRhat: 1.001 }, { R: 2, relevantRhat: 0.999 }],
    ['F4', 'below', { R: 2, relevantRhat: 3.999 }, { R: 2, relevantRhat: 4.001 }],
  ];
  test.each(cases)('%s: %s', (name, _, met, unmet) => {
    expect(gateOf(name, met).met).toBe(true);
    const gates = checkGates({ ...good, ...unmet });
    expect(gates[name].met).toBe(false);
    const expected =
      name === 'F4'
        ? { conditional: 'met', gates: [], operational: 'violated' }
        : { conditional: 'unmet', operational: 'tracked' };
    expect(claim(gates)).toMatchObject(expected);
    if (name !== 'F4') expect(claim(gates).gates).toContain(name);
    expectReasons(gates);
  });

  test('A7 takes the slowest group outside that any observable sees', () => {
    const groups = groupsOf([0.1, 2], [0.3, 1e-20], [0.4, 1e-19], [0.9, 1]);
    expect(gateOf('A7', { groups: groups, stepsPerSweep: 3 }).value).toBe(3 * 0.4);
    expect(gateOf('A7', { groups: groupsOf([0.1, 1]) })).toMatchObject({ value: null, met: true });
  });

  test('A2: an exemption counts as met, and is said only where it is needed', () => {
    const wrong = table({ detailedBalanceDefect: 0.1 });
    expect(gateOf('A2', { ...wrong, exemption: 'two-block' })).toEqual({
      value: 0.1,
      met: true,
      exemption: 'two-block',
    });
    expect(gateOf('A2', { exemption: 'two-block' })).toEqual({ value: 1e-16, met: true });
  });
});

describe('what is not known', () => {
  const nothing: Partial<GateInputs> = {
    integratedTime: null,
    delta1: null,
    spectralGap: null,
    groups: null,
    resolved: false,
    table: null,
    R: null,
    relevantRhat: null,
  };

  test('leaves the gate unchecked, with a reason, and the claim says which', () => {
    const gates = checkGates({ ...good, ...nothing });
    expectReasons(gates);
    expect(claim(gates)).toEqual({
      conditional: 'unchecked',
      gates: ['A2', 'A3', 'A5', 'A6', 'A7', 'A8'],
      operational: 'untested',
    });
    expect(claim(checkGates({ ...good, ...nothing, variance: 0 })).gates).toEqual(['A4']);
  });

  test.each(Object.keys(nothing) as (keyof GateInputs)[])('%s alone', (key) => {
    expectReasons(checkGates({ ...good, [key]: nothing[key] }));
    expectReasons(checkGates({ ...good, ...nothing, [key]: good[key] }));
  });

  test('a window can be short, and a chain reducible, whatever else is known', () => {
    expect(gateOf('A6', { delta1: null })).toMatchObject({ met: true, reason: 'no modes' });
    expect(gateOf('A6', { delta1: null, window: 10 }).met).toBe(false);
    expect(gateOf('A3', { groups: null, spectralGap: 0 }).met).toBe(false);
    expectReasons(checkGates({ ...good, groups: null, spectralGap: 0 }));
  });

  test('no burn-in is needed from equilibrium, be anything else known or not', () => {
    for (const change of [{}, nothing]) {
      expect(gateOf('A5', { ...change, stationary: true, burnIn: 0 })).toEqual({ value: 0, needed: 0, met: true });
    }
    // A start law that happens to be the equilibrium is treated as one near it.
    const same = { ...good, table: { detailedBalanceDefect: 0, logChi: Number.NEGATIVE_INFINITY, flipDefect: 0 } };
    expect(checkGates(same).A5).toMatchObject({ logChi: null, met: true });
    expectReasons(checkGates(same));
  });

  test('no signal: nothing to track', () => {
    for (const change of [{ R: 0 }, { relevantRhat: 0 }]) expect(gateOf('F4', change)).toMatchObject({ met: null });
  });

  test('no relevant group', () => {
    const gates = checkGates({ ...good, groups: groupsOf([0.1, 0], [0.4, 0]) });
    expect([gates.A7.met, gates.A8.met]).toEqual([null, null]);
    expectReasons(gates);
  });
});

test('A8: the range is that of a scan over epsilon, and the gate that of both sets', () => {
  const { uniform, integer } = random(31);
  let [met, unmet] = [0, 0];
  for (let k = 0; k < 300; k++) {
    const groups = groupsOf(
      ...Array.from({ length: 1 + integer(6) }, (_, j) => [0.1 * (j + 1), 10 ** (-6 * uniform())] as const),
    );
    const thresholds = { epsilon: 10 ** (-0.5 - 4 * uniform()), kappa: 1 + 2 * uniform() };
    const gate = gateOf('A8', { groups, thresholds });
    const here = modeSets(groups, thresholds);
    const { relevant } = here;
    const [low, high] = gate.value as readonly [number, number];
    const same = (epsilon: number) =>
      JSON.stringify(modeSets(groups, { ...thresholds, epsilon })) === JSON.stringify(here);
    for (let x = -7; x < 0; x += 0.01) {
      const epsilon = 10 ** x;
      if (Math.min(Math.abs(epsilon / low - 1), Math.abs(epsilon / high - 1)) < 1e-9) continue;
      const sameRelevant = modeSets(groups, { ...thresholds, epsilon }).relevant.join() === relevant.join();
      expect(sameRelevant).toBe(low < epsilon && epsilon <= high);
    }
    const steps = Array.from({ length: 201 }, (_, i) => thresholds.epsilon * 3 ** (i / 100 - 1));
    if (Math.abs((3 * low) / thresholds.epsilon - 1) < 1e-9) continue;
    if (Math.abs(high / (3 * thresholds.epsilon) - 1) < 1e-9) continue;
    expect(gate.met).toBe(steps.every(same));
    if (gate.met) met++;
    else unmet++;
  }
  expect(Math.min(met, unmet)).toBeGreaterThan(20);
});
