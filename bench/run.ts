/**
 * `npm run bench`: value and gradient of `log R_hat` (3.2), ours against JAX, on the same inputs in one go, in pairs that alternate. Results are compared before a
 * time is printed. HTDML_PYTHON names the interpreter (default python3); without JAX there only our times are printed. Sizes may be given: `npm run bench -- 8 10`.
 */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createRoute, ising, randomSource, teacherLaw } from 'htdml';
import { logRhat } from 'htdml/objectives';
import { complete } from '../proofs/graphs.js';

const VARIANTS = ['full', 'even'] as const;
type Variant = (typeof VARIANTS)[number];

/** Largest size at which a dense solve takes seconds, not minutes. */
const LARGEST: Readonly<Record<Variant, number>> = { full: 12, even: 13 };
/** Relative difference of two gradients from which nothing is timed. */
const AGREE = 1e-8;
const DEFAULT_SIZES = [8, 10, 12, 13];

interface Answer {
  readonly value: number;
  readonly gradient: readonly number[];
  readonly seconds: number;
}

interface Case {
  readonly spins: number;
  readonly couplings: readonly number[];
  readonly teacher: readonly number[];
}

function makeCase(spins: number): Case {
  const random = randomSource(spins);
  const normals = () => Array.from({ length: (spins * (spins - 1)) / 2 }, () => 0.3 * random.normal());
  return { spins, couplings: normals(), teacher: normals() };
}

function ours({ spins, couplings, teacher }: Case): () => Answer {
  const edges = complete(spins);
  const model = ising({ spins, edges, couplings });
  const data = teacherLaw(ising({ spins, edges, couplings: teacher }));
  const route = createRoute(model, data, { kernel: 'random-scan' });
  const objective = logRhat({ samples: 2 });
  return () => {
    const began = performance.now();
    const evaluation = route.evaluate(model.theta, objective.quantities);
    const at = objective.evaluate(evaluation.value);
    if (at === null) throw new Error(`no value at ${spins} spins`);
    const gradient = evaluation.pullback(at.bar);
    return { value: at.value, gradient: [...gradient], seconds: (performance.now() - began) / 1000 };
  };
}

/** A peer that answers one line of JSON with another. */
class Peer {
  private readonly process: ChildProcessWithoutNullStreams;
  private readonly lines: AsyncIterator<string>;

  constructor(python: string, program: string) {
    this.process = spawn(python, [fileURLToPath(new URL(`../../bench/peers/${program}`, import.meta.url))]);
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

function apart(a: Answer, b: Answer): number {
  const size = Math.max(...a.gradient.map(Math.abs));
  return Math.max(Math.abs(a.value - b.value), ...a.gradient.map((value, k) => Math.abs(value - b.gradient[k]) / size));
}

function summary(values: readonly number[], digits = 3): string {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  return `${middle.toPrecision(digits)} (${sorted[0].toPrecision(digits)} to ${sorted[sorted.length - 1].toPrecision(digits)})`;
}

const repetitions = (spins: number) => (spins <= 10 ? 31 : 5);

/** The columns of a row: both times, their ratio and the difference of the results, which decides whether they are timed at all. */
async function against(peer: Peer, variant: Variant, problem: Case, run: () => Answer): Promise<string> {
  const question = { ...problem, variant };
  const difference = apart(run(), await peer.ask(question));
  if (!(difference < AGREE)) {
    process.exitCode = 1;
    return `the results differ by ${difference.toPrecision(2)}: not timed | | |`;
  }
  const mine: number[] = [];
  const theirs: number[] = [];
  for (let k = 0; k < repetitions(problem.spins); k++) {
    mine.push(1000 * run().seconds);
    theirs.push(1000 * (await peer.ask(question)).seconds);
  }
  const ratios = theirs.map((value, k) => value / mine[k]);
  return [summary(mine), summary(theirs), summary(ratios), difference.toPrecision(2)].join(' | ');
}

const print = (line: string) => process.stdout.write(`${line}\n`);
const python = process.env.HTDML_PYTHON ?? 'python3';
const sizes = process.argv.length > 2 ? process.argv.slice(2).map(Number) : DEFAULT_SIZES;
const hasJax = spawnSync(python, ['-c', 'import jax']).status === 0;
print(
  `${cpus()[0].model}, ${cpus().length} cores, Node ${process.version}. Ours: one thread; JAX: as many as it takes.`,
);
if (!hasJax) print(`JAX is not installed for ${python}: skipped (bench/peers/requirements.txt, HTDML_PYTHON).`);
print('\nValue and gradient of log R_hat, random-scan, couplings normal with sd 0.3; median (least to most)\n');
print('| spins | peer | ours, ms | peer, ms | peer / ours | gradients differ by |');
print('|---|---|---|---|---|---|');
const peer = hasJax ? new Peer(python, 'jax_gradient.py') : null;
for (const spins of sizes) {
  const problem = makeCase(spins);
  const run = ours(problem);
  run();
  if (peer === null) {
    print(
      `| ${spins} | none | ${summary(Array.from({ length: repetitions(spins) }, () => 1000 * run().seconds))} | | | |`,
    );
    continue;
  }
  for (const variant of VARIANTS) {
    if (spins <= LARGEST[variant])
      print(`| ${spins} | JAX, ${variant} | ${await against(peer, variant, problem, run)} |`);
  }
}
peer?.end();
