import {
  createRoute,
  type DataLaw,
  type Edge,
  InputError,
  ising,
  type KernelName,
  type Model,
  rbm,
  teacherLaw,
} from 'htdml';
import { describe, expect, test } from 'vitest';
import { complete } from '../../proofs/graphs.js';
import { type EstimateOptions, estimateTrainability } from '../../src/estimation/estimate.js';
import { randomSource } from '../../src/estimation/random.js';
import { type EstimationCase, estimationCase } from '../support/estimation-cases.js';

/** Random models; `HTDML_COVERAGE_MODELS=200` for the long run. */
const MODELS = Number(process.env.HTDML_COVERAGE_MODELS ?? 15);
const plan = { chains: 24, samples: 200, burnIn: 200, apart: 2, window: 1000, gradient: true };

function exactly({ model, kernel, data }: EstimationCase) {
  const at = createRoute(model, data, { kernel }).evaluate(model.theta, ['timescale', 'signal', 'variance']);
  const { timescale: T = Number.NaN, signal = Number.NaN, variance = Number.NaN } = at.value;
  return { T, signal, variance, logRhat: at.pullback({ signal: 1 / signal, timescale: -1 / T }) };
}

describe(`${MODELS} random models`, () => {
  const random = randomSource(7);
  const found = Array.from({ length: MODELS }, (_, k) => {
    const one = estimationCase(k, random);
    const { model, data, kernel } = one;
    return { exact: exactly(one), estimate: estimateTrainability(model, data, { ...plan, kernel, seed: k }) };
  });
  const resolved = found.filter(({ estimate }) => estimate.timescale.verdict === 'resolved');
  /** What the long run is for, as text. */
  const rates = () => {
    const inside = (value: number, interval?: readonly [number, number]) =>
      interval !== undefined && value >= interval[0] && value <= interval[1];
    const ratios = resolved.map(({ exact, estimate }) => estimate.timescale.timescale / exact.T).sort((a, b) => a - b);
    const T = resolved.filter(({ exact, estimate }) => inside(exact.T, estimate.timescale.interval));
    const R = resolved.filter(({ exact, estimate }) =>
      inside(((plan.window / 2) * exact.signal) / exact.T, estimate.Rhat?.interval),
    );
    const above = found.filter(({ exact, estimate: { timescale: t } }) => t.timescale - exact.T > 2 * t.standardError);
    const [least, median, most] = [0, 0.5, 1].map((q) => ratios[Math.floor(q * (ratios.length - 1))].toFixed(3));
    return `${resolved.length} of ${MODELS} resolved; of these T in its interval ${T.length}, R_hat ${R.length}; bound / T ${least} to ${most}, median ${median}; above T by two standard errors ${above.length} of all\n`;
  };
  /** Most failures that a rate of `p` gives with probability 1e-3, by the normal law of counts. */
  const most = (n: number, p: number) => Math.ceil(n * p + 3.1 * Math.sqrt(n * p * (1 - p)) + 0.5);

  test('half of them are resolved, and of those the intervals hold the exact values at the stated rate', () => {
    expect(resolved.length).toBeGreaterThan(MODELS / 3);
    if (process.env.HTDML_COVERAGE_MODELS !== undefined) process.stdout.write(rates());
    const outside = (of: (one: (typeof found)[number]) => readonly [number, readonly [number, number] | undefined]) =>
      resolved.filter((one) => {
        const [value, interval] = of(one);
        return interval !== undefined && !(value >= interval[0] && value <= interval[1]);
      }).length;
    const n = resolved.length;
    expect(outside(({ exact, estimate }) => [exact.T, estimate.timescale.interval])).toBeLessThanOrEqual(most(n, 0.05));
    expect(
      outside(({ exact, estimate }) => [((plan.window / 2) * exact.signal) / exact.T, estimate.Rhat?.interval]),
    ).toBeLessThanOrEqual(most(n, 0.05));
  });

  test('the bound is never above T beyond its error, resolved or not', () => {
    for (const { exact, estimate } of found) {
      const { timescale, standardError } = estimate.timescale;
      // Where chains have not mixed the error is not known.
      if (estimate.timescale.splitRhat > 1.05) continue;
      expect(timescale - exact.T).toBeLessThan(4.5 * standardError + 1e-3 * exact.T);
    }
  });

  test('signal and the gradient of log R_hat are within their errors', () => {
    let squares = 0;
    let count = 0;
    for (const { exact, estimate } of resolved) {
      expect(Math.abs(estimate.signal.value - exact.signal)).toBeLessThan(5 * estimate.signal.standardError);
      const logRhat = estimate.gradient?.logRhat;
      if (!logRhat) continue;
      const own = logRhat.value.reduce(
        (sum, value, b) => sum + ((value - exact.logRhat[b]) / (logRhat.standardError?.[b] ?? 0)) ** 2,
        0,
      );
      // Components of one model move together: like one t of ten degrees of freedom, above 4.6 once in a thousand.
      expect(Math.sqrt(own / logRhat.value.length)).toBeLessThan(4.6);
      squares += own;
      count += logRhat.value.length;
    }
    expect(Math.sqrt(squares / count)).toBeLessThan(1.5);
    expect(Math.sqrt(squares / count)).toBeGreaterThan(0.3);
  });
});

