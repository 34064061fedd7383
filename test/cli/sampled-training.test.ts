import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readModel } from 'htdml';
import { describe, expect, test } from 'vitest';
import { readSpec, specToJson } from '../../src/cli/spec.js';
import { expectRefusal, GOOD, htdml, scratch, startHtdml } from '../support/cli.js';
import { random } from '../support/models.js';

const { path, write } = scratch();
write('teacher.json', GOOD.teacher);
const FILES = ['checkpoint.json', 'model.json', 'record.json', 'report.html', 'trace.jsonl'];
const { uniform } = random(1);
const rows = Array.from({ length: 50 }, () => Array.from({ length: 64 }, () => (uniform() < 0.3 ? 1 : 0)).join());
write('digits.csv', rows.join('\n'));

const large = {
  schemaVersion: 1,
  model: { kind: 'rbm', visible: 64, hidden: 32, initialScale: 0.05 },
  data: { file: 'digits.csv' },
  kernel: 'alternating-block',
  seed: 3,
};
const small = { ...large, model: { ...large.model, visible: 4, hidden: 2 }, data: { teacher: 'teacher.json' } };
const persistent = { persistentChains: { chains: 10 } };

const text = (out: string, name: string) => readFileSync(join(out, name), 'utf8');
const json = (out: string, name: string) => JSON.parse(text(out, name));

test('64 + 32 spins: a record without exact numbers, and why', async () => {
  const train = {
    steps: 30,
    likelihood: persistent,
    weightDecay: 0.01,
    penalties: [{ objective: 'l1', weight: 0.001 }],
    maxCoupling: 1,
  };
  const spec = write('large.json', { ...large, train });
  const out = path('large');
  const { code, stdout, stderr } = await htdml(['train', spec, '--out', out]);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^step +\|gradient\|, sampled +standard error\n0 .*\n29 [^\n]*\n\nwritten to /s);
  expect(readdirSync(out).sort()).toEqual(FILES);
  const record = json(out, 'record.json');
  expect(record.spec).toEqual(specToJson(readSpec(spec)));
  expect(record.spec.train.likelihood).toEqual({ persistentChains: { chains: 10, window: '1sweeps' } });
  expect(record.results).toMatchObject({
    before: null,
    after: null,
    steps: 30,
    likelihood: { name: 'persistentChains', A1: { met: false }, biased: true, plan: { chains: 10, window: 1 } },
  });
  expect(record.claims).toEqual({ before: null, after: null });
  const named = record.notes.map(({ path: at }: { path: string }) => at);
  expect(named).toEqual([
    'trace.kl',
    'trace.effectiveGap',
    'results.before',
    'claims.before',
    'results.after',
    'claims.after',
  ]);
  const trace = text(out, 'trace.jsonl')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(trace.map(({ step }) => step)).toEqual(Array.from({ length: 30 }, (_, k) => k));
  for (const line of trace) {
    expect(line).toMatchObject({ kl: null, effectiveGap: null });
    expect(line.gradientNorm).toBeGreaterThan(0);
    expect(line.variance).toBeGreaterThan(0);
    expect(line.penalties).toHaveLength(2);
  }
  expect(readModel(join(out, 'model.json'))).toMatchObject({ spins: 96, layers: { visible: 64, hidden: 32 } });
  expect(text(out, 'report.html')).toMatch(/^<!doctype html>.*What is not known.*<\/html>\s*$/is);
});

