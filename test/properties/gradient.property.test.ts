import fc from 'fast-check';
import { createRoute, type Quantity, type Route } from 'htdml';
import { expect, test } from 'vitest';
import { dot, EPS, lawError } from '../support/brute-force.js';
import { random } from '../support/models.js';
import { isings, kernels, problems, RUNS, rbms } from './arbitraries.js';

const STEP = 2 ** -11;

/** Fourth-order central difference along a direction. */
function slope(route: Route, quantity: Quantity, theta: Float64Array, direction: Float64Array, step: number): number {
  const at = (h: number) =>
    route.evaluate(
      theta.map((x, a) => x + h * direction[a]),
      [quantity],
    ).value[quantity] ?? Number.NaN;
  return (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step);
}

/** A direction along which beta theta moves by one in the 1-norm. */
function unitDirection(length: number, beta: number, seed: number): Float64Array {
  const raw = Float64Array.from({ length }, random(seed).normal);
  const size = raw.reduce((sum, x) => sum + Math.abs(x), 0);
  return raw.map((x) => x / size / beta);
}

test('every derivative is the central difference in a random direction', () => {
  fc.assert(
    fc.property(problems(fc.oneof(isings, rbms)), kernels, fc.nat(10_000), ([model, data], kernel, seed) => {
      const route = createRoute(model, data, { kernel });
      const direction = unitDirection(model.theta.length, model.beta, seed);
      const { value, pullback } = route.evaluate(model.theta, ['timescale', 'variance', 'signal', 'kl']);
      const gap = route.relaxation(model.theta).groups?.[0].gap ?? Number.NaN;
      for (const quantity of ['timescale', 'variance', 'signal', 'kl'] as const) {
        const [fine, coarse] = [STEP, 2 * STEP].map((step) => slope(route, quantity, model.theta, direction, step));
        // The coarse stencil is off by 16 times what the fine one is off by. Values are right to lawError times their size and the number of
        // observables, T to one more factor |f| |u| / <f, u> <= 1 / sqrt(gap); the stencil multiplies rounding by 3 / (2 STEP).
        const size = (1 + (value[quantity] ?? Number.NaN)) * (quantity === 'timescale' ? 1 / Math.sqrt(gap) : 1);
        const rounding = (2 * lawError(model) * model.theta.length * size) / STEP;
        const exact = dot(pullback({ [quantity]: 1 }), direction);
        expect(Math.abs(exact - fine)).toBeLessThan(Math.abs(fine - coarse) + rounding);
      }
    }),
    RUNS,
  );
});

test('the slow cluster with its membership frozen, where no event lies between the points', () => {
  fc.assert(
    fc.property(problems(isings), kernels, fc.nat(10_000), ([model, data], kernel, seed) => {
      const route = createRoute(model, data, { kernel, route: 'table' });
      const direction = unitDirection(model.theta.length, model.beta, seed);
      const at = (h: number) => route.relaxation(model.theta.map((x, a) => x + h * direction[a])).groups ?? [];
      const members = (h: number) => {
        const groups = at(h);
        const total = groups.reduce((sum, group) => sum + group.weight, 0);
        const anchor = groups.find((group) => group.weight >= 1e-3 * total);
        const inside = groups.filter((group) => group.gap <= 2.5 * (anchor?.gap ?? 0));
        const outside = groups[inside.length]?.gap ?? Number.POSITIVE_INFINITY;
        const count = inside.reduce((sum, group) => sum + group.multiplicity, 0);
        return {
          count,
          anchor: groups.indexOf(anchor ?? groups[0]),
          distance: outside - inside[inside.length - 1].gap,
          gap: groups[0].gap,
        };
      };
      const points = [-4, -2, -1, 0, 1, 2, 4].map((k) => members(k * STEP));
      const here = points[3];
      fc.pre(points.every(({ count, anchor }) => count === here.count && anchor === here.anchor));
      // A cluster that nearly touches the outside is no smooth function on the scale of the stencil.
      fc.pre(here.distance > 0.01 * here.gap);
      for (const quantity of ['slowClusterTimescale', 'slowClusterMass'] as const) {
        const { value, pullback } = route.evaluate(model.theta, [quantity]);
        const [fine, coarse] = [STEP, 2 * STEP].map((step) => slope(route, quantity, model.theta, direction, step));
        // An eigensolver knows modes to n eps over the distance to the next, and gaps to n eps.
        const n = 2 ** model.spins;
        const spectral = (n * (8 * EPS + lawError(model))) / Math.min(here.distance, here.gap);
        const rounding = (2 * spectral * model.theta.length * (1 + (value[quantity] ?? Number.NaN))) / STEP;
        const exact = dot(pullback({ [quantity]: 1 }), direction);
        expect(Math.abs(exact - fine)).toBeLessThan(Math.abs(fine - coarse) + rounding);
      }
    }),
    RUNS,
  );
});
