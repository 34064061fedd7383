import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readModel } from 'htdml';
import { describe, expect, test } from 'vitest';
import { readSpec, specToJson } from '../../src/cli/spec.js';
import { version } from '../../src/version.js';
import { expectRefusal, type Finished, GOOD, htdml, scratch, startHtdml } from '../support/cli.js';

const { path, write } = scratch();
write('teacher.json', GOOD.teacher);
const base = {
  schemaVersion: 1,
  model: { kind: 'rbm', visible: 4, hidden: 2, initialScale: 0.3 },
  data: { teacher: 'teacher.json' },
  seed: 3,
};
const FILES = ['checkpoint.json', 'model.json', 'record.json', 'report.html', 'trace.jsonl'];

const text = (out: string, name: string) => readFileSync(join(out, name), 'utf8');
const json = (out: string, name: string) => JSON.parse(text(out, name));
const trace = (out: string) =>
  text(out, 'trace.jsonl')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

function expectDone({ code, stderr }: Finished) {
  expect(stderr).toBe('');
  expect(code).toBe(0);
}

function expectRecord(out: string, command: string, spec: string) {
  expect(readdirSync(out).sort()).toEqual(FILES);
  const record = json(out, 'record.json');
  expect(Object.keys(record)).toEqual(['schemaVersion', 'command', 'spec', 'versions', 'seed', 'results', 'claims']);
  expect(record).toMatchObject({ schemaVersion: 1, command, seed: 3 });
  expect(record.spec).toEqual(specToJson(readSpec(spec)));
  expect(record.versions).toEqual({ htdml: version, node: process.versions.node });
  const { before, after } = record.results;
  expect(record.claims).toEqual({ before: before.claim, after: after.claim });
  // The model in the folder is the one that the record evaluates, at the SPEC's options.
  expect(after.model).toEqual(json(out, 'model.json'));
  expect(readModel(join(out, 'model.json')).theta).toHaveLength(14);
  expect(before).toMatchObject({
    kernel: 'random-block',
    stepsPerSweep: 2,
    burnIn: 200,
    window: 2000,
    start: 'stationary',
  });
  expect(text(out, 'report.html')).toMatch(/^<!doctype html>.*<svg.*<\/html>\s*$/is);
  return record;
}

describe.concurrent('train, from a SPEC to its folder', () => {
  const spec = write('train.json', {
    ...base,
    train: { steps: 250, penalties: [{ objective: 'logEffectiveGap', weight: 0.01 }] },
  });
  const out = path('trained', 'deep');

  test('files, record, trace; the folder is kept unless forced; the same again', async () => {
    const first = await htdml(['train', spec, '--out', out]);
    expectDone(first);
    expect(first.stdout).toMatch(/start +trained\n.*written to /s);
    const { results } = expectRecord(out, 'train', spec);
    expect(results.after.kl).toBeLessThan(results.before.kl);
    const lines = trace(out);
    expect(lines.map(({ step }) => step)).toEqual([...Array(250).keys()]);
    expect(lines[0].kl).toBe(results.before.kl);
    expect(Object.keys(lines[0])).toEqual(['step', 'kl', 'loss', 'gradientNorm', 'penalties', 'effectiveGap']);
    expect(lines[0].effectiveGap).toBe(results.before.predictors.full.effectiveGap);
    // Every third of them, to have about a hundred, carries the effective gap.
    expect(lines.filter(({ effectiveGap }) => effectiveGap !== null).length).toBe(84);

    const kept = text(out, 'record.json');
    const message = expectRefusal(await htdml(['train', spec, '--out', out]));
    expect(message).toMatch(/^--out must be a folder without a finished run, got .*; .*--force/);
    expectRefusal(await htdml(['train', spec, '--out', out, '--resume']));
    expect(text(out, 'record.json')).toBe(kept);
    const forced = await htdml(['train', spec, '--out', out, '--force', '--json']);
    expectDone(forced);
    expect(JSON.parse(forced.stdout)).toEqual(JSON.parse(kept));
    expect(forced.stdout).toMatch(/^\{.*\}\n$/);
    expect(text(out, 'record.json')).toBe(kept);
    expect(trace(out)).toEqual(lines);
  });
});

