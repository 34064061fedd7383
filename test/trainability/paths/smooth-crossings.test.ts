import { createRoute, ising, type Model, withParameters } from 'htdml';
import { logRhatSlowCluster } from 'htdml/objectives';
import { describe, expect, test } from 'vitest';
import { evaluateObjectives } from '../../../src/optimization/weighted-sum.js';
import {
  dot,
  fullSpace,
  jacobiEigen,
  kernelMatrix,
  type Matrix,
  symmetrised,
  vector,
} from '../../support/brute-force.js';
import { DATA, tau, twoPairs } from '../../support/decoupled.js';
import { complete } from '../../support/models.js';
import { central, oneSided } from '../../support/one-sided.js';

/** Eigenvalues and sums over their spaces are good to n eps over the gap, of which log R_hat takes the relative part. */
const NOISE = 64;

interface Crossing {
  readonly name: string;
  readonly model: Model;
  /** A direction along which levels of the set cross at the model. */
  readonly step: readonly number[];
  /** The window ends far from every level. */
  readonly kappa: number;
}

const flat = ising({ spins: 4, edges: complete(4), couplings: Array(6).fill(-0.3), biases: Array(4).fill(0) });

const CROSSINGS: readonly Crossing[] = [
  { name: 'two decoupled pairs', model: twoPairs([0.7, 0], [0.7, 0]), step: [1, -0.5, 0, 0, 0, 0, 0], kappa: 2.5 },
  {
    name: 'two decoupled pairs with biases that differ',
    model: twoPairs([0.7, 0.3], [0.7, -0.3]),
    step: [0.6, -0.7, 0, 0, 0, 0, 0],
    kappa: 2.5,
  },
  { name: 'all couplings equal', model: flat, step: [0.9, -0.4, 0.2, -0.3, 0.5, -0.9, 0, 0, 0, 0], kappa: 1.5 },
  {
    name: 'all couplings equal, biases on',
    model: flat,
    step: [0.5, 0.4, 0, 0, 0.3, -0.9, 0.2, -0.1, 0.3, 0.6],
    kappa: 1.5,
  },
];

const objective = logRhatSlowCluster({ samples: 100 });

const routeOf = (model: Model, kappa: number) =>
  createRoute(model, DATA, { kernel: 'random-scan', thresholds: { epsilon: 1e-3, kappa } });

function setting({ model, step, kappa }: Crossing) {
  const route = routeOf(model, kappa);
  const along = (direction: readonly number[], t: number) => model.theta.map((value, a) => value + t * direction[a]);
  const at = (theta: Float64Array) => {
    const sum = evaluateObjectives(route, [objective], theta);
    if (sum === null) throw new Error('no value');
    return sum;
  };
  return {
    value: (t: number, direction = step) => at(along(direction, t)).values[0],
    gradient: () => at(model.theta).gradient([1]),
    /** T of the slowest group alone, which changes its level at the crossing. */
    slowest(t: number) {
      const groups = route.relaxation(along(step, t)).groups ?? [];
      const first = groups.find(({ weight }) => weight > 1e-3);
      return first === undefined ? Number.NaN : Math.log(first.weight * tau(first.gap));
    },
    gaps: (t: number) => (route.relaxation(along(step, t)).groups ?? []).map(({ gap }) => gap),
  };
}

/** `T` of the slow cluster and the derivatives that differentiating its eigenvectors gives, one by one, with `1 / (s_j - s_k)`. */
function naive(model: Model, kappa: number): Float64Array {
  const full = fullSpace(model);
  const sites = Array.from({ length: model.spins }, (_, i) => [i]);
  const matrix = (one: Model) => {
    const there = fullSpace(one);
    return symmetrised(kernelMatrix(there, sites), there.pi);
  };
  const observed = (one: Model) => {
    const { pi, centred } = fullSpace(one);
    return centred.map((f) => f.map((value, s) => value * Math.sqrt(pi[s])));
  };
  const { values, vectors } = jacobiEigen(matrix(model));
  const stationary = values.indexOf(values.reduce((a, b) => Math.max(a, b)));
  const y = observed(model);
  const seen = (j: number) => y.map((f) => dot(vectors[j], f));
  const weight = (j: number) => seen(j).reduce((sum, c) => sum + c * c, 0);
  const modes = Array.from(values, (_, j) => j).filter((j) => j !== stationary);
  // No group of these models straddles either threshold.
  const total = modes.reduce((sum, j) => sum + weight(j), 0);
  const anchor = Math.min(...modes.filter((j) => weight(j) > 1e-3 * total).map((j) => 1 - values[j]));
  const inside = modes.filter((j) => 1 - values[j] <= kappa * anchor);
  const step = 1e-5;
  return model.theta.map((_, a) => {
    const [up, down] = [step, -step].map((d) =>
      withParameters(
        model,
        model.theta.map((x, b) => (a === b ? x + d : x)),
      ),
    );
    const difference = (plus: Matrix, minus: Matrix) =>
      plus.map((row, s) => row.map((value, t) => (value - minus[s][t]) / (2 * step)));
    const dA = difference(matrix(up), matrix(down));
    const dY = difference(observed(up), observed(down));
    let result = 0;
    for (const j of inside) {
      const image = vector(full.states, (s) => dot(dA[s], vectors[j]));
      // First-order perturbation of one eigenvector: every other mode over the distance to it.
      const turn = vector(full.states, () => 0);
      vectors.forEach((other, k) => {
        if (k === j) return;
        const factor = dot(other, image) / (values[j] - values[k]);
        for (let s = 0; s < turn.length; s++) turn[s] += factor * other[s];
      });
      const gap = 1 - values[j];
      result += (weight(j) * dot(vectors[j], image)) / gap ** 2;
      y.forEach((f, b) => {
        result += 2 * tau(gap) * dot(vectors[j], f) * (dot(turn, f) + dot(vectors[j], dY[b]));
      });
    }
    return result;
  });
}

