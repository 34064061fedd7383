import { expect, test } from 'vitest';
import { groupEigenvalues } from '../../../src/spectrum/groups.js';
import { levelsInside, membership, modeSet, sameMembership } from '../../../src/trainability/membership/mode-sets.js';

/** Gaps and weights; equal gaps form a group. */
function spectrum(list: readonly (readonly [number, number])[]) {
  const levels = list.map(([gap, weight]) => ({ gap, multiplicity: 1, couplingsWeight: weight, biasesWeight: 0 }));
  return { levels, groups: groupEigenvalues(levels) };
}

// Listed in no order: levels index the list, groups are slowest first.
const mixed = spectrum([
  [0.3, 0.5],
  [0.1, 1e-9],
  [0.2, 0.3],
  [0.2, 0.1],
  [0.6, 1e-9],
  [0.9, 0.1],
]);

test('window: from the slowest relevant group to kappa times its gap, irrelevant ones inside included', () => {
  const set = modeSet(mixed, 'window', { epsilon: 1e-3, kappa: 2.5 });
  expect(set.anchor).toBe(1);
  expect(set.inside).toEqual([0, 1, 2]);
  expect([...levelsInside(set)]).toEqual([1, 2, 3, 0]);
  expect(membership(set)).toBe('4+2-');
  // The edge belongs to the set.
  expect(modeSet(mixed, 'window', { epsilon: 1e-3, kappa: 3 }).inside).toEqual([0, 1, 2, 3]);
});

test('relevance: by weight of the group, which interleaves', () => {
  const set = modeSet(mixed, 'relevance', { epsilon: 1e-3, kappa: 2.5 });
  expect(set.inside).toEqual([1, 2, 4]);
  expect(membership(set)).toBe('1-3+1-1+');
  // Two modes of one eigenvalue, 0.3 and 0.1, count as 0.4.
  expect(modeSet(mixed, 'relevance', { epsilon: 0.35, kappa: 2.5 }).inside).toEqual([1, 2]);
});

test('the same modes in other groups are the same set', () => {
  const apart = spectrum([
    [0.1, 0.4],
    [0.1000001, 0.4],
    [0.6, 0.2],
  ]);
  const together = spectrum([
    [0.1, 0.4],
    [0.1, 0.4],
    [0.6, 0.2],
  ]);
  const [a, b] = [apart, together].map((s) => modeSet(s, 'window'));
  expect([a.groups.length, b.groups.length]).toEqual([3, 2]);
  expect(sameMembership(a, b)).toBe(true);
  expect(sameMembership(a, modeSet(apart, 'window', { epsilon: 1e-3, kappa: 7 }))).toBe(false);
});

test('nothing fluctuates: no anchor, nothing inside', () => {
  const still = modeSet(
    spectrum([
      [0.1, 0],
      [0.2, 0],
    ]),
    'window',
  );
  expect(still).toMatchObject({ anchor: null, inside: [] });
  expect(membership(still)).toBe('2-');
});
