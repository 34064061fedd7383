import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect } from 'vitest';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BIN = join(ROOT, 'bin', 'htdml.js');

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running process and what it has printed when it ends. */
export interface Running {
  readonly process: ChildProcess;
  readonly finished: Promise<Finished>;
}

/** Starts Node with these arguments, and with these variables beside those of this process. */
export function startNode(args: readonly string[], cwd = ROOT, environment: NodeJS.ProcessEnv = {}): Running {
  const env = { ...process.env, ...environment };
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (part: string) => {
      text[name] += part;
    });
  }
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on('error', reject).on('close', (code) => resolve({ code, ...text }));
  });
  return { process: child, finished };
}

/** Starts the command line as a user does. */
export const startHtdml = (args: readonly string[], cwd = ROOT, environment: NodeJS.ProcessEnv = {}): Running =>
  startNode([BIN, ...args], cwd, environment);

export const htdml = (args: readonly string[], cwd = ROOT): Promise<Finished> => startHtdml(args, cwd).finished;

/** A temporary folder that goes when the test file is done; returns what writes a file into it and gives its path. */
export function scratch() {
  const folder = mkdtempSync(join(tmpdir(), 'htdml-cli-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return {
    folder,
    path: (...parts: readonly string[]) => join(folder, ...parts),
    write(name: string, content: object | string): string {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
      return path;
    },
  };
}

/** Bad input or usage: exit code 2, nothing on standard output, one sentence on standard error, which is returned without its end. */
export function expectRefusal({ code, stdout, stderr }: Finished): string {
  expect(stderr).toMatch(/^htdml: [^\n\r]+\.\n$/);
  expect(stderr).not.toMatch(/\.js:\d|node:|undefined|\[object| {2}at /);
  expect(code).toBe(2);
  expect(stdout).toBe('');
  return stderr.slice('htdml: '.length, -1);
}

/** Files that are right, for tests in which one other thing is wrong. */
export const GOOD = {
  /** Two visible spins, like the data of the malformed files. */
  small: { kind: 'ising', spins: 2, beta: 1, edges: [[0, 1]], couplings: [0.4], biases: [0.1, -0.2] },
  ring: {
    kind: 'ising',
    spins: 4,
    beta: 1,
    edges: [
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 0],
    ],
    couplings: [0.5, -0.3, 0.4, 0.2],
  },
  teacher: {
    kind: 'ising',
    spins: 4,
    beta: 0.9,
    edges: [
      [0, 1],
      [1, 2],
      [2, 3],
      [1, 3],
    ],
    couplings: [0.7, 0.4, -0.5, 0.3],
    biases: [0.3, -0.1, 0.2, 0],
  },
} as const;
