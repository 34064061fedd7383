import {
  createRoute,
  type DataLaw,
  dataLawFromCounts,
  evaluateModel,
  ising,
  type Model,
  type ModelEvaluation,
  rbm,
} from 'htdml';
import { describe, expect, test } from 'vitest';
import { createKernel } from '../../src/kernel/kernels.js';
import { boltzmann } from '../../src/model/boltzmann.js';
import { stateSpace } from '../../src/model/state-space.js';
import { transitionMatrix } from '../../src/spectrum/dense-kernel.js';
import { propagatedError } from '../../src/trainability/exact-snr.js';
import { TableRoute } from '../../src/trainability/routes/table-route.js';
import { EPS, energyOf } from '../support/brute-force.js';
import { complete, FACTORED, REVERSIBLE, random, randomData, ring } from '../support/models.js';

/** beta times the size of the couplings. Around 118, 177 and 355 a complete graph of four, a ring and a pair leave the range of normal numbers. */
const strengths = [50, 100, 118, 177, 300, 355];

/** Paths of numbers that are not finite, and of nulls that no note explains, in what `--json` prints; places in a list are written []. */
function defects(result: ModelEvaluation): { notFinite: string[]; unexplained: string[] } {
  const [notFinite, unexplained] = [new Set<string>(), new Set<string>()];
  const explained = (path: string) =>
    result.notes.some((note) => path === note.path || path.startsWith(`${note.path}.`));
  const walk = (value: unknown, path: string): void => {
    if (typeof value === 'number' && !Number.isFinite(value)) notFinite.add(`${path} is ${value}`);
    if (value === undefined) unexplained.add(`${path} is undefined`);
    if (value === null && !explained(path)) unexplained.add(`${path} is null`);
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      walk(inner, Array.isArray(value) ? `${path}[]` : path === '' ? key : `${path}.${key}`);
    }
  };
  walk(result, '');
  return { notFinite: [...notFinite], unexplained: [...unexplained] };
}

interface Cold {
  readonly name: string;
  readonly of: (strength: number, biased: boolean, beta: number) => Model;
}

const { normal } = random(113);
const signs = (n: number) => Array.from({ length: n }, () => (normal() < 0 ? -1 : 1));
const noise = (n: number) => Array.from({ length: n }, () => 1 + 0.1 * normal());
const field = (n: number, biased: boolean, size: number) => (biased ? signs(n).map((sign) => sign * size) : undefined);

const graph = (
  name: string,
  spins: number,
  edges: readonly (readonly [number, number])[],
  shape: readonly number[],
): Cold => ({
  name,
  of: (strength, biased, beta) =>
    ising({
      spins,
      edges,
      couplings: shape.map((x) => (x * strength) / beta),
      biases: field(spins, biased, strength / (3 * beta)),
      beta,
    }),
});

const machine = (m: number, n: number, shape: readonly number[]): Cold => ({
  name: `RBM ${m} + ${n}`,
  of: (strength, biased, beta) =>
    rbm({
      visible: m,
      hidden: n,
      beta,
      weights: shape.map((x) => (x * strength) / beta),
      visibleBiases: field(m, biased, strength / (3 * beta)),
      hiddenBiases: field(n, biased, strength / (3 * beta)),
    }),
});

const models: Cold[] = [
  graph('a pair', 2, [[0, 1]], [1]),
  graph('ferromagnet', 4, complete(4), Array(6).fill(1)),
  graph('spin glass', 5, complete(5), signs(10)),
  graph('uneven ring', 5, ring(5), noise(5)),
  machine(1, 1, [1]),
  machine(3, 2, signs(6)),
  machine(2, 3, noise(6)),
];

const dataOf = (model: Model): [string, DataLaw][] => {
  const visible = model.visible.length;
  return [
    ['random data', randomData(visible, 127, 0.6)],
    // What a cold ferromagnet does anyway: its gradient is nearly zero.
    [
      'aligned data',
      dataLawFromCounts(visible, [
        [0, 1],
        [2 ** visible - 1, 1],
      ]),
    ],
  ];
};

/** Every model at every strength: without biases, with them, and with the strength in beta instead. */
const variants = (of: Cold['of']) =>
  strengths.flatMap((strength) =>
    [
      ['no biases', of(strength, false, 1)] as const,
      ['biased', of(strength, true, 1)] as const,
      ['biased, by beta', of(strength, true, strength)] as const,
    ].map(([name, model]) => ({ at: `beta J = ${strength}, ${name}`, model })),
  );

