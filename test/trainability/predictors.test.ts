import { createRoute, DEFAULT_REFERENCES, type References } from 'htdml';
import { describe, expect, test } from 'vitest';
import type { EigenvalueGroup } from '../../src/spectrum/groups.js';
import { DEFAULT_THRESHOLDS, modeSets } from '../../src/trainability/membership/mode-sets.js';
import { limitingFactor, modePredictors, type Predictor, predict } from '../../src/trainability/predictors.js';
import { EPS } from '../support/brute-force.js';
import { gradientCases, MIXTURES } from '../support/models.js';

const group = (gap: number, weight: number, multiplicity = 1): EigenvalueGroup => ({
  gap,
  multiplicity,
  weight,
  couplingsWeight: weight,
  biasesWeight: 0,
  members: [],
});

describe('which modes count', () => {
  // Powers of two, so that shares and multiples are exact.
  const thresholds = { epsilon: 2 ** -10, kappa: 2.5 };
  const rest = (weight: number) => group(1, 1024 - weight);

  test('a group of exactly the share epsilon is relevant, the next number below is not', () => {
    expect(modeSets([group(0.125, 1), rest(1)], thresholds).relevant).toEqual([0, 1]);
    const below = 1 - EPS / 2;
    expect(modeSets([group(0.125, below), rest(below)], thresholds).relevant).toEqual([1]);
  });

  test('a group at exactly kappa times the anchor is inside the window, the next number above is not', () => {
    const edge = 2.5 * 0.125;
    expect(modeSets([group(0.125, 1), group(edge, 1), group(1, 1)], thresholds).slowCluster).toEqual([0, 1]);
    const above = edge * (1 + EPS);
    expect(modeSets([group(0.125, 1), group(above, 1), group(1, 1)], thresholds).slowCluster).toEqual([0]);
  });

  test('the window is anchored at the slowest relevant group and holds slower irrelevant ones too', () => {
    const groups = [group(0.01, 1e-9), group(0.125, 1), group(0.25, 0), group(0.5, 1)];
    expect(modeSets(groups, DEFAULT_THRESHOLDS)).toEqual({ relevant: [1, 3], slowCluster: [0, 1, 2] });
  });

  test('nothing counts where nothing fluctuates', () => {
    expect(modeSets([group(0.5, 0), group(1, 0)], DEFAULT_THRESHOLDS)).toEqual({ relevant: [], slowCluster: [] });
    expect(modeSets([], DEFAULT_THRESHOLDS)).toEqual({ relevant: [], slowCluster: [] });
  });

  test('kappa 1 keeps the anchor alone', () => {
    expect(modeSets([group(0.125, 1), group(0.126, 1)], { epsilon: 1e-3, kappa: 1 }).slowCluster).toEqual([0]);
  });
});

/** (3.1) and (3.2), each from the other's numbers; a handful of roundings. */
function checkIdentities(p: Predictor, signal: number, samples: number): void {
  const { Rhat, timescale: t, slowMass: mu, effectiveGap: gamma } = p;
  if (Rhat === null || t === null || gamma === null) throw new Error('a number is missing');
  // 1/gamma - 1/2 cancels at gamma near 2, where T is near 0; here gamma <= 1.
  expect(Math.abs((mu * (1 / gamma - 0.5)) / t - 1)).toBeLessThan(16 * EPS);
  expect(Math.abs(gamma / (mu / (t + mu / 2)) - 1)).toBeLessThan(16 * EPS);
  expect(Math.abs(Rhat / (((samples / 2) * signal) / t) - 1)).toBeLessThan(16 * EPS);
  // The factors of the trade-off: (gamma K / 2) |g|^2 / mu, up to the 1 - gamma / 2 that slow modes lack.
  expect(Math.abs((((gamma * samples) / 2) * (signal / mu)) / (1 - gamma / 2) / Rhat - 1)).toBeLessThan(16 * EPS);
}

describe('a prediction', () => {
  test('satisfies (3.1) and (3.2)', () => {
    for (const [t, mu] of [
      [0.5, 1],
      [7.3, 2.9],
      [1e14, 3],
      [1e-12, 2e-12],
    ]) {
      checkIdentities(predict(t, mu, 0.037, 500), 0.037, 500);
    }
    expect(predict(2, 1, 3, 8)).toEqual({ Rhat: 6, timescale: 2, slowMass: 1, effectiveGap: 0.4 });
  });

  test('is null where nothing finite can be said', () => {
    expect(predict(0, 0, 1, 10)).toEqual({ Rhat: null, timescale: 0, slowMass: 0, effectiveGap: null });
    const stuck = predict(Number.POSITIVE_INFINITY, 1, 1, 10);
    expect(stuck).toEqual({ Rhat: null, timescale: null, slowMass: 1, effectiveGap: null });
    expect(predict(2, 1, 0, 10).Rhat).toBe(0);
  });
});

