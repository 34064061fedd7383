import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { GOOD, htdml, scratch, startHtdml } from '../support/cli.js';
import { random } from '../support/models.js';

// HTDML_KILLS=50 for the long form.
const KILLS = Number(process.env.HTDML_KILLS ?? 5);
vi.setConfig({ testTimeout: 60_000 + 20_000 * KILLS });

const { path, write } = scratch();
write('teacher.json', GOOD.teacher);
const STEPS = 1500;
const EVERY = 25;
const spec = write('spec.json', {
  schemaVersion: 1,
  model: { kind: 'rbm', visible: 4, hidden: 6, initialScale: 0.7 },
  data: { teacher: 'teacher.json' },
  seed: 3,
  train: {
    steps: STEPS,
    penalties: [
      { objective: 'logRhat', weight: 0.01 },
      { objective: 'totalCorrelation', weight: 'adaptive', threshold: 0.01, lag: '2sweeps', every: 40 },
    ],
    maxCoupling: 0.9,
    tied: [[0, 7]],
    bits: 10,
  },
});

test(`a run killed ${KILLS} times loses at most the work since its last checkpoint, and ends as if it had not been`, async () => {
  const [whole, parts] = [path('whole'), path('parts')];
  const uninterrupted = htdml(['train', spec, '--out', whole]);
  const { uniform } = random(KILLS);
  const args = ['train', spec, '--out', parts, '--checkpoint-every', String(EVERY)];
  const checkpoint = join(parts, 'checkpoint.json');
  const lines = () => {
    const file = join(parts, 'trace.jsonl');
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
  };
  let seen = 0;
  for (let k = 0; k < KILLS; k++) {
    const resumes = existsSync(checkpoint);
    const { process: child, finished } = startHtdml(resumes ? [...args, '--resume'] : args);
    if (k % 5 === 0) {
      // At any moment, while it starts too.
      await sleep(600 * uniform());
    } else {
      // Further and further, and the last time while the report is made.
      const last = k === KILLS - 1;
      const goal = last ? STEPS : seen + Math.ceil((uniform() * (STEPS - seen)) / (KILLS - k));
      while (lines() < goal && child.exitCode === null) await sleep(2);
      await sleep(20 * uniform());
    }
    child.kill('SIGKILL');
    const { stderr } = await finished;
    expect(stderr).toBe('');
    expect(child.signalCode).toBe('SIGKILL');
    expect(existsSync(join(parts, 'record.json'))).toBe(false);
    if (!existsSync(checkpoint)) continue;
    // A whole file, never older than it should be.
    const { traceLines, state } = JSON.parse(readFileSync(checkpoint, 'utf8'));
    expect(state.step).toBe(traceLines);
    expect(traceLines).toBeGreaterThanOrEqual(seen);
    // The record of the step that is saved comes first, and so does that of the step whose checkpoint is being written.
    expect(lines() - traceLines).toBeLessThanOrEqual(EVERY + 1);
    seen = traceLines;
  }
  const last = await htdml(existsSync(checkpoint) ? [...args, '--resume'] : args);
  expect([last.stderr, last.code]).toEqual(['', 0]);
  expect((await uninterrupted).code).toBe(0);
  const files = readdirSync(whole).sort();
  expect(readdirSync(parts).sort()).toEqual(files);
  for (const name of files) {
    expect(readFileSync(join(parts, name), 'utf8') === readFileSync(join(whole, name), 'utf8'), name).toBe(true);
  }
});
