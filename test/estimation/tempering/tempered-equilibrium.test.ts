import { createRoute, dataLawFromRows, InputError, ising, randomSource } from 'htdml';
import { expect, test } from 'vitest';
import { estimateTrainability } from '../../../src/estimation/estimate.js';
import { equilibriumStarts } from '../../../src/estimation/samples/equilibrium.js';
import { readSample } from '../../../src/estimation/samples/packed-samples.js';
import { designLadder } from '../../../src/estimation/tempering/design-ladder.js';
import { compiledMove } from '../../../src/estimation/tempering/local-move.js';
import { temperedEquilibrium } from '../../../src/estimation/tempering/tempered-equilibrium.js';
import { positiveLaw } from '../../support/fitted.js';
import { complete } from '../../support/models.js';

const wells = ising({
  spins: 8,
  edges: complete(8),
  couplings: Array(28).fill(0.3),
  biases: Array(8).fill(0.02),
});
const data = positiveLaw(8, 4);
const local = compiledMove(wells, 'palindrome');
const { ladder } = designLadder(wells, { kernel: 'palindrome', ensembles: 16, steps: 400, seed: 1, local });
const plan = { chains: 24, samples: 1000, burnIn: 200, apart: 2, seed: 3 };

test('of a metastable model: its timescale from samples, where chains alone are unresolved', () => {
  const options = { ...plan, kernel: 'random-scan', window: 1000, gradient: false } as const;
  const exact = createRoute(wells, data, { kernel: 'random-scan' }).evaluate(wells.theta, ['timescale', 'signal']);
  const [T, signal] = [exact.value.timescale ?? Number.NaN, exact.value.signal ?? Number.NaN];
  const alone = estimateTrainability(wells, data, options);
  expect(alone.timescale.verdict).toBe('unresolved');
  const equilibrium = temperedEquilibrium(ladder, data, { ...plan, local });
  expect(equilibrium.missing).toEqual([]);
  expect(Math.min(...equilibrium.roundTrips)).toBeGreaterThan(10);
  const tempered = estimateTrainability(wells, data, { ...options, equilibrium });
  expect(tempered.timescale).toMatchObject({ verdict: 'resolved', missing: [] });
  const { timescale, standardError } = tempered.timescale;
  expect(T).toBeGreaterThan(10_000);
  // A lower bound up to its error, and near enough for its interval.
  expect(timescale - T).toBeLessThan(4.5 * standardError);
  expect(T - timescale).toBeLessThan(4.5 * standardError + 0.1 * T);
  expect(Math.abs(tempered.signal.value - signal)).toBeLessThan(5 * tempered.signal.standardError);
});

test('of a barrier that no sample stands on: no timescale is resolved, the signal is known all the same', () => {
  const deep = { ...wells, beta: 1.6 };
  const move = compiledMove(deep, 'palindrome');
  const own = designLadder(deep, { kernel: 'palindrome', ensembles: 16, steps: 400, seed: 1, local: move });
  const equilibrium = temperedEquilibrium(own.ladder, data, { ...plan, local: move });
  expect(equilibrium.missing).toEqual([]);
  const options = { ...plan, kernel: 'random-scan', window: 1000, gradient: false, equilibrium } as const;
  const { timescale, signal } = estimateTrainability(deep, data, options);
  expect(timescale.verdict).toBe('unresolved');
  // The signal needs the wells alone.
  const exact = createRoute(deep, data, { kernel: 'random-scan' }).evaluate(deep.theta, ['signal']);
  expect(Math.abs(signal.value - (exact.value.signal ?? Number.NaN))).toBeLessThan(5 * signal.standardError);
});

test('what too few steps lack is said, and takes the place of burn-in and length in the verdict of the bound', () => {
  const short = temperedEquilibrium(ladder, data, { ...plan, samples: 8, burnIn: 1, apart: 1, local });
  expect(short.missing.length).toBeGreaterThan(1);
  expect(short.missing.join()).toMatch(/\d+ round trips between the hottest and the coldest replica are fewer than 50/);
  expect(short.missing.join()).toMatch(/the burn-in of 1 steps is below 5 of the integrated time of the energy/);
  const options = { ...plan, kernel: 'random-scan', window: 1000, gradient: false, equilibrium: short } as const;
  const { verdict, missing } = estimateTrainability(wells, data, options).timescale;
  expect(verdict).toBe('unresolved');
  expect(missing.slice(0, short.missing.length)).toEqual(short.missing);
  expect(missing.join()).not.toMatch(/the burn-in of \d+ steps is below 5 of the largest integrated time/);
});

test('the same seed gives the same samples; chains, pilot and kinds of start are those of chains', () => {
  const few = { ...plan, samples: 10, burnIn: 5 };
  const once = temperedEquilibrium(ladder, data, few);
  expect(temperedEquilibrium(ladder, data, few)).toEqual(once);
  expect(temperedEquilibrium(ladder, data, { ...few, seed: 4 }).chains).not.toEqual(once.chains);
  expect([once.chains.length, once.pilot.length, once.startKinds]).toEqual([24, 6, 3]);
  expect(once.chains.every(({ count, spins }) => count === 10 && spins === 8)).toBe(true);
  expect(once.roundTrips.length).toBe(30);
  expect(once.swaps.length).toBe(ladder.betas.length - 1);
});

test('starts take patterns of the data, random spins and the opposite of data in turn', () => {
  const one = dataLawFromRows([[1, 1, -1, 1, 1, 1, -1, 1]]);
  const starts = equilibriumStarts(wells, one, 6, randomSource(1));
  const spins = new Int8Array(8);
  const sums = Array.from({ length: starts.count }, (_, m) => {
    readSample(starts, m, spins);
    return spins.reduce((sum, x, i) => sum + x * [1, 1, -1, 1, 1, 1, -1, 1][i], 0);
  });
  // Two pilots, then six chains.
  expect([0, 2, 5].map((m) => sums[m])).toEqual([8, 8, 8]);
  expect([4, 7].map((m) => sums[m])).toEqual([-8, -8]);
  expect([1, 3, 6].every((m) => Math.abs(sums[m]) < 8)).toBe(true);
});

test.each([{ samples: 0 }, { burnIn: -1 }, { apart: 0 }])('%o is refused', (change) => {
  expect(() => temperedEquilibrium(ladder, data, { ...plan, ...change })).toThrow(InputError);
});
