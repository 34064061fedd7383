import {
  createRoute,
  dataLawFromRows,
  type Edge,
  type EquilibriumSamples,
  ising,
  type KernelName,
  type Model,
  sampleEquilibrium,
  teacherLaw,
} from 'htdml';
import { describe, expect, test } from 'vitest';
import { boundFromSamples } from '../../../src/estimation/bound/timescale-bound.js';
import { copiesOfLattices } from '../../support/copies.js';
import { MIXTURES } from '../../support/models.js';

/** All spins up: only starts depend on it. */
const law = (model: Model) => dataLawFromRows([new Int8Array(model.spins).fill(1)]);
const plan = { chains: 32, burnIn: 400, apart: 10, seed: 1 };
const boundOf = (model: Model, samples: EquilibriumSamples, kernel: KernelName) =>
  boundFromSamples(model, samples, { kernel, features: 'observables', seed: 3 }).bound;

// 630 observables are probed by random signs and solved by conjugate gradients; 189 by elimination.
describe.each([
  { copies: 30, scale: 0.2, samples: 48 },
  { copies: 9, scale: 0.5, samples: 96 },
])('$copies lattices of couplings of size $scale', ({ copies, scale, samples }) => {
  const { model, timescale } = copiesOfLattices(copies, scale, 5);
  const equilibrium = sampleEquilibrium(model, law(model), { ...plan, samples });
  const mixture = boundOf(model, equilibrium, 'random-block');

  test.each(MIXTURES)(
    '%s: the residual brings the bound to the exact T, which the observables alone miss',
    (kernel) => {
      const exact = timescale(kernel);
      const bound = kernel === 'random-block' ? mixture : boundOf(model, equilibrium, kernel);
      const [alone, whole] = bound.sequence;
      expect(whole.name).toBe('residual');
      // A right bound passes 4.5 standard errors once in 150,000 times, and what lags above the last one would add is of the size of the tail.
      expect(whole.timescale - exact).toBeLessThan(4.5 * whole.standardError);
      expect(exact - whole.timescale).toBeLessThan(4.5 * whole.standardError + bound.tail);
      expect(exact - alone.timescale).toBeGreaterThan(0.04 * exact);
      expect(exact).toBeLessThan(bound.interval[1]);
    },
  );

  test('under the sweep over both blocks the exact T is within the interval', () => {
    const sweep = boundOf(model, equilibrium, 'alternating-block');
    const exact = timescale('alternating-block');
    expect(sweep.timescale - exact).toBeLessThan(4.5 * sweep.standardError);
    expect(exact).toBeLessThan(sweep.interval[1]);
    // Both speak of the same trial solutions: T_sweep = T_mixture / 4 + Var / 8.
    expect(Math.abs(sweep.timescale - mixture.timescale / 4 - mixture.variance / 8)).toBeLessThan(
      1e-9 * mixture.timescale,
    );
  });
});

test('strong couplings leave a residual that lasts, and the verdict says so', () => {
  const { model } = copiesOfLattices(9, 2.5, 5);
  const samples = sampleEquilibrium(model, law(model), { ...plan, samples: 24 });
  const { verdict, missing } = boundOf(model, samples, 'random-block');
  expect(verdict).toBe('unresolved');
  expect(missing.length).toBeGreaterThan(0);
});

test('few observables have trial solutions of their own and no residual', () => {
  const { model } = copiesOfLattices(3, 0.5, 5);
  const samples = sampleEquilibrium(model, law(model), { ...plan, samples: 24 });
  const { sequence, tail } = boundOf(model, samples, 'random-block');
  expect([sequence.map(({ name }) => name), tail]).toEqual([['observables'], 0]);
});

test('the slowest of many observables is found, which no random combination shows', () => {
  // Forty free spins beside a ferromagnetic chain of four, which is slow.
  const couplings = [1.2, 1.2, 1.2];
  const edges = Array.from({ length: 163 }, (_, a): Edge => (a < 3 ? [a, a + 1] : [4 + (a % 40), 44 + (a % 37)]));
  const distinct = [...new Map(edges.map((edge) => [edge.join(), edge])).values()];
  const spins = 81;
  const biases = Array(spins).fill(0.1);
  const model = ising({ spins, edges: distinct, couplings: distinct.map((_, a) => couplings[a] ?? 0), biases });
  const chain = ising({ spins: 4, edges: distinct.slice(0, 3), couplings, biases: biases.slice(0, 4) });
  const { info } = createRoute(chain, teacherLaw(chain), { kernel: 'random-scan' }).evaluate(chain.theta, [
    'timescale',
  ]);
  const { timescale, variance } = info.observables ?? { timescale: [], variance: [] };
  // A spin of the chain has its turn once in 81 steps, not once in 4.
  const tau = Math.max(...Array.from(timescale, (T, a) => (2 * T) / variance[a] + 1)) * (spins / 4) - 1;
  const samples = sampleEquilibrium(model, law(model), { ...plan, samples: 100 });
  const { tauMax } = boundFromSamples(model, samples, { kernel: 'random-scan', features: 'levels', seed: 3 }).bound;
  expect(tauMax).toBeGreaterThan(0.8 * tau);
  expect(tauMax).toBeLessThan(1.3 * tau);
});
