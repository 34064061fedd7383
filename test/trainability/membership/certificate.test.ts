import { ising, type KernelName, type Model } from 'htdml';
import { expect, test } from 'vitest';
import { certificateReport } from '../../../src/trainability/certificate-report.js';
import { certifiedRadius } from '../../../src/trainability/membership/certificate.js';
import {
  type MembershipRule,
  type ModeSet,
  type ModeThresholds,
  modeSet,
  sameMembership,
} from '../../../src/trainability/membership/mode-sets.js';
import { certifiedLine, lineBetween, modeSetAt, ratesAlong, worstRates } from '../../../src/trainability/paths/path.js';
import type { Spectrum } from '../../../src/trainability/routes/route.js';
import { TableRoute } from '../../../src/trainability/routes/table-route.js';
import { CASES, CHARACTERS, direction, modelOf, TIMEOUT } from '../../support/mode-cases.js';
import { complete, GIBBS, random, randomData } from '../../support/models.js';

const DEFAULTS: ModeThresholds = { epsilon: 1e-3, kappa: 2.5 };

interface Problem {
  readonly model: Model;
  readonly kernel: KernelName;
  readonly rule: MembershipRule;
  readonly thresholds: ModeThresholds;
  readonly at: (theta: Float64Array) => ModeSet;
  readonly route: TableRoute;
}

function problem(model: Model, kernel: KernelName, rule: MembershipRule, thresholds = DEFAULTS): Problem {
  const route = new TableRoute(model, randomData(model.visible.length, 3), kernel);
  return { model, kernel, rule, thresholds, route, at: (theta) => modeSetAt(route, theta, rule, thresholds) };
}

/** What has to stay positive, for a search to push down: eigenvalues to the edge, shares to `epsilon`. */
function margins({ groups, inside, anchor, rule, thresholds }: ModeSet): number[] {
  if (anchor === null) return [];
  const { epsilon, kappa } = thresholds;
  const total = groups.reduce((sum, { weight }) => sum + weight, 0);
  const share = (k: number) => Math.sqrt(groups[k].weight / total);
  if (rule === 'relevance') {
    const outside = groups.map((_, k) => k).filter((k) => !inside.includes(k));
    return [
      Math.min(...inside.map((k) => share(k) - Math.sqrt(epsilon))),
      ...(outside.length > 0 ? [Math.min(...outside.map((k) => Math.sqrt(epsilon) - share(k)))] : []),
    ];
  }
  const edge = kappa * groups[anchor].gap;
  const last = inside[inside.length - 1];
  return [
    edge - groups[last].gap,
    ...(last + 1 < groups.length ? [groups[last + 1].gap - edge] : []),
    share(anchor) - Math.sqrt(epsilon),
    ...(anchor > 0 ? [Math.sqrt(epsilon) - Math.max(...groups.slice(0, anchor).map((_, k) => share(k)))] : []),
  ];
}

const unit = (length: number, a: number, sign: number) => Float64Array.from({ length }, (_, b) => (b === a ? sign : 0));
const vertices = (length: number) =>
  Array.from({ length: 2 * length }, (_, k) => unit(length, k >> 1, k % 2 === 0 ? 1 : -1));
const along = (theta: Float64Array, t: number, d: Float64Array) => theta.map((x, a) => x + t * d[a]);

/**
 * Looks for a point of the ball `|d|_1 <= radius` where the set is another one: its corners, which are worst for anything linear; random points; and from the
 * corner where a margin is lowest, steps towards the corners that its gradient points to (Frank and Wolfe). Gives the point, or null.
 */
