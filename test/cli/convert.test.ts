import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { modelToJson, readModel, readNumpyModel } from 'htdml';
import { describe, expect, test } from 'vitest';
import { expectRefusal, GOOD, htdml, ROOT, scratch } from '../support/cli.js';

const { path, write } = scratch();
const ring = write('ring.json', GOOD.ring);
const teacher = write('teacher.json', GOOD.teacher);
const fixture = (name: string) => `${ROOT}test/fixtures/numpy/${name}`;

/** What a command prints that must succeed. */
async function printed(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await htdml(args);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

describe.concurrent('convert', () => {
  test('.json to .npz and back is the same file', async () => {
    expect(await printed('convert', teacher, path('t.npz'))).toBe(`written to ${path('t.npz')}\n`);
    await printed('convert', path('t.npz'), path('t.JSON'));
    await printed('convert', path('t.JSON'), path('t2.npz'));
    expect(modelToJson(readModel(path('t.JSON')))).toEqual(modelToJson(readModel(teacher)));
    expect(readFileSync(path('t2.npz'))).toEqual(readFileSync(path('t.npz')));
  });

  test('.npy both ways, with the beta that it does not hold', async () => {
    await printed('convert', ring, path('ring.npy'));
    await printed('convert', path('ring.npy'), path('hot.npz'), '--beta', '0.25');
    const hot = readNumpyModel(path('hot.npz'));
    expect(hot.beta).toBe(0.25);
    expect([...hot.theta]).toEqual([0.5, 0.2, -0.3, 0.4]);
  });

  test('an existing file is overwritten only by force, and not by what fails', async () => {
    const out = write('out.json', 'mine');
    expect(expectRefusal(await htdml(['convert', ring, out]))).toBe(
      `the output must be a file that does not exist, got ${out}; choose another name, or overwrite with --force.`,
    );
    expect(expectRefusal(await htdml(['convert', path('none.npz'), out, '--force']))).toMatch(/got no such file/);
    expect(readFileSync(out, 'utf8')).toBe('mine');
    await printed('convert', ring, out, '--force');
    expect(modelToJson(readModel(out))).toEqual(modelToJson(readModel(ring)));
  });

  test('in place', async () => {
    const file = write('again.json', JSON.stringify(GOOD.ring));
    await printed('convert', file, file, '--force');
    expect(readFileSync(file, 'utf8')).toContain('"schemaVersion": 1');
  });

  test.each<[string, readonly string[], RegExp]>([
    ['no output', ['convert', ring], /^missing required argument 'to'/],
    [
      'another extension',
      [ring, path('x.txt')],
      /x\.txt: the model file must be a \.json, .*, got "\.txt"; give it one/,
    ],
    ['no extension', [ring, path('x')], /x: the model file must be .* got a name without extension/],
    [
      'a folder that is not there',
      [ring, path('none', 'x.npz')],
      /x\.npz: the file must be a path that can be written/,
    ],
    [
      'biases to a matrix',
      [teacher, path('x.npy')],
      /x\.npy: the model must be one that .*, got biases; write a \.npz/,
    ],
    [
      'beta of a model that has its own',
      [ring, path('x.npz'), '--beta', '2'],
      /^--beta must be left out where .*got 2/,
    ],
    ['beta as a word', [fixture('matrix.npy'), path('x.npz'), '--beta', 'hot'], /^--beta must be a finite .*"hot"/],
    ['beta of 0', [fixture('matrix.npy'), path('x.npz'), '--beta', '0'], /^--beta must be a positive number, got 0/],
  ])('%s', async (_, args, pattern) => {
    const all = args[0] === 'convert' ? args : ['convert', ...args];
    expect(expectRefusal(await htdml(all))).toMatch(pattern);
    for (const name of ['x', 'x.txt', 'x.npz', 'x.npy']) expect(existsSync(path(name))).toBe(false);
  });
});

describe.concurrent('steps of dtm-replication', () => {
  const step = (name: string) => `${ROOT}test/fixtures/dtm/${name}`;

  test('.eqx to .json by a graph, and back with an optimiser that has seen nothing', async () => {
    await printed('convert', step('step.eqx'), path('layer.json'), '--graph', step('graph.json'));
    expect(JSON.parse(readFileSync(path('layer.json'), 'utf8'))).toMatchObject({
      kind: 'grid',
      image: [10, 2],
      inputCouplings: { image: Math.fround(1.407), label: Math.fround(2.158) },
    });
    await printed('convert', path('layer.json'), path('layer.eqx'));
    // Parameters are the first two arrays, 204 and 268 bytes; Adam's count is the third.
    const [before, after] = [readFileSync(step('step.eqx')), readFileSync(path('layer.eqx'))];
    expect(after.subarray(0, 472)).toEqual(before.subarray(0, 472));
    expect([before.readInt32LE(600), after.readInt32LE(600)]).toEqual([37, 0]);
  });

  test('a layer that needs no input is a model like any other', async () => {
    await printed('convert', step('last.eqx'), path('last.json'), '--graph', step('graph.json'));
    await printed('convert', path('last.json'), path('last.npz'));
    const model = readNumpyModel(path('last.npz'));
    expect(model).toEqual(readModel(path('last.json')));
    expect(model).toMatchObject({ spins: 16, visible: [10, 2, 5] });
  });

  test.each<[string, readonly string[], RegExp]>([
    ['no graph', [step('step.eqx'), path('y.json')], /^--graph must be given for a \.eqx file, .* got nothing; name/],
    [
      'a graph of a model that has its own',
      [ring, path('y.npz'), '--graph', ring],
      /^--graph must be left out where a model has its own/,
    ],
    ['a graph that is none', [step('step.eqx'), path('y.json'), '--graph', ring], /ring\.json: kind must be "grid"/],
    ['a step to numpy', [step('step.eqx'), path('y.npz'), '--graph', ring], /^the output must be a \.json file beside/],
    ['numpy to a step', [fixture('rbm.npz'), path('y.eqx')], /^the model file must be a \.json file beside a \.eqx/],
    ['a model to a step', [ring, path('y.eqx')], /ring\.json: kind must be "grid", got "ising"/],
  ])('%s', async (_, args, pattern) => {
    expect(expectRefusal(await htdml(['convert', ...args]))).toMatch(pattern);
    for (const name of ['y.json', 'y.npz', 'y.eqx']) expect(existsSync(path(name))).toBe(false);
  });
});

describe.concurrent('numpy files where a model is read', () => {
  test('evaluate MODEL and --teacher: the same numbers as from JSON', async () => {
    await printed('convert', fixture('thrml.npz'), path('e.json'));
    const source = ['--teacher', fixture('thrml-samples.npy')];
    expect(expectRefusal(await htdml(['evaluate', path('e.json'), ...source]))).toMatch(
      /name a file of samples with --data/,
    );
    const options = ['--data', fixture('thrml-samples.npy'), '--kernel', 'alternating-block', '--json'];
    // The estimate depends on how fast the machine is just then.
    const numbers = async (model: string) => {
      const { estimate: _, ...rest } = JSON.parse(await printed('evaluate', model, ...options));
      return rest;
    };
    expect(await numbers(fixture('thrml.npz'))).toEqual(await numbers(path('e.json')));
    const itself = await printed('evaluate', path('e.json'), '--teacher', fixture('thrml.npz'), '--json');
    expect(JSON.parse(itself).signal).toBeLessThan(1e-25);
  });

  test('a SPEC: model and teacher', async () => {
    mkdirSync(path('run'));
    await printed('convert', ring, path('run', 'ring.npy'));
    await printed('convert', teacher, path('run', 'teacher.npz'));
    const spec = path('run', 'spec.json');
    const content = { schemaVersion: 1, model: 'ring.npy', data: { teacher: 'teacher.npz' }, train: { steps: 2 } };
    writeFileSync(spec, JSON.stringify(content));
    const record = JSON.parse(await printed('train', spec, '--out', path('run', 'out'), '--json'));
    expect(record.results.before.model).toEqual(modelToJson(readNumpyModel(path('run', 'ring.npy'))));
  });
});
