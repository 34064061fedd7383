import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EstimateReport, ModelEvaluation } from 'htdml';
import { describe, expect, test, vi } from 'vitest';
import { expectRefusal, type Finished, GOOD, htdml, scratch, startHtdml } from '../support/cli.js';
import { complete, random } from '../support/models.js';

vi.setConfig({ testTimeout: 120_000 });

const { path, write } = scratch();
const ring = write('ring.json', GOOD.ring);
const teacher = write('teacher.json', GOOD.teacher);
const rbm = write('rbm.json', {
  kind: 'rbm',
  visible: 4,
  hidden: 2,
  beta: 1,
  weights: [
    [0.4, -0.2],
    [0.1, 0.5],
    [-0.6, 0.3],
    [0.2, 0.2],
  ],
  visibleBiases: [0, 0.1, 0, -0.2],
  hiddenBiases: [0.3, 0],
});
const data = write('data.csv', '1,0,1,0\n0,0,1,1\n1,1,1,1\n0,1,0,0\n');
/** Two ground states that a chain never leaves. */
const cold = write('cold.json', { ...GOOD.ring, couplings: [400, 400, 400, 400], biases: [0, 0, 0, 0] });

type Report = EstimateReport & { readonly estimate: { readonly bytes: number; readonly seconds: number } };

/** One JSON object on standard output and nothing else anywhere; all of it but the estimate of time, which is measured. */
function json({ code, stdout, stderr }: Finished): Report {
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^\{.*\}\n$/);
  return JSON.parse(stdout) as Report;
}

const estimate = async (...args: readonly string[]) => json(await htdml(['estimate', ...args, '--json']));
const same = ({ estimate: _, ...report }: Report) => report;
const keys = (value: object | null | undefined) => Object.keys(value ?? {}).sort();

describe.concurrent('against the exact value', () => {
  test.each([
    [rbm, 'random-scan', '--data', data],
    [rbm, 'alternating-block', '--data', data],
    [ring, 'random-block', '--teacher', teacher],
  ])('%s under %s: T, signal and R_hat are inside their intervals', async (model, kernel, option, file) => {
    const exact = JSON.parse((await htdml(['evaluate', model, option, file, '--kernel', kernel, '--json'])).stdout);
    const { predictors, signal, stepsPerSweep, window, burnIn, limitingFactor } = exact as ModelEvaluation;
    const e = await estimate(model, option, file, '--kernel', kernel, '--samples', '400');
    // A sweep over two small blocks is faster than what the bound leaves out, which the interval holds.
    const fast = kernel === 'alternating-block';
    expect(e.missing).toEqual(fast ? [expect.stringMatching(/^what neither block sees alone/)] : []);
    expect(e.verdict).toBe(fast ? 'unresolved' : 'resolved');
    expect([e.stepsPerSweep, e.window, e.burnIn]).toEqual([stepsPerSweep, window, burnIn]);
    // Three intervals of 95% each, for seeds that are fixed: two more standard errors on either side.
    const inside = (value: number | null, [low, high]: readonly [number, number], error: number) => {
      expect(value).toBeGreaterThan(low - 2 * error);
      expect(value).toBeLessThan(high + 2 * error);
    };
    inside(predictors.full.timescale, e.timescale.interval, e.timescale.standardError);
    inside(predictors.full.Rhat, e.Rhat?.interval ?? [0, 0], e.Rhat?.standardError ?? 0);
    expect(Math.abs(e.signal.value - signal)).toBeLessThan(4 * e.signal.standardError);
    expect(e.limitingFactor).toBe(limitingFactor);
    expect(e.RhatAtMost).toBeGreaterThan(predictors.full.Rhat ?? Number.NaN);
    expect(e.plateau).toEqual({ below: (predictors.full.Rhat ?? 0) < 1, certain: !fast });
  });

  test('what fluctuates in no sample, and two wells: unresolved, exit code 0', async () => {
    const e = await estimate(cold, '--teacher', teacher, '--samples', '20');
    expect(e.verdict).toBe('unresolved');
    expect(e.missing.length).toBeGreaterThan(0);
  });
});

