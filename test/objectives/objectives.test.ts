import {
  createRoute,
  dataLawFromCounts,
  ising,
  type Objective,
  type Quantities,
  logEffectiveGap as sharedGap,
} from 'htdml';
import { kl, l1, l2, logEffectiveGap, logRhat, totalCorrelation, weightedSum } from 'htdml/objectives';
import { describe, expect, test } from 'vitest';
import { positiveLaw } from '../support/fitted.js';
import { gradientCases } from '../support/models.js';

const POINTS: readonly Record<'timescale' | 'variance' | 'signal' | 'kl' | 'totalCorrelation' | 'l1' | 'l2', number>[] =
  [
    { timescale: 12.5, variance: 3.2, signal: 0.7, kl: 0.3, totalCorrelation: 0.4, l1: 2, l2: 3 },
    { timescale: 1.6, variance: 3.2, signal: 1e-6, kl: 0, totalCorrelation: 0, l1: 0, l2: 0 },
    { timescale: 3e9, variance: 8, signal: 40, kl: 2e-9, totalCorrelation: 1e-9, l1: 80, l2: 900 },
    { timescale: 1e-7, variance: 2e-7, signal: 5, kl: 800, totalCorrelation: 12, l1: 1e-6, l2: 1e-12 },
  ];

const ALL: readonly [string, Objective][] = [
  ['kl', kl],
  ['logEffectiveGap', logEffectiveGap],
  ['logRhat', logRhat({ samples: 2000 })],
  ['logRhat, held', logRhat({ samples: 2000, heldSignal: 0.04 })],
  ['totalCorrelation', totalCorrelation],
  ['l1', l1],
  ['l2', l2],
  [
    'a sum',
    weightedSum('sum', [
      { objective: logEffectiveGap, weight: 2 },
      { objective: kl, weight: 0.5 },
      { objective: l2, weight: 0.1 },
      { objective: logRhat({ samples: 2000 }), weight: 0.3 },
    ]),
  ],
];

const at = (objective: Objective, values: Quantities) => {
  const result = objective.evaluate(values);
  if (result === null) throw new Error('no finite value');
  return result;
};

/** A few roundings of a logarithm of at most 30, or of a quotient. */
const close = (got: number, expected: number) =>
  expect(Math.abs(got - expected)).toBeLessThanOrEqual(32 * Number.EPSILON * (1 + Math.abs(expected)));

describe('values', () => {
  test.each(POINTS)('at %o', (values) => {
    const { timescale, variance, signal } = values;
    for (const objective of [kl, totalCorrelation, l1, l2]) {
      const name = objective.name as 'kl';
      expect(at(objective, values)).toEqual({ value: values[name], bar: { [name]: 1 } });
    }
    close(at(logEffectiveGap, values).value, Math.log(variance) - Math.log(timescale + variance / 2));
    const expected = (s: number) => Math.log(1000) + Math.log(s) - Math.log(timescale);
    close(at(logRhat({ samples: 2000 }), values).value, expected(signal));
    close(at(logRhat({ samples: 2000, heldSignal: 0.04 }), values).value, expected(0.04));
  });

  test('samples shift log R_hat by their logarithm and nothing else', () => {
    const [few, many] = [at(logRhat({ samples: 10 }), POINTS[0]), at(logRhat({ samples: 1e7 }), POINTS[0])];
    close(many.value - few.value, Math.log(1e6));
    expect(many.bar).toEqual(few.bar);
  });

  test('names and the quantities that each needs', () => {
    expect(ALL.map(([, { name, quantities }]) => [name, ...quantities])).toEqual([
      ['kl', 'kl'],
      ['logEffectiveGap', 'timescale', 'variance'],
      ['logRhat', 'timescale', 'signal'],
      ['logRhat', 'timescale'],
      ['totalCorrelation', 'totalCorrelation'],
      ['l1', 'l1'],
      ['l2', 'l2'],
      ['sum', 'timescale', 'variance', 'kl', 'l2', 'signal'],
    ]);
    const lowered = ALL.filter(([, { goal }]) => goal === 'lower').map(([name]) => name);
    expect(lowered).toEqual(['kl', 'totalCorrelation', 'l1', 'l2']);
  });

  test('a sum counts against itself what is to be lowered', () => {
    const [values] = POINTS;
    const terms = [
      { objective: logEffectiveGap, weight: 2 },
      { objective: kl, weight: 0.5 },
    ];
    close(at(weightedSum('both', terms), values).value, 2 * at(logEffectiveGap, values).value - 0.5 * values.kl);
    // A quantity that two terms share has both their slopes.
    const twice = weightedSum('twice', [terms[1], { objective: kl, weight: 0.25 }]);
    expect(at(twice, values)).toEqual({ value: -0.75 * values.kl, bar: { kl: -0.75 } });
  });

  test('a held signal is the only one that counts', () => {
    const held = logRhat({ samples: 2000, heldSignal: 0.04 });
    const { timescale } = POINTS[0];
    expect(held.evaluate({ timescale })).toEqual(held.evaluate(POINTS[0]));
    expect(held.evaluate({ timescale, signal: 0 })).toEqual(held.evaluate(POINTS[0]));
    expect(Object.keys(at(held, POINTS[0]).bar)).toEqual(['timescale']);
    // At the held value the free objective has the same value and the same slope in T.
    const free = at(logRhat({ samples: 2000 }), { timescale, signal: 0.04 });
    expect(at(held, { timescale })).toEqual({ value: free.value, bar: { timescale: free.bar.timescale } });
  });

  test('the two entry points share one function', () => {
    expect(logEffectiveGap.evaluate).toBe(sharedGap);
  });
});

