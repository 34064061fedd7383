import { withParameters } from 'htdml';
import { describe, expect, test } from 'vitest';
import { eventsOf, setTimescale } from '../../../src/trainability/membership/membership-events.js';
import { modeSet } from '../../../src/trainability/membership/mode-sets.js';
import { TableRoute } from '../../../src/trainability/routes/table-route.js';
import { DATA, type Level, type Pair, pairLevels, root, scan, tau, unlinked } from '../../support/decoupled.js';

/** A place that is bisected to 1e-10, against a reference good to a few eps over the slope of what crosses. */
const PLACE = 2e-10;
const EPSILON = 1e-3;
const KAPPA = 2.5;

/** Two pairs along a line, and their levels in closed form from each pair alone. */
function line(from: readonly [Pair, Pair], to: readonly [Pair, Pair]) {
  const between = (x: Pair, y: Pair, t: number): Pair => [x[0] + t * (y[0] - x[0]), x[1] + t * (y[1] - x[1])];
  return {
    from: unlinked(...from),
    to: unlinked(...to),
    levels: (t: number) => pairLevels(between(from[0], to[0], t), between(from[1], to[1], t)),
  };
}

const total = (levels: readonly Level[]) => levels.reduce((sum, { weight }) => sum + weight, 0);
const timescale = (levels: readonly Level[]) => levels.reduce((sum, { gap, weight }) => sum + weight * tau(gap), 0);

/** The jump of `log R_hat` as two evaluations of `T` of the set just beside the place see it. */
function measuredJump({ from, to }: ReturnType<typeof line>, at: number): number {
  const route = new TableRoute(from, DATA, 'random-scan');
  const time = (t: number) => {
    const theta = from.theta.map((value, a) => value + t * (to.theta[a] - value));
    return route.evaluate(theta, ['slowClusterTimescale']).value.slowClusterTimescale ?? Number.NaN;
  };
  return Math.log(time(at - 1e-8)) - Math.log(time(at + 1e-8));
}

