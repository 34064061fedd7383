import fc from 'fast-check';
import { createRoute, type DataLaw, type KernelName, type Model, type Quantities, rbm } from 'htdml';
import { describe, expect, test } from 'vitest';
import { distance, EPS, largest, lawError } from '../support/brute-force.js';
import { FACTORED, FACTORED_GIBBS } from '../support/models.js';
import { problems, RUNS, rbms, real } from './arbitraries.js';

const QUANTITIES = ['timescale', 'variance', 'signal', 'kl'] as const;

const cotangents: fc.Arbitrary<Quantities> = fc.record({
  timescale: real(1),
  variance: real(1),
  signal: real(1),
  kl: real(1),
});

const factoredKernels = fc.constantFrom(...FACTORED_GIBBS);

/** Values, derivatives and spectra of the two routes of an RBM. */
function expectAgreement(model: Model, data: DataLaw, bar: Quantities, kernel: KernelName): void {
  const [table, factored] = (['table', 'factored'] as const).map((route) =>
    createRoute(model, data, { kernel, route }),
  );
  const [x, y] = [table, factored].map((route) => route.evaluate(model.theta, QUANTITIES));
  const { groups, slowest } = table.relaxation(model.theta);
  const gap = slowest?.gap ?? Number.NaN;
  const count = model.theta.length;
  // Probabilities and means are right to lawError absolutely, and `count` of them add up.
  const error = 16 * lawError(model) * count;
  const time = x.value.timescale ?? Number.NaN;
  for (const quantity of QUANTITIES) {
    const [a, b] = [x.value[quantity] ?? Number.NaN, y.value[quantity] ?? Number.NaN];
    // T is <f, u>, |u| <= |f| / gap.
    const scale = quantity === 'timescale' ? Math.sqrt((time + count) / gap) : 1 + Math.abs(a);
    expect(Math.abs(a - b)).toBeLessThan(error * scale);
  }
  // Derivatives of T hold differences of u within a well, with |u| <= |f| / gap, times u.
  const gradient = x.pullback(bar);
  const size = model.beta * (Math.abs(bar.timescale ?? 0) * ((time + count) / gap) + 4 * count);
  expect(distance(gradient, y.pullback(bar))).toBeLessThan(error * (size + largest(gradient)));

  const other = factored.relaxation(model.theta);
  const spectral = 8 * 2 ** model.spins * lawError(model);
  // The factored route knows a correlation c of the layers by c^2, so its gap (1 - c) / 2 to `spectral / c`, and to `blur` where c vanishes.
  const blur = Math.sqrt(64 * 2 ** model.spins * EPS);
  const known = (g: number) => Math.min(spectral / Math.abs(1 - 2 * g), blur + spectral);
  expect(Math.abs((other.slowest?.gap ?? Number.NaN) - gap)).toBeLessThan(known(gap));
  const sum = (list: typeof groups, q: (gap: number) => number) =>
    (list ?? []).reduce((total, group) => total + group.weight * q(group.gap), 0);
  const weights = count * (spectral + error);
  expect(Math.abs(sum(groups, () => 1) - sum(other.groups, () => 1))).toBeLessThan(weights);
  // Smooth functions of the gap with slopes up to 1: each group contributes its weight times what its gap is off by.
  const slack = weights + sum(groups, known);
  for (const q of [(g: number) => g, (g: number) => Math.exp(-g)]) {
    expect(Math.abs(sum(groups, q) - sum(other.groups, q))).toBeLessThan(slack);
  }
  const dimension = (list: typeof groups) => (list ?? []).reduce((total, group) => total + group.multiplicity, 0);
  expect(dimension(other.groups)).toBe(dimension(groups));
  const [p, q] = [table.moments(model.theta), factored.moments(model.theta)];
  expect(distance(p.data, q.data)).toBeLessThan(error);
  expect(distance(p.model, q.model)).toBeLessThan(error);
}

test('the factored route is the table route, for values, derivatives and spectra', () => {
  fc.assert(
    fc.property(problems(rbms), cotangents, factoredKernels, ([model, data], bar, kernel) =>
      expectAgreement(model, data, bar, kernel),
    ),
    RUNS,
  );
});

describe.each([
  [1, 1],
  [1, 4],
  [4, 1],
  [2, 4],
  [3, 3],
])('%i visible and %i hidden spins', (visible, hidden) => {
  test.each([true, false])('biases: %s', (biased) => {
    const numbers = fc.array(real(1), { minLength: visible * hidden + visible + hidden, maxLength: 30 });
    const models = numbers.map((x) =>
      rbm({
        visible,
        hidden,
        weights: x.slice(0, visible * hidden),
        visibleBiases: biased ? x.slice(visible * hidden, visible * hidden + visible) : undefined,
        hiddenBiases: biased ? x.slice(visible * hidden + visible, visible * hidden + visible + hidden) : undefined,
      }),
    );
    fc.assert(
      fc.property(problems(models), cotangents, factoredKernels, ([model, data], bar, kernel) =>
        expectAgreement(model, data, bar, kernel),
      ),
      { ...RUNS, numRuns: 20 },
    );
  });
});

test('a derivative is linear in its cotangent', () => {
  fc.assert(
    fc.property(
      problems(rbms),
      cotangents,
      fc.constantFrom('table' as const, 'factored' as const),
      fc.constantFrom(...FACTORED),
      ([model, data], bar, route, kernel) => {
        const { pullback } = createRoute(model, data, { kernel, route }).evaluate(model.theta, QUANTITIES);
        const parts = QUANTITIES.map((quantity) => pullback({ [quantity]: bar[quantity] }));
        const whole = pullback(bar);
        const size = parts.reduce((total, part) => total + largest(part), 1);
        // The table adds the parts before one transform over its states.
        whole.forEach((value, a) => {
          const sum = parts.reduce((total, part) => total + part[a], 0);
          expect(Math.abs(value - sum)).toBeLessThan(8 * lawError(model) * size);
        });
      },
    ),
    RUNS,
  );
});
