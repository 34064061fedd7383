import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The first number after a phrase in what an example prints. Exact computations: the printed digits are the same everywhere. */
function printed(example: string, phrase: RegExp): number {
  const output = execFileSync(process.execPath, [`dist/examples/${example}.js`], { cwd: root, encoding: 'utf8' });
  return Number(output.match(phrase)?.[1]);
}

test('compare-kernels: the hardware scan makes the most of its spin updates on this lattice', () => {
  expect(printed('compare-kernels', /alternating-block, R = (\d+\.\d+)/)).toBe(3.6171);
});

test('sweep-beta: where R_hat falls fastest', () => {
  expect(printed('sweep-beta', /steepest at beta 0\.75: (-\d+\.\d+)/)).toBe(-11.4197);
});
