import { createRoute, ising, type Model, randomSource, rbm, teacherLaw } from 'htdml';
import { logRhat } from 'htdml/objectives';
import { complete } from '../proofs/graphs.js';
import { hasModule, Peer } from './peer.js';
import { median, number, type Sheet, spread, verdict } from './tables.js';

/** Relative difference of two results from which nothing is timed. */
const AGREE = 1e-8;

interface Answer {
  readonly value: number;
  readonly gradient: readonly number[];
  readonly seconds: number;
}

interface Case {
  readonly name: string;
  readonly model: Model;
  readonly teacher: Model;
  readonly repetitions: number;
  /** Evaluations in a row that make one entry of a pair, as in an optimisation. */
  readonly consecutive: number;
  /** Per variant of the peer, the ratio that was aimed for. */
  readonly variants: Readonly<Record<string, number | null>>;
}

/** A fully connected model without biases, couplings normal with standard deviation 0.3. */
export function glass(spins: number, seed = spins): Model {
  const random = randomSource(seed);
  const edges = complete(spins);
  return ising({ spins, edges, couplings: edges.map(() => 0.3 * random.normal()) });
}

function glassCase(spins: number, repetitions: number, consecutive: number, variants: Case['variants']): Case {
  return {
    name: `${spins} spins`,
    model: glass(spins),
    teacher: glass(spins, 1000 + spins),
    repetitions,
    consecutive,
    variants,
  };
}

function machineCase(visible: number, hidden: number): Case {
  const random = randomSource(100 * visible + hidden);
  const machine = () =>
    rbm({ visible, hidden, weights: Array.from({ length: visible * hidden }, () => 0.5 * random.normal()) });
  return {
    name: `RBM ${visible}+${hidden}`,
    model: machine(),
    teacher: machine(),
    repetitions: 31,
    consecutive: 20,
    variants: { full: 5 },
  };
}

const CASES: readonly Case[] = [
  glassCase(8, 31, 20, { full: 10, even: 1 }),
  glassCase(10, 31, 5, { full: 15, even: 2.5 }),
  glassCase(12, 5, 2, { full: 15, even: 4 }),
  glassCase(14, 1, 1, { even: 15 }),
  ...[4, 5].flatMap((visible) => [2, 3].map((hidden) => machineCase(visible, hidden))),
];

/** Value and gradient of `log R_hat` of a model, timed. */
function valueAndGradient(model: Model, teacher: Model): () => Answer {
  const route = createRoute(model, teacherLaw(teacher), { kernel: 'random-scan' });
  const objective = logRhat({ samples: 2 });
  return () => {
    const began = performance.now();
    const evaluation = route.evaluate(model.theta, objective.quantities);
    const at = objective.evaluate(evaluation.value);
    if (at === null) throw new Error('no value');
    const gradient = evaluation.pullback(at.bar);
    return { value: at.value, gradient: [...gradient], seconds: (performance.now() - began) / 1000 };
  };
}

function apart(a: Answer, b: Answer): number {
  const size = Math.max(...a.gradient.map(Math.abs));
  return Math.max(Math.abs(a.value - b.value), ...a.gradient.map((value, k) => Math.abs(value - b.gradient[k]) / size));
}

/** Mean seconds of consecutive evaluations. */
function several(run: () => Answer, count: number): number {
  let total = 0;
  for (let k = 0; k < count; k++) total += run().seconds;
  return total / count;
}

/** Against JAX, in pairs that alternate, on the same inputs; results are compared before a time is printed. */
export async function gradientTable(sheet: Sheet): Promise<void> {
  sheet.heading(
    'Value and gradient of log R_hat',
    'Full predictor (3.2), `random-scan`, against JAX (`bench/peers/jax_gradient.py`; float64, jitted, warmed up): `full` is a dense solve on all states, `even` one by Cholesky on the even sector, ' +
      'given by hand. Median (least to most) over pairs that alternate; an entry of a pair is the mean of consecutive evaluations, 20 up to 8 spins, 5 at 10 and 2 at 12.',
  );
  const present = hasModule('jax');
  if (!present) sheet.print('JAX is not installed (bench/peers/requirements.txt, HTDML_PYTHON): skipped.\n');
  const peer = present ? new Peer<Answer>('jax_gradient.py') : null;
  sheet.header('model', 'JAX', 'ours, ms', 'JAX, ms', 'JAX / ours', 'gradients differ by', 'aimed for');
  for (const one of CASES) {
    const run = valueAndGradient(one.model, one.teacher);
    // Compiled by V8, and other threads at work, before it is timed.
    for (const end = performance.now() + 300; performance.now() < end; ) run();
    if (peer === null) {
      sheet.row(
        one.name,
        '-',
        spread(Array.from({ length: one.repetitions }, () => 1000 * several(run, one.consecutive))),
        '',
        '',
        '',
        '',
      );
      continue;
    }
    for (const [variant, target] of Object.entries(one.variants)) {
      const question = {
        spins: one.model.spins,
        visible: one.model.visible.length,
        edges: one.model.edges,
        couplings: [...one.model.theta],
        teacher: [...one.teacher.theta],
        variant,
        consecutive: one.consecutive,
      };
      const difference = apart(run(), await peer.ask(question));
      if (!(difference < AGREE)) {
        process.exitCode = 1;
        sheet.row(one.name, variant, `the results differ by ${number(difference, 2)}: not timed`, '', '', '', '');
        continue;
      }
      const mine: number[] = [];
      const theirs: number[] = [];
      for (let k = 0; k < one.repetitions; k++) {
        mine.push(1000 * several(run, one.consecutive));
        theirs.push(1000 * (await peer.ask(question)).seconds);
      }
      const ratios = theirs.map((value, k) => value / mine[k]);
      const cells = [spread(mine), spread(theirs), spread(ratios), number(difference, 2)];
      sheet.row(one.name, variant, ...cells, verdict(median(ratios), target));
    }
  }
  peer?.end();
}
