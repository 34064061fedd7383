import { createRoute, InputError, ising, type Model, randomSource } from 'htdml';
import { describe, expect, test } from 'vitest';
import { chain } from '../../../src/estimation/chain.js';
import { addObservables } from '../../../src/estimation/data-moments.js';
import {
  emptySamples,
  type PackedSamples,
  readSample,
  writeSample,
} from '../../../src/estimation/samples/packed-samples.js';
import { temperingStart } from '../../../src/estimation/tempering/ensembles.js';
import { replicaLadder } from '../../../src/estimation/tempering/ladder.js';
import { chainMove, compiledMove, type LocalMove } from '../../../src/estimation/tempering/local-move.js';
import { temperedSamples } from '../../../src/estimation/tempering/tempered-samples.js';
import { dot, fullSpace, spinOf, vector } from '../../support/brute-force.js';
import { positiveLaw } from '../../support/fitted.js';
import { complete, glass } from '../../support/models.js';
import { meanAndError, stateAt } from '../../support/statistics.js';

/** Ten spins that all pull each other, in a field that makes one of the two wells 1.6 times as probable as the other. */
const wells = ising({
  spins: 10,
  edges: complete(10),
  couplings: Array(45).fill(0.2),
  biases: Array(10).fill(0.0125),
  beta: 1.8,
});
const ladder = replicaLadder(wells, { betas: [0, 0.4, 0.6, 0.85, 1.8], kernel: 'palindrome' });
const small = glass(5, 0.6, 3, true);
const smallLadder = replicaLadder(small, { betas: [0, 0.5, 1], kernel: 'random-scan' });

/** Mean of the observables over each list. */
function means(model: Model, lists: readonly PackedSamples[]): Float64Array[] {
  const spins = new Int8Array(model.spins);
  return lists.map((list) => {
    const sums = new Float64Array(model.theta.length);
    for (let s = 0; s < list.count; s++) {
      readSample(list, s, spins);
      addObservables(model, spins, 1 / list.count, sums);
    }
    return sums;
  });
}

/** Largest distance of means over lists from the exact ones, in standard errors over the lists. */
function worstSigmas(model: Model, lists: readonly PackedSamples[]): number {
  const { observables, pi } = fullSpace(model);
  const own = means(model, lists);
  return Math.max(
    ...observables.map((f, a) => {
      const { mean, error } = meanAndError(own.map((list) => list[a]));
      return Math.abs(mean - dot(pi, f)) / error;
    }),
  );
}

test('two wells: a chain from one of them misses the other, replicas find the exact means from the same start', () => {
  const { slowest } = createRoute(wells, positiveLaw(10, 1), { kernel: 'random-scan', route: 'table' }).relaxation(
    wells.theta,
  );
  expect(slowest?.gap).toBeLessThan(2e-6);
  const { pi } = fullSpace(wells);
  const magnetisation = dot(
    pi,
    vector(1024, (s) => spinOf(s, 0)),
  );
  expect(magnetisation).toBeGreaterThan(0.15);
  expect(magnetisation).toBeLessThan(0.35);
  const allDown = new Int8Array(10).fill(-1);
  const alone = chain(wells, 'random-scan', randomSource(5), Int8Array.from(allDown));
  let sum = 0;
  // 2e4 steps leave a well with a chance of at most 4 %.
  for (let t = 0; t < 20_000; t++) {
    alone.step();
    sum += alone.spins[0];
  }
  expect(sum / 20_000).toBeLessThan(-0.9);
  const run = temperedSamples(ladder, temperingStart(ladder, 48, 6, emptySamples(10, 48)), {
    burnIn: 200,
    samples: 400,
    apart: 2,
  });
  expect(Math.min(...run.roundTrips)).toBeGreaterThan(5);
  // 55 means with errors over 48 ensembles: one of them beyond 5 has a chance of 55 * 8e-6.
  expect(worstSigmas(wells, run.samples)).toBeLessThan(5);
  const { mean, error } = meanAndError(means(wells, run.samples).map((list) => -list[45]));
  expect(error).toBeLessThan(0.05);
  expect(Math.abs(mean - magnetisation)).toBeLessThan(5 * error);
});

