import fc from 'fast-check';
import {
  createRoute,
  type DataLaw,
  dataLawFromCounts,
  ising,
  type KernelName,
  type Model,
  rbm,
  withParameters,
} from 'htdml';
import { expect, test } from 'vitest';
import { EPS, lawError } from '../support/brute-force.js';
import { isings, kernels, order, problems, RUNS } from './arbitraries.js';

const QUANTITIES = ['timescale', 'variance', 'signal', 'kl'] as const;

function evaluate(model: Model, data: DataLaw, kernel: KernelName) {
  const route = createRoute(model, data, { kernel, route: 'table' });
  const { value, pullback } = route.evaluate(model.theta, QUANTITIES);
  const [timescale, variance, signal, kl] = QUANTITIES.map((quantity) => value[quantity] ?? Number.NaN);
  const gap = route.relaxation(model.theta).groups?.[0].gap ?? Number.NaN;
  return { timescale, variance, signal, kl, gap, pullback };
}

/**
 * Rounding of the four numbers. Probabilities are right to lawError relatively, so the variance and |g|^2 to that times the number of observables, KL absolutely.
 * `T + mu/2 = <f, u>` moves with them by `lawError |f| |u|`, and `|f| |u| / <f, u> <= sqrt(1 / (gap (T + mu/2) / mu))` since `|u|^2 <= <f, u> / gap`.
 */
function expectSame(x: ReturnType<typeof evaluate>, y: ReturnType<typeof evaluate>, model: Model): void {
  const error = 16 * lawError(model);
  const shifted = x.timescale + x.variance / 2;
  expect(Math.abs(x.timescale - y.timescale)).toBeLessThan(error * Math.sqrt((shifted * x.variance) / x.gap));
  expect(Math.abs(x.variance - y.variance)).toBeLessThan(error * model.theta.length);
  expect(Math.abs(x.signal - y.signal)).toBeLessThan(error * model.theta.length);
  expect(Math.abs(x.kl - y.kl)).toBeLessThan(error * (1 + x.kl));
}

/** Patterns of a law with each rebuilt bit by bit. */
const mapPatterns = (data: DataLaw, spins: number, bit: (pattern: number, k: number) => number): DataLaw =>
  dataLawFromCounts(
    spins,
    Array.from(data.patterns, (pattern, at) => {
      let image = 0;
      for (let k = 0; k < spins; k++) image += bit(pattern, k) << k;
      return [image, data.probabilities[at]] as const;
    }),
  );

const bitOf = (pattern: number, k: number) => (pattern >> k) & 1;

/** The same edges and parameters with blocks spelt out, since derived blocks depend on the names of the spins. */
function rebuilt(
  model: Model,
  change: { theta?: ArrayLike<number>; name?: (i: number) => number; visible?: number[] },
): Model {
  const { edges, spins, beta, biased } = model;
  const theta = Array.from(change.theta ?? model.theta);
  const name = change.name ?? ((i: number) => i);
  const biases = theta.slice(edges.length);
  const moved = [...biases];
  biases.forEach((h, i) => {
    moved[name(i)] = h;
  });
  return ising({
    spins,
    beta,
    edges: edges.map(([i, j]) => [name(i), name(j)] as const),
    couplings: theta.slice(0, edges.length),
    biases: biased ? moved : undefined,
    visible: change.visible ?? model.visible.map(name),
    blocks: model.blocks.map((block) => block.map(name)),
  });
}

test('relabelling the spins changes nothing', () => {
  const cases = problems(isings).chain(([model, data]) =>
    fc.tuple(fc.constant(model), fc.constant(data), order(model.spins)),
  );
  fc.assert(
    fc.property(cases, kernels, ([model, data, names], kernel) => {
      const image = rebuilt(model, { name: (i) => names[i] });
      expectSame(evaluate(model, data, kernel), evaluate(image, data, kernel), model);
    }),
    RUNS,
  );
});

test('reordering the data columns with the list of visible spins changes nothing', () => {
  const cases = problems(isings).chain(([model, data]) =>
    fc.tuple(fc.constant(model), fc.constant(data), order(model.visible.length)),
  );
  fc.assert(
    fc.property(cases, kernels, ([model, data, columns], kernel) => {
      const image = rebuilt(model, { visible: columns.map((k) => model.visible[k]) });
      const moved = mapPatterns(data, columns.length, (pattern, k) => bitOf(pattern, columns[k]));
      expectSame(evaluate(model, data, kernel), evaluate(image, moved, kernel), model);
    }),
    RUNS,
  );
});