describe.concurrent('design, from a SPEC to its folder', () => {
  test('files, record, trace and budget', async () => {
    write('start.json', {
      kind: 'rbm',
      visible: 4,
      hidden: 2,
      beta: 1,
      weights: [
        [1, -0.5],
        [0.7, 0.9],
        [-1.2, 0.3],
        [0.4, -0.8],
      ],
      visibleBiases: [0.2, 0, -0.1, 0],
      hiddenBiases: [0.3, 0],
    });
    const spec = write('design.json', {
      ...base,
      model: 'start.json',
      design: { steps: 80, restarts: 2, frozen: [1], maxCoupling: 1.1 },
    });
    const out = path('designed');
    const done = await htdml(['design', spec, '--out', out, '--json']);
    expectDone(done);
    const { results } = expectRecord(out, 'design', spec);
    expect(JSON.parse(done.stdout)).toEqual(json(out, 'record.json'));
    const { before, after, objective, budget, improved } = results;
    expect(objective).toEqual({
      name: 'logEffectiveGap',
      before: Math.log(before.predictors.full.effectiveGap),
      after: expect.closeTo(Math.log(after.predictors.full.effectiveGap), 12),
    });
    expect(improved).toBe(true);
    expect(budget.allowed).toBe(0.02);
    expect(budget.used).toBe(after.kl - before.kl);
    expect(budget.used).toBeLessThanOrEqual(0.02);
    const { theta } = readModel(join(out, 'model.json'));
    expect(theta[1]).toBe(-0.5);
    for (const weight of theta.slice(0, 8)) expect(Math.abs(weight)).toBeLessThanOrEqual(1.1);
    const lines = trace(out);
    expect(Object.keys(lines[0])).toEqual(['evaluation', 'restart', 'objective', 'kl', 'best']);
    expect(lines.at(-1).best).toBe(objective.after);
    expect(new Set(lines.map(({ restart }) => restart))).toEqual(new Set([0, 1]));
  });

  test('R_hat at the signal of the start', async () => {
    const spec = write('rhat.json', { ...base, design: { objective: 'logRhat', steps: 40, restarts: 1 } });
    const out = path('rhat');
    expectDone(await htdml(['design', spec, '--out', out]));
    const { results } = expectRecord(out, 'design', spec);
    expect(results.objective.before).toBeCloseTo(Math.log(results.before.predictors.full.Rhat), 12);
    expect(results.objective.after).toBeGreaterThan(results.objective.before);
  });

  test('no point within bound and budget is said in one sentence', async () => {
    const design = { steps: 5, restarts: 1, maxCoupling: 1e-6, budget: 0 };
    const spec = write('stuck.json', { ...base, model: 'teacher.json', design });
    const message = expectRefusal(await htdml(['design', spec, '--out', path('stuck')]));
    expect(message).toMatch(/maxCoupling.*raise the budget or maxCoupling\.$/);
    expect(existsSync(path('stuck', 'record.json'))).toBe(false);
  });
});

describe.concurrent('training within constraints', () => {
  test('by L-BFGS to a stationary point, bounds and ties kept, and the record says why it ended', async () => {
    const train = {
      steps: 500,
      optimizer: 'lbfgs',
      maxCoupling: 0.4,
      tied: [
        [0, 2],
        [1, 3],
      ],
      mask: [1, 1, 1, 1, 1, 1, 1, 0],
      frozen: [8],
      weightDecay: 0.001,
      penalties: [{ objective: 'totalCorrelation', weight: 0.01 }],
    };
    const spec = write('constrained.json', { ...base, train });
    const out = path('constrained');
    expectDone(await htdml(['train', spec, '--out', out]));
    const { results } = expectRecord(out, 'train', spec);
    expect(results.stopped).toBe("every component of the loss's gradient is below 0.000001");
    const lines = trace(out);
    expect(results.steps).toBe(lines.length - 1);
    lines.slice(1).forEach(({ loss }, k) => expect(loss).toBeLessThan(lines[k].loss));
    expect(lines.at(-1).penalties).toHaveLength(2);
    const { theta } = readModel(join(out, 'model.json'));
    expect([theta[0], theta[1], theta[7], theta[8]]).toEqual([theta[2], theta[3], 0, 0]);
    expect(Math.max(...theta.slice(0, 8).map(Math.abs))).toBe(0.4);
  });

  test('rounded to a converter: the model in the folder is on its levels, and the record is of it', async () => {
    const train = {
      steps: 200,
      maxCoupling: 0.75,
      bits: 3,
      penalties: [{ objective: 'totalCorrelation', weight: 'adaptive', threshold: 0.001, lag: 1, every: 20 }],
    };
    const spec = write('rounded.json', { ...base, train });
    const out = path('rounded');
    expectDone(await htdml(['train', spec, '--out', out]));
    const { results } = expectRecord(out, 'train', spec);
    const { theta } = readModel(join(out, 'model.json'));
    for (const coupling of theta.slice(0, 8)) expect([-0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75]).toContain(coupling);
    expect(results.controls).toEqual([{ weight: expect.any(Number), autocorrelation: expect.any(Number) }]);
    expect(trace(out).some(({ weights }) => weights[0] > 0)).toBe(true);
  });
});

