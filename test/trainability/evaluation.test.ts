import { createRoute, type EvaluateOptions, evaluateModel, ising, type Model, teacherLaw } from 'htdml';
import { describe, expect, test } from 'vitest';
import { checkOptions } from '../../src/trainability/options.js';
import {
  dot,
  EPS,
  fromLeft,
  fullSpace,
  inner,
  jointLaw,
  lawError,
  matrixOf,
  times,
  vector,
} from '../support/brute-force.js';
import { complete, GIBBS, gradientCases, random, randomData } from '../support/models.js';

const options = (extra: Partial<EvaluateOptions> = {}): EvaluateOptions => ({
  kernel: 'random-scan',
  burnIn: 3,
  window: 8,
  chains: 1,
  start: 'uniform',
  epsilon: 1e-3,
  kappa: 2.5,
  gradient: true,
  ...extra,
});

describe.each(gradientCases())('$name', ({ model, data }) => {
  const full = fullSpace(model);
  const error = lawError(model);
  const { joint } = jointLaw(full, data);
  const g = full.observables.map((f) => dot(joint, f) - dot(full.pi, f));
  const pairs = model.edges.length;
  const square = (x: readonly number[]) => x.reduce((sum, value) => sum + value * value, 0);

  describe.each(GIBBS)('%s', (kernel) => {
    const p = matrixOf(full, kernel);

    test('operational SNR by parameter group against powers of the full matrix, with and without chains', () => {
      const { burnIn, window } = options();
      let mu: Float64Array = vector(full.states, () => 1 / full.states);
      for (let t = 0; t <= burnIn; t++) mu = fromLeft(mu, p);
      const laws = [mu];
      while (laws.length < window) laws.push(fromLeft(laws[laws.length - 1], p));
      const each = full.centred.map((fc) => {
        const moved = [fc];
        while (moved.length < window) moved.push(times(p, moved[moved.length - 1]));
        let mse = 0;
        laws.forEach((law, s) => {
          for (let t = s; t < window; t++) mse += ((s === t ? 1 : 2) * inner(law, fc, moved[t - s])) / window ** 2;
        });
        return { mse, bias: laws.reduce((sum, law) => sum + dot(law, fc), 0) / window };
      });
      // Eleven steps of an operator that is right to lawError, on observables bounded by 2.
      const tolerance = 4 * 11 * (8 * EPS * model.spins + error) * g.length;
      for (const chains of [1, 5]) {
        const { operational, plateau, signal } = evaluateModel(model, data, options({ kernel, chains }));
        const mse = (from: number, to: number) =>
          each.slice(from, to).reduce((sum, e) => sum + e.bias ** 2 + (e.mse - e.bias ** 2) / chains, 0);
        const total = mse(0, g.length);
        expect(Math.abs((operational?.mse ?? 0) - total)).toBeLessThan(tolerance);
        expect(Math.abs((operational?.biasSquared ?? 0) - square(each.map((e) => e.bias)))).toBeLessThan(tolerance);
        const relative = (tolerance / total + 8 * error * g.length) * 4;
        expect(Math.abs((operational?.R ?? 0) - square(g) / total)).toBeLessThan(relative * (1 + square(g) / total));
        expect(Math.abs(signal - square(g))).toBeLessThan(16 * error * g.length);
        expect(plateau).toBe((operational?.R ?? 0) < 1);
        const groups = operational?.groups ?? {};
        expect(Object.keys(groups)).toEqual(model.biased ? ['couplings', 'biases'] : ['couplings']);
        for (const [name, from, to] of [
          ['couplings', 0, pairs],
          ['biases', pairs, g.length],
        ] as const) {
          if (from === to) continue;
          const part = square(g.slice(from, to)) / mse(from, to);
          expect(Math.abs(groups[name].signal - square(g.slice(from, to)))).toBeLessThan(16 * error * g.length);
          const share = (tolerance / mse(from, to) + 8 * error * g.length) * 4;
          expect(Math.abs((groups[name].R ?? -1) - part)).toBeLessThan(share * (1 + part));
        }
      }
    });

    test('gradients are those of the route at the reported numbers', () => {
      const { gradient, predictors } = evaluateModel(model, data, options({ kernel }));
      const route = createRoute(model, data, { kernel });
      const { value, pullback } = route.evaluate(model.theta, ['timescale', 'variance', 'signal', 'kl']);
      const [t, mu, s] = [value.timescale ?? 0, value.variance ?? 0, value.signal ?? 0];
      const [dt, dmu, ds] = [{ timescale: 1 }, { variance: 1 }, { signal: 1 }].map(pullback);
      const close = (x: readonly number[] | null | undefined, y: Float64Array, parts: readonly Float64Array[]) => {
        // Sums of the parts, each rounded a few times; a part that cancels, as at J = 0, had terms of size beta.
        const tops = parts.map((part) => part.reduce((top, v) => Math.max(top, Math.abs(v)), 0));
        const size = tops.reduce((sum, top) => sum + top, model.beta);
        y.forEach((v, a) => expect(Math.abs((x?.[a] ?? Number.NaN) - v)).toBeLessThan(256 * EPS * size));
      };
      close(
        gradient?.logRhatFull,
        ds.map((v, a) => v / s - dt[a] / t),
        [ds.map((v) => v / s), dt.map((v) => v / t)],
      );
      const gap = dmu.map((v, a) => v / mu - (dt[a] + v / 2) / (t + mu / 2));
      close(gradient?.logEffectiveGap, gap, [dmu.map((v) => v / mu), dt.map((v) => v / t)]);
      close(
        gradient?.kl,
        Float64Array.from(g, (v) => model.beta * v),
        [Float64Array.of(64 * model.beta)],
      );
      expect(gradient?.logRhatSlowCluster?.length).toBe(g.length);
      expect(predictors.full.timescale).toBe(t);
      expect(predictors.full.slowMass).toBe(mu);
    });

    test('from equilibrium there is no bias, and one chain more always helps', () => {
      const one = evaluateModel(model, data, options({ kernel, start: 'stationary' })).operational;
      const two = evaluateModel(model, data, options({ kernel, start: 'stationary', chains: 2 })).operational;
      expect(one?.biasSquared).toBe(0);
      expect(two?.mse).toBe((one?.mse ?? 0) / 2);
    });
  });
});