test.concurrent('two wells that chains do not leave are resolved by tempering, with the ladder in the report', async () => {
  const pairs = complete(8);
  const biases = Array(8).fill(0.02);
  const wells = write('wells.json', {
    kind: 'ising',
    spins: 8,
    beta: 1,
    edges: pairs,
    couplings: pairs.map(() => 0.3),
    biases,
  });
  const free = write('free.json', { kind: 'ising', spins: 8, beta: 1, edges: [[0, 1]], couplings: [0.5], biases });
  const args = [wells, '--teacher', free, '--samples', '1000', '--apart', '2', '--sampling-burn-in', '200'];
  const alone = await estimate(...args);
  expect(alone.verdict).toBe('unresolved');
  const exact = JSON.parse((await htdml(['evaluate', wells, '--teacher', free, '--json'])).stdout) as ModelEvaluation;
  const e = await estimate(...args, '--tempering');
  expect([e.verdict, e.missing]).toEqual(['resolved', []]);
  expect(e.timescale.bound).toBeGreaterThan(0.8 * (exact.predictors.full.timescale ?? 0));
  expect(e.timescale.bound - (exact.predictors.full.timescale ?? 0)).toBeLessThan(4.5 * e.timescale.standardError);
  const { kernel, tempering, sweeps } = e.sampling;
  expect(kernel).toBe('tempering');
  expect(tempering?.betas.slice(-1)).toEqual([1]);
  expect(tempering?.acceptance.length).toBe((tempering?.betas.length ?? 0) - 1);
  expect(sweeps).toBe(24 * (200 + 1000 * 2) * (tempering?.betas.length ?? 0));
});

const TOP =
  'schemaVersion model kernel stepsPerSweep burnIn window chains signal timescale effectiveGap Rhat RhatAtMost plateau factors limitingFactor gates gateThresholds references claim verdict missing sampling features notes estimate';

/** Paths of everything that is null. */
function nulls(value: unknown, at = ''): string[] {
  if (value === null) return [at];
  if (typeof value !== 'object' || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => nulls(inner, at === '' ? key : `${at}.${key}`));
}

describe.concurrent('the JSON object', () => {
  test.each([
    ['with all there is', [rbm, '--data', data, '--gradient']],
    ['without biases', [ring, '--teacher', teacher]],
    ['without a signal', [teacher, '--teacher', teacher, '--gradient']],
    ['frozen', [cold, '--teacher', teacher, '--gradient', '--samples', '8']],
  ] as const)('has every key, and a note for all that is null: %s', async (_, args) => {
    const e = await estimate(...args);
    const gradient = (args as readonly string[]).includes('--gradient');
    expect(keys(e)).toEqual([...TOP.split(' '), ...(gradient ? ['gradient'] : [])].sort());
    expect(e.schemaVersion).toBe(1);
    expect(Object.keys(e.gates).sort()).toEqual('A1 A2 A3 A4 A5 A6 A7 A8 A9 F4'.split(' '));
    expect(keys(e.timescale)).toEqual(
      'bound carrying inSample interval sequence slack splitRhat standardError startPValue tail tauMax variance'.split(
        ' ',
      ),
    );
    expect(keys(e.claim)).toEqual(['conditional', 'gates', 'operational']);
    expect(e.claim.operational).toBe('untested');
    expect(keys(e.sampling)).toEqual('apart burnIn chains kernel samples seed starts sweeps'.split(' '));
    const unexplained = nulls(e).filter(
      (at) => !e.notes.some(({ path: noted }) => at === noted || at.startsWith(`${noted}.`)),
    );
    expect(unexplained).toEqual([]);
    if (!gradient || e.gradient === undefined) return;
    for (const one of Object.values(e.gradient)) {
      if (one !== null) expect(one.value.length).toBe(one.standardError?.length);
    }
  });

  test('the same seed gives the same, another one another', async () => {
    const args = [rbm, '--data', data, '--samples', '20'];
    const once = same(await estimate(...args));
    expect(same(await estimate(...args))).toEqual(once);
    expect(same(await estimate(...args, '--seed', '2')).timescale.bound).not.toBe(once.timescale.bound);
  });

  test('no signal and a short window: no R_hat, but what it is at most, on the plateau', async () => {
    const e = await estimate(teacher, '--teacher', teacher, '--window', '2');
    expect(e.Rhat).toBeNull();
    expect(e.RhatAtMost).toBeGreaterThan(0);
    expect(e.RhatAtMost).toBeLessThan(1);
    expect(e.plateau).toEqual({ below: true, certain: true });
    expect(e.missing).toEqual([expect.stringMatching(/^the signal is not told from zero/)]);
  });

  test('thresholds and references are inputs, and stand in the result', async () => {
    const args = [rbm, '--data', data, '--samples', '20', '--window', '800sweeps', '--chains', '2'];
    const few = await estimate(...args);
    const many = await estimate(...args, '--gate', 'windowTimes=1000', '--reference', 'window=1e6');
    expect(few.gates.A6.met).not.toBe(false);
    expect(many.gates.A6.met).toBe(false);
    expect(many.claim.conditional).toBe('unmet');
    expect(many.claim.gates).toContain('A6');
    expect([many.gateThresholds.windowTimes, many.references.window]).toEqual([1000, 1e6]);
    expect(many.limitingFactor).toBe('budget');
    // M chains: R_hat is M times as large (3.2).
    const single = await estimate(...args.slice(0, -2));
    expect((few.Rhat?.value ?? 0) / (single.Rhat?.value ?? 1)).toBeCloseTo(2, 12);
  });
});

