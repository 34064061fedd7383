import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Outcome, Task } from './alone.js';
import { number, type Sheet } from './tables.js';

const done = new Map<string, Outcome>();

/** A task run in a process of its own; each once. */
export function alone(task: Task): Outcome {
  const key = JSON.stringify(task);
  const before = done.get(key);
  if (before !== undefined) return before;
  const program = fileURLToPath(new URL('./alone.js', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, key], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the process failed: ${stderr}`);
  const outcome: Outcome = JSON.parse(stdout);
  done.set(key, outcome);
  return outcome;
}

interface Row {
  readonly name: string;
  readonly task: Task;
  readonly seconds: number;
  readonly bytes?: number;
}

const GIB = 2 ** 30;
const ROWS: readonly Row[] = [
  { name: 'RBM 16+6 with biases, `random-block`', task: { layers: [16, 6] }, seconds: 0.5 },
  { name: '16 spins', task: { spins: 16 }, seconds: 5 },
  { name: '18 spins', task: { spins: 18 }, seconds: 30, bytes: 4 * GIB },
  { name: '20 spins', task: { spins: 20 }, seconds: 180, bytes: 4 * GIB },
  { name: '20 spins, 16 probes', task: { spins: 20, probes: 16 }, seconds: 20 },
];

/** Larger models, each in a process of its own, cold: compiled and threads started within the time. Returns seconds by number of spins, exact and probed. */
export function scaleTable(sheet: Sheet): void {
  sheet.heading(
    'Larger models',
    'Value and gradient of log R_hat over all observables, each once in a process of its own, from cold; fully connected and `random-scan` where nothing else is said.',
  );
  sheet.header('model', 'observables', 'seconds', 'aimed for', 'peak memory, MiB', 'T, kernel steps', 'converged');
  for (const { name, task, seconds, bytes } of ROWS) {
    const found = alone(task);
    const fits = found.seconds <= seconds && (bytes === undefined || found.peakBytes <= bytes);
    const error =
      found.standardError === null
        ? ''
        : ` ± ${number(found.standardError)} (${number((100 * found.standardError) / found.timescale, 2)}% of T)`;
    sheet.row(
      name,
      String(found.observables),
      number(found.seconds),
      `${seconds} s${bytes === undefined ? '' : ', 4 GiB'}: ${fits ? 'met' : 'missed'}`,
      number(found.peakBytes / 2 ** 20),
      `${number(found.timescale, 6)}${error}`,
      String(found.converged),
    );
  }
}
