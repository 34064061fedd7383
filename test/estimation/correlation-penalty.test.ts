import { createRoute, dataLawFromCounts, InputError, ising, type Model, randomSource, withParameters } from 'htdml';
import { describe, expect, test } from 'vitest';
import {
  type CorrelationPenalty,
  correlationPenaltyGradient,
  denoisingGradient,
} from '../../src/estimation/correlation-penalty.js';
import { gridLayer, layerModel, withLayerParameters } from '../../src/model/grid/grid-layer.js';
import { dot, EPS, fullSpace, spinOf, type Vector } from '../support/brute-force.js';

const random = randomSource(21);
const normals = (count: number, scale: number) => Array.from({ length: count }, () => scale * random.normal());
const pooled: CorrelationPenalty = { weight: 0.6, products: 'pooled' };
const across: CorrelationPenalty = { weight: 0.6, products: 'across-chains' };

/** 9 spins, 12 edges; the image is 2 of them and the label 1. */
const layer = gridLayer({
  graph: { side: 3, degree: 4, torus: false },
  image: [4, 0],
  label: [8],
  couplings: normals(12, 0.5),
  biases: normals(9, 0.5),
  inputCouplings: { image: 0.9, label: 1.3 },
  beta: 0.8,
});
const INPUTS = [
  [1, -1, 1],
  [-1, -1, 1],
  [1, 1, -1],
  [-1, 1, -1],
];

/** `E_pi f` in theta order by enumeration. */
const exactMeans = (model: Model): Vector => {
  const { pi, observables } = fullSpace(model);
  return Float64Array.from(observables, (f) => dot(pi, f));
};
/** `beta (C_ij - m_i m_j)` by edge from exact means, and zero for biases. */
const covariances = ({ edges, beta }: Model, means: ArrayLike<number>) =>
  Float64Array.from({ length: means.length }, (_, a) => {
    if (a >= edges.length) return 0;
    const [i, j] = edges[a];
    return beta * (-means[a] - means[edges.length + i] * means[edges.length + j]);
  });
const close = (a: ArrayLike<number>, b: ArrayLike<number>, tolerance: number) => {
  expect(a.length).toBe(b.length);
  for (let k = 0; k < a.length; k++) expect(Math.abs(a[k] - b[k])).toBeLessThan(tolerance);
};
/** Fourth-order differences of `f` in each parameter; of the order of 1e-11 at this step, whose fourth power is 1e-10. */
const differences = (f: (theta: Vector) => number, theta: Vector) => {
  const h = 3e-3;
  return theta.map((_, a) => {
    const at = (t: number) => f(theta.map((x, b) => (a === b ? x + t : x)));
    return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
  });
};
const logProduct = ({ model, pi, states }: ReturnType<typeof fullSpace>) => {
  const up = Array.from({ length: model.spins }, (_, i) =>
    pi.reduce((sum, p, s) => sum + (spinOf(s, i) > 0 ? p : 0), 0),
  );
  return Float64Array.from({ length: states }, (_, s) =>
    up.reduce((sum, p, i) => sum + Math.log(spinOf(s, i) > 0 ? p : 1 - p), 0),
  );
};