test('a gauge transformation changes nothing: flip a spin in its couplings, its bias and its data column', () => {
  const cases = problems(isings).chain(([model, data]) =>
    fc.tuple(
      fc.constant(model),
      fc.constant(data),
      fc.array(fc.boolean(), { minLength: model.spins, maxLength: model.spins }),
    ),
  );
  fc.assert(
    fc.property(cases, kernels, ([model, data, flipped], kernel) => {
      const sign = (i: number) => (flipped[i] ? -1 : 1);
      const theta = model.theta.map((x, a) => {
        if (a >= model.edges.length) return sign(a - model.edges.length) * x;
        const [i, j] = model.edges[a];
        return sign(i) * sign(j) * x;
      });
      const image = rebuilt(model, { theta });
      const moved = mapPatterns(
        data,
        data.spins,
        (pattern, k) => bitOf(pattern, k) ^ (flipped[model.visible[k]] ? 1 : 0),
      );
      expectSame(evaluate(model, data, kernel), evaluate(image, moved, kernel), model);
    }),
    RUNS,
  );
});

test('without biases, mirroring the data changes nothing', () => {
  const free = isings.filter((model) => !model.biased);
  fc.assert(
    fc.property(problems(free), kernels, ([model, data], kernel) => {
      const mirrored = mapPatterns(data, data.spins, (pattern, k) => 1 - bitOf(pattern, k));
      expectSame(evaluate(model, data, kernel), evaluate(model, mirrored, kernel), model);
    }),
    RUNS,
  );
});

test('only beta theta matters: (beta / c, c theta) has the same numbers, and its derivatives are 1 / c of them', () => {
  fc.assert(
    fc.property(problems(isings), kernels, fc.integer({ min: -8, max: 8 }), ([model, data], kernel, k) => {
      // By a power of two every product beta theta is the same number, and so is everything after it.
      const c = 2 ** k;
      const scaled = {
        ...withParameters(
          model,
          model.theta.map((x) => c * x),
        ),
        beta: model.beta / c,
      };
      const [x, y] = [evaluate(model, data, kernel), evaluate(scaled, data, kernel)];
      for (const quantity of QUANTITIES) {
        expect(y[quantity]).toBe(x[quantity]);
        const [a, b] = [x.pullback({ [quantity]: 1 }), y.pullback({ [quantity]: 1 })];
        expect([...b.map((value) => c * value)]).toEqual([...a]);
      }
    }),
    RUNS,
  );
  fc.assert(
    fc.property(
      problems(isings),
      kernels,
      fc.double({ min: 0.1, max: 10, noNaN: true }),
      ([model, data], kernel, c) => {
        const scaled = {
          ...withParameters(
            model,
            model.theta.map((x) => c * x),
          ),
          beta: model.beta / c,
        };
        // One more rounding of each parameter.
        expectSame(evaluate(model, data, kernel), evaluate(scaled, data, kernel), model);
      },
    ),
    RUNS,
  );
});

test('an RBM is the Ising model of its edges with hidden spins', () => {
  const cases = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 }), fc.boolean(), fc.nat(1000));
  fc.assert(
    fc.property(cases, kernels, ([m, n, biased, seed], kernel) => {
      const numbers = Array.from({ length: m * n + m + n }, (_, k) => Math.sin(seed + 1.7 * k));
      const [weights, v, h] = [numbers.slice(0, m * n), numbers.slice(m * n, m * n + m), numbers.slice(m * n + m)];
      const machine = rbm({
        visible: m,
        hidden: n,
        weights,
        visibleBiases: biased ? v : undefined,
        hiddenBiases: biased ? h : undefined,
      });
      const { spins, edges, visible, blocks } = machine;
      const twin = ising({
        spins,
        edges,
        couplings: weights,
        biases: biased ? [...v, ...h] : undefined,
        visible,
        blocks,
      });
      const data = dataLawFromCounts(m, [[seed % 2 ** m, 1]]);
      const [x, y] = [evaluate(machine, data, kernel), evaluate(twin, data, kernel)];
      // The same tables in the same order; blocks given by hand are not solved by the compiled loops, which are right to rounding over the gap.
      for (const quantity of QUANTITIES) {
        expect(Math.abs(y[quantity] - x[quantity])).toBeLessThanOrEqual(((64 * EPS) / x.gap) * Math.abs(x[quantity]));
      }
      expect(Math.abs(x.gap - y.gap)).toBeLessThan(EPS);
    }),
    RUNS,
  );
});
