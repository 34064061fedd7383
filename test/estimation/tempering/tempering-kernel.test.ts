import {
  InputError,
  ising,
  type KernelName,
  type Model,
  ReversibilityError,
  symmetricEigen,
  UnsupportedError,
} from 'htdml';
import { describe, expect, test } from 'vitest';
import { Ensembles, temperingStart } from '../../../src/estimation/tempering/ensembles.js';
import { type ReplicaLadder, replicaLadder } from '../../../src/estimation/tempering/ladder.js';
import { TemperingKernel } from '../../../src/estimation/tempering/tempering-kernel.js';
import {
  distance,
  EPS,
  energyOf,
  fullSpace,
  jacobiEigen,
  type Matrix,
  matrixOf,
  product,
  spinOf,
  symmetrised,
  vector,
} from '../../support/brute-force.js';
import { complete, REVERSIBLE, random } from '../../support/models.js';
import { chiSquareSigmas } from '../../support/statistics.js';

const triangle = ising({
  spins: 3,
  edges: complete(3),
  couplings: [0.9, -0.4, 0.6],
  biases: [0.3, -0.2, 0.5],
  beta: 1.3,
});
const symmetric = ising({ spins: 3, edges: complete(3), couplings: [0.9, 0.7, -0.6] });

const ladderOf = (model: Model, kernel: KernelName, betas: readonly number[], sweeps = 1) =>
  replicaLadder(model, { betas: [...betas, model.beta], kernel, sweeps });

/** `(L S + S L) / 2` from its definition in words, the states of one replica as digits, the hottest one's first. */
function definition(ladder: ReplicaLadder): { p: Matrix; pi: Float64Array } {
  const { model, betas, kernel, sweeps } = ladder;
  const size = 2 ** model.spins;
  const states = size ** betas.length;
  const perSweep =
    kernel === 'random-scan' || kernel === 'metropolis'
      ? model.spins
      : kernel === 'random-block'
        ? model.blocks.length
        : 1;
  const spaces = Array.from(betas, (beta) => fullSpace({ ...model, beta }));
  const own = spaces.map(
    (full) =>
      Array(sweeps * perSweep)
        .fill(matrixOf(full, kernel))
        .reduce(product) as Matrix,
  );
  const digit = (s: number, k: number) => Math.floor(s / size ** k) % size;
  const index = betas.map((_, k) => k);
  const local = Array.from({ length: states }, (_, s) =>
    vector(states, (t) => index.reduce((p, k) => p * own[k][digit(s, k)][digit(t, k)], 1)),
  );
  const pi = vector(states, (s) => index.reduce((p, k) => p * spaces[k].pi[digit(s, k)], 1));
  const pair = (k: number): Matrix =>
    Array.from({ length: states }, (_, s) => {
      const [a, b] = [digit(s, k), digit(s, k + 1)];
      const t = s + (b - a) * size ** k + (a - b) * size ** (k + 1);
      const accept = Math.min(1, Math.exp((betas[k] - betas[k + 1]) * (energyOf(model, a) - energyOf(model, b))));
      const row = new Float64Array(states);
      row[t] += accept;
      row[s] += 1 - accept;
      return row;
    });
  const pairs = Array.from({ length: betas.length - 1 }, (_, k) => pair(k));
  const sets = [0, 1].flatMap((parity) => {
    const own = pairs.filter((_, k) => k % 2 === parity);
    return own.length > 0 ? [own.reduce(product)] : [];
  });
  const swaps = sets[0].map((row, s) => row.map((_, t) => sets.reduce((sum, p) => sum + p[s][t], 0) / sets.length));
  const [ls, sl] = [product(local, swaps), product(swaps, local)];
  return { p: ls.map((row, s) => row.map((value, t) => (value + sl[s][t]) / 2)), pi };
}

const rowsOf = (kernel: TemperingKernel): Matrix => {
  const columns = Array.from({ length: kernel.states }, (_, t) => {
    const image = new Float64Array(kernel.states);
    kernel.apply(
      vector(kernel.states, (s) => (s === t ? 1 : 0)),
      image,
    );
    return image;
  });
  return columns.map((_, s) => columns.map((column) => column[s])).map((row) => Float64Array.from(row));
};

