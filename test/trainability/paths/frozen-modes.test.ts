import { InputError, ising, type KernelName, withParameters } from 'htdml';
import { expect, test } from 'vitest';
import { levelsInside, sameMembership } from '../../../src/trainability/membership/mode-sets.js';
import { scanPath } from '../../../src/trainability/membership/path-scan.js';
import { type FrozenModes, follow, freeze } from '../../../src/trainability/paths/frozen-modes.js';
import { certifiedLine, lineBetween, modeSetAt, ratesAlong } from '../../../src/trainability/paths/path.js';
import { TableRoute } from '../../../src/trainability/routes/table-route.js';
import { CHARACTERS, direction, modelOf } from '../../support/mode-cases.js';
import { complete, GIBBS, random, randomData } from '../../support/models.js';

const THRESHOLDS = { epsilon: 1e-3, kappa: 2.5 };
const data = (spins: number) => randomData(spins, 3);

/** Two pairs without a coupling between: random-scan has the gaps `(1 -+ tanh beta J) / 4` of each, and sums of them. */
const pairs = ising({
  spins: 4,
  edges: [
    [0, 1],
    [2, 3],
  ],
  couplings: [0.3, 0.6],
  biases: [0, 0, 0, 0],
});
const swapped = Float64Array.of(0.6, 0.3, 0, 0, 0, 0);
const crossing = new TableRoute(pairs, data(4), 'random-scan');

test('through a true crossing inside it arrives with the same members, and back', () => {
  const frozen = { theta: pairs.theta, members: [0, 1] };
  const there = follow(crossing, pairs, 'random-scan', frozen, swapped);
  expect(there).toMatchObject({ arrived: true, at: 1, frozen: { members: [0, 1] } });
  expect([...there.frozen.theta]).toEqual([...swapped]);
  expect(follow(crossing, pairs, 'random-scan', there.frozen, pairs.theta)).toMatchObject({
    arrived: true,
    frozen: { members: [0, 1] },
  });
});

test('at a true crossing of a member with a non-member it stops before it, with the set as it was', () => {
  for (const members of [[0], [1]]) {
    const stopped = follow(crossing, pairs, 'random-scan', { theta: pairs.theta, members }, swapped);
    expect(stopped.arrived).toBe(false);
    expect(stopped.frozen.members).toEqual(members);
    expect(stopped.at).toBeLessThanOrEqual(0.5);
    // A step of 1e-9 is about half of the gap over the rate, 0.1; the gap opens by about 0.1 per unit of the path on either side.
    expect(stopped.at).toBeGreaterThan(0.5 - 1e-6);
  }
});

test('the complement, everything and nothing are followed as well', () => {
  const count = crossing.modes(pairs.theta).count;
  const all = Array.from({ length: count }, (_, j) => j);
  const rest = follow(crossing, pairs, 'random-scan', { theta: pairs.theta, members: all.slice(2) }, swapped);
  expect(rest).toMatchObject({ arrived: true, frozen: { members: all.slice(2) } });
  expect(follow(crossing, pairs, 'random-scan', { theta: pairs.theta, members: all }, swapped)).toMatchObject({
    arrived: true,
    frozen: { members: all },
  });
  expect(follow(crossing, pairs, 'random-scan', { theta: pairs.theta, members: [] }, swapped)).toMatchObject({
    arrived: true,
    frozen: { members: [] },
  });
});

/** The projector on a frozen set, on the vectors `sqrt(pi) phi`. */
function projector(route: TableRoute, { theta, members }: FrozenModes): Float64Array {
  const { functions, states: n } = route.modes(theta);
  const root = route.at(theta).law.pi.map(Math.sqrt);
  const out = new Float64Array(n * n);
  for (const j of members) {
    for (let s = 0; s < n; s++) {
      for (let t = 0; t < n; t++) out[s * n + t] += root[s] * functions[j * n + s] * root[t] * functions[j * n + t];
    }
  }
  return out;
}

test('an avoided crossing with a non-member is followed, and the members keep their rank', () => {
  // A weak coupling between the pairs makes the levels repel by about 1e-3.
  const joined = ising({
    spins: 4,
    edges: [
      [0, 1],
      [2, 3],
      [1, 2],
    ],
    couplings: [0.3, 0.6, 0.02],
    biases: [0.1, 0, 0, 0.05],
  });
  const theta = joined.theta.map((x, a) => (a < 2 ? 0.9 - x : x));
  const route = new TableRoute(joined, data(4), 'random-scan');
  expect(follow(route, joined, 'random-scan', { theta: joined.theta, members: [0] }, theta)).toMatchObject({
    arrived: true,
    frozen: { members: [0] },
  });
});

