import { ising, KERNEL_NAMES, type Model } from 'htdml';
import { describe, expect, test } from 'vitest';
import { createKernel } from '../../src/kernel/kernels.js';
import { MixtureKernel } from '../../src/kernel/mixture-kernel.js';
import { boltzmann } from '../../src/model/boltzmann.js';
import { stateSpace } from '../../src/model/state-space.js';
import { detailedBalanceDefect, transitionMatrix } from '../../src/spectrum/dense-kernel.js';
import {
  distance,
  dot,
  fold,
  fromLeft,
  fullSpace,
  inner,
  jacobiEigen,
  kernelMatrix,
  largest,
  lawError,
  matrixOf,
  product,
  symmetrised,
  times,
  unfold,
  vector,
} from '../support/brute-force.js';
import { complete, GIBBS, gradientCases, REVERSIBLE, random, ring } from '../support/models.js';

const normals = (length: number, seed: number) => vector(length, random(seed).normal);

/** Beside the usual cases: blocks that overlap the folded spin, hold everything, or are in an unusual order. */
const blockCases: { name: string; model: Model }[] = [
  ...gradientCases().map(({ name, model }) => ({ name, model })),
  ...(
    [
      ['last spin in a pair', [[4, 0], [1, 2], [3]]],
      [
        'last spin in the middle of three',
        [
          [1, 4, 2],
          [3, 0],
        ],
      ],
      ['one block of everything', [[3, 1, 0, 4, 2]]],
    ] as const
  ).flatMap(([name, blocks]) =>
    [false, true].map((biased) => ({
      name: `${name}, ${biased ? 'biased' : 'no biases'}`,
      model: ising({
        spins: 5,
        edges: complete(5),
        couplings: normals(10, 23),
        biases: biased ? normals(5, 29) : undefined,
        blocks,
      }),
    })),
  ),
  { name: 'two spins, one block', model: ising({ spins: 2, edges: [[0, 1]], couplings: [0.7], blocks: [[0, 1]] }) },
  { name: 'one spin', model: ising({ spins: 1, edges: [], couplings: [], biases: [0.4] }) },
  { name: 'odd ring, three colours', model: ising({ spins: 5, edges: ring(5), couplings: normals(5, 31) }) },
];

