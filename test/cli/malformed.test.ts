import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { expectRefusal, GOOD, htdml, scratch } from '../support/cli.js';
import { type Malformed, malformed } from '../support/malformed.js';

const { folder, path, write } = scratch();
const model = write('good.json', GOOD.small);

/** The command lines that read a malformed file of a kind. */
function commands({ kind }: Malformed, file: string, out: string): (readonly string[])[] {
  if (kind === 'model') return [['evaluate', file, '--teacher', model]];
  if (kind === 'data') return [['evaluate', model, '--data', file]];
  return ['train', 'design'].map((command) => [command, file, '--out', out]);
}

/**
 * All are tried without a process in test/model/malformed; here every fifth, since what a process adds is the same for each: the name of the file, the exit code, and that nothing is
 * written. Of the numpy files, those that could do harm.
 */
const chosen = malformed.filter(({ kind, file, name }, k) =>
  kind !== 'model' || file === 'model.json' ? k % 5 === 0 : /zip bomb|pickled|absurd/.test(name),
);

const runs = chosen.flatMap((one, k) => {
  const place = join(folder, String(k));
  const [file, out] = [join(place, one.file), join(place, 'out')];
  return commands(one, file, out).map((args) => ({ ...one, place, path: file, out, args, command: args[0] }));
});

describe.concurrent('a malformed file gives one sentence and exit code 2', () => {
  test.each(runs)('$command, $name', async ({ place, path: file, out, content, args, field, pattern }) => {
    mkdirSync(place, { recursive: true });
    writeFileSync(file, content);
    const message = expectRefusal(await htdml(args));
    expect(message.startsWith(`${file}: ${field} must be `), message).toBe(true);
    expect(message).toMatch(pattern);
    expect(existsSync(out)).toBe(false);
  });
});

describe.concurrent('a file that is wrong only together with others', () => {
  const good = { schemaVersion: 1, model: 'ring.json', data: { teacher: 'teacher.json' } };
  write('ring.json', GOOD.ring);
  write('teacher.json', GOOD.teacher);
  write('two.csv', '1,0\n0,0\n');

  const rows: readonly [string, object, string, string, RegExp][] = [
    ['a model that is not there', { model: 'none.json' }, 'none.json', 'the file', /got no such file/],
    ['data that is not there', { data: { file: 'none.csv' } }, 'none.csv', 'the file', /got no such file/],
    ['data of another size', { data: { file: 'two.csv' } }, 'two.csv', 'the number of visible spins', /4 .*, got 2/],
    ['a SPEC as model', { model: 'spec-4.json' }, 'spec-4.json', 'kind', /"ising", "rbm" or "grid"/],
    ['a model as data', { data: { file: 'ring.json' } }, 'ring.json', 'the data file', /as the teacher instead/],
  ];
  test.each(rows.map((row, k) => [...row, k] as const))('%s', async (_, change, file, field, pattern, k) => {
    const spec = write(`spec-${k + 1}.json`, { ...good, ...change });
    for (const command of ['train', 'design']) {
      const message = expectRefusal(await htdml([command, spec, '--out', path(`out-${k}`)]));
      expect(message.startsWith(`${path(file)}: ${field} must be `), message).toBe(true);
      expect(message).toMatch(pattern);
      expect(existsSync(path(`out-${k}`))).toBe(false);
    }
  });

  test('a start state beyond the model: the SPEC and its field are named', async () => {
    const spec = write('start.json', { ...good, start: 'state:16' });
    const message = expectRefusal(await htdml(['train', spec, '--out', path('out-start')]));
    expect(message).toMatch(/a state index from 0 to 15, got "?state:16"?/);
    expect(message.startsWith(`${spec}: start must be `), message).toBe(true);
  });

  test('a frozen index beyond the model: the SPEC and its field are named', async () => {
    const spec = write('frozen.json', { ...good, design: { frozen: [0, 4] } });
    const message = expectRefusal(await htdml(['design', spec, '--out', path('out-frozen')]));
    expect(message).toMatch(/a parameter index from 0 to 3, got 4/);
    expect(message.startsWith(`${spec}: design.frozen[1] must be `), message).toBe(true);
  });

  test.each<[string, 'train' | 'design', object, string, RegExp]>([
    ['frozen twice', 'design', { frozen: [0, 1, 0] }, 'frozen[2]', /not listed before, got 0/],
    ['a mask of another size', 'train', { mask: [1, 0] }, 'mask', /a list of 4 numbers, one per edge, got 2/],
    ['bounds of another number', 'train', { maxCoupling: [1] }, 'maxCoupling', /a list of 4 numbers, .* got 1/],
    ['tied and frozen', 'design', { tied: [[2, 3]], frozen: [3] }, 'tied[0][1]', /not frozen or masked, got 3/],
  ])('%s: the SPEC and its field are named', async (name, command, section, field, pattern) => {
    const spec = write(`${name}.json`, { ...good, [command]: section });
    const message = expectRefusal(await htdml([command, spec, '--out', path(`out-${name}`)]));
    expect(message).toMatch(pattern);
    expect(message.startsWith(`${spec}: ${command}.${field} must be `), message).toBe(true);
    expect(existsSync(path(`out-${name}`))).toBe(false);
  });

  test('an adaptive penalty under a kernel without modes is refused before the run', async () => {
    const train = { penalties: [{ objective: 'totalCorrelation', weight: 'adaptive' }] };
    const spec = write('adaptive.json', { ...good, kernel: 'alternating-block', train });
    const message = expectRefusal(await htdml(['train', spec, '--out', path('out-adaptive')]));
    expect(message).toMatch(
      /^An adaptive correlation penalty is not available: .* use a reversible kernel, or a fixed weight\.?$/,
    );
    expect(existsSync(path('out-adaptive'))).toBe(false);
  });
});