test('acceptances are those of the exact laws, and swaps are made as often as that', () => {
  const { energies } = fullSpace(small);
  const run = temperedSamples(smallLadder, temperingStart(smallLadder, 40, 2), { burnIn: 50, samples: 500 });
  run.swaps.forEach(({ acceptance, standardError, tried, made }, k) => {
    const [p, q] = [k, k + 1].map((replica) => fullSpace({ ...small, beta: smallLadder.betas[replica] }).pi);
    const step = smallLadder.betas[k] - smallLadder.betas[k + 1];
    let expected = 0;
    energies.forEach((e, s) =>
      energies.forEach((f, t) => (expected += p[s] * q[t] * Math.min(1, Math.exp(step * (e - f))))),
    );
    expect(standardError).toBeLessThan(0.01);
    expect(Math.abs(acceptance - expected)).toBeLessThan(5 * (standardError ?? 0));
    // One of two sets of pairs is tried in each step: two binomial laws.
    expect(Math.abs(tried - 10_000)).toBeLessThan(5 * Math.sqrt(5000));
    expect(Math.abs(made / tried - expected)).toBeLessThan(5 * Math.sqrt(expected / tried));
  });
  expect(run.steps).toBe(500);
});

test('of two replicas every swap but the first brings a walker back', () => {
  const two = replicaLadder(small, { betas: [0.6, 1], kernel: 'random-scan' });
  const run = temperedSamples(two, temperingStart(two, 3, 1), { burnIn: 0, samples: 100 });
  expect(run.roundTrips.reduce((a, b) => a + b)).toBe(run.swaps[0].made - 3);
  expect(run.swaps[0].tried).toBe(300);
});

test.each(['chains', 'compiled chains'])('forty spins in a row, by %s: pairs have the mean tanh(beta J)', (by) => {
  const row = ising({
    spins: 40,
    edges: Array.from({ length: 39 }, (_, i) => [i, i + 1] as const),
    couplings: Array.from({ length: 39 }, (_, i) => (i % 3) - 0.7),
    beta: 1.4,
  });
  const three = replicaLadder(row, { betas: [0.5, 0.9, 1.4], kernel: 'random-block' });
  const local = (by === 'chains' ? chainMove : compiledMove)(row, 'random-block');
  const run = temperedSamples(three, temperingStart(three, 40, 7), { burnIn: 100, samples: 200, apart: 2, local });
  const own = means(row, run.samples);
  row.theta.forEach((coupling, a) => {
    const { mean, error } = meanAndError(own.map((list) => list[a]));
    // 78 means with errors over 40 ensembles: one beyond 5.5 has a chance of 78 * 3e-6.
    expect(Math.abs(mean + Math.tanh(1.4 * coupling))).toBeLessThan(5.5 * error);
    expect(error).toBeLessThan(0.03);
  });
});