describe('the predictors that need modes', () => {
  const groups = [group(0.0625, 0), group(0.125, 4, 2), group(0.25, 8), group(1, 4)];
  const of = (slowest: EigenvalueGroup | null) =>
    modePredictors({ groups, slowest, measure: groups }, DEFAULT_THRESHOLDS, 2, 100);

  test('sums over their sets, by hand', () => {
    const predictors = of(groups[0]);
    // tau = 1/gap - 1/2: 7.5, 3.5, 0.5 for the three that weigh.
    const [relevant, cluster] = [4 * 7.5 + 8 * 3.5 + 4 * 0.5, 4 * 7.5 + 8 * 3.5];
    expect(predictors?.relevant).toEqual({
      ...predict(relevant, 16, 2, 100),
      groups: [
        { eigenvalue: 0.875, multiplicity: 2, weight: 4 },
        { eigenvalue: 0.75, multiplicity: 1, weight: 8 },
        { eigenvalue: 0, multiplicity: 1, weight: 4 },
      ],
    });
    expect(predictors?.slowCluster).toEqual({
      ...predict(cluster, 12, 2, 100),
      groups: [
        { eigenvalue: 0.9375, multiplicity: 1, weight: 0 },
        { eigenvalue: 0.875, multiplicity: 2, weight: 4 },
        { eigenvalue: 0.75, multiplicity: 1, weight: 8 },
      ],
    });
    expect(predictors?.singleRelevantGap).toEqual(predict(4 * 7.5, 4, 2, 100));
  });

  test('the textbook gap is symmetry-zero below a share of 1e-20, and a number from there on', () => {
    expect(of(groups[0])?.singleGap).toBe('symmetry-zero');
    expect(of(group(0.0625, 16 * 0.99e-20))?.singleGap).toBe('symmetry-zero');
    const share = 16 * 1.01e-20;
    expect(of(group(0.0625, share))?.singleGap).toEqual(predict(share * 15.5, share, 2, 100));
    expect(of(groups[1])?.singleGap).toEqual(predict(30, 4, 2, 100));
  });

  test('are null without modes, and where no observable fluctuates', () => {
    expect(modePredictors({ groups: null, slowest: null, measure: [] }, DEFAULT_THRESHOLDS, 1, 1)).toBeNull();
    const still = [group(0.5, 0)];
    expect(modePredictors({ groups: still, slowest: still[0], measure: still }, DEFAULT_THRESHOLDS, 1, 1)).toBeNull();
  });
});

describe('from the slow end alone', () => {
  const groups = [group(0.0625, 0), group(0.125, 4, 2), group(0.25, 8)];
  const of = (totalWeight: number, clear: number) =>
    modePredictors(
      { groups: null, slow: { groups, clear, totalWeight }, slowest: groups[0], measure: null },
      DEFAULT_THRESHOLDS,
      2,
      100,
    );

  test('the slow cluster where it lies below what is clear, and the relevant groups where no weight is left for another', () => {
    const cluster = predict(4 * 7.5 + 8 * 3.5, 12, 2, 100);
    expect(of(16, 0.4)?.slowCluster).toMatchObject(cluster);
    expect(of(16, 0.4)?.relevant).toBeNull();
    expect(of(12 * (1 + 0.9e-3), 0.4)?.relevant).toMatchObject(cluster);
    expect(of(12 * (1 + 1.1e-3), 0.4)?.relevant).toBeNull();
    expect(of(16, 0.3)).toBeNull();
  });

  test('relevance is a share of all weight, known and not', () => {
    // 4 is no share of 1e-3 of 5,000, and 8 is: the anchor is at 0.25.
    expect(of(5000, 0.7)?.slowCluster).toMatchObject(predict(4 * 7.5 + 8 * 3.5, 12, 2, 100));
    expect(of(5000, 0.7)?.singleRelevantGap).toEqual(predict(8 * 3.5, 8, 2, 100));
    expect(of(5000, 0.6)).toBeNull();
  });
});