test.concurrent('text for a person', async () => {
  const { code, stdout, stderr } = await htdml(['estimate', rbm, '--data', data, '--gradient', '--samples', '50']);
  expect([code, stderr]).toEqual([0, '']);
  for (const line of [
    /^RBM, 4 visible and 2 hidden spins/,
    /^R_hat +\S+ \+- /m,
    /^verdict +(un)?resolved$/m,
    /^T, from below/m,
  ]) {
    expect(stdout).toMatch(line);
  }
  expect(stdout).toMatch(/d log R_hat/);
  expect(stdout).not.toMatch(/undefined|NaN/);
});

describe.concurrent('refusals', () => {
  const good = ['estimate', rbm, '--data', data];
  const wide = write('wide.csv', '1,0,1,0,1\n');
  const nan = write('nan.csv', '1,0,NaN,0\n');
  test.each([
    [['--kernel', 'gibbs'], /^--kernel must be "random-scan" or /],
    [['--kernel', 'palindrome'], /^The bound \(6\.1\) for palindrome is not available: .*use random-scan\.$/],
    [['--kernel', 'palindrome-block'], /use random-block\.$/],
    [['--kernel', 'metropolis'], /use random-scan\.$/],
    [['--features', 'all'], /^--features must be "observables" or "pairs" or "levels", got "all"/],
    [['--samples', '0'], /^--samples must be a whole number of at least 4, got "0"/],
    [['--samples', 'NaN'], /^--samples must be a whole number of at least 4/],
    [['--samples', '1e400'], /^--samples must be a whole number/],
    [['--sampling-chains', '11'], /^--sampling-chains must be a whole number of at least 12, got "11"/],
    [['--sampling-burn-in', '-1'], /^--sampling-burn-in must be a whole number of at least 0/],
    [['--apart', '0.5'], /^--apart must be a whole number of at least 1/],
    [['--probes', '1'], /^--probes must be a whole number of at least 2/],
    [['--chains', '0'], /^--chains must be a whole number of at least 1/],
    [['--window', '0'], /^--window must be a whole number of at least 1/],
    [['--burn-in', 'soon'], /^--burn-in must be a whole number of at least 0/],
    [['--seed', '-1'], /^--seed must be a whole number of at least 0/],
    [['--gate', 'none=1'], /^--gate /],
    [['--max-memory', '1MiB'], /^This estimate is not available: it needs about .* allowed by --max-memory/],
    [['--samples', '10000000', '--max-time', '1s'], /^This estimate is not available: it takes about .* --max-time/],
    [['--checkpoint', path('none', 'samples')], /samples: the file must be a path that can be written/],
    [['--tempering', '--checkpoint', path('kept')], /^--checkpoint must be given without --tempering, got both/],
    [['--teacher', teacher], /^--data or --teacher must be given, exactly one of them, got both/],
  ])('%j', async (args, sentence) => {
    expect(expectRefusal(await htdml([...good, ...args]))).toMatch(sentence);
  });

  test.each([
    [['estimate', rbm], /^--data or --teacher must be given/],
    [['estimate', rbm, '--data', wide], /wide\.csv: the number of visible spins must be 4 as in .*rbm\.json, got 5/],
    [['estimate', rbm, '--data', nan], /nan\.csv: row 1, column 3 must be/],
    [['estimate', path('nothing.json'), '--data', data], /nothing\.json: the file must be a file that exists/],
    [['estimate'], /missing required argument/],
  ])('%j', async (args, sentence) => {
    expect(expectRefusal(await htdml(args))).toMatch(sentence);
  });
});