function attack({ model, at }: Problem, here: ModeSet, radius: number, r: ReturnType<typeof random>, rounds: number) {
  const { theta } = model;
  const length = theta.length;
  const corners = vertices(length).map((d) => ({ d, set: at(along(theta, radius, d)) }));
  const trials = [1, 0.7].map((part) => {
    const raw = direction(length, r);
    return raw.map((x) => part * x);
  });
  for (let kind = 0; kind < margins(here).length; kind++) {
    const value = (set: ModeSet) => margins(set)[kind] ?? Number.POSITIVE_INFINITY;
    let { d } = corners.reduce((low, corner) => (value(corner.set) < value(low.set) ? corner : low));
    for (let round = 0; round < rounds; round++) {
      const h = 1e-4;
      const slope = Array.from(
        d,
        (_, a) =>
          value(at(along(theta, radius, along(d, h, unit(length, a, 1))))) -
          value(at(along(theta, radius, along(d, -h, unit(length, a, 1))))),
      );
      const steepest = slope.reduce((best, x, a) => (Math.abs(x) > Math.abs(slope[best]) ? a : best), 0);
      const corner = unit(length, steepest, slope[steepest] > 0 ? -1 : 1);
      const candidates = [0, 0.25, 0.5, 0.75].map((keep) => d.map((x, a) => keep * x + (1 - keep) * corner[a]));
      trials.push(...candidates);
      d = [d, ...candidates].reduce((low, x) =>
        value(at(along(theta, radius, x))) < value(at(along(theta, radius, low))) ? x : low,
      );
    }
  }
  return (
    corners.find(({ set }) => !sameMembership(set, here))?.d ??
    trials.find((d) => !sameMembership(at(along(theta, radius, d)), here)) ??
    null
  );
}

/** Just inside a radius that may be infinite. */
const within = (radius: number) => 0.9999 * Math.min(radius, 3);

test(
  `${CASES} cases: nothing inside the radius changes the set, in any direction or along a line`,
  () => {
    const r = random(61);
    const limits = new Map<string, number>();
    let certified = 0;
    for (let k = 0; k < CASES; k++) {
      const kernel = GIBBS[k % 4];
      const model = modelOf(CHARACTERS[Math.floor(k / 4) % CHARACTERS.length], r);
      const rule = r.uniform() < 0.6 ? 'window' : 'relevance';
      const thresholds =
        r.uniform() < 0.4 ? DEFAULTS : { epsilon: 10 ** (-3 + 2.5 * r.uniform()), kappa: 1.2 + 3 * r.uniform() };
      const given = problem(model, kernel, rule, thresholds);
      const here = given.at(model.theta);
      const { radius, limitedBy } = certifiedRadius(here, worstRates(model, kernel));
      const name = `case ${k}: ${kernel}, ${rule}, limited by ${limitedBy}`;
      limits.set(limitedBy, (limits.get(limitedBy) ?? 0) + 1);
      expect(radius, name).toBeGreaterThanOrEqual(0);
      if (radius > 0) {
        certified++;
        const found = attack(given, here, within(radius), r, k % 10 === 0 ? 2 : 0);
        expect(found, `${name}, radius ${radius}`).toBeNull();
      }

      // Along a line: sharper rates, and levels to second order.
      const d = direction(model.theta.length, r);
      const line = lineBetween(model.theta, along(model.theta, 1, d));
      const rates = ratesAlong(model, kernel, line.step);
      const { forwards, backwards } = certifiedLine(given.route, line, rates, rule, thresholds)(0).radii();
      for (const part of [0.5, 1]) {
        expect(sameMembership(given.at(along(model.theta, part * within(forwards), line.step)), here), name).toBe(true);
        expect(sameMembership(given.at(along(model.theta, -part * within(backwards), line.step)), here), name).toBe(
          true,
        );
      }
      expect(Math.min(forwards, backwards)).toBeGreaterThanOrEqual(0.999999 * radius);
    }
    // Not a certificate of nothing, and every kind of limit was met.
    expect(certified).toBeGreaterThan(0.6 * CASES);
    for (const limit of ['edge', 'anchor-weight', 'slower-weight', 'weight', 'gap', 'multiplicity']) {
      expect(limits.get(limit) ?? 0, limit).toBeGreaterThan(0);
    }
  },
  TIMEOUT,
);

function spectrumOf({ route, model }: Problem): Spectrum {
  const spectrum = route.spectrum(model.theta);
  if (spectrum === null) throw new Error('a reversible kernel of a small model has a spectrum');
  return spectrum;
}

