import { dataLawFromCounts, type Edge, ising, type KernelName, type Model, withParameters } from 'htdml';
import { describe, expect, test } from 'vitest';
import { eventsOf, setTimescale } from '../../src/trainability/membership/membership-events.js';
import {
  type MembershipRule,
  type ModeThresholds,
  membership,
  modeSet,
} from '../../src/trainability/membership/mode-sets.js';
import { type PathScan, scanPath } from '../../src/trainability/membership/path-scan.js';
import { certifiedLine, lineBetween, modeSetAt, ratesAlong } from '../../src/trainability/paths/path.js';
import { TableRoute } from '../../src/trainability/routes/table-route.js';
import { EPS, fullSpace, matrixOf, weightedGaps } from '../support/brute-force.js';
import { complete, random } from '../support/models.js';

const CASES = Number(process.env.HTDML_CASES ?? 300);
/** Of so many paths one is compared with a fine scan. */
const EVERY = 6;
const FINE = 1000;
const THRESHOLDS: ModeThresholds = { epsilon: 1e-3, kappa: 2.5 };
const KERNELS: readonly KernelName[] = ['random-scan', 'random-block', 'palindrome'];

/** Two models on one random graph of four spins (now and then five), with or without biases, sometimes cold, sometimes with one end at zero. */
function randomPath(seed: number): { readonly from: Model; readonly to: Model; readonly kernel: KernelName } {
  const { uniform, normal, integer } = random(seed);
  for (let k = 0; k < 8; k++) uniform();
  const spins = integer(10) === 0 ? 5 : 4;
  const biased = integer(2) === 0;
  const edges = complete(spins).filter(([i, j]) => j === i + 1 || uniform() < 0.7) as Edge[];
  const scale = 0.2 + 0.8 * uniform();
  const end = () => {
    const zero = integer(12) === 0;
    const value = (size: number) => (zero ? 0 : size * normal());
    return ising({
      spins,
      edges,
      couplings: edges.map(() => value(scale)),
      biases: biased ? Array.from({ length: spins }, () => value(scale / 2)) : undefined,
    });
  };
  return { from: end(), to: end(), kernel: KERNELS[integer(3)] };
}

function scanned(seed: number, rule: MembershipRule, resolution: number) {
  const { from, to, kernel } = randomPath(seed);
  const line = lineBetween(from.theta, to.theta);
  const route = new TableRoute(from, dataLawFromCounts(from.spins, [[0, 1]]), kernel, THRESHOLDS);
  const rates = ratesAlong(from, kernel, line.step);
  const setAt = (at: number) => modeSetAt(route, line.at(at), rule, THRESHOLDS);
  const scan = scanPath(certifiedLine(route, line, rates, rule, THRESHOLDS), { resolution });
  return { from, kernel, line, rates, setAt, scan, route };
}

/** What the list of changes says the set is at a place: the one after the last change before it. */
function implied({ points, changes }: PathScan, at: number): string {
  const passed = changes.filter(({ after }) => after.at <= at);
  return membership(passed.length === 0 ? points[0].set : passed[passed.length - 1].after.set);
}

/** The list is a chain of real changes from the one end of the path to the other, each located to 1e-10. */
function checkChain({ scan, setAt }: ReturnType<typeof scanned>): void {
  const { points, changes } = scan;
  let here = membership(points[0].set);
  let last = 0;
  changes.forEach(({ before, after }, k) => {
    expect(before.at).toBeGreaterThanOrEqual(last);
    expect(after.at - before.at).toBeLessThanOrEqual(1e-10);
    expect(after.at).toBeGreaterThan(before.at);
    expect(membership(before.set)).toBe(here);
    here = membership(after.set);
    expect(here).not.toBe(membership(before.set));
    last = after.at;
    // A little further out the sets differ as well, unless the next change is nearer.
    const [previous, next] = [changes[k - 1]?.after.at ?? 0, changes[k + 1]?.before.at ?? 1];
    if (before.at - 1e-9 >= previous) expect(membership(setAt(before.at - 1e-9))).toBe(membership(before.set));
    if (after.at + 1e-9 <= next) expect(membership(setAt(after.at + 1e-9))).toBe(here);
  });
  expect(here).toBe(membership(points[points.length - 1].set));
  for (const { at, set } of points) expect(membership(set)).toBe(implied(scan, at));
}

