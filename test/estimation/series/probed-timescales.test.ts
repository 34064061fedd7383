import {
  createRoute,
  dataLawFromRows,
  evaluateModel,
  InputError,
  ising,
  type KernelName,
  type Model,
  probedTimescales,
  randomSource,
  teacherLaw,
} from 'htdml';
import { describe, expect, test } from 'vitest';
import { makeProbes } from '../../../src/estimation/bound/probes.js';
import {
  observableSeries,
  probeSeries,
  recordChains,
  slowestObservables,
} from '../../../src/estimation/series/record.js';
import { copiesOfLattices } from '../../support/copies.js';

const law = (model: Model) => dataLawFromRows([new Int8Array(model.spins).fill(1)]);
const options = { chains: 12, burnIn: 100, sweeps: 1024, probes: 24, seed: 4, slowest: 4, window: 40 };

describe.each(['random-block', 'alternating-block'] as const)('%s', (kernel: KernelName) => {
  test('few observables: T, the slowest time and the squared error are the exact ones', () => {
    const { model } = copiesOfLattices(1, 0.6, 2);
    const data = teacherLaw(model);
    const found = probedTimescales(model, data, { ...options, kernel, sweeps: 4096 });
    const exact = createRoute(model, data, { kernel }).evaluate(model.theta, ['timescale']).value.timescale;
    expect(found.timescale.windowed).toBe(true);
    expect(Math.abs(found.timescale.value - (exact ?? Number.NaN))).toBeLessThan(4.5 * found.timescale.standardError);
    const teacher = ising({ ...pick(model), couplings: model.edges.map(() => 0.1), biases: Array(9).fill(0.1) });
    const { operational } = evaluateModel(model, teacherLaw(teacher), {
      kernel,
      start: 'stationary',
      burnIn: 0,
      window: options.window,
      chains: 1,
      epsilon: 1e-3,
      kappa: 2.5,
      gradient: false,
    });
    const { value, standardError } = found.squaredError;
    // Six pairs of chains: Student's t of 5 degrees of freedom passes 7 once in 1,000 times; the seed is fixed.
    expect(Math.abs(value - (operational?.mse ?? Number.NaN))).toBeLessThan(7 * standardError);
  });

  test('many observables: T by random signs is the exact sum', () => {
    const { model, timescale } = copiesOfLattices(15, 0.4, 5);
    const found = probedTimescales(model, law(model), { ...options, kernel, probes: 48 });
    // T of a combination with random signs is off by what different observables of a copy have in common, less than T over sqrt(probes).
    const signs = timescale(kernel) / Math.sqrt(48);
    expect(Math.abs(found.timescale.value - timescale(kernel))).toBeLessThan(3 * signs);
    expect(found.slowestDirection).toBeNull();
  });
});

test('combinations by counting bits are sums over observables', () => {
  const { model } = copiesOfLattices(9, 0.4, 5);
  const plan = { chains: 6, burnIn: 3, sweeps: 32 };
  const recorded = recordChains(model, law(model), 'random-block', plan, randomSource(3));
  const probes = makeProbes(model.theta.length, 3, randomSource(9));
  const series = probeSeries(recorded, probes);
  const all = Array.from(model.theta, (_, a) => observableSeries(recorded, a));
  series.forEach((chains, z) =>
    chains.forEach((chain, m) => {
      const sums = chain.map((_, t) => all.reduce((sum, of, a) => sum + probes.entry(z, a) * of[m][t], 0));
      expect(chain).toEqual(sums);
    }),
  );
});

test('an observable behind a barrier is found to be the slowest', () => {
  // A pair of spins bound by a coupling of 2 among free ones.
  const edges = Array.from({ length: 20 }, (_, k) => [2 * k, 2 * k + 1] as const);
  const model = ising({
    spins: 40,
    edges,
    couplings: edges.map((_, k) => (k === 7 ? 2 : 0.1)),
    biases: Array(40).fill(0),
  });
  const plan = { chains: 4, burnIn: 50, sweeps: 2048 };
  const recorded = recordChains(model, law(model), 'alternating-block', plan, randomSource(3));
  expect(slowestObservables(recorded, 2).sort((a, b) => a - b)).toEqual([20 + 14, 20 + 15]);
});

test('refuses options out of range', () => {
  const { model } = copiesOfLattices(1, 0.4, 5);
  for (const wrong of [{ chains: 5 }, { sweeps: 10 }, { probes: 1 }, { slowest: 0 }, { window: 5000 }, { seed: 0.5 }]) {
    expect(() => probedTimescales(model, law(model), { ...options, kernel: 'random-block', ...wrong })).toThrow(
      InputError,
    );
  }
});

function pick({ spins, edges }: Model) {
  return { spins, edges };
}
