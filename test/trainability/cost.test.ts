import { type EvaluateOptions, ising, type KernelName, type Model, rbm, type Workload, workload } from 'htdml';
import { describe, expect, test } from 'vitest';
import { modelToJson } from '../../src/model/model-file.js';
import { startNode } from '../support/cli.js';
import { complete, random, ring } from '../support/models.js';

const options = (kernel: KernelName, extra: Partial<EvaluateOptions> = {}): EvaluateOptions => ({
  kernel,
  burnIn: 1000,
  window: 10_000,
  chains: 1,
  start: 'uniform',
  epsilon: 1e-3,
  kappa: 2.5,
  gradient: true,
  ...extra,
});

const { normal } = random(4);
const normals = (n: number, scale: number) => Array.from({ length: n }, () => scale * normal());
const sk = (n: number) =>
  ising({
    spins: n,
    edges: complete(n),
    couplings: normals((n * (n - 1)) / 2, 0.3 / Math.sqrt(n)),
    biases: normals(n, 0.1),
  });
const chain = (n: number, biased = true) =>
  ising({ spins: n, edges: ring(n), couplings: normals(n, 0.3), biases: biased ? normals(n, 0.1) : undefined });
const machine = (m: number, n: number) =>
  rbm({
    visible: m,
    hidden: n,
    weights: normals(m * n, 0.2),
    visibleBiases: normals(m, 0.1),
    hiddenBiases: normals(n, 0.1),
  });

/** Evaluates in a process of its own, after a small evaluation has loaded and compiled everything. */
async function measured(model: Model, asked: EvaluateOptions) {
  const code = `
    import { dataLawFromRows, evaluateModel, ising, parseModel, secondsOf, workload } from 'htdml';
    const run = (model, options) =>
      evaluateModel(model, dataLawFromRows([1, -1].map((x) => model.visible.map((i) => (i % 3 ? x : -x)))), options);
    const asked = ${JSON.stringify(asked)};
    const model = parseModel(${JSON.stringify(modelToJson(model))});
    run(ising({ spins: 4, edges: [[0, 1]], couplings: [0.1], biases: [0, 0, 0, 0] }), asked);
    const { bytes, report } = workload(model, asked);
    const seconds = secondsOf(report);
    const [rss, cpu] = [process.resourceUsage().maxRSS, process.cpuUsage()];
    run(model, asked);
    const { user, system } = process.cpuUsage(cpu);
    console.log(JSON.stringify({
      bytes: { estimated: bytes, used: 1024 * (process.resourceUsage().maxRSS - rss) },
      seconds: { estimated: seconds, used: (user + system) / 1e6 },
    }));`;
  const { code: exit, stdout, stderr } = await startNode(['--input-type=module', '--eval', code]).finished;
  expect([exit, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Record<'bytes' | 'seconds', { estimated: number; used: number }>;
}

// Memory within a factor of 3, the time of a processor within 4, over sizes that cost something.
test.each<[string, Model, EvaluateOptions]>([
  ['modes of 512 states', sk(9), options('random-scan')],
  ['modes of 256 states in both sectors', chain(9, false), options('palindrome')],
  ['elimination and propagation', sk(8), options('alternating-block', { window: 5000 })],
  ['conjugate gradients on 2^11 states', sk(11), options('random-scan')],
  // A slow cluster of a few modes, as the estimate is for.
  ['conjugate gradients on 2^14 states', chain(14), options('random-block', { kappa: 1.2 })],
  ['layers of 11 and 7', machine(11, 7), options('random-block')],
  ['layers of 8 and 11, alternating', machine(8, 11), options('alternating-block')],
  ['propagation on layers of 9 and 6', machine(9, 6), options('alternating-block', { window: 3000 })],
  // Another process in the way changes both; a wrong estimate is wrong each time.
])('%s', { retry: 3 }, async (_, model, asked) => {
  const { bytes, seconds } = await measured(model, asked);
  expect(Math.abs(Math.log(bytes.used / bytes.estimated))).toBeLessThan(Math.log(3));
  expect(Math.abs(Math.log(seconds.used / seconds.estimated))).toBeLessThan(Math.log(4));
});

describe('grows as it should', () => {
  const all = (model: Model, kernel: KernelName, extra: Partial<EvaluateOptions> = {}): Workload =>
    workload(model, options(kernel, extra));
  const ratio = (x: Workload, y: Workload, key: keyof Workload) => x[key] / y[key];

  test('two spins more are four times the table and a little more', () => {
    for (const kernel of ['random-scan', 'random-block', 'palindrome', 'metropolis'] as const) {
      for (const key of ['bytes', 'report'] as const) {
        expect(ratio(all(chain(18), kernel), all(chain(16), kernel), key)).toBeGreaterThan(3.5);
        expect(ratio(all(chain(18), kernel), all(chain(16), kernel), key)).toBeLessThan(6);
      }
    }
  });

  test('without biases a table is half', () => {
    expect(ratio(all(chain(19), 'random-scan'), all(chain(19, false), 'random-scan'), 'bytes')).toBeCloseTo(2, 1);
  });

  test('an RBM is factored where it can be, whatever its product of states', () => {
    const large = machine(16, 6);
    expect(all(large, 'random-block').bytes).toBeLessThan(1e9);
    expect(() => all(large, 'random-scan')).toThrow(/The table of 22 spins is not available/);
    expect(() => all(machine(14, 13), 'random-block')).toThrow(/its smaller layer takes up to 12 spins/);
  });

  test('the window costs where the law is propagated, and not from equilibrium', () => {
    const long = { window: 1e6 };
    const scan = (extra: Partial<EvaluateOptions>) => all(sk(8), 'alternating-block', extra).report;
    expect(scan(long)).toBeGreaterThan(20 * scan({}));
    expect(scan({ ...long, start: 'stationary' })).toBe(scan({ start: 'stationary' }));
  });
});