/** Thresholds just beside what is there: `kappa` beside the ratio of some level to the anchor, `epsilon` beside the share of some slow group. */
function nearby({ groups }: Spectrum, r: ReturnType<typeof random>): ModeThresholds {
  const beside = () => 1 + (r.uniform() < 0.5 ? 1 : -1) * 10 ** (-1 - 6 * r.uniform());
  const total = groups.reduce((sum, { weight }) => sum + weight, 0);
  const shares = groups.map(({ weight }) => weight / total);
  const pick = r.integer(Math.min(4, shares.length));
  const epsilon =
    r.uniform() < 0.5 ? 1e-3 : Math.min(0.9, Math.max(1e-6, (beside() * shares[pick]) / groups[pick].multiplicity));
  const anchor = Math.max(
    0,
    shares.findIndex((share) => share >= epsilon),
  );
  const other = groups[Math.min(groups.length - 1, anchor + 1 + r.integer(3))];
  const kappa = r.uniform() < 0.7 ? (beside() * other.gap) / groups[anchor].gap : 2.5;
  return { epsilon, kappa: Math.max(1.01, kappa) };
}

test(
  'with thresholds just beside a level or a weight: still nothing inside the radius, which along a line comes near the change',
  () => {
    const r = random(97);
    let nearest = 0;
    for (let k = 0; k < CASES; k++) {
      const kernel = GIBBS[k % 4];
      const model = modelOf(CHARACTERS[Math.floor(k / 4) % CHARACTERS.length], r);
      const rule = r.uniform() < 0.6 ? 'window' : 'relevance';
      const thresholds = nearby(spectrumOf(problem(model, kernel, rule)), r);
      const given = problem(model, kernel, rule, thresholds);
      const here = given.at(model.theta);
      const { radius, limitedBy } = certifiedRadius(here, worstRates(model, kernel));
      const name = `case ${k}: ${kernel}, ${rule}, limited by ${limitedBy}, radius ${radius}`;
      if (radius > 0) expect(attack(given, here, within(radius), r, 0), name).toBeNull();

      const d = direction(model.theta.length, r);
      const line = lineBetween(model.theta, along(model.theta, 1, d));
      const rates = ratesAlong(model, kernel, line.step);
      const { forwards, backwards } = certifiedLine(given.route, line, rates, rule, thresholds)(0).radii();
      for (const [sense, reach] of [
        [1, forwards],
        [-1, backwards],
      ]) {
        if (!(reach > 0)) continue;
        const step = line.step.map((x) => sense * x);
        expect(sameMembership(given.at(along(model.theta, within(reach), step)), here), `${name}, ${reach}`).toBe(true);
        nearest = Math.max(nearest, reach / distanceToChange(given, here, reach, [step]));
      }
    }
    // Within second order of the event: this test can fail.
    expect(nearest).toBeGreaterThan(0.9);
    expect(nearest).toBeLessThanOrEqual(1);
  },
  TIMEOUT,
);

/** The smallest distance at which the set changes along the given directions; infinite if it does not within 50 radii. */
function distanceToChange({ model, at }: Problem, here: ModeSet, radius: number, directions: readonly Float64Array[]) {
  return directions.reduce((least, d) => {
    const changes = (t: number) => !sameMembership(at(along(model.theta, t, d)), here);
    let [low, high] = [radius, 1.15 * radius];
    while (!changes(high)) {
      low = high;
      high *= 1.15;
      if (low >= least || high > 50 * radius) return least;
    }
    for (let k = 0; k < 10; k++) {
      const middle = (low + high) / 2;
      if (changes(middle)) high = middle;
      else low = middle;
    }
    return Math.min(least, high);
  }, Number.POSITIVE_INFINITY);
}

