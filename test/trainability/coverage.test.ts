import {
  type CoverageRow,
  coverage,
  createRoute,
  evaluateModel,
  ising,
  KERNEL_NAMES,
  type KernelName,
  type Model,
  measureSnr,
  type Quantity,
  rbm,
  UnsupportedError,
} from 'htdml';
import { describe, expect, test } from 'vitest';
import { GROUP_WIDTH } from '../../src/spectrum/groups.js';
import { ACCURACY } from '../../src/trainability/accuracy.js';
import { propagatedError, stationaryError } from '../../src/trainability/exact-snr.js';
import { layeredError } from '../../src/trainability/layered-error.js';
import { TableRoute } from '../../src/trainability/routes/table-route.js';
import { startLaw } from '../../src/trainability/start.js';
import { dot, EPS, fullSpace, inner, jointLaw, matrixOf, poisson } from '../support/brute-force.js';
import { gradientCases, REVERSIBLE, random, randomData, ring } from '../support/models.js';

const rows = coverage();
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const starts = ['stationary', 'uniform'] as const;
type From = (typeof starts)[number];

function fits({ model: kind, limit }: CoverageRow, model: Model): boolean {
  if (kind === 'rbm' && model.layers === null) return false;
  if ('states' in limit) return 2 ** (model.biased ? model.spins : model.spins - 1) <= limit.states;
  if (model.layers === null) return false;
  const { visible, hidden } = model.layers;
  if ('visibleLayer' in limit) return visible <= limit.visibleLayer;
  return Math.min(visible, hidden) <= limit.smallerLayer && Math.max(visible, hidden) <= limit.largerLayer;
}

const covering = (path: string, model: Model, kernel: KernelName, start: From) =>
  rows.filter(
    (row) =>
      row.quantities.includes(path) &&
      row.kernels.includes(kernel) &&
      (row.start === 'any' || start === 'stationary') &&
      fits(row, model),
  );

/** What `body` gives, or null where it is refused as unsupported. */
function supported<T>(body: () => T): T | null {
  try {
    return body();
  } catch (error) {
    if (error instanceof UnsupportedError) return null;
    throw error;
  }
}

/** For every path in the table: whether the library gives a value, and a derivative where it has any. */
function computed(
  model: Model,
  kernel: KernelName,
  start: From,
): Record<string, { value: boolean; gradient: boolean }> {
  const data = randomData(model.visible.length, 5, 0.7);
  const estimator = { kernel, start, burnIn: 1, window: 3, chains: 1 } as const;
  const signal = supported(() =>
    createRoute(model, data, { kernel }).evaluate(model.theta, ['signal', 'kl', 'totalCorrelation']),
  );
  const e = supported(() =>
    evaluateModel(model, data, { ...estimator, epsilon: 1e-3, kappa: 1.2, soft: 0.05, gradient: true }),
  );
  const measured = supported(() => measureSnr(model, data, { ...estimator, repetitions: 2, seed: 1 }));
  const of = (value: unknown, gradient: unknown = null) => ({
    value: (value ?? null) !== null,
    gradient: (gradient ?? null) !== null,
  });
  const p = e?.predictors;
  return {
    signal: of(signal?.value.signal, signal?.pullback({ signal: 1 })),
    kl: of(signal?.value.kl, signal?.pullback({ kl: 1 })),
    totalCorrelation: of(signal?.value.totalCorrelation, signal?.pullback({ totalCorrelation: 1 })),
    'predictors.full': of(p?.full.Rhat, e?.gradient?.logRhatFull && e.gradient.logEffectiveGap),
    'predictors.slowCluster': of(p?.slowCluster, e?.gradient?.logRhatSlowCluster),
    'predictors.soft': of(p?.soft, e?.gradient?.logRhatSoft),
    certificate: of(e?.certificate),
    'predictors.relevant': of(p?.relevant),
    'predictors.singleRelevantGap': of(p?.singleRelevantGap),
    'predictors.singleGap': of(p?.singleGap),
    operational: of(e?.operational?.R),
    // Where the start is far from equilibrium the bound may have no upper end, by (D11).
    trackingBound: of(e?.trackingBound ?? e?.notes.find(({ reason }) => reason.includes('delta2 reaches 1'))),
    measured: of(measured?.R),
  };
}

const { normal } = random(23);
const normals = (n: number, scale = 0.4) => Array.from({ length: n }, () => scale * normal());
/** A ring of which the first three spins are visible, so that data are small. */
const cycle = (spins: number, biased: boolean) =>
  ising({
    spins,
    edges: ring(spins),
    couplings: normals(spins),
    biases: biased ? normals(spins) : undefined,
    visible: [0, 1, 2],
  });
const machine = (visible: number, hidden: number) =>
  rbm({
    visible,
    hidden,
    weights: normals(visible * hidden),
    visibleBiases: normals(visible),
    hiddenBiases: normals(hidden),
  });

describe.each<[string, Model]>([
  ['a ring of five', cycle(5, true)],
  ['a ring of five without biases', cycle(5, false)],
  ['a ring of 11, beyond all modes', cycle(11, true)],
  ['a ring of 21, beyond tables', cycle(21, true)],
  ['an RBM 3 + 2', machine(3, 2)],
  ['an RBM 2 + 9, beyond modes of a table', machine(2, 9)],
  ['an RBM 1 + 21, beyond the larger layer', machine(1, 21)],
  ['an RBM 13 + 13, beyond the smaller layer', machine(13, 13)],
])('%s', (_, model) => {
  test.each(KERNEL_NAMES)('%s: what the table lists is computed, and nothing else is', (kernel) => {
    for (const start of starts) {
      for (const [path, { value, gradient }] of Object.entries(computed(model, kernel, start))) {
        const found = covering(path, model, kernel, start);
        expect([path, start, value]).toEqual([path, start, found.length > 0]);
        expect([path, start, gradient]).toEqual([path, start, found.some((row) => row.gradient)]);
      }
    }
  });
});