describe('two pairs without an edge between them, under the window', () => {
  test('rates that cross inside the set make no event', () => {
    const path = line(
      [
        [0.6, 0],
        [0.8, 0],
      ],
      [
        [0.8, 0],
        [0.7, 0],
      ],
    );
    const { events, crossings, uncertified } = scan(path.from, path.to);
    expect(events).toEqual([]);
    expect(uncertified).toEqual([]);
    // (1 - tanh A) / 4 = (1 - tanh B) / 4 where the couplings are equal, at 0.6 + 0.2 t = 0.8 - 0.1 t.
    expect(crossings.length).toBe(1);
    expect(crossings[0]).toMatchObject({ inside: true, kind: 'true' });
    expect(Math.abs(crossings[0].at - 2 / 3)).toBeLessThan(1e-8);
    const s = 1 - (1 - Math.tanh(0.6 + 0.4 / 3)) / 4;
    for (const value of crossings[0].eigenvalues) expect(Math.abs(value - s)).toBeLessThan(1e-8);
  });

  test('levels cross the edge one after the other, inwards and outwards', () => {
    const path = line(
      [
        [0.8, 0],
        [0.1, 0],
      ],
      [
        [0.8, 0],
        [0.7, 0],
      ],
    );
    const [a, b] = [1 - Math.tanh(0.8), (t: number) => 1 - Math.tanh(0.1 + 0.6 * t)];
    // That of the second pair, and that of both together, which no observable sees.
    const alone = root((t) => b(t) - KAPPA * a, 0, 1);
    const both = root((t) => a + b(t) - KAPPA * a, 0, 1);
    const { events } = scan(path.from, path.to);
    expect(events.map(({ type }) => type)).toEqual(['slows-down', 'slows-down']);
    expect(Math.abs(events[0].at - alone)).toBeLessThan(PLACE);
    expect(Math.abs(events[1].at - both)).toBeLessThan(PLACE);
    const [{ groups, jumpLogRhat }] = events;
    expect(groups.length).toBe(1);
    expect(groups[0].multiplicity).toBe(1);
    expect(Math.abs(groups[0].eigenvalue - (1 - (KAPPA * a) / 4))).toBeLessThan(1e-9);
    // The weight of (x_2 + x_3) / sqrt(2 + 2 tanh B) is 1 + tanh B.
    expect(Math.abs(groups[0].weight - (2 - b(alone)))).toBeLessThan(1e-9);
    const before = (2 - a) * tau(a / 4);
    const jump = Math.log(before / (before + (2 - b(alone)) * tau((KAPPA * a) / 4)));
    expect(Math.abs((jumpLogRhat ?? 0) - jump)).toBeLessThan(1e-9);
    expect(Math.abs(measuredJump(path, alone) - jump)).toBeLessThan(1e-6);
    expect(Math.abs(events[1].jumpLogRhat ?? 1)).toBeLessThan(1e-9);

    const back = scan(path.to, path.from).events;
    expect(back.map(({ type }) => type)).toEqual(['speeds-up', 'speeds-up']);
    expect(Math.abs(1 - back[0].at - both)).toBeLessThan(PLACE);
    expect(Math.abs(1 - back[1].at - alone)).toBeLessThan(PLACE);
    expect(Math.abs((back[1].jumpLogRhat ?? 0) + jump)).toBeLessThan(1e-9);
  });

  test('the anchor changes hands where the weight of the slowest mode crosses epsilon', () => {
    // The rare well of a strongly coupled pair loses its share to a growing bias.
    const path = line(
      [
        [3, 1.8],
        [0.3, 0.1],
      ],
      [
        [3, 2.2],
        [0.3, 0.1],
      ],
    );
    const share = (t: number) => path.levels(t)[0].weight / total(path.levels(t));
    const place = root((t) => share(t) - EPSILON, 0, 1);
    const { events } = scan(path.from, path.to);
    expect(events.map(({ type }) => type)).toEqual(['anchor']);
    const [{ at, groups, jumpLogRhat }] = events;
    // Eigenvectors are good to n eps over the gap, and the share falls by about its own size on the path.
    expect(Math.abs(at - place)).toBeLessThan(1e-9);
    const levels = path.levels(place);
    expect(groups.length).toBe(2);
    expect(Math.abs(1 - groups[0].eigenvalue - levels[0].gap)).toBeLessThan(1e-9);
    expect(Math.abs(1 - groups[1].eigenvalue - levels[1].gap)).toBeLessThan(1e-9);
    const after = levels.filter(({ gap }) => gap <= KAPPA * levels[1].gap);
    expect(after.length).toBeGreaterThan(2);
    const before = levels.filter(({ gap }) => gap <= KAPPA * levels[0].gap);
    expect(before.length).toBe(1);
    const jump = Math.log(timescale(before) / timescale(after));
    expect(Math.abs((jumpLogRhat ?? 0) - jump)).toBeLessThan(1e-8);
    expect(Math.abs(measuredJump(path, at) - jump)).toBeLessThan(1e-6);

    const back = scan(path.to, path.from).events;
    expect(back.map(({ type }) => type)).toEqual(['anchor']);
    expect(Math.abs(1 - back[0].at - place)).toBeLessThan(1e-9);
    expect(back[0].groups.map(({ eigenvalue }) => eigenvalue)).toEqual(
      [...groups].reverse().map(({ eigenvalue }) => expect.closeTo(eigenvalue, 8)),
    );
  });
});