test(
  'random-scan, window: the radius is at least a fifth, in the median, of the distance at which the worst direction changes the set',
  () => {
    const r = random(67);
    const ratios: number[] = [];
    for (let k = 0; k < Math.max(40, CASES / 5); k++) {
      const model = modelOf(k % 3 === 0 ? 'no biases' : 'random', r);
      const given = problem(model, 'random-scan', 'window');
      const here = given.at(model.theta);
      const { radius } = certifiedRadius(here, worstRates(model, 'random-scan'));
      expect(radius).toBeGreaterThan(0);
      // The corners of the ball where each margin has come down most.
      const corners = vertices(model.theta.length).map((d) => ({
        d,
        m: margins(given.at(along(model.theta, radius, d))),
      }));
      const directions = margins(here).map(
        (_, kind) => corners.reduce((low, corner) => (corner.m[kind] < low.m[kind] ? corner : low)).d,
      );
      ratios.push(radius / distanceToChange(given, here, radius, directions));
    }
    ratios.sort((x, y) => x - y);
    const quantile = (q: number) => ratios[Math.floor(q * (ratios.length - 1))];
    process.stdout.write(
      `certified radius / distance of a change, ${ratios.length} models: median ${quantile(0.5).toFixed(3)}, quartiles ${quantile(0.25).toFixed(3)} and ${quantile(0.75).toFixed(3)}\n`,
    );
    expect(quantile(1)).toBeLessThanOrEqual(1);
    expect(quantile(0.5)).toBeGreaterThanOrEqual(0.2);
  },
  TIMEOUT,
);

test('at J = 0 the radius is the formula of D6', () => {
  for (const spins of [3, 4]) {
    const beta = 1.3;
    const edges = complete(spins);
    const biases = Array(spins).fill(0);
    const model = ising({ spins, edges, couplings: edges.map(() => 0), biases, beta });
    const { at } = problem(model, 'random-scan', 'window');
    // Levels at k / N, the edge half way between 2 / N and 3 / N, c = beta / N: delta < 0.5 / N / (1 + kappa).
    const { radius, limitedBy } = certifiedRadius(at(model.theta), worstRates(model, 'random-scan'));
    expect(limitedBy).toBe('edge');
    expect(radius).toBeGreaterThan((0.999 * 0.5) / 3.5 / beta);
    expect(radius).toBeLessThan(0.5 / 3.5 / beta);
  }
});

test('a single mode that is all of its cluster needs no room at the edge, and kappa 1 is certified too', () => {
  const r = random(89);
  let certified = 0;
  for (let k = 0; k < 40; k++) {
    const model = modelOf('random', r);
    const given = problem(model, GIBBS[k % 4], 'window', { epsilon: 1e-3, kappa: k % 2 === 0 ? 1 : 1.01 });
    const here = given.at(model.theta);
    const { radius } = certifiedRadius(here, worstRates(model, given.kernel));
    if (radius === 0) continue;
    certified++;
    expect(attack(given, here, within(radius), r, 1), `case ${k}`).toBeNull();
    const line = lineBetween(model.theta, along(model.theta, 1, direction(model.theta.length, r)));
    const rates = ratesAlong(model, given.kernel, line.step);
    const { forwards } = certifiedLine(given.route, line, rates, 'window', given.thresholds)(0).radii();
    expect(forwards).toBeGreaterThan(0);
    expect(sameMembership(given.at(along(model.theta, within(forwards), line.step)), here), `case ${k}`).toBe(true);
  }
  expect(certified).toBeGreaterThan(20);
});

test('the empty set is certified until a group becomes relevant', () => {
  const r = random(93);
  for (let k = 0; k < 20; k++) {
    const model = modelOf('random', r);
    const spectrum = spectrumOf(problem(model, GIBBS[k % 4], 'window'));
    const total = spectrum.groups.reduce((sum, { weight }) => sum + weight, 0);
    const epsilon = 1.05 * Math.max(...spectrum.groups.map(({ weight }) => weight / total));
    if (!(epsilon < 1)) continue;
    const given = problem(model, GIBBS[k % 4], 'window', { epsilon, kappa: 2.5 });
    const here = given.at(model.theta);
    expect(here.inside).toEqual([]);
    const { radius, limitedBy } = certifiedRadius(here, worstRates(model, given.kernel));
    expect(['weight', 'gap']).toContain(limitedBy);
    const corners = vertices(model.theta.length).map((d) => given.at(along(model.theta, within(radius), d)));
    expect(
      corners.every((set) => sameMembership(set, here)),
      `case ${k}`,
    ).toBe(true);
  }
});