describe('larger models', () => {
  const random = randomSource(31);
  const normals = (count: number, scale: number) => Array.from({ length: count }, () => scale * random.normal());
  const torus: Edge[] = Array.from({ length: 16 }, (_, k): Edge[] => [
    [k, 4 * Math.floor(k / 4) + ((k + 1) % 4)],
    [k, (k + 4) % 16],
  ]).flat();
  const cases: [string, Model, KernelName][] = [
    ['glass of 12', ising({ spins: 12, edges: complete(12), couplings: normals(66, 0.3) }), 'random-scan'],
    [
      'lattice of 16',
      ising({ spins: 16, edges: torus, couplings: normals(32, 0.4), biases: normals(16, 0.2) }),
      'random-scan',
    ],
    [
      'ferromagnet of 14 in a field',
      ising({ spins: 14, edges: complete(14), couplings: Array(91).fill(1.1 / 14), biases: normals(14, 0.1) }),
      'random-block',
    ],
    [
      'RBM 12 + 10',
      rbm({
        visible: 12,
        hidden: 10,
        weights: normals(120, 0.25),
        visibleBiases: normals(12, 0.2),
        hiddenBiases: normals(10, 0.2),
      }),
      'random-block',
    ],
  ];
  test.each(cases)('%s: the interval holds the exact T, or the verdict says that it need not', (_, model, kernel) => {
    const teacher = ising({ spins: model.visible.length, edges: [[0, 1]], couplings: [0.4] });
    const data = teacherLaw(teacher);
    const options = { ...plan, samples: 300, burnIn: 300, kernel, seed: 3, gradient: false };
    const { timescale } = estimateTrainability(model, data, options);
    const T = createRoute(model, data, { kernel }).evaluate(model.theta, ['timescale']).value.timescale ?? Number.NaN;
    expect(timescale.timescale - T).toBeLessThan(4.5 * timescale.standardError);
    // Three more standard errors on either side: four models, of fixed seeds.
    const more = 3 * timescale.standardError;
    expect([timescale.verdict, timescale.missing]).toEqual(['resolved', []]);
    expect(T).toBeGreaterThan(timescale.interval[0] - more);
    expect(T).toBeLessThan(timescale.interval[1] + more);
  });
});

test('the same seed gives the same numbers, another one others', () => {
  const { model, data, kernel } = estimationCase(0, randomSource(1));
  const options: EstimateOptions = { ...plan, samples: 20, kernel, seed: 5 };
  const once = estimateTrainability(model, data, options);
  expect(estimateTrainability(model, data, options)).toEqual(once);
  expect(estimateTrainability(model, data, { ...options, seed: 6 }).timescale.timescale).not.toBe(
    once.timescale.timescale,
  );
});

test('a model that is its own teacher has no R_hat, and its signal is zero within the error', () => {
  const model = ising({
    spins: 4,
    edges: [
      [0, 1],
      [1, 2],
      [2, 3],
    ],
    couplings: [0.4, -0.3, 0.5],
  });
  const { Rhat, signal, gradient } = estimateTrainability(model, teacherLaw(model), {
    ...plan,
    kernel: 'random-scan',
    seed: 1,
  });
  expect(Rhat).toBeNull();
  expect(gradient?.logRhat).toBeNull();
  expect(Math.abs(signal.value)).toBeLessThan(4 * signal.standardError);
});

test('hidden spins of a graph: the clamped chains give the data term of the table', () => {
  const random = randomSource(3);
  const { model, data, kernel } = estimationCase(4, random);
  expect(model.visible.length).toBeLessThan(model.spins);
  const exact = createRoute(model, data, { kernel }).evaluate(model.theta, ['signal']);
  const { signal } = estimateTrainability(model, data, { ...plan, kernel, seed: 2 });
  expect(Math.abs(signal.value - (exact.value.signal ?? Number.NaN))).toBeLessThan(4 * signal.standardError);
});

describe('refusals', () => {
  const { model, data, kernel } = estimationCase(0, randomSource(1));
  const refuse = (change: Partial<EstimateOptions>, of: Model = model, law: DataLaw = data) =>
    expect(() => estimateTrainability(of, law, { ...plan, kernel, seed: 1, ...change })).toThrow(InputError);
  test('options out of range', () => {
    refuse({ chains: 11 });
    refuse({ samples: 3 });
    refuse({ apart: 0 });
    refuse({ burnIn: -1 });
    refuse({ window: 0.5 });
    refuse({ seed: Number.NaN });
    refuse({ probes: 1 });
    refuse({ estimatorChains: 0 });
  });
  test('data of another size', () => {
    refuse({}, ising({ spins: 3, edges: [[0, 1]], couplings: [1] }));
  });
});
