import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { InputError } from '../errors.js';
import { isTemporary, readText, writeFileAtomic } from '../model/atomic-file.js';
import { readJson } from '../model/schema.js';

export interface OpenOptions {
  readonly resume: boolean;
  readonly force: boolean;
}

interface Checkpoint<S> {
  readonly schemaVersion: 1;
  readonly command: string;
  readonly spec: object;
  /** Lines of the trace up to the state. */
  readonly traceLines: number;
  readonly state: S;
}

/** The folder of one run: its trace, checkpoint, and final files, all written atomically but the trace, which is appended to. */
export class RunFolder<S> {
  /** The state to go on from, where the run was resumed. */
  readonly resumed: S | null;
  private traceLines = 0;
  private markedLines = 0;

  constructor(
    private readonly path: string,
    private readonly command: string,
    private readonly spec: object,
    options: OpenOptions,
  ) {
    if (options.resume && options.force) refuse('--resume', 'given without --force', 'both', 'choose one of them');
    const finished = existsSync(this.file('record.json'));
    const started = existsSync(this.file('checkpoint.json'));
    if (finished && !options.force) {
      refuse('--out', 'a folder without a finished run', path, 'choose another folder, or overwrite with --force');
    }
    if (started && !options.resume && !options.force) {
      refuse('--out', 'a folder without an interrupted run', path, 'go on with --resume, or start over with --force');
    }
    if (options.resume && !started) {
      refuse('--out', 'a folder with an interrupted run', path, 'leave --resume out to start one');
    }
    makeFolder(path);
    // What a kill in the middle of writing a file leaves.
    for (const name of readdirSync(path)) if (isTemporary(name)) rmSync(this.file(name), { force: true });
    this.resumed = options.resume ? this.restore() : null;
    if (this.resumed === null) {
      for (const name of ['record.json', 'checkpoint.json', 'model.json', 'report.html']) {
        rmSync(this.file(name), { force: true });
      }
      writeFileAtomic(this.file('trace.jsonl'), '');
    }
  }

  file(name: string): string {
    return join(this.path, name);
  }

  trace(record: object): void {
    appendFileSync(this.file('trace.jsonl'), `${JSON.stringify(record)}\n`);
    this.traceLines++;
  }

  /** The trace so far belongs to the state that the next checkpoint saves; what is traced from here on follows from it. */
  mark(): void {
    this.markedLines = this.traceLines;
  }

  checkpoint(state: S): void {
    const { command, spec, markedLines: traceLines } = this;
    this.write('checkpoint.json', { schemaVersion: 1, command, spec, traceLines, state } satisfies Checkpoint<S>);
  }

  /** All records of the trace, those of before a resumption included. */
  readTrace<R>(): R[] {
    return readFileSync(this.file('trace.jsonl'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as R);
  }

  write(name: string, json: object): void {
    writeFileAtomic(this.file(name), `${JSON.stringify(json, null, 1)}\n`);
  }

  /** Reads the checkpoint and cuts the trace back to it. */
  private restore(): S {
    const file = this.file('checkpoint.json');
    const { command, spec, traceLines, state } = (readJson(file) ?? {}) as Partial<Checkpoint<S>>;
    if (command !== this.command || JSON.stringify(spec) !== JSON.stringify(this.spec)) {
      refuse(
        '--resume',
        'given with the SPEC and the --on-event that the run was started with',
        file,
        'repeat that command with --resume, or start over with --force',
      );
    }
    const complete = Array.isArray((state as { theta?: unknown } | null | undefined)?.theta);
    if (state === undefined || traceLines === undefined || !complete) {
      refuse('--resume', 'given with a complete checkpoint', file, 'start over with --force');
    }
    const lines = readText(this.file('trace.jsonl')).split('\n').slice(0, traceLines);
    if (lines.length < traceLines) {
      refuse('--resume', `given with a trace of ${traceLines} lines`, String(lines.length), 'start over with --force');
    }
    writeFileAtomic(this.file('trace.jsonl'), lines.map((line) => `${line}\n`).join(''));
    this.traceLines = traceLines;
    return state;
  }
}

function refuse(field: string, expected: string, got: string, remedy: string): never {
  throw new InputError({ field, expected, got: got === '' ? '""' : got, remedy });
}

/** Makes the folder and the ones above it. Not by Node's recursive option, which does not return where the system forbids it (in /proc). */
export function makeFolder(path: string): void {
  if (path !== '' && existsSync(path) && statSync(path).isDirectory()) return;
  try {
    const above = dirname(path);
    if (above !== path && !existsSync(above)) makeFolder(above);
    mkdirSync(path);
  } catch (error) {
    if (error instanceof InputError) throw error;
    refuse('--out', 'a folder that can be made', path, `choose another (${(error as NodeJS.ErrnoException).code})`);
  }
}
