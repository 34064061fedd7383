import fc from 'fast-check';
import { createRoute, dataLawFromCounts, type Model } from 'htdml';
import {
  along,
  type BoundaryModel,
  boundaries,
  type CrossingPath,
  crossingRings,
  crossings,
  curieWeisses,
  decoupled,
  deepPlateaus,
  equalRowRbms,
  independents,
  type KnownModel,
  knownModels,
  nearCrossings,
  rings,
  spectralMatrices,
} from 'htdml/proofs';
import { describe, expect, test } from 'vitest';
import { symmetricEigen } from '../../src/spectrum/symmetric-eigen.js';
import { RUNS } from '../properties/arbitraries.js';
import { EPS, lawError } from '../support/brute-force.js';

const relaxationOf = (model: Model) => {
  const route = createRoute(model, dataLawFromCounts(model.visible.length, [[0, 1]]), { kernel: 'random-scan' });
  return route.relaxation(model.theta).groups ?? [];
};

/** Eigenvalues are right to this. */
const spectral = (model: Model) => 8 * 2 ** model.spins * (EPS + lawError(model));

/** Listed gaps are eigenvalues, weights that are known are those of the groups, and a complete list leaves no weight. */
function expectKnown({ model, modes, complete }: KnownModel): void {
  const groups = relaxationOf(model);
  const slack = spectral(model);
  const near = (gap: number) => groups.filter((group) => Math.abs(group.gap - gap) <= slack + 1e-8 * gap);
  for (const { gap } of modes) expect(near(gap).length, `gap ${gap}`).toBeGreaterThan(0);
  const total = groups.reduce((sum, { weight }) => sum + weight, 0);
  const gaps = groups.map(({ gap }) => gap);
  for (const group of groups) {
    const own = modes.filter(({ gap }) => Math.abs(group.gap - gap) <= slack + 1e-8 * gap);
    // Weights mix with those of other groups by what the operator is off by over the distance.
    const distance = gaps.reduce((least, gap) => Math.min(least, gap === group.gap ? 1 : Math.abs(gap - group.gap)), 1);
    const weightSlack = (4 * slack * (1 + total)) / distance;
    if (complete && own.length === 0) expect(group.weight).toBeLessThan(weightSlack);
    if (own.length > 0 && complete && own.every(({ weight }) => weight !== null) && distance > 1e3 * slack) {
      const sum = own.reduce((known, { weight }) => known + (weight ?? 0), 0);
      expect(Math.abs(group.weight - sum)).toBeLessThan(weightSlack);
    }
  }
}

test.each(Object.entries({ independents, rings, decoupled, curieWeisses, equalRowRbms, deepPlateaus }))(
  '%s: what is known of the spectrum is so',
  (_, family) => {
    fc.assert(fc.property(family, expectKnown), RUNS);
  },
);

test('gaps of deep plateaus are known to twelve digits where the eigensolver has none left', () => {
  const depths = fc
    .sample(deepPlateaus, { ...RUNS, numRuns: 50 })
    .map(({ modes }) => Math.min(...modes.map((m) => m.gap)));
  expect(Math.min(...depths)).toBeLessThan(1e-6);
});

describe('crossings', () => {
  const pair = ({ from, to, at, gap }: CrossingPath, t: number) => {
    const model = along(from, to, t);
    const groups = relaxationOf(model).filter(({ weight }) => weight > 1e-10);
    return { model, groups: groups.filter((group) => Math.abs(group.gap - gap) < 0.5 * gap * Math.abs(t - at) + 1e-9) };
  };

  test('at a true one, the two groups are one; beside it they are two, which change places', () => {
    fc.assert(
      fc.property(crossings, (path) => {
        const at = pair(path, path.at);
        expect(at.groups.length).toBe(1);
        expect(at.groups[0].multiplicity).toBeGreaterThan(1);
        expect(Math.abs(at.groups[0].gap - path.gap)).toBeLessThan(spectral(at.model));
      }),
      RUNS,
    );
  });

  test('a bond splits the levels in proportion to itself', () => {
    const course = { at: 0.5, slow: 0.8, slopes: [0.2, -0.3], beta: 1.3 } as const;
    const splittings = [1e-5, 1e-4, 1e-3].map((bond) => {
      const { from, to, at } = crossingRings([2, 2], course, bond);
      const [first, second] = relaxationOf(along(from, to, at));
      return (second.gap - first.gap) / bond;
    });
    expect(splittings[0]).toBeGreaterThan(0.01);
    // The next order is in the bond itself.
    for (const splitting of splittings) expect(Math.abs(splitting / splittings[0] - 1)).toBeLessThan(1e-2);
  });

  test('where levels would cross without the bond, no two visible levels are equal', () => {
    fc.assert(
      fc.property(nearCrossings, ({ from, to, at, gap }) => {
        const near = relaxationOf(along(from, to, at)).filter((group) => group.gap < 1.5 * gap);
        for (const { multiplicity } of near) expect(multiplicity).toBe(1);
      }),
      RUNS,
    );
  });
});

test('models at a boundary are as far from it as they say', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(boundaries, ({ rule, model, offset, gap }: BoundaryModel) => {
      seen.add(rule);
      const groups = relaxationOf(model);
      const total = groups.reduce((sum, { weight }) => sum + weight, 0);
      const group = groups.find((other) => Math.abs(other.gap - gap) < spectral(model) + 1e-8 * gap);
      const measured =
        rule === 'window' ? (group?.gap ?? 0) / (2.5 * groups[0].gap) : (group?.weight ?? 0) / total / 1e-3;
      // A share is known to the spectral error over the distance to the next group, times 1 / epsilon.
      expect(Math.abs(measured - 1 - offset)).toBeLessThan(1e-9);
      if (rule === 'anchor') expect(group).toBe(groups[0]);
    }),
    RUNS,
  );
  expect([...seen].sort()).toEqual(['anchor', 'relevance', 'window']);
});

test('matrices have the spectrum that was prescribed', () => {
  fc.assert(
    fc.property(spectralMatrices, ({ n, matrix, values }) => {
      const found = symmetricEigen(matrix, n).values;
      values.forEach((value, j) => expect(Math.abs(found[j] - value)).toBeLessThan(16 * n * EPS));
    }),
    RUNS,
  );
});

test('shrinking keeps the degeneracy: a property that no degenerate model has shrinks to a small degenerate one', () => {
  const degenerate = (model: Model) => relaxationOf(model).some(({ multiplicity }) => multiplicity > 1);
  const outcome = fc.check(
    fc.property(curieWeisses, ({ model }) => model.spins < 4 || !degenerate(model)),
    RUNS,
  );
  expect(outcome.failed).toBe(true);
  const [smallest] = outcome.counterexample ?? [];
  expect(smallest?.model.spins).toBe(4);
  expect(degenerate(smallest?.model as Model)).toBe(true);
  // All couplings of what it shrank to are equal: parameters shrink, not matrices.
  expect(new Set(smallest?.model.theta.subarray(0, 6)).size).toBe(1);
  expect(fc.sample(knownModels, { ...RUNS, numRuns: 200 }).map(({ family }) => family)).toEqual(
    expect.arrayContaining(['independent spins', 'uniform ring', 'decoupled rings', 'Curie-Weiss', 'deep plateau']),
  );
});
