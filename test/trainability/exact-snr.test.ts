import { createRoute, ising } from 'htdml';
import { describe, expect, test } from 'vitest';
import { ACCURACY } from '../../src/trainability/accuracy.js';
import { meanVariance, overChains, propagatedError, stationaryError } from '../../src/trainability/exact-snr.js';
import { TableRoute } from '../../src/trainability/routes/table-route.js';
import { startLaw } from '../../src/trainability/start.js';
import {
  dot,
  EPS,
  fold,
  fromLeft,
  fullSpace,
  inner,
  jointLaw,
  lawError,
  type Matrix,
  matrixOf,
  times,
  type Vector,
  vector,
} from '../support/brute-force.js';
import { GIBBS, gradientCases, random, randomData, ring } from '../support/models.js';

/**
 * `V_K = sum_{i,j<K} s^|i-j|` and `S_K = sum_{i<K} s^i` by doubling: `V_{2K} = 2 V_K + 2 s S_K^2`, `S_{2K} = S_K (1 + s^K)`, and one more value adds
 * `1 + 2 s S_K` and `s^K`. Only positive terms, so the relative error is a few eps per bit of K at any gap. The variance of the mean is `V_K / K^2`.
 */
function byDoubling(gap: number, window: number): number {
  const s = 1 - gap;
  const power = (k: number) => (gap === 1 ? (k === 0 ? 1 : 0) : Math.exp(k * Math.log1p(-gap)));
  let [k, v, sum] = [1, 1, 1];
  for (const bit of window.toString(2).slice(1)) {
    [v, sum, k] = [2 * v + 2 * s * sum * sum, sum * (1 + power(k)), 2 * k];
    if (bit === '1') [v, sum, k] = [v + 1 + 2 * s * sum, sum + power(k), k + 1];
  }
  return v / window ** 2;
}

/** The sum over d, with compensated addition (Neumaier). */
function bySum(gap: number, window: number): number {
  let [sum, lost] = [0, 0];
  for (let d = 0; d < window; d++) {
    const power = d === 0 ? 1 : gap === 1 ? 0 : Math.exp(d * Math.log1p(-gap));
    const term = ((d === 0 ? 1 : 2) * (1 - d / window) * power) / window;
    const next = sum + term;
    lost += Math.abs(sum) >= Math.abs(term) ? sum - next + term : term - next + sum;
    sum = next;
  }
  return sum + lost;
}

describe('variance of a mean', () => {
  const gaps = [0, 1e-300, 1e-14, 1e-6, 0.3, 1];
  const windows = [1, 2, 50, 1e6];
  // Beside the round values: both sides of the switch of formulas at K gap = 1/2, and everything in between.
  const { uniform } = random(3);
  const random200 = Array.from(
    { length: 200 },
    () => [10 ** (-16 * uniform()), Math.ceil(10 ** (5 * uniform()))] as const,
  );
  const edges = [10, 999, 1e6].flatMap((k) => [0.4999, 0.5, 0.5001].map((x) => [x / k, k] as const));
  const all = [...gaps.flatMap((gap) => windows.map((window) => [gap, window] as const)), ...edges, ...random200];

  test.each(all)('gap %d, window %d', (gap, window) => {
    const value = meanVariance(gap, window);
    // Twenty doublings of a few operations each; powers s^k are as accurate as their exponent, of size |log s^k| where they matter, below 1.
    const tolerance = (32 + 8 * Math.log2(window)) * EPS;
    expect(Math.abs(value / byDoubling(gap, window) - 1)).toBeLessThan(tolerance);
    if (window <= 1e4) expect(Math.abs(value / bySum(gap, window) - 1)).toBeLessThan(tolerance);
  });

  test('one value has its own variance; a frozen mode keeps it; independent values divide it', () => {
    for (const gap of gaps) expect(Math.abs(meanVariance(gap, 1) - 1)).toBeLessThanOrEqual(4 * EPS);
    for (const window of windows) {
      expect(meanVariance(0, window)).toBe(1);
      expect(Math.abs(meanVariance(1, window) * window - 1)).toBeLessThan(4 * EPS);
    }
  });

  test('falls with the gap and with the window', () => {
    for (const window of [2, 50, 1e6]) {
      for (let gap = 2 ** -40; gap < 0.4; gap *= 2) {
        expect(meanVariance(2 * gap, window)).toBeLessThanOrEqual(meanVariance(gap, window));
        expect(meanVariance(gap, 2 * window)).toBeLessThanOrEqual(meanVariance(gap, window));
      }
    }
  });
});