describe.concurrent('an interrupted run', () => {
  const weights = Array.from({ length: 4 }, (_, i) =>
    Array.from({ length: 6 }, (_j, j) => 1.2 * Math.sin(1 + i * 7 + j * j)),
  );
  const biases = { visibleBiases: [0.2, 0, -0.1, 0.3], hiddenBiases: [0, 0.1, 0, 0.2, 0, -0.3] };
  write('strong.json', { kind: 'rbm', visible: 4, hidden: 6, beta: 1, weights, ...biases });
  const strong = { ...base, model: 'strong.json' };
  const penalties = [{ objective: 'logRhat', weight: 0.01 }];
  const contents = {
    train: { ...strong, train: { steps: 1200, penalties } },
    // Each of the restarts takes its 400 evaluations.
    design: { ...strong, data: { teacher: 'strong.json' }, design: { steps: 400, restarts: 5 } },
  };

  test.each([
    ['train', 'SIGINT', 150],
    ['design', 'SIGTERM', 480],
  ] as const)('%s after %s goes on to the same files', async (command, signal, enough) => {
    const spec = write(`long-${command}.json`, contents[command]);
    const [whole, parts] = [path(`${command}-whole`), path(`${command}-parts`)];
    const uninterrupted = htdml([command, spec, '--out', whole]);
    // Twice, at different places.
    let args = [command, spec, '--out', parts];
    let seen = 0;
    for (let k = 0; k < 2; k++) {
      const { process: child, finished } = startHtdml(args);
      const lines = () => (existsSync(join(parts, 'trace.jsonl')) ? text(parts, 'trace.jsonl').split('\n').length : 0);
      while (lines() < seen + enough && child.exitCode === null) await sleep(5);
      child.kill(signal);
      const { code, stdout, stderr } = await finished;
      expect([code, stdout]).toEqual([130, '']);
      expect(stderr).toBe('htdml: interrupted, the state is saved; go on with the same command and --resume.\n');
      expect(readdirSync(parts).sort()).toEqual(['checkpoint.json', 'trace.jsonl']);
      seen = json(parts, 'checkpoint.json').traceLines;
      expect(seen).toBeGreaterThan(0);
      if (k === 0) {
        expect(expectRefusal(await htdml(args))).toMatch(
          /^--out must be a folder without an interrupted run, .*--resume/,
        );
        const other = write(`${command}-other.json`, { ...contents[command], seed: 4 });
        expect(expectRefusal(await htdml([command, other, '--out', parts, '--resume']))).toMatch(
          /^--resume must be given with the SPEC and the --on-event that the run was started with/,
        );
        // What a crash in the middle of a line leaves is cut off.
        writeFileSync(join(parts, 'trace.jsonl'), `${text(parts, 'trace.jsonl')}{"ste`);
      }
      args = [command, spec, '--out', parts, '--resume'];
    }
    expectDone(await htdml(args));
    expectDone(await uninterrupted);
    expect(readdirSync(parts).sort()).toEqual(FILES);
    for (const name of FILES) expect(text(parts, name) === text(whole, name), name).toBe(true);
  });
});

test('training that leaves the finite numbers: exit code 3, and the last finite point with the reason', async () => {
  const train = { steps: 5, learningRate: 1e6, penalties: [{ objective: 'logEffectiveGap', weight: 1 }] };
  const spec = write('wild.json', { ...base, train });
  const { code, stdout } = await htdml(['train', spec, '--out', path('wild'), '--json']);
  expect(code).toBe(3);
  const record = JSON.parse(stdout);
  expect(record.results.stopped).toBe('an objective has no finite value at step 1');
  expect(record).toEqual(JSON.parse(readFileSync(path('wild', 'record.json'), 'utf8')));
});
