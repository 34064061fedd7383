import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { casesToRun, OBLIGATIONS, SEED } from 'htdml/proofs';
import { describe, expect, test } from 'vitest';
import { provenProperty } from '../../proofs/obligation.js';
import { formatMargin, parseTable, renderDocument, renderTable } from '../../proofs/table.js';
import { ROOT } from '../support/cli.js';

const document = readFileSync(join(ROOT, 'PROOFS.md'), 'utf8');
const rows = parseTable(document);

describe('PROOFS.md', () => {
  test('has a line for every property of every obligation, and no other', () => {
    const expected = OBLIGATIONS.flatMap(({ id, title, tag, properties }) =>
      properties.map(({ name }) => ({ id, title, tag, property: name })),
    );
    expect(rows.map(({ id, title, tag, property }) => ({ id, title, tag, property }))).toEqual(expected);
  });

  test('records at least 300 cases of each, and margins at which the claims hold', () => {
    for (const { property, cases, worstMargin } of rows) {
      expect(cases, property).toBeGreaterThanOrEqual(300);
      expect(worstMargin, property).toBeGreaterThanOrEqual(1);
    }
  });

  test('is the text that the files give with these rows', () => {
    expect(document).toBe(renderDocument(OBLIGATIONS, rows, SEED));
  });
});

test('every file of an obligation is listed, under the number in its name', () => {
  const files = readdirSync(join(ROOT, 'proofs')).filter((name) => /^o\d-/.test(name));
  expect(files.map((name) => name.slice(0, 2).toUpperCase())).toEqual(OBLIGATIONS.map(({ id }) => id));
});

describe.each(OBLIGATIONS)('$id', ({ statement, assumptions, derivation, properties, tag }) => {
  test('says what it claims, under what and why', () => {
    expect(statement.length).toBeGreaterThan(100);
    expect(derivation.length).toBeGreaterThan(200);
    expect(assumptions.length).toBeGreaterThan(0);
    for (const assumption of assumptions) expect(assumption).toMatch(/^A\d/);
    expect(['proven-here', 'cited']).toContain(tag);
    expect(new Set(properties.map(({ name }) => name)).size).toBe(properties.length);
    // Cells of a table.
    for (const { name } of properties) expect(name).not.toMatch(/[|\n]/);
  });
});

describe('a margin', () => {
  const of = (margin: (x: number) => number) =>
    provenProperty('it', 'a claim', fc.integer({ min: 0, max: 99 }), margin);

  test('below one, or no number, is a violation, and is recorded as the worst', () => {
    const broken = of((x) => (x < 5 ? 0.5 : 2));
    const { failure, worstMargin } = broken.check(300);
    expect(worstMargin).toBe(0.5);
    expect(failure).toMatch(/Counterexample/);
    expect(() => fc.assert(broken.property, { seed: SEED, numRuns: 300 })).toThrow(
      expect.objectContaining({
        cause: expect.objectContaining({ message: expect.stringMatching(/the margin is 0\.5/) }),
      }),
    );
    const undefinedMargin = of((x) => (x < 5 ? Number.NaN : 2)).check(300);
    expect(undefinedMargin.failure).not.toBeNull();
    expect(undefinedMargin.worstMargin).toBeNaN();
  });

  test('of at least one holds; cases left out are not counted', () => {
    const outcome = of((x) => {
      fc.pre(x % 2 === 0);
      return 1 + x;
    }).check(300);
    expect(outcome).toEqual({ cases: 300, worstMargin: 1, failure: null });
  });

  test('is shown rounded down, and read back', () => {
    for (const [margin, text] of [
      [1, '1.0000'],
      [1.99999, '1.9999'],
      [93.72934, '93.729'],
      [0.999999, '0.99999'],
      [123456789, '1.23e+8'],
      [Number.POSITIVE_INFINITY, 'nothing found'],
    ] as const) {
      expect(formatMargin(margin)).toBe(text);
      const row = { id: 'O1', title: 't', tag: 'cited', property: 'p', cases: 300, worstMargin: margin };
      const [read] = parseTable(renderTable([row]));
      expect(formatMargin(read.worstMargin)).toBe(text);
      expect({ ...read, worstMargin: 0 }).toEqual({ ...row, worstMargin: 0 });
    }
    expect(Number(formatMargin(Number.NaN)) >= 1).toBe(false);
  });
});

test('HTDML_CASES is a number of cases, or one sentence', () => {
  expect(casesToRun(undefined)).toBe(300);
  expect(casesToRun('')).toBe(300);
  expect(casesToRun('10000')).toBe(10_000);
  for (const wrong of ['0', '-3', 'many', '1e4', '2.5', '99999999999999999999']) {
    expect(() => casesToRun(wrong)).toThrow(/^HTDML_CASES must be a whole number of at least 1, got /);
  }
});
