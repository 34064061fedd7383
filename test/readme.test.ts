import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

test('the library example of the README runs as it stands', () => {
  const readme = readFileSync(`${root}README.md`, 'utf8');
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
