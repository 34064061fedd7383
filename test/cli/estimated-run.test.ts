import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRoute, logEffectiveGap, readModel, teacherLaw } from 'htdml';
import { describe, expect, test } from 'vitest';
import { readSpec, specToJson } from '../../src/cli/spec.js';
import { expectRefusal, GOOD, htdml, scratch, startHtdml } from '../support/cli.js';

const { path, write } = scratch();
const teacher = write('teacher.json', GOOD.teacher);
const FILES = ['checkpoint.json', 'model.json', 'record.json', 'report.html', 'trace.jsonl'];

const base = {
  schemaVersion: 1,
  model: { kind: 'rbm', visible: 4, hidden: 3, initialScale: 0.5 },
  data: { teacher: 'teacher.json' },
  kernel: 'random-block',
  route: 'estimated',
  sampling: { chains: 16, samples: 40, burnIn: 50, rungs: 20 },
  seed: 2,
  design: { budget: 0.05, steps: 25 },
  train: { steps: 25, penalties: [{ objective: 'logEffectiveGap', weight: 0.02 }] },
};
const text = (out: string, name: string) => readFileSync(join(out, name), 'utf8');
const json = (out: string, name: string) => JSON.parse(text(out, name));

/** Exact values of a written model. */
function exactly(out: string) {
  const model = readModel(join(out, 'model.json'));
  const route = createRoute(model, teacherLaw(readModel(teacher)), { kernel: 'random-block' });
  const { value } = route.evaluate(model.theta, ['timescale', 'variance', 'kl']);
  return { gap: Math.exp(logEffectiveGap(value)?.value ?? Number.NaN), kl: value.kl ?? Number.NaN };
}

describe.each(['design', 'train'] as const)('%s', (command) => {
  const spec = write(`${command}.json`, base);
  const out = path(command);

  test('writes what a run writes, with estimates at both ends that hold the exact values', async () => {
    const { code, stdout, stderr } = await htdml([command, spec, '--out', out]);
    expect([code, stderr]).toEqual([0, '']);
    expect(readdirSync(out).sort()).toEqual(FILES);
    const record = json(out, 'record.json');
    expect(record.spec).toEqual(specToJson(readSpec(spec)));
    expect(stdout).toMatch(/^ +start +result\nsignal .*KL above the start \[nats\] +0 /s);
    const { before, after, divergence } = record.results;
    for (const end of [before, after]) {
      expect(['resolved', 'unresolved']).toContain(end.verdict);
      expect(end.sampling.seed).not.toBe(base.seed);
    }
    const end = exactly(out);
    expect(Math.abs(Math.log(after.effectiveGap.value / end.gap))).toBeLessThan(
      0.1 + (5 * after.effectiveGap.standardError) / end.gap,
    );
    expect(divergence.standardError).toBeGreaterThan(0);
    expect(text(out, 'trace.jsonl').trimEnd().split('\n')).toHaveLength(25);
    expect(text(out, 'report.html')).toMatch(/^<!doctype html>.*Before and after.*<\/html>\s*$/is);
    if (command === 'train') expect(divergence.value).toBeLessThan(-4 * divergence.standardError);
    else expect(after.effectiveGap.value).toBeGreaterThan(before.effectiveGap.value);
  });

  test('a killed run goes on to the same files', async () => {
    const again = path(`${command}-killed`);
    const running = startHtdml([command, spec, '--out', again, '--checkpoint-every', '1']);
    while (!existsSync(join(again, 'checkpoint.json'))) await sleep(20);
    running.process.kill('SIGKILL');
    await running.finished;
    expect(existsSync(join(again, 'record.json'))).toBe(false);
    expect(await htdml([command, spec, '--out', again, '--resume'])).toMatchObject({ code: 0, stderr: '' });
    for (const name of ['model.json', 'trace.jsonl', 'record.json']) expect(text(again, name)).toBe(text(out, name));
  });
});

test('what the estimated route cannot do is refused before it samples', async () => {
  const refusal = async (command: string, change: object) => {
    const spec = write('refused.json', { ...base, ...change });
    return expectRefusal(await htdml([command, spec, '--out', path('refused')]));
  };
  expect(await refusal('design', { kernel: 'palindrome' })).toMatch(/refused\.json.*kernel must be "random-scan", /);
  expect(await refusal('design', { design: { objective: 'logRhatSlowCluster' } })).toMatch(/design\.objective must be/);
  expect(await refusal('train', { train: { optimizer: 'lbfgs' } })).toMatch(/train\.optimizer must be "adam"/);
  expect(await refusal('train', { train: { likelihood: { persistentChains: {} } } })).toMatch(/train\.likelihood/);
  expect(
    await refusal('train', { train: { penalties: [{ objective: 'totalCorrelation', weight: 'adaptive' }] } }),
  ).toMatch(/penalties\[0\]\.weight/);
  expect(await refusal('train', { membership: { onEvent: 'stop' } })).toMatch(/membership\.onEvent/);
  expect(await refusal('pareto', {})).toMatch(/route must be "exact"/);
  expect(await refusal('design', { sampling: { chains: 3 } })).toMatch(/sampling\.chains/);
  expect(await refusal('design', { route: 'guessed' })).toMatch(/route must be "exact" or "estimated"/);
});