const timescaleGradient = (model: Model, kappa: number): Float64Array =>
  routeOf(model, kappa).evaluate(model.theta, ['slowClusterTimescale']).pullback({ slowClusterTimescale: 1 });

/** The largest difference of two gradients over the size of the second; infinite where one is not finite. */
function apart(x: Float64Array, y: Float64Array): number {
  const size = Math.sqrt(dot(y, y));
  return x.reduce((top, value, a) => {
    const difference = Math.abs(value - y[a]) / size;
    return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(top, difference);
  }, 0);
}

describe.each(CROSSINGS)('log R_hat of the slow cluster at a crossing inside it: $name', (crossing) => {
  const { value, gradient, slowest, gaps } = setting(crossing);

  test('levels that are one there are several beside it', () => {
    expect(gaps(0).length).toBeLessThan(gaps(0.01).length);
    expect(gaps(0).length).toBeLessThan(gaps(-0.01).length);
  });

  test.each([1, 2, 3])('the derivative of order %d is the same from both sides', (order) => {
    // Rounding is amplified as h^-order, so higher derivatives need a wider stencil.
    const options = { h: 0.004 * order, noise: NOISE };
    const [left, right] = [-1, 1].map((side) => oneSided(value, 0, order, side as 1 | -1, options));
    expect(Math.abs(left.value - right.value)).toBeLessThan(left.error + right.error);
    // The bound is worth something.
    expect(left.error + right.error).toBeLessThan(1e-4 * 100 ** (order - 1));
    // That of the slowest level alone, by the same formula, has a kink.
    if (order > 1) return;
    const [before, after] = [-1, 1].map((side) => oneSided(slowest, 0, 1, side as 1 | -1, options));
    expect(Math.abs(before.value - after.value)).toBeGreaterThan(100 * (before.error + after.error));
  });

  test('finite differences over the crossing shrink with their order, as those of a smooth function do', () => {
    const h = 0.01;
    const differences = (f: (t: number) => number, n: number) => {
      let row = Array.from({ length: n + 1 }, (_, k) => f((k - n / 2) * h));
      for (let k = 0; k < n; k++) row = row.slice(1).map((y, i) => y - row[i]);
      return Math.abs(row[0]);
    };
    // A jump J of the derivative of order m leaves about J h^m in the difference of order 6.
    const noise = 64 * NOISE * Number.EPSILON * Math.abs(value(0));
    expect(differences(value, 6)).toBeLessThan(h ** 6 * 1e5 + noise);
    expect(differences(slowest, 6)).toBeGreaterThan(1e-4);
  });

  test('the gradient there is that of central differences, in every parameter', () => {
    const g = gradient();
    crossing.model.theta.forEach((_, a) => {
      const direction = crossing.model.theta.map((__, b) => (a === b ? 1 : 0));
      const d = central((t) => value(t, [...direction]), 0.01, NOISE);
      expect(d.error).toBeLessThan(1e-4);
      expect(Math.abs(g[a] - d.value)).toBeLessThan(d.error);
    });
  });

  test('differentiating eigenvectors fails there, and is right beside it', () => {
    const wrong = (model: Model) => apart(naive(model, crossing.kappa), timescaleGradient(model, crossing.kappa));
    const { model, step } = crossing;
    const beside = withParameters(
      model,
      model.theta.map((x, a) => x + 0.05 * step[a] + 1e-3 * (a + 1)),
    );
    // Differences of A are good to 1e-10, which distances of 1e-3 multiply.
    expect(wrong(beside)).toBeLessThan(1e-7);
    // At the crossing rounding alone is left of the distances, and nothing or a few digits of the result.
    expect(wrong(model)).toBeGreaterThan(1e-5);
  });
});