/** Detailed-balance defect (DESIGN section 2). */
function defect(p: Matrix, pi: Float64Array): number {
  let [apart, top] = [0, 0];
  p.forEach((row, s) => {
    row.forEach((value, t) => {
      apart = Math.max(apart, Math.abs(pi[s] * value - pi[t] * p[t][s]));
      top = Math.max(top, pi[s] * value);
    });
  });
  return apart / top;
}

const cases = [
  ...REVERSIBLE.map((kernel) => ({ name: kernel, ladder: ladderOf(triangle, kernel, [0]) })),
  { name: 'two sweeps', ladder: ladderOf(triangle, 'random-scan', [0.4], 2) },
  {
    name: 'four replicas of two spins',
    ladder: ladderOf(
      ising({ spins: 2, edges: [[0, 1]], couplings: [0.8], biases: [0.2, -0.5] }),
      'random-scan',
      [0, 0.3, 0.6],
    ),
  },
  { name: 'three replicas', ladder: ladderOf(triangle, 'palindrome', [0.2, 0.7]) },
];

describe.each(cases)('$name', ({ ladder }) => {
  const kernel = new TemperingKernel(ladder);
  const { states } = kernel;
  const size = 2 ** ladder.model.spins;
  const p = rowsOf(kernel);
  const { p: expected, pi } = definition(ladder);
  // Sums of products of as many terms as there are steps of every replica.
  const rounding = 64 * ladder.betas.length * EPS;

  test('is half of L S + S L', () => {
    expect(distance(kernel.pi, pi)).toBeLessThan(rounding);
    p.forEach((row, s) => {
      expect(distance(row, expected[s])).toBeLessThan(rounding);
    });
  });

  test('is reversible and leaves the product law alone, whose last marginal is the model', () => {
    expect(defect(p, kernel.pi)).toBeLessThan(rounding);
    const after = new Float64Array(states);
    kernel.propagate(kernel.pi, after);
    expect(distance(after, kernel.pi)).toBeLessThan(rounding);
    const last = new Float64Array(size);
    kernel.pi.forEach((mass, s) => (last[Math.floor(s / (states / size))] += mass));
    expect(distance(last, fullSpace(ladder.model).pi)).toBeLessThan(rounding);
  });

  test('measures and generator agree with the matrix', () => {
    const { normal } = random(3);
    const x = vector(states, normal);
    const mu = vector(states, () => Math.abs(normal()));
    const [y, out] = [new Float64Array(states), new Float64Array(states)];
    kernel.applyGenerator(x, y);
    kernel.propagate(mu, out);
    const top = Math.max(...x.map(Math.abs));
    const image = vector(states, (s) => x[s] - p[s].reduce((sum, value, t) => sum + value * x[t], 0));
    expect(distance(y, image)).toBeLessThan(rounding * top * size);
    const pushed = vector(states, (t) => mu.reduce((sum, mass, s) => sum + mass * p[s][t], 0));
    expect(distance(out, pushed)).toBeLessThan(rounding * mu.reduce((a, b) => a + b));
    kernel.applyGenerator(new Float64Array(states).fill(3), y);
    expect(Math.max(...y.map(Math.abs))).toBeLessThan(3 * rounding);
  });

  test('its eigenvalues lie in [-1, 1], one of them 1', () => {
    const a = symmetrised(p, kernel.pi);
    const values =
      states <= 64
        ? jacobiEigen(a).values
        : symmetricEigen(Float64Array.from(a.flatMap((row) => [...row])), states).values;
    const sorted = [...values].sort((x, y) => y - x);
    // Entries are known to rounding, the norm to as many times that as there are rows at most.
    expect(Math.abs(sorted[0] - 1)).toBeLessThan(states * rounding);
    expect(sorted[1]).toBeLessThan(1 - 0.01);
    expect(sorted[states - 1]).toBeGreaterThan(-1 + 0.01);
  });

  test('one step of the sampler from every state, or some, against the rows', () => {
    // 64 or 16 statistics of unit normal size: one beyond 5 sigmas has a chance of 64 * 6e-7 for each of 8 cases, 3e-4 in all.
    const from =
      states === 64 ? Array.from({ length: 64 }, (_, s) => s) : Array.from({ length: 16 }, (_, k) => 15 * k + 7);
    const draws = states === 64 ? 2000 : 6000;
    const all = new Ensembles(ladder, temperingStart(ladder, draws, 41));
    for (const s of from) {
      all.spins.forEach((spins, row) => {
        spins.set(spinsOf(ladder.model.spins, Math.floor(s / size ** (row % all.replicas)) % size));
        all.energies[row] = ladder.energy(spins);
      });
      all.step();
      const counts = new Float64Array(states);
      for (let m = 0; m < draws; m++) {
        counts[ladder.betas.reduce((index, _, k) => index + size ** k * stateOf(all.spins[m * all.replicas + k]), 0)]++;
      }
      expect(Math.abs(chiSquareSigmas(counts, p[s]))).toBeLessThan(5);
      counts.forEach((count, t) => {
        if (p[s][t] < 1e-300) expect(count).toBe(0);
      });
    }
  });
});

