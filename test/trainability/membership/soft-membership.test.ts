import { createRoute, InputError, type KernelName, type Model, type Quantity, rbm, UnsupportedError } from 'htdml';
import { logRhatSoft } from 'htdml/objectives';
import { describe, expect, test } from 'vitest';
import { type SoftWindow, softMembership } from '../../../src/trainability/membership/soft-window.js';
import { EPS } from '../../support/brute-force.js';
import { DATA, tau, unlinked } from '../../support/decoupled.js';
import { gradientCases, random, randomData } from '../../support/models.js';
import { central, oneSided } from '../../support/one-sided.js';

const NOISE = 64;

describe('the soft window as a function of gaps', () => {
  const gaps = [1e-6, 0.1, 0.1 + 1e-9, 0.3, 0.300001, 0.9];

  test.each([1e-4, 0.01, 0.3, 100])('divided differences are those of its values, eta %d', (eta) => {
    const window = { center: 0.3, eta };
    for (const parts of [
      { timescale: 1, mass: 0 },
      { timescale: 0, mass: 1 },
      { timescale: 0.7, mass: -2 },
    ]) {
      const q = softMembership(gaps, window, parts);
      const f = (x: number) => (parts.timescale * tau(x) + parts.mass) / (1 + Math.exp((x - window.center) / eta));
      gaps.forEach((x, j) => {
        expect(Math.abs(q.value(j) - f(x))).toBeLessThanOrEqual(8 * EPS * Math.abs(f(x)));
        gaps.forEach((y, k) => {
          expect(Math.abs(q.divided(j, k) - q.divided(k, j))).toBeLessThanOrEqual(
            64 * EPS * (Math.abs(parts.timescale / (x * y)) + (Math.abs(f(x)) + Math.abs(f(y))) / eta),
          );
          if (Math.abs(x - y) < 1e-3) return;
          // exp(z) is known to z eps.
          const z = 1 + (Math.abs(x - window.center) + Math.abs(y - window.center)) / eta;
          const size = (z * (Math.abs(f(x)) + Math.abs(f(y)))) / Math.abs(x - y);
          expect(Math.abs(q.divided(j, k) - (f(x) - f(y)) / (x - y))).toBeLessThanOrEqual(64 * EPS * size);
        });
        // On the diagonal it is the derivative.
        const d = central((t) => f(x + t), 0.02 * Math.min(eta, x), 4);
        const known = 1 + Math.abs(x - window.center) / eta;
        expect(Math.abs(q.divided(j, j) - d.value)).toBeLessThanOrEqual(
          known * (d.error + 16 * EPS * Math.abs(d.value)),
        );
      });
    }
  });

  test('is finite far from its centre, however narrow', () => {
    const q = softMembership([1e-12, 0.5, 0.99], { center: 0.4, eta: 1e-12 }, { timescale: 1, mass: 1 });
    for (let j = 0; j < 3; j++) for (let k = 0; k < 3; k++) expect(Number.isFinite(q.divided(j, k))).toBe(true);
    expect(q.value(0)).toBe(1e12 + 0.5);
    expect(q.value(1)).toBe(0);
  });
});

/** Where the level of the second pair crosses the edge of the hard window, 2.5 times that of the first. */
function boundary() {
  const a = 1 - Math.tanh(0.8);
  const place = Math.atanh(1 - 2.5 * a);
  return { model: (t: number) => unlinked([0.8, 0], [place + t, 0]), center: (2.5 * a) / 4 };
}

describe('across a boundary where the hard predictor jumps', () => {
  const { model, center } = boundary();
  const logOf = (name: 'softTimescale' | 'slowClusterTimescale', soft: SoftWindow) => (t: number) => {
    const one = model(t);
    const { value } = createRoute(one, DATA, { kernel: 'random-scan', soft }).evaluate(one.theta, [name]);
    return Math.log(value[name] ?? Number.NaN);
  };

  test.each([1, 2, 3])('the derivative of order %d is the same from both sides', (order) => {
    const soft = { center, eta: 0.05 };
    const options = { h: 0.003 * order, noise: NOISE };
    const of = (name: 'softTimescale' | 'slowClusterTimescale') =>
      [-1, 1].map((side) => oneSided(logOf(name, soft), 0, order, side as 1 | -1, options));
    const [left, right] = of('softTimescale');
    expect(Math.abs(left.value - right.value)).toBeLessThan(left.error + right.error);
    expect(left.error + right.error).toBeLessThan(1e-4 * 100 ** (order - 1));
    const hard = logOf('slowClusterTimescale', soft);
    expect(hard(1e-9) - hard(-1e-9)).toBeGreaterThan(0.1);
  });

  test('its gradient there is that of central differences', () => {
    for (const eta of [0.005, 0.05, 1]) {
      const soft = { center, eta };
      const one = model(0);
      const route = createRoute(one, DATA, { kernel: 'random-scan', soft });
      const at = route.evaluate(one.theta, ['softTimescale']);
      const g = at.pullback({ softTimescale: 1 / (at.value.softTimescale ?? Number.NaN) });
      const d = central(logOf('softTimescale', soft), 0.02 * Math.min(1, 4 * eta), NOISE);
      expect(d.error).toBeLessThan(1e-5 / eta);
      // The coupling of the second pair.
      expect(Math.abs(g[1] - d.value)).toBeLessThan(d.error);
    }
  });
});

