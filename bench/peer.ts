import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The Python that runs peers. */
const PYTHON = process.env.HTDML_PYTHON ?? 'python3';

export function hasModule(name: string): boolean {
  return spawnSync(PYTHON, ['-c', `import ${name}`]).status === 0;
}

/** A program of `bench/peers` that answers one line of JSON with another. */
export class Peer<Answer> {
  private readonly process: ChildProcessWithoutNullStreams;
  private readonly lines: AsyncIterator<string>;

  constructor(program: string) {
    this.process = spawn(PYTHON, [fileURLToPath(new URL(`../../bench/peers/${program}`, import.meta.url))]);
    this.process.stderr.pipe(process.stderr);
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  }

  async ask(question: object): Promise<Answer> {
    this.process.stdin.write(`${JSON.stringify(question)}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error('the peer ended');
    return JSON.parse(value);
  }

  end(): void {
    this.process.stdin.end();
  }
}