describe('runs', () => {
  const plan = { burnIn: 3, samples: 10, apart: 2 };
  const start = temperingStart(smallLadder, 4, 8);

  test('repeat with their seed', () => {
    const once = temperedSamples(smallLadder, start, plan);
    expect(temperedSamples(smallLadder, temperingStart(smallLadder, 4, 8), plan)).toEqual(once);
    expect(temperedSamples(smallLadder, temperingStart(smallLadder, 4, 9), plan).samples).not.toEqual(once.samples);
  });

  test('go on bit by bit from a state that was written and read', () => {
    const whole = temperedSamples(smallLadder, start, { burnIn: 0, samples: 30 });
    const first = temperedSamples(smallLadder, start, { burnIn: 0, samples: 12 });
    const rest = temperedSamples(smallLadder, JSON.parse(JSON.stringify(first.state)), { burnIn: 0, samples: 18 });
    expect(rest.state).toEqual(whole.state);
    whole.samples.forEach(({ words }, m) => {
      expect([...first.samples[m].words, ...rest.samples[m].words]).toEqual([...words]);
    });
    const trips = (run: typeof whole) => run.roundTrips.reduce((a, b) => a + b);
    expect(trips(first) + trips(rest)).toBe(trips(whole));
    expect(trips(whole)).toBeGreaterThan(0);
  });

  test('take any reversible local move: independent draws of each replica', () => {
    const laws = new Map(Array.from(smallLadder.betas, (beta) => [beta, fullSpace({ ...small, beta }).pi]));
    const seen = new Set<number>();
    const local: LocalMove = (states, betas, sweeps, random) => {
      expect(sweeps).toBe(1);
      states.forEach((spins, row) => {
        const pi = laws.get(betas[row]) ?? new Float64Array();
        seen.add(betas[row]);
        const s = stateAt(pi, random.uniform());
        for (let i = 0; i < 5; i++) spins[i] = spinOf(s, i);
      });
    };
    const run = temperedSamples(smallLadder, temperingStart(smallLadder, 30, 3), { burnIn: 1, samples: 200, local });
    expect([...seen]).toEqual([...smallLadder.betas]);
    expect(worstSigmas(small, run.samples)).toBeLessThan(5);
  });

  test('take the compiled chains, and go on from them bit by bit', () => {
    const local = compiledMove(small, 'random-scan');
    const many = temperingStart(smallLadder, 40, 12);
    const run = temperedSamples(smallLadder, many, { burnIn: 50, samples: 200, local });
    expect(worstSigmas(small, run.samples)).toBeLessThan(5);
    const once = temperedSamples(smallLadder, many, { burnIn: 0, samples: 8, local });
    const first = temperedSamples(smallLadder, many, { burnIn: 0, samples: 3, local });
    const rest = temperedSamples(smallLadder, first.state, { burnIn: 0, samples: 5, local });
    expect(rest.state).toEqual(once.state);
  });

  test.each([{ burnIn: -1 }, { samples: 0 }, { apart: 0.5 }])('%o is refused', (change) => {
    expect(() => temperedSamples(smallLadder, start, { ...plan, ...change })).toThrow(InputError);
  });

  test('a start is refused for its number, seed or spins', () => {
    expect(() => temperingStart(smallLadder, 0, 1)).toThrow(/^ensembles must be a whole number of at least 1/);
    expect(() => temperingStart(smallLadder, 2, -1)).toThrow(/^seed must be/);
    expect(() => temperingStart(smallLadder, 2, 1, emptySamples(5, 3))).toThrow(
      /^starts must be 2 rows of 5 spins, got 3 of 5/,
    );
    expect(() => temperingStart(smallLadder, 2, 1, emptySamples(4, 2))).toThrow(InputError);
  });

  test('a start from given rows puts every replica of an ensemble at its own', () => {
    const starts = emptySamples(5, 2);
    writeSample(starts, 0, [1, -1, 1, 1, -1]);
    writeSample(starts, 1, [-1, -1, 1, -1, 1]);
    const { ensembles } = temperingStart(smallLadder, 2, 1, starts);
    expect(ensembles.map(({ words }) => words)).toEqual([Array(3).fill(0b01101), Array(3).fill(0b10100)]);
  });

  test.each([
    ['no ensembles', { ensembles: [] }],
    ['a replica less', { ensembles: [{ words: [0, 0], walkers: [0, 1], phases: [0, 0] }] }],
    ['a walker twice', { ensembles: [{ words: [0, 0, 0], walkers: [0, 1, 1], phases: [0, 0, 0] }] }],
    ['another phase', { ensembles: [{ words: [0, 0, 0], walkers: [0, 1, 2], phases: [0, 3, 0] }] }],
    ['a spin too many', { ensembles: [{ words: [0, 32, 0], walkers: [0, 1, 2], phases: [0, 0, 0] }] }],
    ['a word that is none', { ensembles: [{ words: [0, 0.5, 0], walkers: [0, 1, 2], phases: [0, 0, 0] }] }],
    ['random words that are none', { random: [0, 0, 0, 0] }],
  ])('a state with %s is refused', (_, change) => {
    expect(() => temperedSamples(smallLadder, { ...start, ...change }, plan)).toThrow(InputError);
  });
});
