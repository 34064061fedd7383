import { InputError, type IntegratedTime, integratedTime, randomSource } from 'htdml';
import { describe, expect, test } from 'vitest';
import { sokalWindow, WINDOW_FACTOR, windowedSum } from '../../src/estimation/autocorrelation.js';
import { lagProducts, spectrumSize } from '../../src/estimation/autocovariance.js';
import { fourier } from '../../src/estimation/fourier.js';
import { distance, EPS, vector } from '../support/brute-force.js';
import { meanAndError } from '../support/statistics.js';

type Windowed = Exclude<IntegratedTime, { status: 'constant' }>;

function moving(time: IntegratedTime): Windowed {
  if (time.status === 'constant') throw new Error('a constant series');
  return time;
}

/** Chains of `x' = phi x + noise` from equilibrium, of variance 1 and correlation `phi^t`. */
function autoregressive(phi: number, chains: number, steps: number, random = randomSource(3)): Float64Array[] {
  return Array.from({ length: chains }, () => {
    let x = random.normal();
    return vector(steps, () => {
      x = phi * x + Math.sqrt(1 - phi * phi) * random.normal();
      return x;
    });
  });
}

const powers = (s: number, lags: number) => vector(lags + 1, (t) => s ** t);

describe('transforms', () => {
  test.each([1, 2, 8, 128])('%i points against the definition', (size) => {
    const random = randomSource(1);
    const re = vector(size, () => random.normal());
    const im = vector(size, () => random.normal());
    const angle = (j: number, k: number) => (-2 * Math.PI * ((j * k) % size)) / size;
    const sum = (k: number, term: (j: number) => number) => vector(size, term).reduce((a, b) => a + b, 0 * k);
    const expectedRe = vector(size, (k) =>
      sum(k, (j) => re[j] * Math.cos(angle(j, k)) - im[j] * Math.sin(angle(j, k))),
    );
    const expectedIm = vector(size, (k) =>
      sum(k, (j) => re[j] * Math.sin(angle(j, k)) + im[j] * Math.cos(angle(j, k))),
    );
    fourier(size)(re, im);
    expect(distance(re, expectedRe)).toBeLessThan(8 * size * EPS);
    expect(distance(im, expectedIm)).toBeLessThan(8 * size * EPS);
  });

  test.each([
    [1, 1],
    [2, 2],
    [7, 3],
    [50, 5],
    [64, 4],
  ])('lagged products of chains of %i steps, %i of them, against direct sums', (steps, chains) => {
    const random = randomSource(2);
    const list = Array.from({ length: chains }, () => vector(steps, () => 2 + random.normal()));
    const longest = steps >> 1;
    const products = lagProducts(steps, longest);
    const power = new Float64Array(spectrumSize(steps, longest));
    products.addPower(list.slice(0, 1), 1.5, power);
    products.addPower(list.slice(1), 1.5, power);
    const direct = vector(longest + 1, (t) =>
      list.reduce((sum, x) => {
        for (let s = 0; s + t < steps; s++) sum += (x[s] - 1.5) * (x[s + t] - 1.5);
        return sum;
      }, 0),
    );
    expect(distance(products.fromPower(power), direct)).toBeLessThan(64 * EPS * direct[0]);
  });
});

describe('windows', () => {
  test.each([0.99, 0.7, 0, -0.3, -0.9])('a mode of eigenvalue %f contributes tau_int (1 - s^W)', (s) => {
    for (const window of [1, 2, 5, 40, 41]) {
      const expected = ((1 + s) / (1 - s)) * (1 - s ** window);
      expect(Math.abs(windowedSum(powers(s, 50), window) - expected)).toBeLessThan(100 * EPS * (1 + expected));
    }
  });

  test.each([0.99, 0.9, 0.5, 0])('s = %f: the smallest window of five integrated times', (s) => {
    const covariance = powers(s, 2000).map((value) => 3 * value);
    const window = sokalWindow(covariance) ?? Number.NaN;
    const times = (w: number) => windowedSum(covariance, w) / covariance[0];
    expect(window).toBeGreaterThanOrEqual(WINDOW_FACTOR * times(window));
    for (let w = 1; w < window; w++) expect(w).toBeLessThan(WINDOW_FACTOR * times(w));
  });

  test.each([-0.5, -0.9, -0.99])('s = %f: correlations that alternate are followed until they die out', (s) => {
    const window = sokalWindow(powers(s, 2000)) ?? Number.NaN;
    expect(Math.abs(s) ** window).toBeLessThan(0.01);
    expect(window).toBeLessThan((2 * WINDOW_FACTOR) / (1 - Math.abs(s)));
  });

  test('correlations that stay have none', () => {
    for (const s of [1, -1]) expect(sokalWindow(powers(s, 500))).toBeNull();
    expect(sokalWindow(Float64Array.of(1))).toBeNull();
  });
});

