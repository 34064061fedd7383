import { createRoute, type Quantity, type Relaxation, type Route, rbm } from 'htdml';
import { describe, expect, test } from 'vitest';
import { ACCURACY } from '../../src/trainability/accuracy.js';
import { propagatedError, stationaryError } from '../../src/trainability/exact-snr.js';
import { TableRoute } from '../../src/trainability/routes/table-route.js';
import { DIFFERENTIABLE, FACTORED, GIBBS, gradientCases, randomData } from '../support/models.js';

const STEP = 1e-4;

/** Fourth-order central differences: error about `STEP^4` times the fifth derivative, and rounding of about `1e-12`. */
function differences(route: Route, theta: Float64Array, quantity: Quantity): Float64Array {
  const at = (a: number, delta: number) => {
    const moved = Float64Array.from(theta);
    moved[a] += delta;
    return route.evaluate(moved, [quantity]).value[quantity] as number;
  };
  return theta.map((_, a) => (8 * (at(a, STEP) - at(a, -STEP)) - (at(a, 2 * STEP) - at(a, -2 * STEP))) / (12 * STEP));
}

function relativeDistance(x: Float64Array, y: Float64Array, floor = 1e-300): number {
  const scale = Math.max(floor, ...x.map(Math.abs), ...y.map(Math.abs));
  return Math.max(...x.map((value, k) => Math.abs(value - y[k]))) / scale;
}

/** Where the signal vanishes exactly, beside the usual cases. */
const silent = {
  name: 'RBM 2 + 3 at zero, no biases',
  model: rbm({ visible: 2, hidden: 3, weights: Array(6).fill(0) }),
  data: randomData(2, 11, 0.7),
};

describe.each([...gradientCases(), silent])('$name', ({ model, data }) => {
  for (const kernel of DIFFERENTIABLE) {
    const table = createRoute(model, data, { kernel, route: 'table' });
    for (const quantity of ['timescale', 'variance', 'signal', 'kl'] as const) {
      test(`${kernel}: ${quantity} against central differences`, () => {
        const { value, pullback } = table.evaluate(model.theta, [quantity]);
        const gradient = pullback({ [quantity]: 1 });
        const numeric = differences(table, model.theta, quantity);
        expect(relativeDistance(gradient, numeric, 1e-2 * (1 + (value[quantity] ?? 0)))).toBeLessThan(
          ACCURACY.differences,
        );
      });
    }
    // Without modes the second algorithm is propagation: exact-snr and the test below.
    if (!GIBBS.includes(kernel)) continue;
    test(`${kernel}: (5.4) against (5.2) with every mode in the cluster`, () => {
      const everything = createRoute(model, data, {
        kernel,
        route: 'table',
        thresholds: { epsilon: 1e-3, kappa: 1e12 },
      });
      const full = table.evaluate(model.theta, ['timescale', 'variance']);
      const cluster = everything.evaluate(model.theta, ['slowClusterTimescale', 'slowClusterMass']);
      // An eigensolver resolves a gap to a few eps, a share eps / gap of it; the derivative carries one more power of the gap.
      const [time, mass] = [full.value.timescale as number, full.value.variance as number];
      const gap = table.relaxation(model.theta).groups?.[0].gap as number;
      const tolerance = (ACCURACY.modes * Number.EPSILON) / gap;
      expect(Math.abs((cluster.value.slowClusterTimescale as number) / time - 1)).toBeLessThan(tolerance);
      expect(Math.abs((cluster.value.slowClusterMass as number) / mass - 1)).toBeLessThan(tolerance);
      const [a, b] = [full.pullback({ timescale: 1 }), cluster.pullback({ slowClusterTimescale: 1 })];
      expect(relativeDistance(a, b, time)).toBeLessThan(tolerance / gap);
      const [c, d] = [full.pullback({ variance: 1 }), cluster.pullback({ slowClusterMass: 1 })];
      expect(relativeDistance(c, d, full.value.variance)).toBeLessThan(1e-10);
    });
  }
  if (model.layers === null) return;
  describe.each(FACTORED)('factored, %s', (name) => {
    const table = new TableRoute(model, data, name);
    const factored = createRoute(model, data, { kernel: name, route: 'factored' });
    const heavy = (groups: Relaxation['groups']) => groups?.filter((group) => group.weight > 1e-9) ?? [];

    test('T against central differences', () => {
      const { value, pullback } = factored.evaluate(model.theta, ['timescale']);
      const numeric = differences(factored, model.theta, 'timescale');
      const floor = 1e-2 * (1 + (value.timescale ?? 0));
      expect(relativeDistance(pullback({ timescale: 1 }), numeric, floor)).toBeLessThan(2e-9);
    });

    test('values and derivatives against the table', () => {
      const quantities = ['timescale', 'variance', 'signal', 'kl'] as const;
      const [x, y] = [table.evaluate(model.theta, quantities), factored.evaluate(model.theta, quantities)];
      for (const quantity of quantities) {
        const scale = 1 + (x.value[quantity] as number);
        expect(Math.abs((x.value[quantity] as number) - (y.value[quantity] as number)) / scale).toBeLessThan(
          ACCURACY.factored.value,
        );
        expect(relativeDistance(x.pullback({ [quantity]: 1 }), y.pullback({ [quantity]: 1 }), scale)).toBeLessThan(
          ACCURACY.factored.gradient,
        );
      }
    });

    test('T is the sum of its measure, and the stationary error that of propagation', () => {
      const measure = factored.relaxation(model.theta).measure ?? [];
      const { timescale = 0 } = factored.evaluate(model.theta, ['timescale']).value;
      const summed = measure.reduce((sum, k) => sum + (k.couplingsWeight + k.biasesWeight) * (1 / k.gap - 0.5), 0);
      expect(Math.abs(summed / timescale - 1)).toBeLessThan(1e-11);
      const { law, kernel } = table.at(model.theta);
      for (const window of [1, 2, 30]) {
        const exact = propagatedError(law, kernel, model.edges.length, law.pi, 0, window);
        const measured = stationaryError(measure, window);
        for (const group of ['couplings', 'biases'] as const) {
          expect(Math.abs(exact[group].mse - measured[group].mse)).toBeLessThan(ACCURACY.factored.error);
        }
      }
    });

    test.runIf(GIBBS.includes(name))('spectrum against the table', () => {
      const [p, q] = [table.relaxation(model.theta), factored.relaxation(model.theta)];
      const { gap, weight } = ACCURACY.factored;
      expect(Math.abs((q.slowest?.gap as number) - (p.slowest?.gap as number))).toBeLessThan(gap);
      expect(q.slowest?.multiplicity).toBe(p.slowest?.multiplicity);
      expect(heavy(q.groups).length).toBe(heavy(p.groups).length);
      heavy(q.groups).forEach((group, k) => {
        const other = heavy(p.groups)[k];
        // Correlations of layers are known by their squares, so gaps within it of 1/2 only to a square root.
        expect(Math.abs(group.gap - other.gap)).toBeLessThan(weight);
        expect(Math.abs(group.weight - other.weight)).toBeLessThan(weight);
        expect(Math.abs(group.biasesWeight - other.biasesWeight)).toBeLessThan(weight);
        expect(group.multiplicity).toBe(other.multiplicity);
      });
    });
  });
});