describe('a checkpoint', () => {
  // Sweeps enough for the kills to come in between; samples few, so that reading them is short.
  const plan = ['--samples', '20', '--sampling-burn-in', '300000', '--apart', '10000'];
  const args = ['estimate', rbm, '--data', data, ...plan, '--json'];
  const file = path('samples.bin');

  test('a run that is killed and interrupted again and again ends as if it had not been', async () => {
    const whole = same(json(await htdml(args)));
    const { uniform } = random(7);
    const codes: (number | null)[] = [];
    const resumed = [...args, '--checkpoint', file];
    const sweeps = () => JSON.parse(readFileSync(file, 'utf8').split('\n', 1)[0]).sweeps as number;
    let seen = 0;
    for (let k = 0; k < 6; k++) {
      const { process: child, finished } = startHtdml(resumed);
      while (!existsSync(file) && child.exitCode === null) await sleep(5);
      await sleep(150 + 400 * uniform());
      child.kill(k % 3 === 1 ? 'SIGKILL' : 'SIGINT');
      const { code, stdout, stderr } = await finished;
      codes.push(code);
      if (code === 130) {
        expect(stdout).toBe('');
        expect(stderr).toBe('htdml: interrupted, the state is saved; go on with the same command.\n');
      }
      // A whole file, never older than before.
      expect(sweeps()).toBeGreaterThanOrEqual(seen);
      seen = sweeps();
    }
    expect(codes.filter((code) => code === 130).length).toBeGreaterThan(0);
    expect(seen).toBeGreaterThan(0);
    expect(same(json(await htdml(resumed)))).toEqual(whole);
    // Samples are kept: another kernel reads the same ones.
    const { mtimeMs } = statSync(file);
    const kernel = ['--kernel', 'random-block'];
    const other = same(json(await htdml([...resumed, ...kernel])));
    expect(statSync(file).mtimeMs).toBe(mtimeMs);
    expect(other.signal).toEqual(whole.signal);
    expect(other.timescale.bound).not.toBe(whole.timescale.bound);
  });

  test('without one an interruption says that nothing is saved', async () => {
    const { process: child, finished } = startHtdml(args.map((arg) => (arg === '300000' ? '30000000' : arg)));
    await sleep(1500);
    child.kill('SIGINT');
    const { code, stderr } = await finished;
    expect(code).toBe(130);
    expect(stderr).toBe('htdml: interrupted, nothing is saved; with --checkpoint FILE a run can go on.\n');
  });

  test('of other samples, of another kind, or cut is refused, and left as it is', async () => {
    const quick = ['estimate', rbm, '--data', data, '--samples', '8'];
    const small = path('small.bin');
    json(await htdml([...quick, '--json', '--checkpoint', small]));
    const kept = readFileSync(small);
    const refused = async (checkpoint: string, ...more: readonly string[]) =>
      expectRefusal(await htdml([...quick, ...more, '--checkpoint', checkpoint]));
    for (const more of [
      ['--seed', '2'],
      ['--samples', '9'],
      ['--apart', '3'],
    ]) {
      expect(await refused(small, ...more)).toMatch(
        /small\.bin: --checkpoint must be samples of this model, data, plan/,
      );
    }
    expect(readFileSync(small)).toEqual(kept);
    expect(await refused(data)).toMatch(/must be a file of samples that htdml estimate saved/);
    writeFileSync(small, kept.subarray(0, kept.length - 4));
    expect(await refused(small)).toMatch(/must be a whole file of \d+ bytes after its first line, got \d+/);
    writeFileSync(small, '');
    expect(await refused(small)).toMatch(/must be a file of samples/);
  });
});