test('chains divide the variance and keep the bias', () => {
  expect(overChains({ mse: 9, biasSquared: 1 }, 4)).toEqual({ mse: 3, biasSquared: 1 });
  expect(overChains({ mse: 9, biasSquared: 1 }, 1)).toEqual({ mse: 9, biasSquared: 1 });
});

/** (3.4) term by term, from powers of the matrix of all states. */
function byPairs(full: ReturnType<typeof fullSpace>, p: Matrix, start: Vector, burnIn: number, window: number) {
  let mu = start;
  for (let t = 0; t <= burnIn; t++) mu = fromLeft(mu, p);
  const laws = [mu];
  while (laws.length < window) laws.push(fromLeft(laws[laws.length - 1], p));
  const [mse, biasSquared] = [[] as number[], [] as number[]];
  for (const fc of full.centred) {
    const moved = [fc];
    while (moved.length < window) moved.push(times(p, moved[moved.length - 1]));
    let sum = 0;
    laws.forEach((law, s) => {
      for (let t = s; t < window; t++) sum += (s === t ? 1 : 2) * inner(law, fc, moved[t - s]);
    });
    mse.push(sum / window ** 2);
    biasSquared.push((laws.reduce((total, law) => total + dot(law, fc), 0) / window) ** 2);
  }
  return { mse, biasSquared };
}

