import { describe, expect, test } from 'vitest';
import { type Program, programOf } from '../../../src/kernel/compiled/table.js';
import { createKernel, type KernelName } from '../../../src/kernel/kernels.js';
import { boltzmann, pullbackLogPi } from '../../../src/model/boltzmann.js';
import { ising, type Model, rbm } from '../../../src/model/model.js';
import { stateSpace } from '../../../src/model/state-space.js';
import {
  compiledTimescale,
  directTimescale,
  iteratedTimescale,
  quadratureMeasure,
} from '../../../src/trainability/routes/table-timescale.js';
import { startNode } from '../../support/cli.js';
import { complete, GIBBS, glass, normals } from '../../support/models.js';

function machine(visible: number, hidden: number, scale: number, seed: number, biased: boolean): Model {
  return rbm({
    visible,
    hidden,
    weights: normals(visible * hidden, scale, seed),
    ...(biased && { visibleBiases: normals(visible, scale, 90), hiddenBiases: normals(hidden, scale, 91) }),
  });
}

const MODELS: readonly (readonly [string, Model])[] = [
  ['glass of 9, folded', glass(9, 0.3, 1)],
  ['glass of 8 with biases', glass(8, 0.4, 2, true)],
  ['glass of 9 with biases, a spin above a chunk', glass(9, 0.3, 3, true)],
  ['independent spins, exactly degenerate', glass(9, 0, 4)],
  ['metastable glass', glass(8, 1.2, 5, true)],
  ['machine of 5 + 4', machine(5, 4, 0.7, 6, false)],
  ['machine of 6 + 3 with biases', machine(6, 3, 0.7, 7, true)],
];

const largest = (x: Float64Array) => x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

function solved(model: Model, kernel: KernelName) {
  const law = boltzmann(stateSpace(model), model.theta, model.beta);
  const program = programOf(law, model, kernel);
  const compiled = program && compiledTimescale(law, program);
  if (compiled?.lbar == null) throw new Error('the compiled loops did not run');
  return { law, compiled, lbar: compiled.lbar, operator: createKernel(law, model, kernel) };
}

describe.each(MODELS)('%s', (_, model) => {
  test.each(GIBBS)('%s: timescale and gradient against elimination', (kernel) => {
    const { law, compiled, lbar, operator } = solved(model, kernel);
    const direct = directTimescale(law, operator);
    if (direct.lbar === null || direct.info.observables === null) throw new Error('elimination gave no derivative');
    expect(compiled.info.converged).toBe(true);
    // Stopped at 1e-12 in the energy norm; rounding is eps over the gap, which is above variance / (T + variance / 2) / states.
    const gap = direct.variance / (direct.timescale + direct.variance / 2);
    const tolerance = 1e-11 + (64 * Number.EPSILON) / gap;
    expect(Math.abs(compiled.timescale / direct.timescale - 1)).toBeLessThan(tolerance);
    // Blocks are done spin by spin, which is the same along the model's parameters and not along every energy table.
    const gradient = pullbackLogPi(law, direct.lbar);
    const apart = pullbackLogPi(law, lbar).map((value, a) => value - gradient[a]);
    expect(largest(apart)).toBeLessThan(tolerance * Math.max(largest(gradient), direct.timescale));
    const times = direct.info.observables.timescale;
    compiled.info.observables?.timescale.forEach((value, a) => {
      expect(Math.abs(value - times[a])).toBeLessThan(tolerance * direct.timescale);
    });
  });
});

test('beyond elimination: against the plain loops, on 2,048 folded states', () => {
  const { law, compiled, lbar, operator } = solved(glass(12, 0.3, 8), 'random-scan');
  const plain = iteratedTimescale(law, operator);
  if (plain.lbar === null) throw new Error('no derivative');
  expect(compiled.info.converged).toBe(true);
  expect(Math.abs(compiled.timescale / plain.timescale - 1)).toBeLessThan(1e-12);
  const apart = lbar.map((value, s) => value - (plain.lbar?.[s] ?? Number.NaN));
  expect(largest(apart)).toBeLessThan(1e-11 * largest(plain.lbar));
});

test('exchangeable spins, where residuals are all rounding after a few steps: one timescale for pairs and one for spins', () => {
  const edges = complete(12);
  const model = ising({ spins: 12, edges, couplings: edges.map(() => 0.02), biases: Array(12).fill(0.1) });
  const { compiled } = solved(model, 'random-scan');
  expect(compiled.info.converged).toBe(true);
  const times = compiled.info.observables?.timescale ?? new Float64Array();
  const spread = (part: Float64Array) => (Math.max(...part) - Math.min(...part)) / Math.min(...part);
  expect(times).toHaveLength(edges.length + 12);
  expect(spread(times.slice(0, edges.length))).toBeLessThan(1e-12);
  expect(spread(times.slice(edges.length))).toBeLessThan(1e-12);
});