describe('in the limit of exact moments', () => {
  const model = layerModel(layer, INPUTS[0]);
  const means = exactMeans(model);

  test('it is the derivative of KL(q || pi) with the product law q held', () => {
    const logQ = logProduct(fullSpace(model));
    const divergence = (theta: Vector) => {
      const { pi } = fullSpace(withParameters(model, theta));
      return logQ.reduce((sum, l, s) => sum + Math.exp(l) * (l - Math.log(pi[s])), 0);
    };
    const numeric = differences(divergence, model.theta).map((slope) => 0.6 * slope);
    close(correlationPenaltyGradient(model, [[means]], pooled), numeric, 1e-9);
    // Two chains that agree are as one.
    close(correlationPenaltyGradient(model, [[means, means]], across), numeric, 1e-9);
  });

  test('it is that of the total correlation (2.8) to first order in the couplings, and not beyond', () => {
    const flat = dataLawFromCounts(model.visible.length, [[0, 1]]);
    /** Largest difference among couplings, in units of the largest slope, with couplings scaled. */
    const apart = (scale: number) => {
      const theta = model.theta.map((x, a) => (a < 12 ? scale * x : x));
      const scaled = withParameters(model, theta);
      const exact = createRoute(scaled, flat, { kernel: 'random-scan' })
        .evaluate(theta, ['totalCorrelation'])
        .pullback({ totalCorrelation: 1 });
      const ours = correlationPenaltyGradient(scaled, [[exactMeans(scaled)]], { ...pooled, weight: 1 });
      const top = exact.slice(0, 12).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      return ours.slice(0, 12).reduce((most, x, a) => Math.max(most, Math.abs(x - exact[a])), 0) / top;
    };
    const [coarse, fine] = [apart(1 / 32), apart(1 / 64)];
    // Halved with the couplings, up to the next order.
    expect(coarse / fine).toBeGreaterThan(1.8);
    expect(coarse / fine).toBeLessThan(2.2);
    expect(fine).toBeLessThan(0.02);
    expect(apart(1)).toBeGreaterThan(fine);
  });

  test('a model without biases: the means are zero by symmetry', () => {
    const even = ising({ spins: 9, edges: model.edges, couplings: model.theta.slice(0, 12), beta: 0.8 });
    const biased = ising({ ...even, couplings: even.theta, biases: new Float64Array(9) });
    const half = correlationPenaltyGradient(even, [[exactMeans(even)]], across);
    close(half, correlationPenaltyGradient(biased, [[exactMeans(biased)]], pooled).slice(0, 12), 20 * EPS);
  });
});

describe('per input or over the batch', () => {
  const models = INPUTS.map((input) => layerModel(layer, input));
  const means = models.map(exactMeans);
  const groups = means.map((mean) => [mean]);
  const slope = (negative: readonly Vector[][]) =>
    correlationPenaltyGradient(models[0], negative, { weight: 1, products: 'pooled' });

  test('conditional: the mean of the covariances given each input', () => {
    const each = models.map((model, k) => covariances(model, means[k]));
    close(
      slope(groups),
      each[0].map((_, a) => each.reduce((sum, x) => sum + x[a] / 4, 0)),
      20 * EPS,
    );
  });

  test('batch-marginal: that, and the covariance of the conditional means', () => {
    const { edges, beta } = models[0];
    const mean = (k: number) => means.reduce((sum, x) => sum + x[k] / 4, 0);
    const between = Float64Array.from(edges, ([i, j]) => {
      const [u, v] = [12 + i, 12 + j];
      return beta * means.reduce((sum, x) => sum + ((x[u] - mean(u)) * (x[v] - mean(v))) / 4, 0);
    });
    const [batch, conditional] = [slope([means]), slope(groups)];
    close(
      batch.slice(0, 12),
      between.map((x, a) => x + conditional[a]),
      20 * EPS,
    );
    expect(Math.max(...between.map(Math.abs))).toBeGreaterThan(0.05);
  });
});

describe('from few samples', () => {
  const model = ising({
    spins: 3,
    edges: [
      [0, 1],
      [2, 1],
    ],
    couplings: [0.7, -0.4],
    biases: [0.5, -0.2, 0.3],
    beta: 1.2,
  });
  const { pi, observables, states } = fullSpace(model);
  const rows = Array.from({ length: states }, (_, s) => observables.map((f) => f[s]));
  const exact = covariances(model, exactMeans(model));
  /** Expectation over three chains of one independent sample each: over all 512 triples. */
  const expected = (penalty: CorrelationPenalty) => {
    const sum = new Float64Array(5);
    for (let a = 0; a < states; a++) {
      for (let b = 0; b < states; b++) {
        for (let c = 0; c < states; c++) {
          const drawn = correlationPenaltyGradient(model, [[rows[a], rows[b], rows[c]]], penalty);
          for (let k = 0; k < 5; k++) sum[k] += pi[a] * pi[b] * pi[c] * drawn[k];
        }
      }
    }
    return sum;
  };

  test('products across chains are unbiased', () => {
    close(
      expected({ weight: 2, products: 'across-chains' }),
      exact.map((x) => 2 * x),
      1000 * EPS,
    );
  });

  test('pooled means of three chains see two thirds of a covariance', () => {
    close(
      expected({ weight: 2, products: 'pooled' }),
      exact.map((x) => (2 * x * 2) / 3),
      1000 * EPS,
    );
  });

  test('by the published rule: -beta (C+ - C- + lambda (m-m- - C-)) and -beta (m+ - m-)', () => {
    const [beta, lambda, positive] = [1.2, 0.3, [0.1, 0.2, -0.3, 0.4, -0.5]];
    const chains = [rows[5], rows[2], rows[7], rows[7]];
    const mean = (a: number) => chains.reduce((sum, row) => sum - row[a], 0) / 4;
    const gradient = denoisingGradient(model, positive, [chains], { weight: lambda, products: 'pooled' });
    const couplings = model.edges.map(([i, j], a) => {
      const cp = lambda * (mean(2 + i) * mean(2 + j) - mean(a));
      return -beta * (-positive[a] - mean(a) + cp);
    });
    const biases = [2, 3, 4].map((a) => -beta * (-positive[a] - mean(a)));
    close(gradient, [...couplings, ...biases], 20 * EPS);
  });
});

