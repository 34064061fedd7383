import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { coverage } from 'htdml';
import { expect, test } from 'vitest';
import { COVERAGE_COLUMNS, coverageCells } from '../src/cli/coverage.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(`${root}README.md`, 'utf8');

test('the library example of the README runs as it stands', () => {
  const code = readme.match(/```ts\n([\s\S]*?)```/)?.[1] ?? '';
  expect(code).toContain('createRoute');
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: root,
    encoding: 'utf8',
  });
  const gap = Number(output.split(' ')[0]);
  expect(gap).toBeGreaterThan(0);
  expect(gap).toBeLessThan(1);
});

/** What an example of the README prints, with the parts of the union package of TensorFlow.js that are installed here. */
function printedWithTf(code: string): string {
  const installed = ['core', 'layers', 'backend-cpu'].map((part) => `import '@tensorflow/tfjs-${part}';`).join('\n');
  const parts = code
    .replace("'@tensorflow/tfjs';", `'@tensorflow/tfjs-core';\n${installed}`)
    .replace(' as tf.Scalar', '');
  expect(parts).toContain(installed);
  return execFileSync(process.execPath, ['--input-type=module', '--eval', parts], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

const withTf = [...readme.matchAll(/```ts\n(import \* as tf [\s\S]*?)```/g)].map(([, code]) => code);

test('the TensorFlow.js example of the README runs as it stands', () => {
  const [divergence, logRhat] = printedWithTf(withTf[0]).split(' ').map(Number);
  // Three patterns of three spins: a model that knows nothing is log(8 / 3) away.
  expect(divergence).toBeGreaterThan(0);
  expect(divergence).toBeLessThan(Math.log(8 / 3));
  expect(Number.isFinite(logRhat)).toBe(true);
});

test('and so does that of neural features', () => {
  const output = printedWithTf(withTf[1]);
  for (const name of ['observables', 'neural', 'more neural']) expect(output).toContain(`'${name}'`);
  expect(output).toMatch(/(un)?resolved\n$/);
});

/** `npm run coverage-table` rewrites the block instead. */
test('the coverage table of the README is the one that the library gives', () => {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const table = [
    line(COVERAGE_COLUMNS),
    line(COVERAGE_COLUMNS.map(() => '---')),
    ...coverage().map((row) => line(coverageCells(row))),
  ].join('\n');
  const [open, close] = ['<!-- coverage -->\n', '\n<!-- /coverage -->'];
  const [from, to] = [readme.indexOf(open) + open.length, readme.indexOf(close)];
  expect(from).toBeGreaterThan(open.length);
  expect(to).toBeGreaterThan(from - 1);
  if (process.env.UPDATE === '1') {
    writeFileSync(`${root}README.md`, readme.slice(0, from) + table + readme.slice(to));
  } else {
    expect(readme.slice(from, to)).toBe(table);
  }
});