describe('at the limit', () => {
  test('modes of a table of 2^10 states', () => {
    const model = cycle(10, true);
    const route = createRoute(model, randomData(3, 3), { kernel: 'random-block' });
    expect(sum((route.relaxation(model.theta).groups ?? []).map((group) => group.multiplicity))).toBe(2 ** 10 - 1);
  });

  test.each<[string, Model, KernelName]>([
    ['a ring of 20 on a table of 2^20 states', cycle(20, true), 'random-scan'],
    ['an RBM 1 + 20 on its layers', machine(1, 20), 'alternating-block'],
  ])('%s', (_, model, kernel) => {
    const route = createRoute(model, randomData(model.visible.length, 3), { kernel });
    const { value, pullback } = route.evaluate(model.theta, ['kl']);
    expect(value.kl).toBeGreaterThan(0);
    expect(pullback({ kl: 1 }).every(Number.isFinite)).toBe(true);
  });
});

test('every path of the table is checked here', () => {
  const known = Object.keys(computed(cycle(5, true), 'random-scan', 'stationary'));
  expect([...new Set(rows.flatMap((row) => row.quantities))].sort()).toEqual(known.sort());
});

describe.each(gradientCases())('accuracy: $name', ({ model, data }) => {
  const full = fullSpace(model);
  const { joint, visible } = jointLaw(full, data);
  const squares = full.observables.map((f) => (dot(joint, f) - dot(full.pi, f)) ** 2);
  const log = (v: number, k: number) => Math.log(data.probabilities[k] / visible[v]);
  const kl = sum([...data.patterns].map((v, k) => data.probabilities[k] * log(v, k)));

  test.each(KERNEL_NAMES)('%s: values on the table against sums and a dense solve over all states', (kernel) => {
    const p = matrixOf(full, kernel);
    const moments = full.centred.map((f) => [inner(full.pi, f, poisson(p, full.pi, f)), inner(full.pi, f, f)]);
    const expected: readonly [Quantity, number][] = [
      ['signal', sum(squares)],
      ['kl', kl],
      ['variance', sum(moments.map(([, variance]) => variance))],
      ['timescale', sum(moments.map(([solved, variance]) => solved - variance / 2))],
    ];
    const route = createRoute(model, data, { kernel, route: 'table' });
    const { value } = route.evaluate(model.theta, ['signal', 'kl', 'variance', 'timescale']);
    for (const [quantity, exact] of expected) {
      expect(Math.abs((value[quantity] ?? Number.NaN) - exact)).toBeLessThan(ACCURACY.table * (1 + exact));
    }
    if (!REVERSIBLE.includes(kernel)) return;
    const { groups, measure } = route.relaxation(model.theta);
    const time = value.timescale ?? Number.NaN;
    const modes = (ACCURACY.modes * EPS) / Math.min(...(groups ?? []).map(({ gap }) => gap));
    const byMode = (measure ?? []).map((k) => (k.couplingsWeight + k.biasesWeight) * (1 / k.gap - 0.5));
    expect(Math.abs(sum(byMode) / time - 1)).toBeLessThan(modes);
    const byGroup = (groups ?? []).map(({ weight, gap }) => weight * (1 / gap - 0.5));
    expect(Math.abs(sum(byGroup) / time - 1)).toBeLessThan(GROUP_WIDTH + modes);
  });

  const onLayers =
    model.layers === null ? [] : [...new Set(rows.filter((r) => 'smallerLayer' in r.limit).flatMap((r) => r.kernels))];
  test.each(onLayers)('%s: the error of the estimated gradient, on layers against propagation', (kernel) => {
    const { measure } = createRoute(model, data, { kernel, route: 'factored' }).relaxation(model.theta);
    const table = new TableRoute(model, data, kernel).at(model.theta);
    for (const window of [1, 2, 30]) {
      const exact = propagatedError(table.law, table.kernel, model.edges.length, table.law.pi, 0, window);
      const ours = stationaryError(measure ?? [], window);
      for (const group of ['couplings', 'biases'] as const) {
        expect(Math.abs(exact[group].mse - ours[group].mse)).toBeLessThan(ACCURACY.factored.error);
      }
    }
  });

  test.skipIf(model.layers === null)('the error from any start, on layers against propagation', () => {
    const { law, kernel } = new TableRoute(model, data, 'alternating-block').at(model.theta);
    for (const start of ['stationary', 'uniform', 'data', 'state:5'] as const) {
      for (const [burnIn, window] of [
        [0, 1],
        [2, 1],
        [1, 7],
        [0, 30],
      ]) {
        const mu = startLaw(model, data, law, start);
        const exact = propagatedError(law, kernel, model.edges.length, mu, burnIn, window);
        const ours = layeredError(model, data, start, burnIn, window);
        for (const group of ['couplings', 'biases'] as const) {
          expect(Math.abs(exact[group].mse - ours[group].mse)).toBeLessThan(ACCURACY.factored.error);
          expect(Math.abs(exact[group].biasSquared - ours[group].biasSquared)).toBeLessThan(ACCURACY.factored.error);
        }
      }
    }
  });
});