test('forth and back on random lines, every kernel: the same members; stopping is only where the gap closes', () => {
  const r = random(79);
  let arrivals = 0;
  for (let k = 0; k < 24; k++) {
    const kernel: KernelName = GIBBS[k % 4];
    const model = modelOf(CHARACTERS[k % CHARACTERS.length], r);
    const route = new TableRoute(model, data(model.visible.length), kernel);
    const d = direction(model.theta.length, r);
    const to = model.theta.map((x, a) => x + 0.3 * d[a]);
    const frozen = freeze(model.theta, modeSetAt(route, model.theta, 'window', THRESHOLDS));
    const there = follow(route, model, kernel, frozen, to);
    if (!there.arrived) {
      const { gaps } = route.modes(there.frozen.theta);
      const isIn = new Set(there.frozen.members);
      const least = Math.min(
        ...Array.from(gaps).flatMap((gap, j) =>
          isIn.has(j) !== isIn.has(j + 1) && j + 1 < gaps.length ? [gaps[j + 1] - gap] : [],
        ),
      );
      expect(least).toBeLessThan(1e-6);
      continue;
    }
    arrivals++;
    expect(there.frozen.members.length).toBe(frozen.members.length);
    const back = follow(route, withParameters(model, to), kernel, there.frozen, model.theta);
    expect(back).toMatchObject({ arrived: true, frozen: { members: frozen.members } });
    // Stepping by hand, a hundred times, the projector never turns by much: it is the same continuous one.
    let previous = projector(route, frozen);
    let members = frozen.members;
    for (let i = 1; i <= 100; i++) {
      const theta = lineBetween(model.theta, to).at(i / 100);
      const n = Math.sqrt(previous.length);
      const { functions, count } = route.modes(theta);
      const root = route.at(theta).law.pi.map(Math.sqrt);
      const shares = Array.from({ length: count }, (_, j) => {
        const v = root.map((x, s) => x * functions[j * n + s]);
        return v.reduce((sum, x, s) => sum + x * v.reduce((inner, y, t) => inner + previous[s * n + t] * y, 0), 0);
      });
      // Within a group the basis is free, but a group is in or out.
      members = shares.flatMap((share, j) => (share > 0.5 ? [j] : []));
      previous = projector(route, { theta, members });
    }
    expect(there.frozen.members).toEqual(members);
  }
  expect(arrivals).toBeGreaterThan(12);
});

test('where a scan finds no event, the followed set is the one of the rule at the end', () => {
  const r = random(83);
  let quiet = 0;
  for (let k = 0; k < 30; k++) {
    const rule = k % 2 === 0 ? 'window' : 'relevance';
    const model = modelOf(k % 3 === 0 ? 'no biases' : 'random', r);
    const route = new TableRoute(model, data(model.visible.length), 'random-scan');
    const d = direction(model.theta.length, r);
    const to = model.theta.map((x, a) => x + 0.05 * d[a]);
    const line = lineBetween(model.theta, to);
    const rates = ratesAlong(model, 'random-scan', line.step);
    const { changes, uncertified } = scanPath(certifiedLine(route, line, rates, rule, THRESHOLDS), {
      resolution: 1e-3,
    });
    if (changes.length > 0 || uncertified.length > 0) continue;
    quiet++;
    const [from, end] = [model.theta, to].map((theta) => modeSetAt(route, theta, rule, THRESHOLDS));
    expect(sameMembership(from, end)).toBe(true);
    const there = follow(route, model, 'random-scan', freeze(model.theta, from), to);
    expect(there).toMatchObject({ arrived: true, frozen: { members: levelsInside(end) } });
  }
  expect(quiet).toBeGreaterThan(10);
});

test('a line of no length is followed at once', () => {
  const frozen = { theta: pairs.theta, members: [1] };
  expect(follow(crossing, pairs, 'random-scan', frozen, pairs.theta)).toMatchObject({ arrived: true, at: 1 });
});

test('hostile: a plateau below what the eigensolver resolves is not followed; strays and NaN are refused by name', () => {
  // Two wells with a gap of about exp(-60): the slow mode is known to no digit.
  const deep = ising({ spins: 3, edges: complete(3), couplings: [10, 10, 10], biases: [0, 0, 0] });
  const route = new TableRoute(deep, data(3), 'random-scan');
  const to = deep.theta.map((x) => x * 1.01);
  expect(follow(route, deep, 'random-scan', { theta: deep.theta, members: [0] }, to)).toMatchObject({
    arrived: false,
    at: 0,
  });
  for (const members of [[99], [-1], [0.5], [Number.NaN]]) {
    expect(() => follow(crossing, pairs, 'random-scan', { theta: pairs.theta, members }, swapped)).toThrow(
      /^members must be/,
    );
  }
  for (const bad of [swapped.map(() => Number.NaN), swapped.slice(1)]) {
    expect(() => follow(crossing, pairs, 'random-scan', { theta: pairs.theta, members: [0] }, bad)).toThrow(InputError);
  }
  expect(() => follow(crossing, pairs, 'metropolis', { theta: pairs.theta, members: [0] }, swapped)).toThrow(/kinks/);
});
