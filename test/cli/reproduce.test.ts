import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { version } from '../../src/version.js';
import { expectRefusal, htdml, ROOT, scratch, startHtdml } from '../support/cli.js';

const { path, write } = scratch();
const configuration = (name: string) => join(ROOT, 'examples', 'experiments', `${name}.json`);
const read = (...parts: readonly string[]) => readFileSync(path(...parts), 'utf8');
const lines = (...parts: readonly string[]) =>
  read(...parts)
    .trimEnd()
    .split('\n');

/** A results file's cells without their times, by key. */
const results = (...parts: readonly string[]) =>
  lines(...parts)
    .slice(1)
    .map((line) => JSON.parse(line))
    .map(({ key, result }: { key: string; result: object }) => ({ key, result }))
    .sort((a, b) => a.key.localeCompare(b.key));

/** exp8 on fewer cells: 32 of about 50 ms. */
const short = (() => {
  const standard = JSON.parse(readFileSync(configuration('exp8'), 'utf8'));
  const settings = { ...standard.settings, layers: [[5, 3]], seeds: [1, 2, 3, 4] };
  return write('short.json', { ...standard, settings });
})();

test('an experiment, from its configuration to record, table and page; again, it has nothing left to do', async () => {
  const out = path('exp7');
  const args = ['reproduce', 'exp7', '--out', out, '--jobs', '2'];
  const first = await htdml([...args, '--report']);
  expect([first.code, first.stderr]).toEqual([0, '']);
  expect(readdirSync(out).sort()).toEqual(['exp7.json', 'exp7.jsonl', 'report.html']);
  const record = JSON.parse(read('exp7', 'exp7.json'));
  expect(record).toMatchObject({ schemaVersion: 1, experiment: 'exp7', cells: 64, outcome: 'pass' });
  expect(record.versions).toEqual({ htdml: version, node: process.versions.node });
  expect(record.configuration.sha256).toBe(
    createHash('sha256')
      .update(readFileSync(configuration('exp7')))
      .digest('hex'),
  );
  for (const { what, ours } of record.table) {
    expect(first.stdout).toMatch(new RegExp(`^${what.replace(/[()]/g, '.')} .*${ours.replace(/[()]/g, '.')}`, 'm'));
  }
  expect(read('exp7', 'report.html')).toMatch(/^<!doctype html>.*exp7: Barriers between basins.*<\/html>\s*$/is);
  const before = read('exp7', 'exp7.jsonl');
  const again = await htdml([...args, '--json']);
  expect([again.code, again.stderr]).toEqual([0, '']);
  expect(JSON.parse(again.stdout)).toEqual(record);
  expect(read('exp7', 'exp7.jsonl')).toBe(before);
});