describe.each(gradientCases())('$name', ({ model, data }) => {
  const full = fullSpace(model);
  const pairs = model.edges.length;
  const part = (x: readonly number[], group: 'couplings' | 'biases') =>
    (group === 'couplings' ? x.slice(0, pairs) : x.slice(pairs)).reduce((a, b) => a + b, 0);

  describe.each(GIBBS)('%s', (name) => {
    const table = new TableRoute(model, data, name);
    const { law, kernel } = table.at(model.theta);
    const p = matrixOf(full, name);
    // Each step moves a law by lawError; K and B below 20; observables are bounded by 2.
    // A palindrome is a product of up to 2 N - 1 of its factors.
    const factors = name.startsWith('palindrome') ? 2 * model.spins : 1;
    const tolerance = factors * 4 * 20 * (8 * EPS * model.spins + lawError(model)) * model.theta.length;

    test.each(['uniform', 'stationary', 'data', 'state:1'] as const)('propagation from %s against (3.4)', (start) => {
      const uniform = vector(full.states, () => 1 / full.states);
      const laws = {
        uniform,
        stationary: full.pi,
        data: jointLaw(full, data).joint,
        'state:1': vector(full.states, (s) => (s === 1 ? 1 : 0)),
      };
      const mu = startLaw(model, data, law, start);
      fold(model, laws[start]).forEach((mass, s) => expect(Math.abs(mu[s] - mass)).toBeLessThan(2 * lawError(model)));
      for (const [burnIn, window] of [
        [0, 1],
        [3, 7],
      ]) {
        const error = propagatedError(law, kernel, pairs, mu, burnIn, window);
        const expected = byPairs(full, p, laws[start], burnIn, window);
        for (const group of ['couplings', 'biases'] as const) {
          expect(Math.abs(error[group].mse - part(expected.mse, group))).toBeLessThan(tolerance);
          expect(Math.abs(error[group].biasSquared - part(expected.biasSquared, group))).toBeLessThan(tolerance);
        }
      }
    });

    test('closing with the modes changes nothing but the work', () => {
      const modes = () => table.modes(model.theta);
      const gap = Math.min(...modes().gaps);
      // The law is 1e-13 from equilibrium when it is taken for it, and correlations add that up over 1 / gap steps; gaps are known to n lawError.
      const relative = (4e-13 + factors * 8 * full.states * lawError(model) + tolerance) / gap ** 2;
      const mu = startLaw(model, data, law, 'state:1');
      for (const [burnIn, window] of [
        [0, 700],
        [400, 333],
      ]) {
        const plain = propagatedError(law, kernel, pairs, mu, burnIn, window);
        const closed = propagatedError(law, kernel, pairs, mu, burnIn, window, modes);
        for (const group of ['couplings', 'biases'] as const) {
          expect(Math.abs(closed[group].mse - plain[group].mse)).toBeLessThan(relative * (1e-3 + plain[group].mse));
          expect(Math.abs(closed[group].biasSquared - plain[group].biasSquared)).toBeLessThan(relative);
        }
      }
      const window = 5_000_000;
      const closed = propagatedError(law, kernel, pairs, law.pi, window, window, modes);
      const stationary = stationaryError(table.relaxation(model.theta).measure ?? [], window);
      for (const group of ['couplings', 'biases'] as const) {
        expect(Math.abs(closed[group].mse - stationary[group].mse)).toBeLessThanOrEqual(
          relative * stationary[group].mse,
        );
      }
    });

    test('the stationary formula against propagation from equilibrium', () => {
      const { measure } = table.relaxation(model.theta);
      for (const window of [1, 2, 20]) {
        const stationary = stationaryError(measure ?? [], window);
        const propagated = propagatedError(law, kernel, pairs, law.pi, 0, window);
        for (const group of ['couplings', 'biases'] as const) {
          // The formula's slope in a gap is below K / 2, and gaps are known to n lawError.
          const spectral = factors * 8 * full.states * lawError(model) * (1 + window / 2) * model.theta.length;
          expect(Math.abs(stationary[group].mse - propagated[group].mse)).toBeLessThan(tolerance + spectral);
          expect(stationary[group].biasSquared).toBe(0);
          expect(propagated[group].biasSquared).toBeLessThan(tolerance ** 2);
        }
      }
    });

    test('long windows: K mse / 2 tends to T from below, to order 1 / (K gap)', () => {
      const { measure, groups } = table.relaxation(model.theta);
      const { value } = table.evaluate(model.theta, ['timescale']);
      const window = 1e9;
      const { couplings, biases } = stationaryError(measure ?? [], window);
      const ratio = (window * (couplings.mse + biases.mse)) / 2 / (value.timescale ?? 0);
      const gap = groups?.[0].gap ?? 0;
      // D11: 0 <= delta1 <= 1 / (K gap); spectral sums are right to n lawError / gap.
      const slack = (16 * full.states * lawError(model)) / gap;
      expect(ratio).toBeLessThan(1 + slack);
      expect(ratio).toBeGreaterThan(1 - 1 / (window * gap) - slack);
    });
  });
});

test('beyond the dense limit the quadrature gives the error that propagation gives', () => {
  const { normal } = random(5);
  const couplings = Array.from({ length: 11 }, () => 0.6 * normal());
  const model = ising({ spins: 11, edges: ring(11), couplings, biases: Array(11).fill(0.2) });
  const data = randomData(11, 3, 0.05);
  const table = new TableRoute(model, data, 'random-scan');
  const { law, kernel } = table.at(model.theta);
  const window = 30;
  const stationary = stationaryError(
    createRoute(model, data, { kernel: 'random-scan' }).relaxation(model.theta).measure ?? [],
    window,
  );
  const propagated = propagatedError(law, kernel, 11, law.pi, 0, window);
  for (const group of ['couplings', 'biases'] as const) {
    // The iteration stops at 64 eps sqrt(n); the slope in a gap is below K / 2.
    const tolerance = ACCURACY.quadrature * EPS * Math.sqrt(2 ** 11) * (1 + window / 2);
    expect(Math.abs(stationary[group].mse / propagated[group].mse - 1)).toBeLessThan(tolerance);
  }
});