test('as eta goes to 0 the soft value tends to the hard one, exponentially in the margin over eta', () => {
  const model = unlinked([0.8, 0.2], [0.5, -0.1]);
  const hard = createRoute(model, DATA, { kernel: 'random-scan' });
  const groups = hard.relaxation(model.theta).groups ?? [];
  const { value } = hard.evaluate(model.theta, ['slowClusterTimescale', 'slowClusterMass']);
  const anchor = groups[0].gap;
  const edge = 2.5 * anchor;
  // From the nearest level that is seen: what it gains or loses is weight times tau over 1 + exp(margin / eta).
  const seen = groups.filter(({ weight }) => weight > 1e-20);
  const nearest = seen.reduce((best, group) => (Math.abs(group.gap - edge) < Math.abs(best.gap - edge) ? group : best));
  const margin = Math.abs(nearest.gap - edge);
  const others = seen.filter((group) => group !== nearest).map(({ gap }) => Math.abs(gap - edge));
  const inside = nearest.gap < edge ? -1 : 1;
  for (const [soft, mass] of [
    ['softTimescale', false],
    ['softMass', true],
  ] as const) {
    const limit = (mass ? value.slowClusterMass : value.slowClusterTimescale) ?? Number.NaN;
    for (const share of [8, 12, 16, 24]) {
      const eta = margin / share;
      const route = createRoute(model, DATA, { kernel: 'random-scan', soft: { center: edge, eta } });
      const error = (route.evaluate(model.theta, [soft]).value[soft] ?? Number.NaN) - limit;
      const expected = (inside * nearest.weight * (mass ? 1 : tau(nearest.gap))) / (1 + Math.exp(share));
      // What all other levels add, each exponentially small in its own margin.
      const rest = others.reduce((sum, other) => sum + Math.exp(-other / eta), 0) * 6 * (mass ? 1 : tau(anchor));
      expect(Math.abs(error - expected)).toBeLessThan(rest + 256 * EPS * limit);
      expect(Math.abs(expected)).toBeGreaterThan(rest);
    }
  }
});

describe.each(gradientCases())('derivatives of soft membership, $name', ({ model, data }) => {
  const kernels: readonly KernelName[] = ['random-scan', 'palindrome'];
  test.each(kernels)('%s: central differences along random directions', (kernel) => {
    const { normal } = random(31);
    const direction = model.theta.map(() => normal());
    const groups = createRoute(model, data, { kernel, route: 'table' }).relaxation(model.theta).groups ?? [];
    // On the level itself, wherever several are one, and between the slow and the fast.
    const centers = [groups[0].gap, (groups[0].gap + groups[groups.length - 1].gap) / 2];
    for (const center of centers) {
      for (const eta of [0.02, 0.5]) {
        const route = createRoute(model, data, { kernel, soft: { center, eta } });
        for (const name of ['softTimescale', 'softMass'] as const) {
          const f = (t: number) => {
            const theta = model.theta.map((x, a) => x + t * direction[a]);
            return route.evaluate(theta, [name]).value[name] ?? Number.NaN;
          };
          const slope = route
            .evaluate(model.theta, [name])
            .pullback({ [name]: 1 })
            .reduce((sum, g, a) => sum + g * direction[a], 0);
          const d = central(f, 0.02 * Math.min(eta, 0.05), NOISE / groups[0].gap);
          expect(d.error).toBeLessThan(1e-3 * (1 + Math.abs(d.value)) + 1e-4 / groups[0].gap ** 2);
          expect(Math.abs(slope - d.value)).toBeLessThan(d.error + 1e-12 * Math.abs(d.value));
        }
      }
    }
  });
});

describe('what a window must be', () => {
  const machine: Model = rbm({ visible: 3, hidden: 2, weights: [0.1, 0.2, 0.3, -0.4, 0.5, 0.6] });
  const data = randomData(3, 4);

  test('positive and finite', () => {
    for (const soft of [
      { center: Number.NaN, eta: 0.1 },
      { center: 0.1, eta: 0 },
      { center: 0.1, eta: -1 },
      { center: 0, eta: 1 },
      { center: 0.1, eta: Number.POSITIVE_INFINITY },
    ]) {
      const make = () => createRoute(machine, data, { kernel: 'random-scan', soft });
      expect(make).toThrow(InputError);
      expect(make).toThrow(/^soft\.(center|eta) must be a positive finite number, got /);
    }
  });

  test('for an RBM under random-block it means the table, where the objective is the same as for its sites listed as blocks', () => {
    const soft = { center: 0.2, eta: 0.1 };
    const quantities: readonly Quantity[] = ['softTimescale', 'signal'];
    const route = createRoute(machine, data, { kernel: 'random-block', soft });
    const { value } = route.evaluate(machine.theta, quantities);
    const table = createRoute(machine, data, { kernel: 'random-block', route: 'table', soft });
    expect(value).toEqual(table.evaluate(machine.theta, quantities).value);
    expect(logRhatSoft({ samples: 10 }).evaluate(value)?.value).toBeCloseTo(
      Math.log((5 * (value.signal ?? 0)) / (value.softTimescale ?? 0)),
      12,
    );
  });

  test('there must be one, and modes', () => {
    const ask = (route: ReturnType<typeof createRoute>) => () => route.evaluate(machine.theta, ['softMass']);
    expect(ask(createRoute(machine, data, { kernel: 'random-scan' }))).toThrow(UnsupportedError);
    expect(ask(createRoute(machine, data, { kernel: 'random-block' }))).toThrow(UnsupportedError);
    const soft = { center: 0.2, eta: 0.1 };
    expect(ask(createRoute(machine, data, { kernel: 'alternating-block', soft }))).toThrow(/not reversible/);
  });
});