describe('two pairs without an edge between them, under relevance', () => {
  test('a weight crosses epsilon, downwards and upwards', () => {
    const path = line(
      [
        [2.8, 0],
        [0.6, 0],
      ],
      [
        [3.4, 0],
        [0.6, 0],
      ],
    );
    const a = (t: number) => Math.tanh(2.8 + 0.6 * t);
    const b = Math.tanh(0.6);
    // (x_0 - x_1) / sqrt(2 - 2 tanh A), against four biases and two couplings.
    const whole = (t: number) => 4 + (1 - a(t) ** 2) + (1 - b ** 2);
    const place = root((t) => 1 - a(t) - EPSILON * whole(t), 0, 1);
    const { events } = scan(path.from, path.to, { rule: 'relevance' });
    expect(events.map(({ type }) => type)).toEqual(['leaves']);
    const [{ at, groups, jumpLogRhat }] = events;
    // The weight falls by 1e-2 on the path; eigenvectors are good to some 1e-14.
    expect(Math.abs(at - place)).toBeLessThan(PLACE);
    expect(groups.length).toBe(1);
    expect(groups[0].multiplicity).toBe(1);
    expect(Math.abs(groups[0].eigenvalue - (1 - (1 + a(place)) / 4))).toBeLessThan(1e-9);
    expect(Math.abs(groups[0].weight - (1 - a(place)))).toBeLessThan(1e-9);
    const lost = (1 - a(place)) * tau((1 + a(place)) / 4);
    const all = timescale(path.levels(place).filter(({ weight }) => weight > 0.9 * EPSILON * whole(place)));
    expect(Math.abs((jumpLogRhat ?? 0) - Math.log(all / (all - lost)))).toBeLessThan(1e-9);

    const back = scan(path.to, path.from, { rule: 'relevance' }).events;
    expect(back.map(({ type }) => type)).toEqual(['enters']);
    expect(Math.abs(1 - back[0].at - place)).toBeLessThan(PLACE);
  });

  test('a level that is seen and one that is not join where they meet, and split', () => {
    // 2 - tanh A - tanh B, seen by nothing, meets 1 + tanh A where tanh A = (1 - tanh B) / 2.
    const path = line(
      [
        [0.26, 0],
        [0.4, 0],
      ],
      [
        [0.36, 0],
        [0.4, 0],
      ],
    );
    const place = (Math.atanh((1 - Math.tanh(0.4)) / 2) - 0.26) / 0.1;
    const { events, crossings } = scan(path.from, path.to, { rule: 'relevance' });
    expect(events.map(({ type }) => type)).toEqual(['joins', 'splits']);
    // Half of what joins two levels, over the slope at which their distance closes: 2 tanh' A per unit of 4 gaps.
    const slope = (2 * (1 - Math.tanh(0.26 + 0.1 * place) ** 2) * 0.1) / 4;
    const width = (1e-8 * (1 + Math.tanh(0.26 + 0.1 * place))) / 4 / slope;
    expect(Math.abs(events[0].at - (place - width))).toBeLessThan(1e-3 * width);
    expect(Math.abs(events[1].at - (place + width))).toBeLessThan(1e-3 * width);
    for (const { groups, jumpLogRhat } of events) {
      expect(groups.map(({ multiplicity }) => multiplicity)).toEqual([2]);
      // The weight is the same; the gap of the group is the mean of two that differ by 1e-8.
      expect(Math.abs(jumpLogRhat ?? 1)).toBeLessThan(2e-8);
    }
    const there = crossings.filter(({ at }) => Math.abs(at - place) < 1e-7);
    expect(there.map(({ inside, kind }) => ({ inside, kind }))).toEqual([{ inside: false, kind: 'true' }]);
  });
});

