import { createRoute, ising, type Model, rbm } from 'htdml';
import { describe, expect, test } from 'vitest';
import { groupEigenvalues, joins } from '../../src/spectrum/groups.js';
import { EPS, lawError } from '../support/brute-force.js';
import { complete, random, randomData } from '../support/models.js';

const at = (gap: number, couplingsWeight = 0, biasesWeight = 0, multiplicity = 1) => ({
  gap,
  multiplicity,
  couplingsWeight,
  biasesWeight,
});

describe('the cut between groups', () => {
  test('is at 1e-8 of the slower gap', () => {
    for (const gap of [0.5, 2 ** -6, 2 ** -14]) {
      // Both sides of the threshold by a share of 1e-6, far above the eps / 1e-8 = 2e-8 to which a difference of gaps is known.
      expect(joins(gap, gap + 1e-8 * gap * (1 - 1e-6))).toBe(true);
      expect(joins(gap, gap + 1e-8 * gap * (1 + 1e-6))).toBe(false);
    }
  });

  test('is at 64 eps where that is larger, and includes its edge', () => {
    // Below a gap of 64 eps / 1e-8 = 1.4e-6. Powers of two, so the differences are exact.
    for (const gap of [0, 2 ** -40, 2 ** -30]) {
      expect(joins(gap, gap + 64 * EPS)).toBe(true);
      expect(joins(gap, gap + 65 * EPS)).toBe(false);
    }
  });

  test('joins neighbours in a row, however far its ends', () => {
    const step = 0.6e-8 * 0.5;
    const groups = groupEigenvalues([at(0.5), at(0.5 + 2 * step), at(0.5 + step), at(0.5 + 6 * step)]);
    expect(groups.map((group) => group.members)).toEqual([[0, 2, 1], [3]]);
  });
});

test('a group adds multiplicities and weights, and averages its gap over the modes', () => {
  const nudge = 2 ** -40;
  const groups = groupEigenvalues([at(0.75, 1, 2), at(0.25, 4, 8, 3), at(0.25 + nudge, 16, 32, 1), at(1, 0, 0, 5)]);
  expect(groups).toEqual([
    { gap: 0.25 + nudge / 4, multiplicity: 4, weight: 60, couplingsWeight: 20, biasesWeight: 40, members: [1, 2] },
    { gap: 0.75, multiplicity: 1, weight: 3, couplingsWeight: 1, biasesWeight: 2, members: [0] },
    { gap: 1, multiplicity: 5, weight: 0, couplingsWeight: 0, biasesWeight: 0, members: [3] },
  ]);
  expect(groupEigenvalues([])).toEqual([]);
});

const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n, k - 1) * (n - k + 1)) / k);

describe.each([2, 3, 4, 5, 6])('%i spins without couplings under random-scan', (n) => {
  const edges = complete(n);
  const levels = (model: Model) => {
    const { groups, slowest } = createRoute(model, randomData(n, 3), { kernel: 'random-scan' }).relaxation(model.theta);
    return { groups: groups ?? [], slowest };
  };
  // Eigenvalues of a matrix of 2^N states, weights from its vectors.
  const tolerance = 2 ** n * 8 * EPS;

  test('levels k/N with binomial multiplicities, any field; weights in closed form', () => {
    const { normal } = random(n);
    const biases = Array.from({ length: n }, normal);
    const model = ising({ spins: n, edges, couplings: edges.map(() => 0), biases });
    const { groups, slowest } = levels(model);
    expect(groups.map((group) => group.multiplicity)).toEqual(Array.from({ length: n }, (_, k) => choose(n, k + 1)));
    groups.forEach((group, k) => expect(Math.abs(group.gap - (k + 1) / n)).toBeLessThan(tolerance));
    expect(slowest).toEqual(groups[0]);
    // With y_i = x_i - m_i, v_i = 1 - m_i^2: x_i is m_i + y_i on level 1, and x_i x_j is m_i m_j + (m_i y_j + m_j y_i) on level 1 + y_i y_j on level 2.
    const m = biases.map(Math.tanh);
    const v = m.map((mean) => 1 - mean * mean);
    const error = 16 * 2 ** n * lawError(model);
    const first = edges.reduce((sum, [i, j]) => sum + m[i] ** 2 * v[j] + m[j] ** 2 * v[i], 0);
    const second = edges.reduce((sum, [i, j]) => sum + v[i] * v[j], 0);
    expect(Math.abs(groups[0].biasesWeight - v.reduce((a, b) => a + b))).toBeLessThan(error);
    expect(Math.abs(groups[0].couplingsWeight - first)).toBeLessThan(error);
    expect(Math.abs(groups[1].couplingsWeight - second)).toBeLessThan(error);
    expect(groups.slice(1).every((group) => group.biasesWeight < error)).toBe(true);
    expect(groups.slice(2).every((group) => group.weight < error)).toBe(true);
  });

  test('without biases: the even levels only, and the odd level 1/N as the textbook gap', () => {
    const model = ising({ spins: n, edges, couplings: edges.map(() => 0) });
    const { groups, slowest } = levels(model);
    const even = Array.from({ length: Math.floor(n / 2) }, (_, k) => 2 * k + 2);
    expect(groups.map((group) => group.multiplicity)).toEqual(even.map((k) => choose(n, k)));
    groups.forEach((group, k) => expect(Math.abs(group.gap - even[k] / n)).toBeLessThan(tolerance));
    expect(Math.abs(groups[0].weight - edges.length)).toBeLessThan(tolerance * edges.length);
    expect(slowest?.multiplicity).toBe(n);
    expect(Math.abs((slowest?.gap ?? 0) - 1 / n)).toBeLessThan(tolerance);
    expect(slowest?.weight).toBe(0);
  });
});

