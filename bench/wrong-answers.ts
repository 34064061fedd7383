import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createRoute, type Edge, HtdmlError, ising, type Model, randomSource, teacherLaw } from 'htdml';
import { complete } from '../proofs/graphs.js';
import { hasModule, Peer } from './peer.js';
import { number, type Sheet } from './tables.js';

/** A gradient is wrong whose largest error is above this share of its largest component; or, where it should vanish, of the value. */
const WRONG = 1e-6;
const STEP = 1e-3;

type Quantity = 'full' | 'cluster';

interface Case {
  readonly family: string;
  readonly model: Model;
  readonly quantity: Quantity;
  readonly truth: readonly number[];
}

interface Answer {
  readonly value: number | null;
  readonly gradient: readonly (number | null)[] | null;
}

interface Fixture {
  readonly spins: number;
  readonly edges: readonly Edge[];
  readonly kernel: string;
  readonly theta: readonly number[];
  readonly timescale: number;
  readonly gradient: readonly number[];
}

function value(model: Model, theta: Float64Array, quantity: Quantity) {
  const route = createRoute(model, teacherLaw(model), { kernel: 'random-scan' });
  const name = quantity === 'full' ? 'timescale' : 'slowClusterTimescale';
  const at = route.evaluate(theta, [name]);
  return { value: at.value[name] ?? Number.NaN, pullback: () => at.pullback({ [name]: 1 }) };
}

/** Central differences of values, extrapolated once: values need no derivative of an eigenvector. */
function differences(model: Model, quantity: Quantity): number[] {
  return Array.from(model.theta, (_, a) => {
    const slope = (h: number) => {
      const at = (sign: number) => {
        const theta = Float64Array.from(model.theta);
        theta[a] += sign * h;
        return value(model, theta, quantity).value;
      };
      return (at(1) - at(-1)) / (2 * h);
    };
    return (4 * slope(STEP / 2) - slope(STEP)) / 3;
  });
}

/** Models of 80-digit reference (test/fixtures), with gaps from 1e-4 down to 1e-15. */
function plateaus(): Case[] {
  const path = fileURLToPath(new URL('../../test/fixtures/deep-plateaus.json', import.meta.url));
  const { cases }: { cases: readonly Fixture[] } = JSON.parse(readFileSync(path, 'utf8'));
  return cases
    .filter(({ kernel, timescale }) => kernel === 'random-scan' && timescale > 1e8)
    .map(({ spins, edges, theta, gradient }) => ({
      family: 'deep plateau, gap below 1e-8 (80-digit reference)',
      model: ising({ spins, edges, couplings: theta.slice(0, edges.length), biases: theta.slice(edges.length) }),
      quantity: 'full',
      truth: gradient,
    }));
}

/** Exchangeable spins: levels of multiplicity `n - 1` and more. */
function exchangeable(): Case[] {
  return [4, 5, 6, 7].flatMap((spins) =>
    [0.05, 0.1, 0.2].map((coupling) => {
      const edges = complete(spins);
      const model = ising({ spins, edges, couplings: edges.map(() => coupling) });
      return {
        family: 'slow cluster, exchangeable spins (exactly degenerate)',
        model,
        quantity: 'cluster' as const,
        truth: differences(model, 'cluster'),
      };
    }),
  );
}

/** At zero couplings every level is degenerate, and `T` is even in each coupling: the gradient vanishes. */
function independent(): Case[] {
  return [5, 6, 7].map((spins) => {
    const edges = complete(spins);
    return {
      family: 'slow cluster, independent spins (multiplicity up to 35)',
      model: ising({ spins, edges, couplings: edges.map(() => 0) }),
      quantity: 'cluster',
      truth: edges.map(() => 0),
    };
  });
}

/** Two copies of one model side by side: every level of one is a level of the other. */
function copies(): Case[] {
  return [1, 2, 3, 4].map((seed) => {
    const random = randomSource(seed);
    const couplings = complete(3).map(() => 0.4 * random.normal());
    const edges = [...complete(3), ...complete(3).map(([i, j]) => [i + 3, j + 3] as const)];
    const biases = Array.from({ length: 3 }, () => 0.3 * random.normal());
    const model = ising({ spins: 6, edges, couplings: [...couplings, ...couplings], biases: [...biases, ...biases] });
    return {
      family: 'slow cluster, two equal copies (degenerate without a symmetry of the spins)',
      model,
      quantity: 'cluster',
      truth: differences(model, 'cluster'),
    };
  });
}

function ours({ model, quantity }: Case): Answer {
  try {
    const at = value(model, model.theta, quantity);
    return { value: at.value, gradient: [...at.pullback()] };
  } catch (error) {
    if (error instanceof HtdmlError) return { value: null, gradient: null };
    throw error;
  }
}

/** Largest relative error; null where the answer itself says that there is none. */
function error({ truth, ...one }: Case, answer: Answer): number | null {
  const { gradient } = answer;
  if (answer.value === null || gradient === null || gradient.some((g) => g === null)) return null;
  const most = Math.max(...truth.map(Math.abs));
  const size = most > 0 ? most : value(one.model, one.model.theta, one.quantity).value;
  return Math.max(...truth.map((t, a) => Math.abs(t - (gradient[a] ?? Number.NaN)))) / size;
}

/** Counts gradients that are wrong without a sign of it. */
export async function wrongAnswersTable(sheet: Sheet): Promise<void> {
  sheet.heading(
    'Silent wrong answers',
    `Gradients whose largest error is above ${WRONG} of the largest component while everything is finite and nothing is flagged; JAX as one writes it (\`bench/peers/jax_derivatives.py\`: a dense ` +
      'solve for all modes, `eigh` for the slow cluster). Truth: 80-digit references, symmetry, and extrapolated central differences of values.',
  );
  const present = hasModule('jax');
  if (!present) sheet.print('JAX is not installed (bench/peers/requirements.txt, HTDML_PYTHON): skipped.\n');
  const peer = present ? new Peer<Answer>('jax_derivatives.py') : null;
  sheet.header(
    'gradients of',
    'cases',
    'ours: silent wrong',
    'refused',
    'worst error',
    'JAX: silent wrong',
    'not finite',
    'worst error',
  );
  const cases = [...plateaus(), ...exchangeable(), ...copies(), ...independent()];
  for (const family of new Set(cases.map((one) => one.family))) {
    const members = cases.filter((one) => one.family === family);
    const mine = members.map((one) => error(one, ours(one)));
    const theirs: (number | null)[] = [];
    for (const one of peer === null ? [] : members) {
      const { spins, edges, theta, biased } = one.model;
      theirs.push(
        error(
          one,
          await (peer as Peer<Answer>).ask({ spins, edges, biased, theta: [...theta], quantity: one.quantity }),
        ),
      );
    }
    sheet.row(family, String(members.length), ...counts(mine), ...(peer === null ? ['', '', ''] : counts(theirs)));
    if (mine.some((e) => e !== null && e > WRONG)) process.exitCode = 1;
  }
  peer?.end();
}

function counts(errors: readonly (number | null)[]): string[] {
  const known = errors.filter((e) => e !== null);
  return [
    String(known.filter((e) => !(e <= WRONG)).length),
    String(errors.length - known.length),
    known.length === 0 ? '-' : number(Math.max(...known), 2),
  ];
}