describe.each(blockCases)('$name', ({ model }) => {
  const full = fullSpace(model);
  const law = boltzmann(stateSpace(model), model.theta, model.beta);
  const n = law.space.states;
  const last = full.states - 1;
  // A stochastic row whose entries are each right to lawError; a block of k spins multiplies k of them.
  const error = 4 * model.spins * lawError(model);

  describe.each(KERNEL_NAMES)('%s', (name) => {
    const kernel = createKernel(law, model, name);
    const p = matrixOf(full, name);

    for (const sector of model.biased ? ([1] as const) : ([1, -1] as const)) {
      test(`operators against the matrix, three vectors at once, sector ${sector}`, () => {
        const operator = createKernel(law, model, name, sector);
        const x = normals(3 * n, 41);
        const outputs = {
          apply: new Float64Array(3 * n),
          adjoint: new Float64Array(3 * n),
          rate: new Float64Array(3 * n),
        };
        for (const out of Object.values(outputs)) out.fill(Number.NaN);
        operator.apply(x, outputs.apply, 3);
        operator.adjoint().apply(x, outputs.adjoint, 3);
        operator.applyGenerator(x, outputs.rate, 3);
        for (let k = 0; k < 3; k++) {
          const column = (y: Float64Array) => unfold(model, y.slice(k * n, (k + 1) * n), sector);
          const expected = times(p, column(x));
          const size = error * largest(x);
          expect(distance(column(outputs.apply), expected)).toBeLessThan(size);
          // pi_s P*_st = pi_t P_ts: a ratio of two probabilities, each right to lawError.
          const weighted = column(x).map((value, s) => full.pi[s] * value);
          const backwards = fromLeft(weighted, p).map((value, s) => value / full.pi[s]);
          expect(distance(column(outputs.adjoint), backwards)).toBeLessThan(size * (1 + 1 / Math.min(...full.pi)));
          const difference = column(x).map((value, s) => value - expected[s]);
          expect(distance(column(outputs.rate), difference)).toBeLessThan(2 * size);
        }
      });
    }

    test('one step of a measure against the matrix from the left', () => {
      const mu = vector(full.states, random(43).uniform);
      const out = new Float64Array(n).fill(Number.NaN);
      kernel.propagate(fold(model, mu), out);
      const mass = mu.reduce((a, b) => a + b);
      expect(distance(out, fold(model, fromLeft(mu, p)))).toBeLessThan(error * mass);
      kernel.propagate(law.pi, out);
      expect(distance(out, law.pi)).toBeLessThan(error);
      if (model.biased) return;
      // A measure that is odd under the flip: a state and its mirror image have opposite signs, and stay so.
      const odd = vector(full.states, (s) => mu[s] - mu[last - s]);
      createKernel(law, model, name, -1).propagate(odd.slice(0, n), out);
      expect(distance(unfold(model, out, -1), fromLeft(odd, p))).toBeLessThan(error * mass);
    });

    test('rows sum to one and the diagonal of the matrix is right', () => {
      const matrix = transitionMatrix(kernel);
      for (let s = 0; s < n; s++) {
        const row = matrix.slice(s * n, (s + 1) * n);
        expect(Math.abs(row.reduce((a, b) => a + b) - 1)).toBeLessThan(error);
        // Mirror images lump: from a representative, to a representative or its mirror image.
        const expected = vector(n, (t) => p[s][t] + (model.biased ? 0 : p[s][last - t]));
        expect(distance(row, expected)).toBeLessThan(error);
        expect(row.every((value) => value >= 0)).toBe(true);
      }
    });

    test('the generator sees differences only: a constant that adds exactly changes nothing at all', () => {
      const { integer } = random(59);
      const x = vector(n, () => integer(2 ** 20) * 2 ** -20);
      const [y, z] = [new Float64Array(n), new Float64Array(n)];
      kernel.applyGenerator(x, y);
      kernel.applyGenerator(
        x.map((value) => value + 2 ** 20),
        z,
      );
      expect([...z]).toEqual([...y]);
    });

    if (!REVERSIBLE.includes(name)) return;

    test('self-adjoint in L2(pi), in detailed balance', () => {
      const [x, y] = [normals(n, 47), normals(n, 53)];
      const [px, py] = [new Float64Array(n), new Float64Array(n)];
      kernel.apply(x, px);
      kernel.apply(y, py);
      expect(Math.abs(inner(law.pi, x, py) - inner(law.pi, px, y))).toBeLessThan(2 * error * largest(x) * largest(y));
      // Each flow is right to lawError, relative to itself, hence to the largest.
      expect(detailedBalanceDefect(transitionMatrix(kernel), law.pi)).toBeLessThan(error);
    });

    if (!GIBBS.includes(name)) return;

    test('spectrum of the full matrix in [0, 1], with 1 simple', () => {
      const { values } = jacobiEigen(symmetrised(p, full.pi));
      const sorted = [...values].sort((a, b) => b - a);
      // Rotations and entries move eigenvalues by a few eps per state.
      const rounding = full.states * lawError(model);
      expect(Math.abs(sorted[0] - 1)).toBeLessThan(rounding);
      expect(sorted[sorted.length - 1]).toBeGreaterThan(-rounding);
      expect(sorted[1]).toBeLessThan(1 - 4 * rounding);
    });
  });

  test('a kernel of one block is a projection, and the mean for a block of everything', () => {
    for (const block of [...model.blocks, Array.from({ length: model.spins }, (_, i) => i)]) {
      const projection = new MixtureKernel(law, [block]);
      const x = normals(n, 61);
      const [once, twice] = [new Float64Array(n), new Float64Array(n)];
      projection.apply(x, once);
      projection.apply(once, twice);
      expect(distance(once, twice)).toBeLessThan(error * largest(x));
      const [kept, left] = [inner(law.pi, once, once), inner(law.pi, x, once)];
      expect(Math.abs(kept - left)).toBeLessThan(2 * error * largest(x) ** 2);
      if (block.length === model.spins) {
        const mean = dot(law.pi, x);
        expect(largest(once.map((value) => value - mean))).toBeLessThan(error * largest(x));
      }
    }
  });
});

test('the defect of detailed balance of chains that are out of it', () => {
  // A deterministic ring of three states: all flow forward, none back.
  const rotation = Float64Array.of(0, 1, 0, 0, 0, 1, 1, 0, 0);
  expect(detailedBalanceDefect(rotation, Float64Array.of(1 / 3, 1 / 3, 1 / 3))).toBe(1);
  // P_1 P_2 of two coupled spins is not reversible, their mixture is. With J = log(2) / 2 a spin agrees with the other with probability 2/3 and an
  // aligned state has pi = 1/3. Flow from (-,-) to (+,-): 1/3 * 1/3 * 1/3; back: 1/6 * 2/3 * 2/3, twice that and the largest there is.
  const full = fullSpace(ising({ spins: 2, edges: [[0, 1]], couplings: [Math.LN2 / 2], biases: [0, 0] }));
  const flat = (matrix: readonly Float64Array[]) => Float64Array.from(matrix.flatMap((row) => [...row]));
  const [one, two] = [[0], [1]].map((block) => kernelMatrix(full, [block]));
  const defect = detailedBalanceDefect(flat(product(one, two)), full.pi);
  expect(Math.abs(defect - 0.5)).toBeLessThan(8 * lawError(full.model));
  expect(detailedBalanceDefect(flat(kernelMatrix(full, [[0], [1]])), full.pi)).toBeLessThan(8 * lawError(full.model));
});