describe('autoregressive chains', () => {
  test.each([
    [0.9, 4, 3000],
    [0.5, 1, 3000],
    [0.5, 20, 150],
    [0, 4, 500],
    [-0.5, 4, 500],
    [-0.9, 4, 3000],
  ])('phi %f, %i chains of %i steps: the known time, with error bars at their rate', (phi, chains, steps) => {
    const random = randomSource(11);
    const repetitions = 100;
    const exact = (1 + phi) / (1 - phi);
    const runs = Array.from({ length: repetitions }, () =>
      moving(integratedTime(autoregressive(phi, chains, steps, random))),
    );
    for (const { status } of runs) expect(status).toBe('windowed');
    const times = meanAndError(runs.map(({ tauInt }) => tauInt));
    const relative = meanAndError(runs.map(({ tauInt, standardError }) => standardError / tauInt)).mean;
    // The square of the relative error is what a window chosen from the same data leaves.
    expect(Math.abs(times.mean - exact)).toBeLessThan(4 * times.error + relative ** 2 * exact);
    // Spread of the estimates: known to 1 / sqrt(198) itself; the formula is that of long windows, a tenth or so too large at short ones.
    const spread = (times.error * Math.sqrt(repetitions)) / exact;
    expect(Math.abs(spread / relative - 0.93)).toBeLessThan(0.07 + 4 / Math.sqrt(2 * repetitions - 2));
    const variance = meanAndError(runs.map((run) => run.variance));
    expect(Math.abs(variance.mean - 1)).toBeLessThan(4 * variance.error);
    const within = (k: number) => runs.filter((r) => Math.abs(r.tauInt - exact) < k * r.standardError).length;
    expect(within(1)).toBeGreaterThan(0.55 * repetitions);
    expect(within(2)).toBeGreaterThan(0.88 * repetitions);
    if (chains === 1) return;
    const spreads = meanAndError(runs.map(({ agreement }) => agreement?.spread ?? Number.NaN));
    expect(Math.abs(spreads.mean - 1)).toBeLessThan(4 * spreads.error + relative ** 2);
    for (const { agreement } of runs) {
      expect(agreement?.spreadSigmas).toBeLessThan(5);
      expect(Math.abs(agreement?.driftSigmas ?? Number.NaN)).toBeLessThan(5);
    }
  });

  test('the error of the mean is taken out of the variance and the time', () => {
    const random = randomSource(12);
    const runs = Array.from({ length: 4000 }, () => moving(integratedTime(autoregressive(0, 2, 24, random))));
    const variance = meanAndError(runs.map((run) => run.variance));
    // Without it the variance would be 1 - 1/48.
    expect(variance.error).toBeLessThan(1 / 48 / 5);
    expect(Math.abs(variance.mean - 1)).toBeLessThan(4 * variance.error + 1 / 48 ** 2);
    const part = meanAndError(runs.map((run) => run.tauInt * run.variance));
    expect(Math.abs(part.mean - 1)).toBeLessThan(4 * part.error + (12 / 48) ** 2);
  });

  test('scale, origin and order of the chains do not matter', () => {
    const chains = autoregressive(0.8, 5, 400);
    const once = moving(integratedTime(chains));
    const moved = moving(integratedTime([...chains].reverse().map((x) => x.map((value) => 7 - 3 * value))));
    expect(moved.status).toBe(once.status);
    for (const [x, y] of [
      [moved.tauInt, once.tauInt],
      [moved.variance, 9 * once.variance],
      [moved.agreement?.spread, once.agreement?.spread],
      [moved.agreement?.driftSigmas, -(once.agreement?.driftSigmas ?? 0)],
    ]) {
      // Sums over 2000 values about a mean that is itself rounded.
      expect(Math.abs((x ?? Number.NaN) / (y ?? Number.NaN) - 1)).toBeLessThan(2000 * 16 * EPS);
    }
  });
});

describe('chains that cannot tell', () => {
  test('a value that never changes', () => {
    expect(integratedTime([Int8Array.of(1, 1, 1), Int8Array.of(1, 1, 1)])).toEqual({ status: 'constant', mean: 1 });
  });

  test('chains that each stay where they are', () => {
    const stuck = moving(integratedTime([new Float64Array(100).fill(1), new Float64Array(100).fill(-1)]));
    expect(stuck).toMatchObject({ status: 'no window', mean: 0 });
    expect(stuck.tauInt).toBeGreaterThan(99);
  });

  test('a strict alternation, whose mean has no error and whose correlations never end', () => {
    const time = moving(integratedTime([vector(100, (t) => (t % 2 ? 1 : -1)), vector(100, (t) => (t % 2 ? -1 : 1))]));
    expect(time.status).toBe('no window');
    expect(Math.abs(time.tauInt)).toBeLessThan(1e-12);
  });

  test('a random walk', () => {
    const random = randomSource(8);
    let x = 0;
    const walk = vector(2000, () => {
      x += random.normal();
      return x;
    });
    expect(integratedTime([walk]).status).toBe('no window');
  });

  test('whatever the series, every number is finite', () => {
    const random = randomSource(9);
    const series: (() => number)[] = [
      () => random.integer(2),
      () => (random.uniform() < 0.05 ? 1 : 0),
      () => 1 + EPS * random.integer(3),
      () => 1e119 * random.normal(),
      () => 1e-119 * (1 + random.uniform()),
    ];
    for (const draw of series) {
      for (const steps of [1, 2, 3, 4, 5, 9, 16, 33]) {
        for (const chains of [1, 2, 3, 25]) {
          for (let k = 0; k < 10; k++) {
            const time = integratedTime(Array.from({ length: chains }, () => vector(steps, draw)));
            for (const value of Object.values(time).flatMap((v) =>
              v && typeof v === 'object' ? Object.values(v) : v,
            )) {
              if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true);
            }
            if (time.status !== 'constant') expect(time.variance).toBeGreaterThan(0);
          }
        }
      }
    }
  });

  test.each<[string, readonly ArrayLike<number>[]]>([
    ['no chains', []],
    ['empty chains', [[], []]],
    [
      'chains of two lengths',
      [
        [1, 2, 3],
        [1, 2],
      ],
    ],
    [
      'what is no number',
      [
        [1, 2],
        [1, Number.NaN],
      ],
    ],
    ['infinity', [[1, Number.POSITIVE_INFINITY]]],
    ['squares that overflow', [[1, 1e200]]],
  ])('%s are refused', (_, chains) => {
    expect(() => integratedTime(chains)).toThrow(InputError);
  });
});