const spinsOf = (count: number, s: number) => Int8Array.from({ length: count }, (_, i) => spinOf(s, i));
const stateOf = (spins: Int8Array) => spins.reduce((s, x, i) => s + (x > 0 ? 2 ** i : 0), 0);

test('without biases the operator acts on pairs of mirror images: the matrix, summed over them', () => {
  const ladder = ladderOf(symmetric, 'random-scan', [0.3]);
  const kernel = new TemperingKernel(ladder);
  const { p, pi } = definition(ladder);
  const folded = (s: number) =>
    [s % 8, Math.floor(s / 8)].reduce((index, own, k) => index + (own < 4 ? own : 7 - own) * 4 ** k, 0);
  const rows = rowsOf(kernel);
  const mass = new Float64Array(16);
  pi.forEach((value, s) => (mass[folded(s)] += value));
  expect(kernel.states).toBe(16);
  expect(distance(kernel.pi, mass)).toBeLessThan(64 * EPS);
  p.forEach((row, s) => {
    const sums = new Float64Array(16);
    row.forEach((value, t) => (sums[folded(t)] += value));
    expect(distance(rows[folded(s)], sums)).toBeLessThan(128 * EPS);
  });
});

test('two wells of a triangle: the gap of the replicas is four orders above that of the local kernel', () => {
  const wells = ising({ spins: 3, edges: complete(3), couplings: [4, 4, 4], biases: [0.05, 0.05, 0.05] });
  const gapOf = (p: Matrix, pi: Float64Array) => {
    const values = [...jacobiEigen(symmetrised(p, pi)).values].sort((x, y) => y - x);
    return 1 - values[1];
  };
  const full = fullSpace(wells);
  const sweep = matrixOf(full, 'palindrome');
  const replicas = new TemperingKernel(ladderOf(wells, 'palindrome', [0]));
  expect(gapOf(sweep, full.pi)).toBeLessThan(1e-5);
  expect(gapOf(rowsOf(replicas), replicas.pi)).toBeGreaterThan(0.1);
});

describe('what is no ladder', () => {
  const make =
    (betas: readonly number[], change: object = {}) =>
    () =>
      replicaLadder(triangle, { betas, kernel: 'random-scan', ...change });
  test.each([
    [[1.3], /^betas must be a list of at least two inverse temperatures, got 1; add hotter ones/],
    [[], /^betas must be a list of at least two/],
    [[-0.1, 1.3], /^betas\[0\] must be a finite number of at least 0, got -0\.1/],
    [[Number.NaN, 1.3], /^betas\[0\] must be a finite number/],
    [[0.5, 0.5, 1.3], /^betas\[1\] must be above the one before it, 0\.5/],
    [[0, 1], /^betas\[1\] must be the model's own, 1\.3, got 1;/],
  ])('%o', (betas, message) => {
    expect(make(betas)).toThrow(InputError);
    expect(make(betas)).toThrow(message);
  });

  test('of kernels that are not reversible, or no sweeps, or too many replicas', () => {
    expect(make([0, 1.3], { kernel: 'alternating-block' })).toThrow(ReversibilityError);
    expect(make([0, 1.3], { sweeps: 0 })).toThrow(/^sweeps must be a whole number of at least 1/);
    expect(make(Array.from({ length: 257 }, (_, k) => (1.3 * k) / 256))).toThrow(UnsupportedError);
  });

  test('or no operator, for its size', () => {
    expect(() => new TemperingKernel(ladderOf(triangle, 'random-scan', [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]))).toThrow(
      /it has 2\^24 states/,
    );
  });
});