describe.each(gradientCases())('$name', ({ model, data }) => {
  test.each(MIXTURES)('%s: identities, and inclusions between the sets', (kernel) => {
    const route = createRoute(model, data, { kernel });
    const relaxation = route.relaxation(model.theta);
    const { value } = route.evaluate(model.theta, ['timescale', 'variance']);
    const predictors = modePredictors(relaxation, DEFAULT_THRESHOLDS, 0.01, 1000);
    if (predictors === null) throw new Error('no modes');
    const { relevant, slowCluster, singleRelevantGap, singleGap } = predictors;
    if (relevant === null) throw new Error('all groups are known');
    const full = predict(value.timescale ?? 0, value.variance ?? 0, 0.01, 1000);
    for (const p of [relevant, slowCluster, singleRelevantGap, full]) checkIdentities(p, 0.01, 1000);
    if (singleGap !== 'symmetry-zero') checkIdentities(singleGap, 0.01, 1000);
    // Sets within sets: less time, less mass. Spectral sums against a solve: n eps / gap.
    const slack = 1 + (256 * 64 * EPS) / (relaxation.slowest?.gap ?? 1);
    for (const part of [relevant, slowCluster]) {
      expect(singleRelevantGap.timescale).toBeLessThanOrEqual((part.timescale ?? 0) * slack);
      expect(part.timescale).toBeLessThanOrEqual((full.timescale ?? 0) * slack);
      expect(part.slowMass).toBeLessThanOrEqual(full.slowMass * slack);
    }
    // What relevance leaves out weighs at most epsilon per group.
    const left = 1 - relevant.slowMass / full.slowMass;
    expect(left).toBeLessThanOrEqual(DEFAULT_THRESHOLDS.epsilon * (relaxation.groups?.length ?? 0) + slack - 1);
  });
});

describe('the limiting factor', () => {
  const at = (gap: number, share: number, sweeps: number, n = 4, references = DEFAULT_REFERENCES) => {
    const mu = 2;
    const t = mu * (1 / gap - 0.5);
    return limitingFactor(predict(t, mu, share * mu, sweeps * n), share * mu, sweeps * n, n, references);
  };

  test('is the one whose reference alone would lift R_hat most', () => {
    expect(at(1e-3 / 4, 0.01, 1000)).toBe('gap');
    expect(at(1 / 4, 1e-5, 1000)).toBe('signal');
    expect(at(1 / 4, 0.01, 10)).toBe('budget');
    // All three short, by 100 (gap: (4e2 - 1/2) / 3.5 = 114), 50 and 20.
    expect(at(0.01 / 4, 0.01 / 50, 1000 / 20)).toBe('gap');
    expect(at(0.01 / 4, 0.01 / 150, 1000 / 20)).toBe('signal');
    expect(at(0.01 / 4, 0.01 / 50, 1000 / 150)).toBe('budget');
    expect(at(1e-8, 0, 1)).toBe('signal');
    // One step a sweep: T falls from 9.5 mu to mu / 2, a lift of 19.
    expect(at(0.1, 0.01 / 18, 1000, 1)).toBe('gap');
    expect(at(0.1, 0.01 / 20, 1000, 1)).toBe('signal');
  });

  test('is against the references of the run', () => {
    // At the defaults (gap: 114, signal: 50, budget: 20) it is the gap; each reference alone can change that.
    const short = [0.01 / 4, 0.01 / 50, 1000 / 20, 4] as const;
    const against = (change: Partial<References>) => at(...short, { ...DEFAULT_REFERENCES, ...change });
    expect(against({})).toBe('gap');
    // T falls to mu (4 / 0.25 - 1/2): a lift of 399.5 / 15.5 = 26.
    expect(against({ gap: 0.25 })).toBe('signal');
    expect([against({ signal: 0.022 }), against({ signal: 0.024 })]).toEqual(['gap', 'signal']);
    expect([against({ window: 5600 }), against({ window: 5800 })]).toEqual(['gap', 'budget']);
  });

  test('has no name where there is no prediction', () => {
    expect(limitingFactor(predict(0, 0, 1, 10), 1, 10, 4, DEFAULT_REFERENCES)).toBeNull();
    expect(limitingFactor(predict(Number.POSITIVE_INFINITY, 1, 1, 10), 1, 10, 4, DEFAULT_REFERENCES)).toBeNull();
  });
});
