import { expect, test } from 'vitest';
import type { Configuration, Row } from '../../src/experiments/configuration.js';
import { overall, tableOf } from '../../src/experiments/table.js';

const configuration = (rows: readonly Row[]) => ({ experiment: 'exp1', rows }) as Configuration;
const row = (parts: Partial<Row>): Row => ({ figure: 'x', what: 'a figure', source: null, ...parts });
const source = (low: number | null, high: number | null, within: number) => ({ text: 'theirs', low, high, within });
const only = (parts: Partial<Row>, value: number | null) => tableOf(configuration([row(parts)]), { x: { value } })[0];

test.each([
  [1, source(1, 1, 0), true, null],
  [1.5, source(1, 2, 0), true, null],
  [2.25, source(1, 2, 0.25), true, null],
  [2.5, source(1, 2, 0.25), false, 0.5],
  [0.5, source(1, 2, 0.25), false, -0.5],
  [-1e9, source(null, 2, 0), true, null],
  [3, source(null, 2, 0), false, 1],
  [1e9, source(2, null, 0), true, null],
])('%d against a source', (value, given, agrees, difference) => {
  expect(only({ source: given }, value)).toMatchObject({ agrees, difference, outcome: null, source: 'theirs' });
});

test('what is not known agrees with nothing and is not resolved', () => {
  expect(only({ source: source(1, 1, 0), passes: [0, 1] }, null)).toMatchObject({
    ours: '-',
    agrees: null,
    difference: null,
    outcome: 'not resolved',
  });
  expect(only({}, 1)).toMatchObject({ agrees: null, outcome: null });
});

test.each([
  [[0, 1], 0, 'pass'],
  [[0, 1], 1, 'pass'],
  [[0, 1], 1.001, 'fail'],
  [[null, 1], -5, 'pass'],
  [[0, null], -5, 'fail'],
] as const)('the outcome of %j at %d', (passes, value, outcome) => {
  expect(only({ passes: [...passes] }, value).outcome).toBe(outcome);
});

test('a figure that the experiment lacks is a bug', () => {
  expect(() => tableOf(configuration([row({ figure: 'y' })]), { x: { value: 1 } })).toThrow(/no figure y/);
});

test('one failed row fails the experiment', () => {
  const of = (...outcomes: readonly ('pass' | 'fail' | 'not resolved' | null)[]) =>
    overall(outcomes.map((outcome) => ({ outcome })));
  expect(of('pass', 'fail', 'not resolved')).toBe('fail');
  expect(of('pass', 'not resolved', null)).toBe('not resolved');
  expect(of('pass', null)).toBe('pass');
  expect(of(null)).toBeNull();
});
