import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import * as proofs from 'htdml/proofs';
import { beforeAll, describe, expect, test } from 'vitest';
import { ROOT, scratch, startNode } from '../support/cli.js';

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const { folder, path } = scratch();

/** Somebody's project with the package installed, and its dependencies, and whichever others are named. */
function install(name: string, others: readonly string[]): string {
  const modules = path(name, 'node_modules');
  const home = join(modules, 'htdml');
  mkdirSync(home, { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(home, 'package.json'));
  for (const part of ['dist/src', 'dist/proofs']) cpSync(join(ROOT, part), join(home, part), { recursive: true });
  for (const dependency of [...Object.keys(manifest.dependencies), ...others]) {
    const link = join(modules, dependency);
    mkdirSync(join(link, '..'), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', dependency), link);
  }
  return join(folder, name);
}

const run = (cwd: string, code: string) => startNode(['--input-type=module', '--eval', code], cwd).finished;

describe('htdml/proofs in a project', () => {
  let without: string;
  let beside: string;
  beforeAll(() => {
    without = install('without', []);
    beside = install('beside', ['fast-check']);
  });

  test('without fast-check the import says what to do, in one sentence', async () => {
    const { code, stdout, stderr } = await run(
      without,
      `
      import { HtdmlError } from 'htdml';
      await import('htdml/proofs').catch((error) => {
        console.log(JSON.stringify([error instanceof HtdmlError, error.code, error.message, error.cause?.code]));
      });
    `,
    );
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toEqual([
      true,
      'HTDML_PEER',
      'htdml/proofs needs the peer dependency fast-check, which is not installed; run npm install --save-dev fast-check.',
      'ERR_MODULE_NOT_FOUND',
    ]);
    const plain = await run(without, `import 'htdml/proofs';`);
    expect(plain.code).toBe(1);
    expect(plain.stderr).toMatch(/HtdmlError: htdml\/proofs needs the peer dependency fast-check/);
  });

  test('with it, the same build gives what the sources give, and a property of one fast-check runs in another import of it', async () => {
    const { code, stdout, stderr } = await run(
      beside,
      `
      import fc from 'fast-check';
      import * as proofs from 'htdml/proofs';
      const property = proofs.OBLIGATIONS[0].properties[1].property;
      fc.assert(property, { numRuns: 5 });
      console.log(JSON.stringify(Object.keys(proofs).sort()));
    `,
    );
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toEqual(Object.keys(proofs).sort());
  });
});

test('the peer dependency is optional, and is what the tests here run on', () => {
  expect(manifest.peerDependencies['fast-check']).toBe('^4.0.0');
  expect(manifest.peerDependenciesMeta['fast-check']).toEqual({ optional: true });
  expect(manifest.devDependencies['fast-check']).toMatch(/^\^4\./);
  expect(manifest.dependencies['fast-check']).toBeUndefined();
});
