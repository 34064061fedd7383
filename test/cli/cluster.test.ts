import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ROOT, scratch } from '../support/cli.js';

const { path } = scratch();
const folder = join(ROOT, 'examples', 'cluster');
const bash = (script: string, args: readonly string[], environment: NodeJS.ProcessEnv) =>
  promisify(execFile)('bash', [join(folder, script), ...args], {
    env: { ...process.env, HTDML: `${process.execPath} ${join(ROOT, 'bin', 'htdml.js')}`, ...environment },
  });

test('the Slurm files: array tasks and the job that joins them, as Slurm starts them', async () => {
  const args = ['exp7', path('results')];
  const array = { SLURM_ARRAY_TASK_COUNT: '3', SLURM_ARRAY_TASK_MIN: '1', SLURM_CPUS_PER_TASK: '1' };
  for (const task of ['1', '2', '3']) await bash('slurm-array.sh', args, { ...array, SLURM_ARRAY_TASK_ID: task });
  const { stdout } = await bash('slurm-merge.sh', args, {});
  expect(stdout).toMatch(/^exp7: .*\n.*64 cells/);
  expect(readdirSync(path('results')).filter((name) => !name.includes('shard'))).toEqual([
    'exp7.json',
    'exp7.jsonl',
    'report.html',
  ]);
});

test('the Kubernetes job tells its pods as many completions as it has', () => {
  const text = readFileSync(join(folder, 'kubernetes-indexed-job.yaml'), 'utf8');
  const completions = text.match(/^ {2}completions: (\d+)$/m)?.[1];
  expect(completions).toMatch(/^\d+$/);
  expect(text).toContain(`name: JOB_COMPLETIONS\n              value: "${completions}"`);
});

test('every file for a cluster is used by a test above', () => {
  const source = readFileSync(new URL(import.meta.url), 'utf8');
  expect(readdirSync(folder).filter((name) => !source.includes(`'${name}'`))).toEqual([]);
});