describe('one change, by hand', () => {
  const spectrum = (levels: readonly Level[], groups: readonly (readonly number[])[]) => ({
    levels: levels.map(({ gap, weight }) => ({ gap, multiplicity: 1, couplingsWeight: weight, biasesWeight: 0 })),
    groups: groups.map((members) => {
      const weight = members.reduce((sum, j) => sum + levels[j].weight, 0);
      const gap = members.reduce((sum, j) => sum + levels[j].gap, 0) / members.length;
      return { gap, multiplicity: members.length, weight, couplingsWeight: weight, biasesWeight: 0, members };
    }),
  });
  const RATES = { matrix: 1, observables: 1, curvature: 1 };
  const of = (
    rule: 'window' | 'relevance',
    before: ReturnType<typeof spectrum>,
    after: ReturnType<typeof spectrum>,
    rates = RATES,
  ) => {
    const thresholds = { epsilon: EPSILON, kappa: KAPPA };
    const [a, b] = [modeSet(before, rule, thresholds), modeSet(after, rule, thresholds)];
    return eventsOf({ before: { at: 0.25, set: a }, after: { at: 0.25 + 2 ** -34, set: b } }, rates);
  };
  const edge = KAPPA * 0.1;
  const x = 1e-10;
  const three = (gap: number) => [
    { gap: 0.1, weight: 1 },
    { gap: edge - x, weight: 1 },
    { gap, weight: 1 },
  ];

  test('window: a level inside meets one outside, and the group of both is decided as one', () => {
    const apart = spectrum(three(edge + 2e-8), [[0], [1], [2]]);
    const together = spectrum(three(edge + 2e-9), [[0], [1, 2]]);
    const [joins] = of('window', apart, together);
    expect(joins).toMatchObject({ type: 'joins', groups: [{ multiplicity: 1 }] });
    expect(joins.at).toBe(0.25 + 2 ** -35);
    expect(joins.jumpLogRhat).toBeCloseTo(Math.log((9.5 + tau(edge)) / 9.5), 6);
    const [splits] = of('window', together, apart);
    expect(splits).toMatchObject({ type: 'splits', jumpLogRhat: -(joins.jumpLogRhat ?? 0) });
  });

  test('relevance: two groups below epsilon are above it together', () => {
    const small = 0.6e-3;
    const levels = [
      { gap: 0.1, weight: small },
      { gap: 0.1 + 1e-10, weight: small },
      { gap: 0.5, weight: 1 },
    ];
    const apart = spectrum(levels, [[0], [1], [2]]);
    const together = spectrum(levels, [[0, 1], [2]]);
    expect(of('relevance', apart, together)).toMatchObject([{ type: 'joins', groups: [{ multiplicity: 2 }] }]);
    expect(of('relevance', together, apart)).toMatchObject([{ type: 'splits', groups: [{ multiplicity: 2 }] }]);
  });

  test('relevance: a member and a non-member that change places within the tolerance have joined and split', () => {
    const before = spectrum(
      [
        { gap: 0.1, weight: 1 },
        { gap: 0.1 + 1e-8, weight: 0 },
      ],
      [[0], [1]],
    );
    const after = spectrum(
      [
        { gap: 0.1, weight: 0 },
        { gap: 0.1 + 1e-8, weight: 1 },
      ],
      [[0], [1]],
    );
    expect(of('relevance', before, after).map(({ type }) => type)).toEqual(['joins', 'splits']);
  });

  test('relevance: two changes far apart in the spectrum at once are two events', () => {
    const levels = (first: number, second: number) => [
      { gap: 0.1, weight: first },
      { gap: 0.3, weight: 1 },
      { gap: 0.6, weight: second },
    ];
    const each = [[0], [1], [2]];
    const events = of('relevance', spectrum(levels(0.1, 0), each), spectrum(levels(0, 0.1), each));
    expect(events.map(({ type, groups }) => [type, 1 - groups[0].eigenvalue])).toEqual([
      ['leaves', expect.closeTo(0.1)],
      ['enters', expect.closeTo(0.6)],
    ]);
  });

  test('window: a level that overtakes the anchor is no change of anchor', () => {
    // The irrelevant level passes the anchor and leaves the window with the order alone changed.
    const before = spectrum(
      [
        { gap: 0.1, weight: 1 },
        { gap: 0.1 + 1e-8, weight: 0 },
        { gap: edge, weight: 1 },
      ],
      [[0], [1], [2]],
    );
    const after = spectrum(
      [
        { gap: 0.1 - 1e-9, weight: 0 },
        { gap: 0.1 - 1e-10, weight: 1 },
        { gap: edge, weight: 1 },
      ],
      [[0, 1], [2]],
    );
    expect(of('window', before, after).map(({ type }) => type)).toEqual(['speeds-up']);
  });

  test('window: everything stops fluctuating', () => {
    const before = spectrum([{ gap: 0.1, weight: 1 }], [[0]]);
    const after = spectrum([{ gap: 0.1, weight: 0 }], [[0]]);
    expect(of('window', before, after)).toMatchObject([
      { type: 'anchor', groups: [{ multiplicity: 1 }], jumpLogRhat: null },
    ]);
  });

  test('T of a set is that of its members', () => {
    const set = modeSet(spectrum(three(0.5), [[0], [1], [2]]), 'window', { epsilon: EPSILON, kappa: KAPPA });
    expect(setTimescale(set)).toBeCloseTo(tau(0.1) + tau(edge), 6);
  });
});

test('a path of length zero has no events and no crossings, whatever the model', () => {
  const model = unlinked([0.4, 0], [0.4, 0]);
  for (const rule of ['window', 'relevance'] as const) {
    const { events, crossings, uncertified, samples } = scan(model, withParameters(model, model.theta), { rule });
    expect({ events, crossings, uncertified }).toEqual({ events: [], crossings: [], uncertified: [] });
    for (const { logRhat } of samples) expect(logRhat).toBe(samples[0].logRhat);
  }
});