describe.each(ALL)('%s: cotangents against differences', (_, objective) => {
  test.each(POINTS)('at %o', (values) => {
    const { bar } = at(objective, values);
    for (const q of Object.keys(values) as (keyof typeof values)[]) {
      // Relative step h: the error is h^4 / 5 of a logarithm's fifth derivative, and rounding of at most 30 eps / h.
      const h = 1e-3;
      const f = (factor: number) => at(objective, { ...values, [q]: values[q] * (1 + factor * h) }).value;
      const slope = (8 * (f(1) - f(-1)) - (f(2) - f(-2))) / (12 * h);
      const tolerance = 10 * (h ** 4 + (30 * Number.EPSILON) / h) * (1 + Math.abs(slope));
      expect(Math.abs((bar[q] ?? 0) * values[q] - slope)).toBeLessThan(tolerance);
    }
    for (const q of Object.keys(bar)) expect(objective.quantities).toContain(q);
  });
});

describe('no finite value', () => {
  const all = (value: number) => ({ kl: value, totalCorrelation: value, l1: value, l2: value });
  const bad: readonly [string, Quantities][] = [
    ['nothing evaluated', {}],
    ['zero', { timescale: 0, variance: 0, signal: 0, ...all(Number.POSITIVE_INFINITY) }],
    ['infinite', { timescale: Number.POSITIVE_INFINITY, variance: 1, signal: 1, ...all(Number.POSITIVE_INFINITY) }],
    ['not a number', { timescale: Number.NaN, variance: 1, signal: 1, ...all(Number.NaN) }],
    ['negative', { timescale: -1, variance: 1, signal: 1, ...all(Number.NEGATIVE_INFINITY) }],
  ];
  test.each(bad)('%s', (_, values) => {
    for (const [, objective] of ALL) expect(objective.evaluate(values)).toBe(null);
  });

  test('no signal', () => {
    expect(logRhat({ samples: 10 }).evaluate({ timescale: 1, signal: 0 })).toBe(null);
    expect(logRhat({ samples: 10, heldSignal: 0 }).evaluate({ timescale: 1, signal: 1 })).toBe(null);
    expect(logEffectiveGap.evaluate({ timescale: 1, variance: 0 })).toBe(null);
  });
});

describe('through a route', () => {
  test.each(gradientCases())('$name: gradients in theta against differences', ({ model, data }) => {
    const route = createRoute(model, data, { kernel: 'random-block' });
    const h = 1e-4;
    for (const [, objective] of ALL) {
      const f = (a: number, delta: number) => {
        const moved = Float64Array.from(model.theta);
        moved[a] += delta;
        return at(objective, route.evaluate(moved, objective.quantities).value).value;
      };
      const { value, pullback } = route.evaluate(model.theta, objective.quantities);
      const gradient = pullback(at(objective, value).bar);
      gradient.forEach((slope, a) => {
        const numeric = (8 * (f(a, h) - f(a, -h)) - (f(a, 2 * h) - f(a, -2 * h))) / (12 * h);
        // Rounding of 1e-14 of a value of order 10, and the fifth derivative times h^4.
        expect(Math.abs(slope - numeric)).toBeLessThan(5e-9 * (1 + Math.abs(slope)));
      });
    }
  });
});

describe('the divergence of laws known in closed form', () => {
  const flat = (spins: number) => ising({ spins, edges: [], couplings: [], biases: Array(spins).fill(0) });
  const divergence = (counts: readonly (readonly [number, number])[]) => {
    const route = createRoute(flat(2), dataLawFromCounts(2, counts), { kernel: 'random-scan' });
    return route.evaluate(flat(2).theta, ['kl']).value.kl ?? Number.NaN;
  };

  test('against a uniform model: log 4 minus the entropy', () => {
    close(divergence([[2, 5]]), Math.log(4));
    close(
      divergence([
        [0, 1],
        [3, 1],
      ]),
      Math.log(2),
    );
    close(
      divergence([
        [0, 1],
        [1, 1],
        [2, 1],
        [3, 1],
      ]),
      0,
    );
  });

  test('a pattern given in parts counts like its sum', () => {
    const parts = [
      [0, 1],
      [3, 2],
      [0, 1],
    ] as const;
    expect([...dataLawFromCounts(2, parts).patterns]).toEqual([0, 3]);
    close(divergence(parts), Math.log(2));
  });

  test('of independent spins', () => {
    const law = positiveLaw(1, 3);
    const model = ising({ spins: 1, edges: [], couplings: [], biases: [0.8], beta: 1.5 });
    const up = 1 / (1 + Math.exp(-2 * 1.5 * 0.8));
    const [down, data] = law.probabilities;
    const expected = data * Math.log(data / up) + down * Math.log(down / (1 - up));
    const { value } = createRoute(model, law, { kernel: 'random-scan' }).evaluate(model.theta, ['kl']);
    close(value.kl ?? Number.NaN, expected);
  });
});