describe('symmetry', () => {
  const { normal } = random(107);
  const couplings = Array.from({ length: 10 }, () => 0.4 * normal());
  const without = ising({ spins: 5, edges: complete(5), couplings });
  const data = randomData(5, 109, 0.6);

  test.each(GIBBS)('%s: without biases the textbook gap sees nothing, and the others are numbers', (kernel) => {
    const result = evaluateModel(without, data, options({ kernel }));
    const { singleGap, ...rest } = result.predictors;
    expect(singleGap).toBe('symmetry-zero');
    for (const predictor of Object.values(rest)) {
      if (predictor === null || typeof predictor === 'string') throw new Error('a predictor is missing');
      const { Rhat, timescale, effectiveGap, slowMass } = predictor;
      for (const x of [Rhat, timescale, effectiveGap, slowMass]) expect(Number.isFinite(x) && (x ?? 0) > 0).toBe(true);
    }
    // The textbook gap is that of the odd sector, below every gap the observables see.
    const slowest = rest.relevant?.groups?.[0].eigenvalue ?? 1;
    expect(result.spectralGap).toBeLessThan(1 - slowest);
  });

  test.each(GIBBS)('%s: with biases, be they zero, the textbook gap is a number', (kernel) => {
    const model = ising({ spins: 5, edges: complete(5), couplings, biases: Array(5).fill(0) });
    const { predictors, spectralGap } = evaluateModel(model, data, options({ kernel }));
    const { singleGap } = predictors;
    if (singleGap === null || singleGap === 'symmetry-zero') throw new Error('no textbook gap');
    expect(singleGap.effectiveGap).toBeCloseTo(spectralGap ?? 0, 12);
    // The same model without bias observables has the same textbook gap.
    const other = evaluateModel(without, data, options({ kernel })).spectralGap ?? 0;
    expect(Math.abs((spectralGap ?? 0) - other)).toBeLessThan(8 * 32 * lawError(model));
  });
});

describe('zero signal', () => {
  // At all-zero weights without biases the coupling gradient vanishes exactly for data with independent spins.
  const flat: Model = ising({ spins: 3, edges: complete(3), couplings: [0, 0, 0] });
  const result = evaluateModel(flat, teacherLaw(flat), options());

  test('R and R_hat are zero, their gradients null with a note, the others stay', () => {
    expect(result.signal).toBe(0);
    expect(result.operational?.R).toBe(0);
    expect(result.plateau).toBe(true);
    expect(result.predictors.full.Rhat).toBe(0);
    expect(result.gradient?.logRhatFull).toBeNull();
    expect(result.gradient?.logRhatSlowCluster).toBeNull();
    expect(result.gradient?.logEffectiveGap?.every(Number.isFinite)).toBe(true);
    const paths = result.notes.map(({ path }) => path);
    expect(paths).toContain('gradient.logRhatFull');
    expect(paths).toContain('gradient.logRhatSlowCluster');
    expect(result.limitingFactor).toBe('signal');
    expect(result.claim.operational).toBe('untested');
  });
});

