import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { readSpec, specToJson } from '../../src/cli/spec.js';
import { expectRefusal, GOOD, htdml, scratch, startHtdml } from '../support/cli.js';

const { path, write } = scratch();
write('teacher.json', { ...GOOD.teacher, beta: 2 });
const FILES = ['checkpoint.json', 'record.json', 'report.html', 'trace.jsonl'];
const spec = write('spec.json', {
  schemaVersion: 1,
  model: { kind: 'rbm', visible: 4, hidden: 3 },
  data: { teacher: 'teacher.json' },
  seed: 7,
  train: { steps: 300, maxCoupling: 2 },
  design: { restarts: 1, steps: 60, maxCoupling: 2 },
  pareto: {
    seeds: 2,
    steps: 60,
    arms: [
      { kind: 'earlyStopping' },
      { kind: 'penalty', objective: 'l2', weights: [0.01, 0.03] },
      { kind: 'penalty', objective: 'totalCorrelation', weights: [0.02, 0.05] },
      { kind: 'design', objective: 'logEffectiveGap', budgets: [0.02, 0.05] },
    ],
  },
});
const text = (out: string, name: string) => readFileSync(join(out, name), 'utf8');

test('the folder, what is printed, and the same after interruptions', async () => {
  const [whole, parts] = [path('whole'), path('parts')];
  const uninterrupted = htdml(['pareto', spec, '--out', whole, '--json']);
  let args = ['pareto', spec, '--out', parts, '--checkpoint-every', '50'];
  const lines = () => (existsSync(join(parts, 'trace.jsonl')) ? text(parts, 'trace.jsonl').split('\n').length : 0);
  // In the first training, and in a later arm: by Ctrl-C, and by a kill.
  for (const [signal, goal, exit] of [
    ['SIGINT', 100, 130],
    ['SIGKILL', 520, null],
  ] as const) {
    const { process: child, finished } = startHtdml(args);
    while (lines() < goal && child.exitCode === null) await sleep(3);
    child.kill(signal);
    expect((await finished).code).toBe(exit);
    args = ['pareto', spec, '--out', parts, '--checkpoint-every', '50', '--resume'];
  }
  const resumed = await htdml(args);
  expect([resumed.stderr, resumed.code]).toEqual(['', 0]);
  expect(resumed.stdout).toMatch(/^arm +points +not dominated .*\nearly stopping +32 .*\nweight decay +4 /);
  const { stdout, code } = await uninterrupted;
  expect(code).toBe(0);
  expect(readdirSync(parts).sort()).toEqual(FILES);
  expect(readdirSync(whole).sort()).toEqual(FILES);
  for (const name of FILES) expect(text(parts, name) === text(whole, name), name).toBe(true);

  const record = JSON.parse(text(whole, 'record.json'));
  expect(JSON.parse(stdout)).toEqual(record);
  expect(Object.keys(record)).toEqual(['schemaVersion', 'command', 'spec', 'versions', 'seed', 'results', 'claims']);
  expect(record).toMatchObject({ schemaVersion: 1, command: 'pareto', seed: 7 });
  expect(record.spec).toEqual(specToJson(readSpec(spec)));
  const { arms, points, missing } = record.results;
  expect(missing).toEqual([]);
  expect(arms.map(({ arm, points: count }: { arm: string; points: number }) => [arm, count])).toEqual([
    ['early stopping', 32],
    ['weight decay', 4],
    ['penalty totalCorrelation', 4],
    ['design logEffectiveGap', 4],
  ]);
  expect(points.length).toBe(44);
  expect(new Set(points.map(({ seed }: { seed: number }) => seed))).toEqual(new Set([7, 8]));
  for (const { theta } of points) {
    expect(theta.slice(0, 12).every((coupling: number) => Math.abs(coupling) <= 2)).toBe(true);
  }
  const page = text(whole, 'report.html');
  expect(page).toMatch(/^<!doctype html>.*<svg.*<\/html>\s*$/is);
  const dominated = points.filter(
    (one: { arm: string; dominated: boolean }) => one.dominated && one.arm !== 'early stopping',
  );
  expect(page.match(/>dominated<\/td>/g)?.length ?? 0).toBe(dominated.length);

  expect(expectRefusal(await htdml(['pareto', spec, '--out', whole]))).toMatch(/a folder without a finished run/);
  expect(expectRefusal(await htdml(['train', spec, '--out', whole, '--resume']))).toMatch(/^--out must be/);
}, 120_000);

test('bad flags are said in one sentence', async () => {
  for (const every of ['0', '2.5', 'x', '-1']) {
    const message = expectRefusal(await htdml(['pareto', spec, '--out', path('bad'), `--checkpoint-every=${every}`]));
    expect(message).toMatch(/^--checkpoint-every must be a whole number of at least 1, got ".*"; give the steps/);
    expect(existsSync(path('bad'))).toBe(false);
  }
}, 60_000);
