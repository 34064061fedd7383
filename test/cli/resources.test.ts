import { existsSync } from 'node:fs';
import { HtdmlError, type ModelEvaluation } from 'htdml';
import { describe, expect, test } from 'vitest';
import { admit, parseMemory, parseTime } from '../../src/cli/resources.js';
import { expectRefusal, GOOD, htdml, scratch, startNode } from '../support/cli.js';
import { ring } from '../support/models.js';

const { path, write } = scratch();
const small = write('ring.json', GOOD.ring);
const teacher = write('teacher.json', GOOD.teacher);
const n = 20;
const large = write('large.json', {
  kind: 'ising',
  spins: n,
  beta: 1,
  edges: ring(n),
  couplings: Array(n).fill(0.1),
  biases: Array(n).fill(0.1),
});
const spec = write('spec.json', { schemaVersion: 1, model: 'large.json', data: { teacher: 'large.json' } });

describe.concurrent('what does not fit is refused with the numbers', () => {
  const numbers =
    /needs about [\d.]+ (MiB|GiB) of memory and 1 MiB is allowed by --max-memory; .*raise --max-memory\.$/;

  test('memory of an evaluation', async () => {
    const refusal = expectRefusal(await htdml(['evaluate', large, '--teacher', large, '--max-memory', '1MiB']));
    expect(refusal).toMatch(/^This evaluation is not available: it needs/);
    expect(refusal).toMatch(numbers);
  });

  test.each(['train', 'design'])('memory of a %s run, before its folder is made', async (command) => {
    const out = path(`out-${command}`);
    expect(expectRefusal(await htdml([command, spec, '--out', out, '--max-memory', '1MiB']))).toMatch(numbers);
    expect(existsSync(out)).toBe(false);
  });

  test('time', async () => {
    const args = ['evaluate', large, '--teacher', large, '--max-time', '1s'];
    expect(expectRefusal(await htdml(args))).toMatch(
      /it takes about \d+ (s|min \d+ s|h \d+ min) and 1 s is allowed by/,
    );
    const repetitions = ['--measure', '1000000'];
    const measured = ['evaluate', small, '--teacher', teacher, '--max-time', '5s'];
    expect(expectRefusal(await htdml([...measured, ...repetitions]))).toMatch(/takes about .* and 5 s is allowed/);
  });

  test('before any table is allocated', async () => {
    const code = `
      import { evaluateCommand } from ${JSON.stringify(new URL('../../dist/src/cli/evaluate.js', import.meta.url).href)};
      const flags = { kernel: 'random-scan', burnIn: '0', window: '1', chains: '1', start: 'uniform', epsilon: '1e-3', kappa: '2.5', seed: '1' };
      evaluateCommand(${JSON.stringify(small)}, { ...flags, teacher: ${JSON.stringify(teacher)} });
      const before = process.resourceUsage().maxRSS;
      let refusal = '';
      try {
        evaluateCommand(${JSON.stringify(large)}, { ...flags, teacher: ${JSON.stringify(large)}, maxMemory: '100MiB' });
      } catch (error) {
        refusal = error.code;
      }
      console.log(JSON.stringify([refusal, 1024 * (process.resourceUsage().maxRSS - before)]));`;
    const { stdout, stderr } = await startNode(['--input-type=module', '--eval', code]).finished;
    expect(stderr).toBe('');
    const [refusal, grown] = JSON.parse(stdout) as [string, number];
    expect(refusal).toBe('HTDML_UNSUPPORTED');
    // The smallest of the tables, one 4-byte number per state.
    expect(grown).toBeLessThan(4 * 2 ** n);
  });

  test('and not what fits: the report says what was expected', async () => {
    const fits = ['evaluate', small, '--teacher', teacher, '--json', '--max-memory', '1GiB', '--max-time', '1h'];
    const { code, stdout, stderr } = await htdml(fits);
    expect([code, stderr]).toEqual([0, '']);
    const { estimate } = JSON.parse(stdout) as ModelEvaluation & { estimate: { bytes: number; seconds: number } };
    expect(Object.keys(estimate)).toEqual(['bytes', 'seconds']);
    expect(estimate.bytes).toBeLessThan(2 ** 30);
    expect(estimate.seconds).toBeGreaterThan(0);
  });
});

describe('without options', () => {
  const stream = (isTTY: boolean) => {
    const written: string[] = [];
    return { written, stream: { isTTY, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream };
  };

  test('the limit is the free memory, and there is none on time', () => {
    const { stream: quiet } = stream(false);
    const free = process.availableMemory();
    expect(admit('It', { bytes: free / 2, seconds: 1e12 }, {}, quiet)).toEqual({ bytes: free / 2, seconds: 1e12 });
    expect(() => admit('It', { bytes: 1e15, seconds: 0 }, {}, quiet)).toThrow(HtdmlError);
    expect(() => admit('It', { bytes: 1e15, seconds: 0 }, {}, quiet)).toThrow(
      /^It is not available: it needs about 909 TiB of memory and [\d.]+ [MGT]iB is free on this machine; /,
    );
  });

  test('long work is announced on a terminal only', () => {
    for (const [isTTY, seconds, lines] of [
      [true, 6, 1],
      [true, 4, 0],
      [false, 6, 0],
    ] as const) {
      const { written, stream: to } = stream(isTTY);
      admit('It', { bytes: 3 * 2 ** 20, seconds }, {}, to);
      expect(written).toEqual(Array(lines).fill('htdml: this takes about 6 s and 3 MiB of memory.\n'));
    }
  });
});

test.each([
  ['4GiB', 2 ** 32],
  ['500MB', 5e8],
  [' 1.5 KiB ', 1536],
  ['7B', 7],
])('memory %s', (text, bytes) => expect(parseMemory(text)).toBe(bytes));

test.each([
  ['90s', 90],
  ['10min', 600],
  ['1.5 h', 5400],
])('time %s', (text, seconds) => expect(parseTime(text)).toBe(seconds));

test.each(['', '4', 'GiB', '-1GiB', '0MB', '1e9B', '4gib', '4 constructor', `${'9'.repeat(400)}B`, '4GiB\n4GiB'])(
  'neither: %j',
  (text) => {
    expect(() => parseMemory(text)).toThrow(/^--max-memory must be an amount of memory, got ".*; write it as 4GiB or/);
    expect(() => parseTime(text)).toThrow(/^--max-time must be a time, got ".*; write it as 90s, 10min or 2h\.$/);
  },
);
