import { coverage } from 'htdml';
import { expect, test } from 'vitest';
import { COVERAGE_COLUMNS } from '../../src/cli/coverage.js';
import { expectRefusal, htdml } from '../support/cli.js';

test.concurrent('coverage prints a line per row, below the names of the columns', async () => {
  const { code, stdout, stderr } = await htdml(['coverage']);
  expect([code, stderr]).toEqual([0, '']);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.length).toBe(1 + coverage().length);
  expect(lines[0].split(/ {2,}/)).toEqual(COVERAGE_COLUMNS);
  // Columns stand below each other: every line has its last cell where the header has it.
  const last = lines[0].indexOf(COVERAGE_COLUMNS[COVERAGE_COLUMNS.length - 1]);
  for (const line of lines) expect(line.slice(last - 2, last + 1)).toMatch(/^ {2}\S$/);
});

test.concurrent('coverage --json is what the library gives', async () => {
  const { code, stdout, stderr } = await htdml(['coverage', '--json']);
  expect([code, stderr]).toEqual([0, '']);
  expect(JSON.parse(stdout)).toEqual({ schemaVersion: 1, coverage: coverage() });
});

test.concurrent('coverage takes no model', async () => {
  expect(expectRefusal(await htdml(['coverage', 'model.json']))).toMatch(/^too many arguments for 'coverage'/);
});