test.each(GIBBS)('%s: quadrature by compiled steps and by plain ones', (kernel) => {
  const model = glass(9, 0.3, 3, true);
  const law = boltzmann(stateSpace(model), model.theta, model.beta);
  const operator = () => createKernel(law, model, kernel);
  const moment = (program: Program | null, q: (gap: number) => number) =>
    quadratureMeasure(law, operator, program, model.edges.length).reduce(
      (sum, { gap, couplingsWeight, biasesWeight }) => sum + (couplingsWeight + 3 * biasesWeight) * q(gap),
      0,
    );
  const program = programOf(law, model, kernel);
  expect(program).not.toBeNull();
  const { timescale, variance } = directTimescale(law, operator());
  for (const q of [(gap: number) => 1 / gap - 0.5, (gap: number) => (1 - gap) ** 7, () => 1]) {
    const plain = moment(null, q);
    expect(Math.abs(moment(program, q) / plain - 1)).toBeLessThan(1e-11);
  }
  const total = quadratureMeasure(law, operator, program, model.theta.length).reduce(
    (sum, { gap, couplingsWeight }) => sum + couplingsWeight * (1 / gap),
    0,
  );
  expect(Math.abs(total / (timescale + variance / 2) - 1)).toBeLessThan(1e-11);
});

describe('threads', () => {
  // In processes of their own: how many threads there are is settled when the loops are loaded.
  const digits = async (threads: number) => {
    const code = `
      import { createRoute, ising, randomSource, teacherLaw } from 'htdml';
      process.env.HTDML_THREADS = '${threads}';
      const random = randomSource(5);
      const edges = [];
      for (let i = 0; i < 10; i++) for (let j = i + 1; j < 10; j++) edges.push([i, j]);
      const model = ising({ spins: 10, edges, couplings: edges.map(() => 0.3 * random.normal()) });
      const route = createRoute(model, teacherLaw(model), { kernel: 'random-scan' });
      const evaluate = () => {
        const at = route.evaluate(model.theta, ['timescale']);
        return [at.value.timescale, ...at.pullback({ timescale: 1 })].join(' ');
      };
      // Long enough for the other threads to be there.
      const first = evaluate();
      for (const end = performance.now() + 400; performance.now() < end; ) {
        if (evaluate() !== first) throw new Error('other digits');
      }
      console.log(first);`;
    const { code: exit, stdout, stderr } = await startNode(['--input-type=module', '--eval', code]).finished;
    expect([exit, stderr]).toEqual([0, '']);
    return stdout;
  };
  test('the same digits with one, two and five', async () => {
    const alone = await digits(1);
    expect(alone.split(' ')).toHaveLength(46);
    expect(await digits(2)).toBe(alone);
    expect(await digits(5)).toBe(alone);
  });
});

test('the same numbers at every call', () => {
  const model = glass(9, 0.3, 1);
  const first = solved(model, 'random-scan');
  solved(glass(9, 0.3, 3, true), 'palindrome');
  const again = solved(model, 'random-scan');
  expect(again.compiled.timescale).toBe(first.compiled.timescale);
  expect(again.lbar).toEqual(first.lbar);
});

test('no program where the loops would not be right', () => {
  const at = (model: Model, kernel: KernelName) =>
    programOf(boltzmann(stateSpace(model), model.theta, model.beta), model, kernel);
  const edges = complete(6);
  const couplings = normals(edges.length, 0.3, 1);
  const biases = normals(6, 0.3, 2);
  const blocks = [
    [0, 1, 2],
    [3, 4, 5],
  ];
  expect(at(ising({ spins: 6, edges, couplings, biases }), 'random-block')).not.toBeNull();
  expect(at(ising({ spins: 6, edges, couplings, biases, blocks }), 'random-block')).toBeNull();
  expect(at(ising({ spins: 6, edges, couplings, biases }), 'metropolis')).toBeNull();
  expect(at(ising({ spins: 6, edges, couplings, biases }), 'alternating-block')).toBeNull();
  expect(at(ising({ spins: 6, edges, couplings: couplings.map((j) => 1000 * j), biases }), 'random-scan')).toBeNull();
  expect(at(glass(3, 0.3, 1), 'random-scan')).toBeNull();
});
