import { type DataLaw, dataLawFromCounts, dataLawFromRows, InputError, ising, rbm, teacherLaw } from 'htdml';
import { describe, expect, test } from 'vitest';
import { negativeEntropy } from '../../src/model/data-law.js';
import { EPS, fullSpace, jointLaw, lawError } from '../support/brute-force.js';
import { gradientCases, ring } from '../support/models.js';

const entries = (law: DataLaw) => Array.from(law.patterns, (pattern, k) => [pattern, law.probabilities[k]]);

describe('from rows', () => {
  test('bit k is the k-th column, repeated rows add up, patterns are sorted', () => {
    const law = dataLawFromRows([
      [1, -1, 1],
      [-1, -1, -1],
      [1, -1, 1],
      [1, 1, -1],
    ]);
    expect(law.spins).toBe(3);
    expect(entries(law)).toEqual([
      [0b000, 0.25],
      [0b011, 0.25],
      [0b101, 0.5],
    ]);
  });

  test('thirty columns fit', () => {
    expect(entries(dataLawFromRows([Array(30).fill(1)]))).toEqual([[2 ** 30 - 1, 1]]);
  });

  test('wrong rows are refused by name', () => {
    expect(() => dataLawFromRows([])).toThrow(/^rows must be at least one row/);
    expect(() => dataLawFromRows([[1, 1], [1]])).toThrow(/^row 2 must be 2 values like row 1, got 1/);
    expect(() => dataLawFromRows([[1, 0]])).toThrow(/^row 1, column 2 must be -1 or 1, got 0/);
    expect(() => dataLawFromRows([[1, Number.NaN]])).toThrow(InputError);
  });
});

describe('from counts', () => {
  test('zeros are dropped, the rest is normalised and sorted', () => {
    expect(
      entries(
        dataLawFromCounts(2, [
          [3, 6],
          [1, 0],
          [0, 2],
        ]),
      ),
    ).toEqual([
      [0, 0.25],
      [3, 0.75],
    ]);
  });

  test('weights without a positive finite sum are refused', () => {
    for (const weight of [0, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => dataLawFromCounts(1, [[0, weight]])).toThrow(InputError);
    }
    expect(() => dataLawFromCounts(1, [])).toThrow(InputError);
  });

  test('a weight that is no weight is refused beside good ones too', () => {
    for (const weight of [-1, Number.NaN]) {
      expect(() =>
        dataLawFromCounts(1, [
          [0, weight],
          [1, 2],
        ]),
      ).toThrow(InputError);
    }
  });

  test('a pattern outside the visible spins is refused', () => {
    for (const pattern of [4, -1, 0.5]) expect(() => dataLawFromCounts(2, [[pattern, 1]])).toThrow(InputError);
  });

  test('counts of one pattern that stand apart are one pattern', () => {
    const law = dataLawFromCounts(1, [
      [1, 1],
      [0, 2],
      [1, 1],
    ]);
    expect(entries(law)).toEqual([
      [0, 0.5],
      [1, 0.5],
    ]);
  });
});

test('negative entropy: minus log of the number of equal patterns, zero for one', () => {
  const uniform = dataLawFromCounts(
    3,
    Array.from({ length: 8 }, (_, v) => [v, 1] as const),
  );
  // Eight terms log(1/8)/8, each rounded once or twice.
  expect(Math.abs(negativeEntropy(uniform) + 3 * Math.LN2)).toBeLessThan(16 * EPS);
  expect(negativeEntropy(dataLawFromCounts(3, [[5, 2]]))).toBe(0);
});

describe.each(gradientCases())('teacher: $name', ({ model }) => {
  test('is the visible marginal of the full law', () => {
    const law = teacherLaw(model);
    const { visible } = jointLaw(fullSpace(model), law);
    expect(law.spins).toBe(model.visible.length);
    expect([...law.patterns]).toEqual([...visible.keys()]);
    law.probabilities.forEach((p, v) => expect(Math.abs(p / visible[v] - 1)).toBeLessThan(2 * lawError(model)));
  });
});

test('teachers of both kinds at their own beta', () => {
  // An RBM with one hidden spin and its twin as an Ising model with a hidden spin.
  const machine = rbm({ visible: 2, hidden: 1, beta: 1.7, weights: [0.4, -0.9] });
  const twin = ising({
    spins: 3,
    edges: [
      [0, 2],
      [1, 2],
    ],
    couplings: [0.4, -0.9],
    beta: 1.7,
    visible: [0, 1],
  });
  const [a, b] = [teacherLaw(machine), teacherLaw(twin)];
  a.probabilities.forEach((p, k) => expect(Math.abs(p / b.probabilities[k] - 1)).toBeLessThan(2 * lawError(twin)));
  // Both marginals are proportional to cosh(beta (J_0 v_0 + J_1 v_1)).
  const weights = [1.3, 0.5, 0.5, 1.3].map((_, v) =>
    Math.cosh(1.7 * ((v & 1 ? 1 : -1) * 0.4 - (v & 2 ? 1 : -1) * 0.9)),
  );
  const total = weights.reduce((x, y) => x + y);
  a.probabilities.forEach((p, k) => expect(Math.abs(p - weights[k] / total)).toBeLessThan(lawError(twin)));
});

test('a cold teacher keeps only patterns that have a probability', () => {
  const law = teacherLaw(ising({ spins: 4, edges: ring(4), couplings: Array(4).fill(400) }));
  expect(entries(law)).toEqual([
    [0, 0.5],
    [15, 0.5],
  ]);
});
