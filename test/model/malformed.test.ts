import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readModelAt } from '../../src/cli/model-path.js';
import { readSpec } from '../../src/cli/spec.js';
import { InputError } from '../../src/errors.js';
import { readData } from '../../src/model/data-file.js';
import { malformed } from '../support/malformed.js';

const folder = mkdtempSync(join(tmpdir(), 'htdml-malformed-'));
afterAll(() => rmSync(folder, { recursive: true }));
const readers = { model: (path: string) => readModelAt(path), data: readData, spec: readSpec };

/** The one sentence that a reader refuses a path with. */
function refusal(read: (path: string) => unknown, path: string): string {
  try {
    read(path);
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as InputError).message;
  }
  throw new Error(`${path} was accepted`);
}

test('the table has distinct names and enough rows', () => {
  expect(new Set(malformed.map(({ name }) => name)).size).toBe(malformed.length);
  expect(malformed.length).toBeGreaterThanOrEqual(40);
});

test.each(malformed)('$name', ({ kind, file, content, field, pattern }) => {
  const path = join(folder, file);
  writeFileSync(path, content);
  const message = refusal(readers[kind], path);
  expect(message.startsWith(`${path}: ${field} must be `), message).toBe(true);
  expect(message).toMatch(pattern);
  expect(message).toMatch(/^[^\n\r]*; [^\n\r]*\.$/);
  expect(message).not.toMatch(/undefined|\[object|Invalid input/);
});

test.each(Object.entries(readers))('a path that leads nowhere: %s', (kind, read) => {
  const extension = kind === 'data' ? 'csv' : 'json';
  const missing = join(folder, `missing.${extension}`);
  expect(refusal(read, missing)).toBe(
    `${missing}: the file must be a file that exists and can be read, got no such file; check the path.`,
  );
  expect(refusal(read, join(folder, 'none', `x.${extension}`))).toMatch(/got no such file; check the path\.$/);
  const directory = mkdtempSync(join(folder, 'dir-'));
  if (kind !== 'data') expect(refusal(read, directory)).toMatch(/got a folder; check the path\.$/);
  expect(refusal(read, `${folder}/a\0b.${extension}`)).toMatch(/a\?b.*got a name with a zero byte; check the path\.$/);
  expect(refusal(read, '')).toMatch(/^"": the (data )?file must be /);
});

test('a very deep value does not overflow', () => {
  const path = join(folder, 'deep.json');
  writeFileSync(path, `{"kind":"ising","beta":${'['.repeat(1e5)}${']'.repeat(1e5)}}`);
  expect(refusal(readers.model, path)).toMatch(/: spins must be .* got nothing/);
  writeFileSync(path, '['.repeat(1e5));
  expect(refusal(readers.model, path)).toMatch(/: line 1, column 100001 must be valid JSON, got the end of the file/);
});
