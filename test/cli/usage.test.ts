import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { expectRefusal, GOOD, htdml, scratch } from '../support/cli.js';

const { path, write } = scratch();
const ring = write('ring.json', GOOD.ring);
const teacher = write('teacher.json', GOOD.teacher);
const small = write('small.json', GOOD.small);
const data = write('data.csv', '1,0,1,0\n0,0,1,1\n');
const spec = write('spec.json', {
  schemaVersion: 1,
  model: 'ring.json',
  data: { teacher: 'teacher.json' },
  train: { steps: 2 },
});

const evaluate = ['evaluate', ring, '--teacher', teacher];

describe.concurrent('usage errors are one sentence and exit code 2', () => {
  test.each<[string, readonly string[], RegExp]>([
    ['no command', [], /^a command must be given, got nothing; run htdml --help/],
    ['an unknown command', ['trian', spec], /^unknown command 'trian' \(Did you mean train\?\); run htdml --help/],
    ['help on an unknown command', ['help', 'trian'], /trian/],
    ['an unknown option', [...evaluate, '--bogus'], /^unknown option '--bogus'/],
    ['a misspelt option', [...evaluate, '--windw', '5'], /^unknown option '--windw' \(Did you mean --window\?\)/],
    ['no model', ['evaluate'], /^missing required argument 'model'/],
    ['two models', ['evaluate', ring, ring, '--teacher', teacher], /^too many arguments for 'evaluate'/],
    ['an option without its value', ['evaluate', ring, '--teacher'], /^option '--teacher <file>' argument missing/],
    ['train without --out', ['train', spec], /^required option '--out <folder>' not specified/],
    ['design without --out', ['design', spec], /^required option '--out <folder>' not specified/],
    ['train without SPEC', ['train', '--out', path('x')], /^missing required argument 'spec'/],
    ['neither source', ['evaluate', ring], /^--data or --teacher must be given, exactly one of them, got neither; /],
    [
      'both sources',
      [...evaluate, '--data', data],
      /^--data or --teacher must be given, exactly one of them, got both; /,
    ],
    [
      'an unknown kernel',
      [...evaluate, '--kernel', 'tempering'],
      /^--kernel must be "random-scan" or .* or "alternating-block", got "tempering"/,
    ],
    ['a window of nothing', [...evaluate, '--window', '0sweeps'], /^--window must be .* at least 1 .* got "0sweeps"/],
    [
      'a window in minutes',
      [...evaluate, '--window', '10min'],
      /^--window must be .* got "10min"; write it as 100sweeps/,
    ],
    ['half a step', [...evaluate, '--burn-in', '2.5'], /^--burn-in must be .* at least 0 .* got "2\.5"/],
    ['a negative burn-in', [...evaluate, '--burn-in', '-3'], /^--burn-in must be .* got "-3"/],
    ['an empty duration', [...evaluate, '--burn-in', ''], /^--burn-in must be .* got ""/],
    ['half a chain', [...evaluate, '--chains', '1.5'], /chains must be a whole number of at least 1, got 1\.5/],
    ['no chain', [...evaluate, '--chains', '0'], /chains must be a whole number of at least 1, got 0/],
    ['chains as a word', [...evaluate, '--chains', 'two'], /^--chains must be a finite number, got "two"/],
    ['kappa as a word', [...evaluate, '--kappa', 'abc'], /^--kappa must be a finite number, got "abc"/],
    ['too small a kappa', [...evaluate, '--kappa', '0.5'], /kappa must be a finite number of at least 1, got 0\.5/],
    ['an epsilon of 0', [...evaluate, '--epsilon', '0'], /epsilon must be a number between 0 and 1, got 0/],
    ['an infinite epsilon', [...evaluate, '--epsilon', 'Infinity'], /epsilon must be a .*number/],
    [
      'a gate without a value',
      [...evaluate, '--gate', 'windowTimes'],
      /^--gate must be name=number, got "windowTimes"; /,
    ],
    [
      'a gate of nothing',
      [...evaluate, '--gate', 'windowTimes='],
      /^--gate windowTimes must be a finite number, got ""/,
    ],
    [
      'a misspelt gate',
      [...evaluate, '--gate', 'windowtime=5'],
      /^--gate windowtime must be a known key, .*; write windowTimes instead \(known keys: detailedBalance, .*trackingFactor\)/,
    ],
    ['a gate of objects', [...evaluate, '--gate', '__proto__=5'], /^--gate __proto__ must be a known key/],
    [
      'a gate out of range',
      [...evaluate, '--gate', 'windowTimes=0'],
      /^--gate windowTimes must be .* at least 1, got 0/,
    ],
    [
      'a gate given twice',
      [...evaluate, '--gate', 'burnInLog=5', '--gate', 'burnInLog=6'],
      /^--gate must be given once for each name, got "burnInLog=6"/,
    ],
    [
      'an unknown reference',
      [...evaluate, '--reference', 'budget=5'],
      /^--reference budget must be a known key, .*remove it \(known keys: gap, signal, window\)/,
    ],
    ['an unknown start', [...evaluate, '--start', 'cold'], /^--start must be "uniform", "stationary", "data" or /],
    [
      'a start beyond the states',
      [...evaluate, '--start', 'state:99999'],
      /start must be a state index from 0 to 15, got "?state:99999/,
    ],
    ['a negative state', [...evaluate, '--start', 'state:-1'], /^--start must be .* got "state:-1"/],
    [
      'a teacher of another size',
      ['evaluate', ring, '--teacher', small],
      /small\.json: the number of visible spins must be 4 as in .*ring\.json, got 2/,
    ],
    [
      'data of another size',
      ['evaluate', small, '--data', data],
      /data\.csv: the number of visible spins must be 2 as in .*small\.json, got 4/,
    ],
  ])('%s', async (_, args, pattern) => {
    expect(expectRefusal(await htdml(args))).toMatch(pattern);
  });

  test.each(['--chains', '--kappa', '--epsilon', '--start'])(
    '%s out of range is named as it was written',
    async (option) => {
      const value = { '--chains': '0', '--kappa': '0', '--epsilon': '2', '--start': 'state:16' }[option] ?? '';
      expect(expectRefusal(await htdml([...evaluate, option, value])).startsWith(`${option} must be `)).toBe(true);
    },
  );
});