test('a graph of 3,600 spins is converted and trained, and refused by what is exact', async () => {
  const side = 60;
  const spins = side * side;
  const edges = Array.from({ length: spins }, (_, i) => [
    [i, side * Math.floor(i / side) + ((i + 1) % side)],
    [i, (i + side) % spins],
  ]).flat();
  const grid = { kind: 'ising', spins, beta: 1, edges, couplings: edges.map((_, a) => 0.1 * Math.sin(a)) };
  const json_ = write('grid.json', grid);
  const data = write('grid.csv', [0, 1].map((x) => Array(spins).fill(x).join()).join('\n'));
  for (const [from, to] of [
    [json_, path('grid.npz')],
    [path('grid.npz'), path('back.json')],
  ]) {
    expect(await htdml(['convert', from, to])).toMatchObject({ code: 0, stderr: '' });
  }
  expect(readModel(path('back.json'))).toEqual(readModel(json_));
  for (const args of [
    ['evaluate', json_, '--data', data],
    ['evaluate', json_, '--teacher', json_],
    ['path', json_, json_, '--data', data],
  ]) {
    expect(expectRefusal(await htdml(args))).toMatch(
      /^The table of 3600 spins is not available: .* sampling \(htdml estimate/,
    );
  }
  const spec = write('grid-spec.json', {
    ...large,
    model: 'grid.npz',
    data: { file: 'grid.csv' },
    train: { steps: 2, likelihood: { persistentChains: { chains: 2 } } },
  });
  expect(await htdml(['train', spec, '--out', path('grid')])).toMatchObject({ code: 0, stderr: '' });
  // Both rows are aligned, so a coupling rises by Adam's steps of at most the rate, unless both chains are aligned there both times: about one in sixteen.
  const { theta } = readModel(path('grid', 'model.json'));
  const start = readModel(json_).theta;
  const risen = theta.filter((value, a) => value > start[a] && value <= start[a] + 0.1 + 1e-9);
  expect(risen.length).toBeGreaterThan(0.9 * theta.length);
  expect(theta.every((value, a) => value >= start[a])).toBe(true);
});

test.each([persistent, { contrastiveDivergence: { k: 3, chains: 10 } }])(
  '4 + 2 spins with %j: both ends are known exactly',
  async (likelihood) => {
    const spec = write('small.json', { ...small, train: { steps: 300, learningRate: 0.02, likelihood } });
    const out = path(`small-${Object.keys(likelihood)[0]}`);
    const { code, stdout } = await htdml(['train', spec, '--out', out, '--json']);
    expect(code).toBe(0);
    const record = JSON.parse(stdout);
    expect(record).toEqual(json(out, 'record.json'));
    const { before, after } = record.results;
    expect(after.kl).toBeLessThan(before.kl);
    expect(after.model).toEqual(json(out, 'model.json'));
    expect(record.claims).toEqual({ before: before.claim, after: after.claim });
    expect(record.notes.map(({ path: at }: { path: string }) => at)).toEqual(['trace.kl', 'trace.effectiveGap']);
    expect(text(out, 'report.html')).toContain('Before and after');
  },
);

test.each(['SIGINT', 'SIGKILL'] as const)('after %s it goes on to the same files', async (signal) => {
  const spec = write(`long-${signal}.json`, { ...large, train: { steps: 150, likelihood: persistent } });
  const [whole, parts] = [path(`whole-${signal}`), path(`parts-${signal}`)];
  const uninterrupted = htdml(['train', spec, '--out', whole]);
  const args = ['train', spec, '--out', parts, '--checkpoint-every', '10'];
  const { process: child, finished } = startHtdml(args);
  const lines = () => (existsSync(join(parts, 'trace.jsonl')) ? text(parts, 'trace.jsonl').split('\n').length : 0);
  while (lines() < 45 && child.exitCode === null) await sleep(5);
  child.kill(signal);
  expect((await finished).code).toBe(signal === 'SIGINT' ? 130 : null);
  const { state, traceLines } = json(parts, 'checkpoint.json');
  expect(traceLines).toBeGreaterThan(20);
  expect(traceLines).toBeLessThan(150);
  // Ten chains of 96 spins, three words each.
  expect(state.sampler.chains).toHaveLength(30);
  const resumed = await htdml([...args, '--resume']);
  expect([resumed.code, resumed.stderr]).toEqual([0, '']);
  expect((await uninterrupted).code).toBe(0);
  for (const name of FILES) expect(text(parts, name) === text(whole, name), name).toBe(true);
});

describe('what cannot be is refused in one sentence, before a folder is made', () => {
  const sampled = { train: { steps: 3, likelihood: persistent } };
  test.each<[string, string, object, readonly string[], RegExp]>([
    [
      'an exact likelihood of 64 + 32 spins',
      'train',
      {},
      [],
      /or sampling \(htdml estimate, or train\.likelihood of a/,
    ],
    [
      'arms of a sampled likelihood',
      'pareto',
      { ...small, ...sampled },
      [],
      /train\.likelihood must be "exact" for arms/,
    ],
    ['a design of 64 + 32 spins', 'design', {}, [], /The factored route for 64 visible .*|The table of 96 spins/],
    [
      'a watch',
      'train',
      sampled,
      ['--on-event', 'stop'],
      /membership\.onEvent must be null where the likelihood is sampled/,
    ],
    [
      'too little memory',
      'train',
      sampled,
      ['--max-memory', '1MB'],
      /This run is not available: it needs about .* of memory/,
    ],
    [
      'too little time',
      'train',
      { train: { steps: 1_000_000_000, likelihood: persistent } },
      ['--max-time', '1h'],
      /This run is not available: it takes about/,
    ],
    [
      'a frozen parameter that is none',
      'train',
      { train: { ...sampled.train, frozen: [2144] } },
      [],
      /train\.frozen\[0\] must be a parameter index from 0 to 2143, got 2144/,
    ],
    ['a state as a start', 'train', { ...sampled, start: 'state:1' }, [], /start must be .* a state index has 32 bits/],
    [
      'a teacher of 64 visible spins',
      'train',
      { ...sampled, data: { teacher: 'big.json' } },
      [],
      /give a file of its samples/,
    ],
  ])('%s', async (name, command, change, flags, message) => {
    write('big.json', {
      kind: 'rbm',
      visible: 64,
      hidden: 1,
      beta: 1,
      weights: Array.from({ length: 64 }, () => [0.1]),
    });
    const spec = write(`${name}.json`, { ...large, ...change });
    const out = path(`refused-${name}`);
    expect(expectRefusal(await htdml([command, spec, '--out', out, ...flags]))).toMatch(message);
    expect(existsSync(out)).toBe(false);
  });

  test('a run that leaves the finite numbers: exit code 3, and the last finite point with the reason', async () => {
    const spec = write('wild.json', { ...large, train: { steps: 5, learningRate: 1e308, likelihood: persistent } });
    const { code, stdout } = await htdml(['train', spec, '--out', path('wild'), '--json']);
    expect(code).toBe(3);
    expect(JSON.parse(stdout).results.stopped).toMatch(/leads to energies that are not finite/);
    expect(readModel(join(path('wild'), 'model.json')).spins).toBe(96);
  });
});