test('an RBM at zero: half, one, and their multiplicities, on both routes', () => {
  for (const [m, n] of [
    [3, 2],
    [2, 3],
    [2, 2],
    [1, 1],
    [1, 3],
  ]) {
    const model = rbm({
      visible: m,
      hidden: n,
      weights: Array(m * n).fill(0),
      visibleBiases: Array(m).fill(0),
      hiddenBiases: Array(n).fill(0),
    });
    for (const route of ['table', 'factored'] as const) {
      const { groups } = createRoute(model, randomData(m, 5), { kernel: 'random-block', route }).relaxation(
        model.theta,
      );
      // Functions of one layer alone have gap 1/2: 2^m - 1 + 2^n - 1 of them; the products have gap 1.
      expect(groups?.map((group) => group.multiplicity)).toEqual([2 ** m + 2 ** n - 2, (2 ** m - 1) * (2 ** n - 1)]);
      const [half, one] = groups ?? [];
      expect([half.gap, one.gap].every((gap, k) => Math.abs(gap - (k + 1) / 2) < 2 ** (m + n) * 8 * EPS)).toBe(true);
      expect(Math.abs(half.biasesWeight - m - n)).toBeLessThan(2 ** (m + n) * 64 * EPS);
      expect(Math.abs(one.couplingsWeight - m * n)).toBeLessThan(2 ** (m + n) * 64 * EPS);
      expect(half.couplingsWeight + one.biasesWeight).toBeLessThan(2 ** (m + n) * 64 * EPS);
    }
  }
});

test('an RBM at zero under palindrome-block: every function is gone after one step, on both routes', () => {
  for (const biased of [true, false]) {
    for (const [m, n] of [
      [3, 2],
      [2, 3],
      [1, 1],
    ]) {
      const zeros = (k: number) => (biased ? Array(k).fill(0) : undefined);
      const weights = Array(m * n).fill(0);
      const model = rbm({ visible: m, hidden: n, weights, visibleBiases: zeros(m), hiddenBiases: zeros(n) });
      for (const route of ['table', 'factored'] as const) {
        const { groups, slowest } = createRoute(model, randomData(m, 5), {
          kernel: 'palindrome-block',
          route,
        }).relaxation(model.theta);
        expect(groups?.map((group) => group.multiplicity)).toEqual([2 ** (m + n - (biased ? 0 : 1)) - 1]);
        expect(slowest?.multiplicity).toBe(2 ** (m + n) - 1);
        const tolerance = 2 ** (m + n) * 64 * EPS;
        expect(Math.abs((slowest?.gap ?? 0) - 1)).toBeLessThan(tolerance);
        expect(Math.abs((groups?.[0].couplingsWeight ?? 0) - m * n)).toBeLessThan(tolerance);
        expect(Math.abs((groups?.[0].biasesWeight ?? 0) - (biased ? m + n : 0))).toBeLessThan(tolerance);
      }
    }
  }
});

describe.each([
  [3, 2],
  [2, 3],
  [2, 2],
  [3, 1],
])('an RBM %i + %i at zero without biases', (m, n) => {
  const model = rbm({ visible: m, hidden: n, weights: Array(m * n).fill(0) });

  test.each(['table', 'factored'] as const)('%s: the textbook gap is in both sectors, and counts both', (route) => {
    const { groups, slowest } = createRoute(model, randomData(m, 5), { kernel: 'random-block', route }).relaxation(
      model.theta,
    );
    // Even functions of one layer alone: 2^(m-1) - 1 and 2^(n-1) - 1; odd ones: 2^(m-1) and 2^(n-1). No observable is among them.
    expect(groups?.[0].multiplicity).toBe(2 ** (m - 1) + 2 ** (n - 1) - 2);
    expect(Math.abs((slowest?.gap ?? 0) - 0.5)).toBeLessThan(2 ** (m + n) * 8 * EPS);
    expect(slowest?.weight).toBeLessThan(2 ** (m + n) * 64 * EPS);
    expect(slowest?.multiplicity).toBe(2 ** m + 2 ** n - 2);
  });
});