describe('random paths', () => {
  test(`window: ${CASES} paths are certified, and no change is missed or invented`, {
    timeout: 1e3 * CASES + 120_000,
  }, () => {
    let found = 0;
    for (let seed = 0; seed < CASES; seed++) {
      const path = scanned(seed, 'window', 1e-6);
      checkChain(path);
      const { scan, setAt, rates } = path;
      found += scan.changes.length;
      const open = scan.uncertified.reduce((sum, [a, b]) => sum + b - a, 0);
      expect(open, `seed ${seed}`).toBeLessThan(1e-3);
      for (const change of scan.changes) {
        const [event, ...others] = eventsOf(change, rates);
        expect(others).toEqual([]);
        const jump = Math.log(setTimescale(change.before.set) / setTimescale(change.after.set));
        expect(Math.abs((event.jumpLogRhat ?? Number.NaN) - jump)).toBeLessThan(1e-12);
        expect(event.groups.length).toBeGreaterThan(0);
      }
      if (seed % EVERY !== 0) continue;
      for (let k = 0; k <= FINE; k++) {
        const at = k / FINE;
        expect(membership(setAt(at)), `seed ${seed} at ${at}`).toBe(implied(scan, at));
      }
    }
    // Several a path on average, or the cases are too easy.
    expect(found).toBeGreaterThan(CASES);
  });

  test('window: the sets are those of a second eigensolver on all states', () => {
    for (const seed of [0, 1, 2, 3, 4, 5]) {
      const { from, kernel, line, scan, setAt } = scanned(seed, 'window', 1e-6);
      for (let k = 0; k <= 20; k++) {
        const at = (k + 0.123) / 21;
        const full = fullSpace(withParameters(from, line.at(at)));
        const modes = weightedGaps(full, matrixOf(full, kernel));
        const total = modes.reduce((sum, { weight }) => sum + weight, 0);
        // Degenerate levels share their weight in any way, so a run of equal gaps is one.
        const groups = modes.reduce<{ gap: number; weight: number }[]>((list, { gap, weight }) => {
          const last = list[list.length - 1];
          if (last !== undefined && gap - last.gap <= 1e-12) last.weight += weight;
          else list.push({ gap, weight });
          return list;
        }, []);
        const anchor = groups.find(({ weight }) => weight >= THRESHOLDS.epsilon * total);
        const edge = THRESHOLDS.kappa * (anchor?.gap ?? 0);
        // Modes that are odd under the flip are there too for a model without biases; nothing sees them.
        const time = groups.reduce((sum, { gap, weight }) => sum + (gap <= edge ? weight * (1 / gap - 0.5) : 0), 0);
        // A group has the mean of gaps that differ by 1e-8; the other solver forms 1 - s by subtraction, which leaves n eps over the gap.
        const slack = 1e-8 + (64 * full.states * EPS) / groups[0].gap;
        expect(Math.abs(setTimescale(setAt(at)) / time - 1)).toBeLessThan(slack);
        expect(membership(setAt(at))).toBe(implied(scan, at));
      }
    }
  });

  test('relevance: what is found is real, and what is missed lies where nothing was certified', () => {
    for (let seed = 0; seed < 20; seed++) {
      const path = scanned(1000 + seed, 'relevance', 1e-3);
      checkChain(path);
      const { scan, setAt } = path;
      for (let k = 0; k <= 300; k++) {
        const at = k / 300;
        if (membership(setAt(at)) === implied(scan, at)) continue;
        expect(
          scan.uncertified.some(([a, b]) => a <= at && at <= b),
          `seed ${seed} at ${at}`,
        ).toBe(true);
      }
    }
  });

  test('at the ends of what is certified the set is the one of the nearest point', () => {
    const { normal } = random(5);
    const theta = () => Float64Array.from({ length: 10 }, () => 0.4 * normal());
    const model = ising({ spins: 4, edges: complete(4), couplings: Array(6).fill(0), biases: Array(4).fill(0) });
    const route = new TableRoute(model, dataLawFromCounts(4, [[0, 1]]), 'random-scan', THRESHOLDS);
    for (let k = 0; k < 40; k++) {
      const line = lineBetween(theta(), theta());
      const rates = ratesAlong(model, 'random-scan', line.step);
      const look = certifiedLine(route, line, rates, 'window', THRESHOLDS);
      const at = 0.5;
      const { set, radii } = look(at);
      const { forwards, backwards } = radii();
      for (const share of [0.5, 0.9, 0.999]) {
        for (const t of [at + share * forwards, at - share * backwards]) {
          const spectrum = route.spectrum(line.at(t));
          expect(membership(modeSet(spectrum as NonNullable<typeof spectrum>, 'window', THRESHOLDS))).toBe(
            membership(set),
          );
        }
      }
    }
  });
});
