import {
  createRoute,
  InputError,
  type IntegratedTime,
  ising,
  KERNEL_NAMES,
  type KernelName,
  type Model,
  measureTimescales,
  randomSource,
  rbm,
  type TimescaleOptions,
  UnsupportedError,
} from 'htdml';
import { describe, expect, test } from 'vitest';
import { sokalWindow, windowedSum } from '../../src/estimation/autocorrelation.js';
import { estimateTimescale } from '../../src/estimation/timescale-estimate.js';
import { verdict } from '../../src/estimation/verdict.js';
import { vector } from '../support/brute-force.js';
import { positiveLaw } from '../support/fitted.js';
import { complete, gradientCases, ring } from '../support/models.js';

/** Exact `T`, and `tau_int` per observable. */
function exact(model: Model, kernel: KernelName) {
  const route = createRoute(model, positiveLaw(model.visible.length, 1), { kernel });
  const { value, info } = route.evaluate(model.theta, ['timescale']);
  const { timescale, variance } = info.observables ?? { timescale: [], variance: [] };
  return { T: value.timescale ?? Number.NaN, times: Array.from(timescale, (t, a) => (2 * t) / variance[a]) };
}

const options = (kernel: KernelName, change: Partial<TimescaleOptions> = {}): TimescaleOptions => ({
  kernel,
  start: 'uniform',
  burnIn: 300,
  window: 2000,
  chains: 16,
  seed: 1,
  ...change,
});

const tauInt = (time: IntegratedTime) => (time.status === 'constant' ? Number.NaN : time.tauInt);
const numbers = (value: unknown): number[] =>
  typeof value === 'object' && value !== null
    ? Object.values(value).flatMap(numbers)
    : typeof value === 'number'
      ? [value]
      : [];
const error = (time: IntegratedTime) => (time.status === 'constant' ? Number.NaN : time.standardError);

describe('against the exact times', () => {
  const names = [
    'random Ising, biased',
    'random Ising, no biases',
    'J = 0, biased',
    'all couplings equal',
    'blocks with inside edges',
    'RBM 3 + 2',
  ];
  const cases = gradientCases().filter(({ name }) => names.includes(name));
  test.each(cases.flatMap((one) => KERNEL_NAMES.map((kernel) => ({ ...one, kernel }))))('$name, $kernel', (one) => {
    const { model, kernel } = one;
    const { T, times } = exact(model, kernel);
    const measured = measureTimescales(model, null, options(kernel));
    expect(measured).toMatchObject({ verdict: 'resolved', missing: [], steps: 32_000 });
    expect(measured.standardError).toBeLessThan(0.15 * T);
    expect(Math.abs(measured.T - T)).toBeLessThan(4 * (measured.standardError ?? 0));
    measured.observables.forEach((time, a) => {
      expect(time.status).toBe('windowed');
      expect(Math.abs(tauInt(time) - times[a])).toBeLessThan(4 * error(time));
    });
    const { parameter, integratedTime } = measured.slowestObservable ?? { parameter: -1, integratedTime: 0 };
    expect(integratedTime).toBe(Math.max(...measured.observables.map(tauInt)));
    // The slowest one found is the slowest one up to the errors.
    expect(times[parameter]).toBeGreaterThan(Math.max(...times) - 6 * error(measured.observables[parameter]));
  });

  test('error bars cover at their rate over random models and all kernels', () => {
    const random = randomSource(21);
    const models = 150;
    const count = { T1: 0, T2: 0, tau1: 0, tau2: 0, observables: 0 };
    for (let k = 0; k < models; k++) {
      const normals = (n: number, scale: number) => vector(n, () => scale * random.normal());
      const model = ising({ spins: 3, edges: complete(3), couplings: normals(3, 0.4), biases: normals(3, 0.3) });
      const kernel = KERNEL_NAMES[k % KERNEL_NAMES.length];
      const { T, times } = exact(model, kernel);
      const measured = measureTimescales(model, null, options(kernel, { window: 500, burnIn: 100, seed: k }));
      const distance = Math.abs(measured.T - T) / (measured.standardError ?? 0);
      if (distance < 1) count.T1++;
      if (distance < 2) count.T2++;
      measured.observables.forEach((time, a) => {
        const sigmas = Math.abs(tauInt(time) - times[a]) / error(time);
        if (sigmas < 1) count.tau1++;
        if (sigmas < 2) count.tau2++;
        count.observables++;
      });
    }
    // 68% and 95% with the binomial error of 150 models; the formula for single times is that of long windows and a little too large.
    expect(count.T1 / models).toBeGreaterThan(0.6);
    expect(count.T1 / models).toBeLessThan(0.77);
    expect(count.T2 / models).toBeGreaterThan(0.9);
    expect(count.tau1 / count.observables).toBeGreaterThan(0.62);
    expect(count.tau1 / count.observables).toBeLessThan(0.8);
    expect(count.tau2 / count.observables).toBeGreaterThan(0.92);
  });
});