test('the claim of tracking: R within a factor of two of R_hat of the relevant modes', () => {
  const { model, data } = gradientCases()[0];
  // From equilibrium, K mse / 2 is within 1 / (K gap) of T (D11): tracked for a long window. At K = 1, mse = mu, so R/R_hat = 2 T / mu.
  const long = evaluateModel(model, data, options({ window: 100_000, start: 'stationary' }));
  expect(long.claim.operational).toBe('tracked');
  const ratios = [1, 2, 4, 8, 16, 32, 64].map((window) => {
    const { operational, predictors, claim } = evaluateModel(model, data, options({ window, start: 'stationary' }));
    const ratio = (operational?.R ?? Number.NaN) / (predictors.relevant?.Rhat ?? Number.NaN);
    expect(claim.operational).toBe(Math.abs(Math.log(ratio)) <= Math.LN2 ? 'tracked' : 'violated');
    return ratio;
  });
  // R / R_hat falls from about 2 T / mu through both sides of two.
  expect(ratios[0]).toBeGreaterThan(4);
  expect(ratios.some((ratio) => ratio > 2 && ratio < 3)).toBe(true);
  expect(ratios[ratios.length - 1]).toBeLessThan(2);
});

describe.each(gradientCases())('$name', ({ model, data }) => {
  const bound = (extra: Partial<EvaluateOptions>) => {
    const { operational, predictors, gates, trackingBound, notes } = evaluateModel(model, data, options(extra));
    expect(notes.some(({ path }) => path === 'trackingBound')).toBe(trackingBound === null);
    const ratio = (operational?.R ?? Number.NaN) / (predictors.full.Rhat ?? Number.NaN);
    return { ratio, gap: gates.A5.gap ?? Number.NaN, trackingBound };
  };

  test.each(['uniform', 'data', 'state:1'] as const)(
    'from %s, R / R_hat of one chain is in the proven interval',
    (start) => {
      const { ratio, gap, trackingBound } = bound({ start, burnIn: 2000, window: 200_000 });
      const [low, high] = trackingBound ?? [Number.NaN, Number.NaN];
      // The law counts as stationary 1e-13 away, spectral sums are right to n lawError / gap, and correlations add both up over 1 / gap steps.
      const slack = (4e-13 + 16 * 2 ** model.spins * lawError(model)) / gap;
      expect(ratio).toBeGreaterThan(low * (1 - slack));
      expect(ratio).toBeLessThan(high * (1 + slack));
      expect(bound({ start, chains: 4 }).trackingBound).toBeNull();
    },
  );

  test('from equilibrium the interval is a point, for any number of chains', () => {
    const one = bound({ start: 'stationary', window: 50 });
    const [low, high] = one.trackingBound ?? [0, 0];
    expect(low).toBe(high);
    expect(Math.abs(one.ratio / low - 1)).toBeLessThan(1e-12);
    const four = bound({ start: 'stationary', window: 50, chains: 4 });
    expect(four.trackingBound).toEqual(one.trackingBound);
    expect(Math.abs(four.ratio / one.ratio - 1)).toBeLessThan(1e-12);
  });
});

test('too short a run from far away has no upper end, and says so', () => {
  const { model, data } = gradientCases()[3];
  const { trackingBound, notes } = evaluateModel(model, data, options({ start: 'state:5', burnIn: 0, window: 1 }));
  expect(trackingBound).toBeNull();
  expect(notes.find(({ path }) => path === 'trackingBound')?.reason).toMatch(/upper end/);
});

test('deep in a plateau the gates say which numbers are not known', () => {
  const deep = ising({ spins: 4, edges: complete(4), couplings: Array(6).fill(200), biases: Array(4).fill(0) });
  for (const start of ['uniform', 'stationary'] as const) {
    const { gates, claim, trackingBound, notes } = evaluateModel(deep, randomData(4, 3), options({ start }));
    expect(gates.A3.met).toBe(false);
    expect(claim.conditional).toBe('unmet');
    expect(claim.gates).toContain('A3');
    expect([gates.A7.met, gates.A8.met, gates.A6.met, trackingBound]).toEqual([null, null, null, null]);
    expect(gates.A5.met).toBe(start === 'stationary' ? true : null);
    for (const path of ['trackingBound', 'gates.A6', 'gates.A7', 'gates.A8']) {
      expect(notes.map((note) => note.path)).toContain(path);
    }
  }
});

test('options out of range are refused by name', () => {
  const wrong: [keyof EvaluateOptions, number][] = [
    ['burnIn', -1],
    ['burnIn', 0.5],
    ['window', 0],
    ['window', Number.NaN],
    ['chains', 0],
    ['epsilon', 0],
    ['epsilon', 1],
    ['kappa', 0.9],
    ['kappa', Number.POSITIVE_INFINITY],
  ];
  for (const [field, value] of wrong) {
    expect(() => checkOptions(options({ [field]: value }), ['burnIn', 'window', 'chains', 'epsilon', 'kappa'])).toThrow(
      new RegExp(`^${field} must be `),
    );
  }
  expect(() => checkOptions(options(), ['burnIn', 'window', 'chains', 'epsilon', 'kappa'])).not.toThrow();
});