const settings = { burnIn: 5, window: 40, chains: 2, epsilon: 1e-3, kappa: 2.5, gradient: true } as const;

/** The exponents of a law are sums of all its couplings, and exp is as accurate as its argument. */
const exponentError = (model: Model) =>
  EPS * (1 + model.theta.length * model.beta * model.theta.reduce((sum, x) => sum + Math.abs(x), 0));

describe.each(models)('$name', ({ of }) => {
  /** Each kind of defect once, with the first report that has it. */
  const firsts = (kind: 'notFinite' | 'unexplained') => {
    const seen = new Map<string, string>();
    for (const { at, model } of variants(of)) {
      for (const [name, data] of dataOf(model)) {
        for (const kernel of REVERSIBLE) {
          for (const start of ['uniform', 'stationary', 'data', 'state:0'] as const) {
            const report = evaluateModel(model, data, { ...settings, kernel, start });
            for (const defect of defects(report)[kind]) {
              if (!seen.has(defect)) seen.set(defect, `${at}, ${kernel}, ${name}, from ${start}`);
            }
          }
        }
      }
    }
    return [...seen].map(([defect, at]) => `${defect} (${at})`);
  };

  test('every number of every report is finite', () => {
    expect(firsts('notFinite')).toEqual([]);
  });

  test('every null of every report has a note', () => {
    expect(firsts('unexplained')).toEqual([]);
  });

  test('flip probabilities are Boltzmann ratios', () => {
    for (const { model } of variants(of)) {
      const law = boltzmann(stateSpace(model), model.theta, model.beta);
      const matrix = transitionMatrix(createKernel(law, model, 'random-scan'));
      const { states, flips } = law.space;
      for (let s = 0; s < states; s++) {
        for (const flip of flips) {
          const t = s ^ flip;
          // Two flips of a folded space of two states meet, each with the same probability.
          const ways = flips.filter((mask) => mask === flip).length / model.spins;
          const expected = ways / (1 + Math.exp(model.beta * (energyOf(model, t) - energyOf(model, s))));
          const tolerance = 4 * exponentError(model) * expected + Number.MIN_VALUE;
          expect(Math.abs(matrix[s * states + t] - expected)).toBeLessThanOrEqual(tolerance);
        }
      }
    }
  });

  test('from equilibrium, the error is that of propagation', () => {
    const wrong: string[] = [];
    for (const { at, model } of variants(of)) {
      const data = dataOf(model)[0][1];
      for (const kernel of REVERSIBLE) {
        const options = { ...settings, burnIn: 0, chains: 1, gradient: false, kernel, start: 'stationary' } as const;
        const { operational } = evaluateModel(model, data, options);
        const table = new TableRoute(model, data, kernel);
        const { law, kernel: operator } = table.at(model.theta);
        const error = propagatedError(law, operator, model.edges.length, law.pi, 0, options.window);
        const expected = error.couplings.mse + error.biases.mse;
        const variance = table.evaluate(model.theta, ['variance']).value.variance ?? 0;
        // The slope in a gap is below K / 2, an eigensolver knows gaps to some 64 eps per state, and the weights sum to the variance; the last
        // term is where sums meet numbers that are no longer normal.
        const tolerance = 64 * EPS * law.space.states * (1 + options.window / 2) * variance + 1e-290;
        const mse = operational?.mse ?? Number.NaN;
        if (!(Math.abs(mse - expected) <= tolerance)) wrong.push(`${at}, ${kernel}: ${mse} instead of ${expected}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('both routes of an RBM agree', () => {
    const quantities = ['timescale', 'variance', 'signal', 'kl'] as const;
    const wrong: string[] = [];
    for (const { at, model } of variants(of).filter((variant) => variant.model.layers !== null)) {
      const data = dataOf(model)[0][1];
      for (const kernel of FACTORED) {
        const [table, factored] = (['table', 'factored'] as const).map((route) =>
          createRoute(model, data, { kernel, route }).evaluate(model.theta, quantities),
        );
        for (const quantity of quantities) {
          if (!table.info.converged || !factored.info.converged) continue;
          const [x, y] = [table, factored].map(({ value }) => value[quantity] ?? Number.NaN);
          // The variance is a sum of probabilities, T is at least half of it, and R_hat divides by T: small numbers count.
          // The signal and KL are differences of numbers of order one.
          const scale = quantity === 'signal' || quantity === 'kl' ? Math.max(1, x) : x;
          if (!(Math.abs(x - y) <= 64 * exponentError(model) * scale + 1e-300))
            wrong.push(`${at}, ${kernel}: ${quantity} ${y}, not ${x}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });
});