/** The first random model whose spectrum has a property. */
function modelWhere(r: ReturnType<typeof random>, holds: (groups: Spectrum['groups']) => boolean) {
  for (;;) {
    const model = modelOf('random', r);
    const spectrum = spectrumOf(problem(model, 'random-scan', 'window'));
    if (holds(spectrum.groups)) return { model, spectrum };
  }
}

test('limitedBy names what is nearest', () => {
  const r = random(71);
  const radiusOf = (
    { model, spectrum }: ReturnType<typeof modelWhere>,
    rule: MembershipRule,
    thresholds: ModeThresholds,
  ) => certifiedRadius(modeSet(spectrum, rule, thresholds), worstRates(model, 'random-scan'));
  const shareOf = (groups: Spectrum['groups'], k: number) =>
    groups[k].weight / groups.reduce((sum, { weight }) => sum + weight, 0);
  // Slowest and relevant, the next two well apart.
  const plain = modelWhere(
    r,
    (groups) => shareOf(groups, 0) > 0.1 && groups[1].gap > 1.3 * groups[0].gap && groups[2].gap > 1.2 * groups[1].gap,
  );
  const { groups } = plain.spectrum;
  // An edge beside a level, on either side.
  for (const beside of [1 - 1e-4, 1 + 1e-4]) {
    const near = radiusOf(plain, 'window', { epsilon: 1e-3, kappa: (beside * groups[1].gap) / groups[0].gap });
    expect(near.limitedBy).toBe('edge');
    expect(near.radius).toBeGreaterThan(0);
    expect(near.radius).toBeLessThan(1e-3);
  }
  const epsilon = 0.999 * shareOf(groups, 0);
  const kappa = (groups[0].gap + groups[1].gap) / 2 / groups[0].gap;
  expect(radiusOf(plain, 'window', { epsilon, kappa }).limitedBy).toBe('anchor-weight');
  expect(radiusOf(plain, 'relevance', { epsilon, kappa }).limitedBy).toBe('weight');

  // The slowest one just irrelevant, and too far from the anchor to be taken together with it.
  const slow = modelWhere(
    r,
    (list) =>
      shareOf(list, 1) > 2 * shareOf(list, 0) && list[1].gap > 1.8 * list[0].gap && list[2].gap > 1.1 * list[1].gap,
  );
  const { groups: list } = slow.spectrum;
  const between = (list[1].gap + list[2].gap) / 2 / list[1].gap;
  const above = { epsilon: 1.001 * shareOf(list, 0), kappa: Math.min(1.5, between) };
  expect(radiusOf(slow, 'window', above).limitedBy).toBe('slower-weight');

  const equal = modelOf('all couplings equal', r);
  const degenerate = problem(equal, 'random-scan', 'relevance').at(equal.theta);
  expect(certifiedRadius(degenerate, worstRates(equal, 'random-scan'))).toEqual({
    radius: 0,
    limitedBy: 'multiplicity',
  });
  // Nothing fluctuates: there is no set to certify.
  const still = groups.map((group) => ({ ...group, weight: 0 }));
  const nothing = modeSet({ levels: plain.spectrum.levels, groups: still }, 'window', DEFAULTS);
  expect(certifiedRadius(nothing, worstRates(plain.model, 'random-scan'))).toEqual({
    radius: 0,
    limitedBy: 'no-modes',
  });
});

test('the report of evaluate: the 1-norm, and a reason where there is no certificate', () => {
  const model = modelOf('random', random(73));
  const spectrum = (kernel: KernelName) => spectrumOf(problem(model, kernel, 'window'));
  const report = certificateReport(model, 'palindrome', spectrum('palindrome'), DEFAULTS);
  expect(report).toMatchObject({ norm: 'l1' });
  expect('radius' in report && report.radius > 0).toBe(true);
  expect(certificateReport(model, 'metropolis', spectrum('metropolis'), DEFAULTS)).toHaveProperty('reason');
});