describe.concurrent('a model without finite energies', () => {
  test.each([
    ['couplings that sum to infinity', { ...GOOD.ring, couplings: [1e308, 1e308, 1e308, -1e308] }],
    ['couplings at a beta that sum to infinity', { ...GOOD.ring, beta: 1e300, couplings: [1e10, 0, 0, 1e10] }],
  ])('%s', async (name, model) => {
    const file = write(`${name}.json`, model);
    expect(expectRefusal(await htdml(['evaluate', file, '--teacher', teacher]))).toContain(file);
  });
});

describe.concurrent('a folder that cannot be used', () => {
  test('a file stands there', async () => {
    for (const out of [ring, path('ring.json', 'below')]) {
      const message = expectRefusal(await htdml(['train', spec, '--out', out]));
      expect(message.startsWith(`--out must be a folder that can be made, got ${out}; `), message).toBe(true);
    }
  });

  test('its name is empty', async () => {
    expect(expectRefusal(await htdml(['train', spec, '--out', '']))).toMatch(/^--out must be .*, got ""; /);
  });

  test('a folder stands where a file must go', async () => {
    mkdirSync(path('taken', 'trace.jsonl'), { recursive: true });
    const message = expectRefusal(await htdml(['train', spec, '--out', path('taken')]));
    expect(message).toContain(path('taken', 'trace.jsonl'));
    expect(readdirSync(path('taken'))).toEqual(['trace.jsonl']);
  });

  test('there is nothing to resume', async () => {
    const out = path('nothing');
    const message = expectRefusal(await htdml(['design', spec, '--out', out, '--resume']));
    expect(message).toMatch(
      /^--out must be a folder with an interrupted run, got .*; leave --resume out to start one\.$/,
    );
    expect(existsSync(out)).toBe(false);
  });

  test('both to go on and to start over', async () => {
    const message = expectRefusal(await htdml(['train', spec, '--out', path('both'), '--resume', '--force']));
    expect(message).toMatch(/^--resume must be given without --force, got both/);
  });

  test.each([
    ['null', 'null'],
    ['not JSON', '{'],
    ['a list', '[]'],
    ['another run', JSON.stringify({ schemaVersion: 1, command: 'design', spec: {}, traceLines: 0, state: {} })],
  ])('its checkpoint is %s', async (name, content) => {
    mkdirSync(path(name));
    writeFileSync(path(name, 'checkpoint.json'), content);
    writeFileSync(path(name, 'trace.jsonl'), '');
    const message = expectRefusal(await htdml(['train', spec, '--out', path(name), '--resume']));
    expect(message).toContain(path(name, 'checkpoint.json'));
  });
});

describe.concurrent('help', () => {
  test.each<[readonly string[], RegExp]>([
    [['--help'], /^Usage: htdml .*evaluate.*train.*design/s],
    [['-h'], /^Usage: htdml/],
    [['help', 'train'], /^Usage: htdml train .*--out.*--resume.*--force.*--json/s],
    [
      ['evaluate', '--help'],
      /^Usage: htdml evaluate .*--data.*--teacher.*--kernel.*--burn-in.*--window.*--chains.*--start.*--epsilon.*--kappa.*--gradient.*--json/s,
    ],
    [['design', '--help'], /^Usage: htdml design .*--out/s],
  ])('%s', async (args, pattern) => {
    const { code, stdout, stderr } = await htdml(args);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(pattern);
  });
});