describe('a metastable model', () => {
  const model = ising({ spins: 4, edges: ring(4), couplings: [1.5, 1.5, 1.5, 1.5], biases: [0, 0.1, 0, 0] });
  const run = (window: number) => measureTimescales(model, null, options('random-scan', { window, chains: 8 }));

  test('is unresolved, its time growing with the length of the chains, until they are long enough', () => {
    const { T, times } = exact(model, 'random-scan');
    const short = [100, 400, 1600].map(run);
    short.forEach((measured, k) => {
      expect(measured.verdict).toBe('unresolved');
      expect(measured.missing.length).toBeGreaterThan(0);
      expect(measured.T).toBeLessThan(T);
      if (k > 0) expect(measured.T).toBeGreaterThan(1.5 * short[k - 1].T);
    });
    expect(short[0].missing.join()).toMatch(/have no window within half a chain of 100 steps/);
    const long = run(60_000);
    expect(long).toMatchObject({ verdict: 'resolved', missing: [] });
    expect(60_000 * 8).toBeGreaterThan(50 * Math.max(...times));
    expect(Math.abs(long.T - T)).toBeLessThan(4 * (long.standardError ?? 0));
  });

  test('of two states that are never left is unresolved and says which observables never changed', () => {
    const frozen = ising({ spins: 3, edges: ring(3), couplings: [300, 300, 300] });
    for (const kernel of KERNEL_NAMES) {
      const measured = measureTimescales(frozen, null, options(kernel, { window: 50 }));
      expect(measured).toMatchObject({ verdict: 'unresolved', T: 0, slowestObservable: null });
      expect(measured.missing).toEqual(['3 of 3 observables never changed (J[0,1] first)']);
    }
  });
});

describe('estimates from series', () => {
  const model = ising({ spins: 2, edges: [[0, 1]], couplings: [0] });
  const noise = (phi: number, chains: number, steps: number, seed: number) => {
    const random = randomSource(seed);
    return Array.from({ length: chains }, () => {
      let x = random.normal();
      return vector(steps, () => {
        x = phi * x + Math.sqrt(1 - phi * phi) * random.normal();
        return x;
      });
    });
  };
  const judge = (chains: readonly Float64Array[]) => {
    const steps = chains[0].length;
    const estimate = (length: number) => estimateTimescale(1, () => chains, length);
    return verdict(model, estimate(steps), estimate(steps >> 1), steps, chains.length);
  };

  test('plain chains are resolved', () => {
    expect(judge(noise(0.5, 8, 1000, 5))).toEqual({ verdict: 'resolved', missing: [] });
  });

  test('chains about different means disagree', () => {
    const apart = (steps: number, by: number) =>
      noise(0.5, 8, steps, 5).map((x, m) => x.map((value) => value + (m % 2 ? by : -by)));
    expect(judge(apart(10_000, 0.055)).missing.join()).toMatch(
      /^the chains disagree: the variance of their means of J\[0,1\] is /,
    );
    // Further apart the difference looks like a correlation that does not end.
    expect(judge(apart(1000, 0.5)).missing.join()).toMatch(/^1 of 1 observables have no window within half a chain/);
  });

  test('a start that is not forgotten', () => {
    const drifting = noise(0.5, 8, 1000, 5).map((x) => x.map((value, t) => value + (t < 500 ? 0.15 : -0.15)));
    expect(judge(drifting).missing.join()).toMatch(/the start is not forgotten: the mean of J\[0,1\] moves by /);
  });

  test('too few steps', () => {
    expect(judge(noise(0.9, 2, 400, 6)).missing.join()).toMatch(/800 steps in all are fewer than 50 of /);
  });

  test('a time that grows', () => {
    const late = noise(0.95, 8, 1000, 8);
    const growing = noise(0, 8, 2000, 7).map((x, m) => x.map((value, t) => (t < 1000 ? value : late[m][t - 1000])));
    expect(judge(growing).missing.join()).toMatch(/doubling the chains took .* from .* to .* steps/);
  });

  test('a slow mode of little weight is not left outside of the window', () => {
    const weight = 0.03;
    const slow = noise(0.98, 10, 40_000, 9);
    const chains = noise(0, 10, 40_000, 10).map((x, m) =>
      x.map((value, t) => Math.sqrt(1 - weight) * value + Math.sqrt(weight) * slow[m][t]),
    );
    const covariance = vector(1000, (t) => (t === 0 ? 1 : weight * 0.98 ** t));
    const own = sokalWindow(covariance) ?? 0;
    const expected = 1 - weight + weight * 99;
    const { observables, lagWindow, T, standardError } = estimateTimescale(1, () => chains, 40_000);
    expect(lagWindow).toBeGreaterThan(2 * own);
    const left = expected - windowedSum(covariance, own);
    expect(left).toBeGreaterThan(8 * error(observables[0]));
    // What the doubled window leaves is below what chance could have hidden.
    expect(Math.abs(tauInt(observables[0]) - expected)).toBeLessThan(4 * error(observables[0]));
    expect(Math.abs(T - expected / 2)).toBeLessThan(5 * (standardError ?? 0));
  });

  test('the standard error of T is the jackknife over chains at a fixed window and mean', () => {
    const chains = noise(0.6, 5, 300, 4);
    const other = noise(0.2, 5, 300, 14);
    const { lagWindow, standardError, T } = estimateTimescale(2, (a) => [chains, other][a], 300);
    const meanOf = (list: readonly Float64Array[]) => list.flatMap((x) => [...x]).reduce((a, b) => a + b) / 1500;
    const means = [chains, other].map(meanOf);
    const sum = (kept: readonly number[]) =>
      [chains, other].reduce((total, list, a) => {
        const covariance = vector(lagWindow + 1, (t) => {
          let products = 0;
          for (const m of kept)
            for (let s = 0; s + t < 300; s++) products += (list[m][s] - means[a]) * (list[m][s + t] - means[a]);
          return products / (kept.length * (300 - t));
        });
        return total + (windowedSum(covariance, lagWindow) / 2) * (1 + (2 * lagWindow) / 1500);
      }, 0);
    const all = [0, 1, 2, 3, 4];
    const leftOut = all.map((m) => sum(all.filter((k) => k !== m)));
    const centre = leftOut.reduce((a, b) => a + b) / 5;
    const jackknife = Math.sqrt((4 / 5) * leftOut.reduce((squares, value) => squares + (value - centre) ** 2, 0));
    expect(Math.abs((standardError ?? 0) / jackknife - 1)).toBeLessThan(1e-11);
    expect(Math.abs(T / sum(all) - 1)).toBeLessThan(1e-12);
  });
});

