import { createRoute, ising, type Model, type Quantity, type Route, rbm } from 'htdml';
import { describe, expect, test } from 'vitest';
import { dot, EPS, lawError } from '../../support/brute-force.js';
import { complete, FACTORED, MIXTURES, random, randomData } from '../../support/models.js';

/** Wells of many states each, so that most differences of `u` are within a well: order 1, where `u` itself is of the order of the inverse gap. */
function models(): { name: string; model: Model }[] {
  const list: { name: string; model: Model }[] = [];
  for (const scale of [3, 5, 7, 10]) {
    for (const field of [0.1, 0.3]) {
      const { normal } = random(5);
      const of = (n: number, size: number) => Array.from({ length: n }, () => size * normal());
      for (const [visible, hidden] of [
        [3, 2],
        [2, 3],
      ]) {
        list.push({
          name: `RBM ${visible} + ${hidden}, weights ${scale}, biases ${field * scale}`,
          model: rbm({
            visible,
            hidden,
            weights: of(6, scale),
            visibleBiases: of(visible, field * scale),
            hiddenBiases: of(hidden, field * scale),
          }),
        });
      }
      list.push({
        name: `spin glass of five, couplings ${scale}, biases ${field * scale}`,
        model: ising({ spins: 5, edges: complete(5), couplings: of(10, scale), biases: of(5, field * scale) }),
      });
    }
    list.push({
      name: `spin glass of five, couplings ${scale}, no biases`,
      model: ising({
        spins: 5,
        edges: complete(5),
        couplings: Array.from({ length: 10 }, random(11).normal).map((x) => scale * x),
      }),
    });
  }
  return list;
}

/** Fourth-order central difference of a log along a direction. */
function slope(route: Route, quantity: Quantity, theta: Float64Array, direction: Float64Array, step: number): number {
  const at = (h: number) =>
    Math.log(
      route.evaluate(
        theta.map((x, a) => x + h * direction[a]),
        [quantity],
      ).value[quantity] ?? Number.NaN,
    );
  return (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step);
}

const STEP = 2 ** -10;

describe.each(models())('$name', ({ model }) => {
  const data = randomData(model.visible.length, 11, 0.7);
  const raw = Float64Array.from(model.theta, random(17).normal);
  const direction = raw.map((x) => x / raw.reduce((sum, y) => sum + Math.abs(y), 0));
  const routes = [
    ...MIXTURES.map((kernel) => createRoute(model, data, { kernel, route: 'table' })),
    ...(model.layers === null ? [] : FACTORED).map((kernel) => createRoute(model, data, { kernel, route: 'factored' })),
  ];

  test.each(routes.map((route, k) => ({ name: `${route.name} ${k}`, route })))(
    '$name: the derivative of log T, however slow the chain',
    ({ route }) => {
      const { value, pullback, info } = route.evaluate(model.theta, ['timescale']);
      expect(info.converged).toBe(true);
      const time = value.timescale ?? 0;
      const gradient = pullback({ timescale: 1 / time });
      const [fine, coarse] = [STEP, 2 * STEP].map((step) => slope(route, 'timescale', model.theta, direction, step));
      // The coarse stencil is off by 16 times what the fine one is off by, so their distance covers it. log T, as any logarithm of ratios of sums of
      // Boltzmann factors, is known to lawError; the stencil multiplies that by 3 / (2 STEP).
      const error = Math.abs(fine - coarse) + (2 * lawError(model)) / STEP;
      expect(Math.abs(dot(gradient, direction) - fine)).toBeLessThan(error);
      // The test has teeth: what is being measured is far larger than its error.
      expect(error).toBeLessThan(1e-7 * (1 + Math.max(...gradient.map(Math.abs))));
    },
  );
});

/** Bias-free pair under any block kernel: T = Var / 2 = 1 / (2 cosh(J)^2) and dT/dJ = -2 tanh(J) T, with gap 1 whatever J. Only the odd sector is slow, which nothing sees. */
describe.each([1, 5, 10, 20, 100, 170])('an RBM 1 + 1 without biases at weight %d', (weight) => {
  const model = rbm({ visible: 1, hidden: 1, weights: [weight] });
  const exact = 2 * (Math.exp(-weight) / (1 + Math.exp(-2 * weight))) ** 2;
  // exp(-2J) is as accurate as its argument.
  const tolerance = 16 * EPS * (1 + 2 * weight);

  test.each((['table', 'factored'] as const).flatMap((route) => FACTORED.map((kernel) => [route, kernel] as const)))(
    '%s route, %s: T, variance and derivative keep their relative accuracy',
    (name, kernel) => {
      const route = createRoute(model, randomData(1, 3), { kernel, route: name });
      const { value, pullback } = route.evaluate(model.theta, ['timescale', 'variance']);
      expect(Math.abs((value.timescale ?? 0) / exact - 1)).toBeLessThan(tolerance);
      expect(Math.abs((value.variance ?? 0) / (2 * exact) - 1)).toBeLessThan(tolerance);
      expect(Math.abs(pullback({ timescale: 1 })[0] / (-2 * Math.tanh(weight) * exact) - 1)).toBeLessThan(tolerance);
    },
  );
});