test('without a penalty it is the derivative of -log pi(y | x), averaged over pairs of input and output', () => {
  const outputs = [
    [1, 1, 1],
    [-1, -1, -1],
    [1, 1, -1],
    [-1, -1, -1],
  ];
  const theta = Float64Array.of(...layer.couplings, ...layer.biases);
  const nodes = [...layer.image, ...layer.label];
  const matches = (s: number, y: readonly number[]) => nodes.every((node, k) => spinOf(s, node) === y[k]);
  const loss = (at: Vector) =>
    INPUTS.reduce((sum, input, r) => {
      const { pi } = fullSpace(layerModel(withLayerParameters(layer, at), input));
      return sum - Math.log(pi.reduce((p, q, s) => p + (matches(s, outputs[r]) ? q : 0), 0)) / 4;
    }, 0);
  const given = (r: number, input: readonly number[]) => {
    const { pi, observables } = fullSpace(layerModel(layer, input));
    const inside = pi.map((p, s) => (matches(s, outputs[r]) ? p : 0));
    const total = inside.reduce((a, b) => a + b);
    return Float64Array.from(observables, (f) => dot(inside, f) / total);
  };
  const positive = theta.map((_, a) => INPUTS.reduce((sum, input, r) => sum + given(r, input)[a] / 4, 0));
  const negative = INPUTS.map((input) => [exactMeans(layerModel(layer, input))]);
  const gradient = denoisingGradient(layerModel(layer, INPUTS[0]), positive, negative, { ...pooled, weight: 0 });
  close(gradient, differences(loss, theta), 1e-9);
  // The posterior of the hidden spins does not depend on the input.
  close(given(1, INPUTS[0]), given(1, INPUTS[3]), 100 * EPS);
});

describe('refused', () => {
  const model = layerModel(layer, INPUTS[0]);
  const zeros = new Float64Array(21);
  test.each<[string, readonly (readonly ArrayLike<number>[])[], Partial<CorrelationPenalty>, RegExp]>([
    ['no group', [], {}, /^negative must be at least one group of chains, got \[\]/],
    ['an empty group', [[zeros], []], {}, /^negative\[1\] must be at least one chain/],
    [
      'moments of another model',
      [[zeros, [1, 2]]],
      {},
      /^negative\[0\]\[1\] must be 21 averages in theta order, got 2/,
    ],
    [
      'a moment that is none',
      [[zeros.map(() => Number.NaN)]],
      {},
      /^negative\[0\]\[0\]\[0\] .* finite number, got NaN/,
    ],
    ['one chain, unbiased', [[zeros]], { products: 'across-chains' }, /^a group must be at least 2 chains, got 1; run/],
    ['a negative weight', [[zeros]], { weight: -1 }, /^weight must be a finite number of at least 0, got -1/],
    ['another product', [[zeros]], { products: 'own' as 'pooled' }, /^products must be "across-chains" or "pooled"/],
  ])('%s', (_, negative, change, pattern) => {
    const compute = () => correlationPenaltyGradient(model, negative, { ...pooled, ...change });
    expect(compute).toThrow(InputError);
    expect(compute).toThrow(pattern);
  });

  test('a positive phase of another model', () => {
    expect(() => denoisingGradient(model, [1], [[zeros]], pooled)).toThrow(/^positive must be 21 averages/);
  });
});