describe('an interrupted run', async () => {
  const whole = await htdml(['reproduce', 'exp8', '--config', short, '--out', path('whole'), '--jobs', '2']);

  test.each(['SIGKILL', 'SIGTERM'] as const)(
    '%s: the same command computes what is missing, to the same results',
    async (signal) => {
      expect(whole.code).toBe(0);
      const file = [signal, 'exp8.jsonl'] as const;
      const args = ['reproduce', 'exp8', '--config', short, '--out', path(signal), '--jobs', '1'];
      const run = startHtdml(args);
      while (!existsSync(path(...file)) || lines(...file).length < 4) await sleep(5);
      run.process.kill(signal);
      const { code, stderr } = await run.finished;
      if (signal === 'SIGTERM') {
        expect(code).toBe(130);
        expect(stderr).toBe('htdml: interrupted, the state is saved; go on with the same command.\n');
      }
      const kept = lines(...file).slice(0, 4);
      expect(lines(...file).length).toBeLessThan(33);
      expect(existsSync(path(signal, 'exp8.json'))).toBe(false);
      const resumed = await htdml(args);
      expect([resumed.code, resumed.stderr]).toEqual([0, '']);
      expect(lines(...file).slice(0, 4)).toEqual(kept);
      expect(results(...file)).toEqual(results('whole', 'exp8.jsonl'));
    },
  );

  test('shards, by flag and by environment, merge to the same results; a missing or repeated one is refused', async () => {
    const out = path('shards');
    const args = ['reproduce', 'exp8', '--config', short, '--out', out, '--jobs', '1'];
    const first = await htdml([...args, '--shard', '1/3']);
    expect([first.code, first.stderr]).toEqual([0, '']);
    expect(first.stdout).toMatch(/^exp8: 11 cells of shard 1 of 3 in /);
    const file = (index: number) => join(out, `exp8.shard-${index}-of-3.jsonl`);
    const slurm = { SLURM_ARRAY_TASK_ID: '1', SLURM_ARRAY_TASK_COUNT: '3', SLURM_ARRAY_TASK_MIN: '0' };
    expect((await startHtdml(args, ROOT, slurm).finished).code).toBe(0);
    expect(expectRefusal(await htdml(['merge', file(1), file(2), '--out', path('merged')]))).toMatch(
      /^the shards must be all 3 of exp8, got 2 without 3; run the missing ones/,
    );
    expect((await startHtdml(args, ROOT, { JOB_COMPLETION_INDEX: '2', JOB_COMPLETIONS: '3' }).finished).code).toBe(0);
    expect(readdirSync(out)).toHaveLength(3);
    cpSync(file(2), path('copy.jsonl'));
    const repeated = await htdml(['merge', file(1), file(2), path('copy.jsonl'), file(3), '--out', path('merged')]);
    expect(expectRefusal(repeated)).toMatch(/copy\.jsonl: its shard must be given once, got shard 2 of 3, as in /);
    expect(existsSync(path('merged'))).toBe(false);
    const merge = ['merge', file(3), file(1), file(2), '--out', path('merged')];
    const merged = await htdml([...merge, '--report']);
    expect([merged.code, merged.stderr]).toEqual([0, '']);
    expect(readdirSync(path('merged')).sort()).toEqual(['exp8.json', 'exp8.jsonl', 'report.html']);
    expect(results('merged', 'exp8.jsonl')).toEqual(results('whole', 'exp8.jsonl'));
    const table = (folder: string) => JSON.parse(read(folder, 'exp8.json')).table;
    expect(table('merged')).toEqual(table('whole'));
    expect(expectRefusal(await htdml(merge))).toMatch(/^--out must be a folder without these results, got .*--force/);
  });

  test('results of another configuration are neither gone on with nor merged', async () => {
    const moved = write('moved.json', {
      ...JSON.parse(readFileSync(short, 'utf8')),
      title: 'thresholds that were moved',
    });
    const args = ['reproduce', 'exp8', '--out', path('whole'), '--config', moved];
    expect(expectRefusal(await htdml(args))).toMatch(
      /^exp8\.jsonl: the configuration must be of SHA-256 \w+, got of SHA-256 \w+; /,
    );
    const anew = await htdml([...args.slice(0, 2), '--out', path('anew'), '--config', moved, '--shard', '2/16']);
    expect(anew.code).toBe(0);
    const shard = await htdml(['reproduce', 'exp8', '--out', path('anew'), '--config', short, '--shard', '1/16']);
    expect(shard.code).toBe(0);
    const files = readdirSync(path('anew')).map((name) => path('anew', name));
    expect(expectRefusal(await htdml(['merge', ...files, '--out', path('none')]))).toMatch(
      /the configuration must be of SHA-256/,
    );
  });
});

test.concurrent.each<[string, readonly string[], RegExp]>([
  ['an unknown experiment', ['exp5'], /^the experiment must be exp1, .* or all, got "exp5"; name one of them/],
  ['a configuration for all', ['all', '--config', 'x.json'], /^--config must be given with one experiment, got all/],
  [
    'a configuration that is not there',
    ['exp1', '--config', 'x.json'],
    /^x\.json: the file must be a file that exists/,
  ],
  [
    "another experiment's configuration",
    ['exp1', '--config', configuration('exp7')],
    /exp7\.json: experiment must be "exp1"/,
  ],
  ['no shard', ['exp1', '--shard', '0/4'], /^--shard must be a shard i\/n with i from 1 to n, got 0\/4/],
  [
    'a page of a shard',
    ['exp1', '--shard', '1/4', '--report'],
    /^--report must be given without a shard, .* htdml merge/,
  ],
  ['half a thread', ['exp1', '--jobs', '0.5'], /^--jobs must be a whole number of at least 1, got "0\.5"/],
])('reproduce refuses %s', async (_, args, message) => {
  const refusal = expectRefusal(await htdml(['reproduce', ...args, '--out', path('refused')]));
  expect(refusal).toMatch(message);
  expect(existsSync(path('refused'))).toBe(false);
});