describe('what is asked', () => {
  const model = rbm({
    visible: 3,
    hidden: 2,
    weights: [0.3, -0.2, 0.5, 0.1, 0.4, -0.6],
    visibleBiases: [0, 0.1, 0],
    hiddenBiases: [0.2, 0],
  });
  const data = positiveLaw(3, 2);
  const asked = options('random-block', { window: 100 });

  test('the same seed gives the same numbers, another seed others; data matter only for their start', () => {
    for (const start of ['stationary', 'uniform', 'data', 'state:3'] as const) {
      const once = measureTimescales(model, data, { ...asked, start });
      expect(measureTimescales(model, data, { ...asked, start })).toEqual(once);
      expect(measureTimescales(model, data, { ...asked, start, seed: 2 }).T).not.toBe(once.T);
      if (start !== 'data') expect(measureTimescales(model, null, { ...asked, start })).toEqual(once);
    }
  });

  test('a chain of a step or two says that it is too short', () => {
    for (const window of [1, 2, 3, 9]) {
      const measured = measureTimescales(model, null, { ...asked, window, burnIn: 0 });
      expect(measured.verdict).toBe('unresolved');
      expect(numbers(measured).every(Number.isFinite)).toBe(true);
    }
  });

  test.each([
    { chains: 1 },
    { chains: 2.5 },
    { window: 0 },
    { burnIn: -1 },
    { seed: 0.5 },
    { start: 'state:32' } as const,
  ])('%o is refused', (change) => {
    expect(() => measureTimescales(model, data, { ...asked, ...change })).toThrow(InputError);
  });

  test('data of another size, or none where the start needs them', () => {
    expect(() => measureTimescales(model, positiveLaw(2, 1), asked)).toThrow(InputError);
    expect(() => measureTimescales(model, null, { ...asked, start: 'data' })).toThrow(/^data must be a data law for/);
  });

  test('more than the memory holds is refused with the numbers', () => {
    for (const change of [{ window: 1e9 }, { chains: 1e7 }, { window: Number.MAX_SAFE_INTEGER }]) {
      const refused = () => measureTimescales(model, null, { ...asked, ...change });
      expect(refused).toThrow(UnsupportedError);
      expect(refused).toThrow(/it would take [\d.e+]+ bytes and the limit is 536870912; use fewer or shorter chains/);
    }
  });
});
