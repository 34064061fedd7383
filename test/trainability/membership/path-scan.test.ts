import { ConvergenceError } from 'htdml';
import { describe, expect, test } from 'vitest';
import type { ModeSet } from '../../../src/trainability/membership/mode-sets.js';
import { membership } from '../../../src/trainability/membership/mode-sets.js';
import { type CertifiedSet, scanPath } from '../../../src/trainability/membership/path-scan.js';

/** Four levels of which the slowest `inside` are in the set. */
function setOf(inside: number): ModeSet {
  const level = (gap: number) => ({ gap, multiplicity: 1, couplingsWeight: 1, biasesWeight: 0 });
  const levels = [0.1, 0.2, 0.3, 0.4].map(level);
  return {
    rule: 'window',
    thresholds: { epsilon: 1e-3, kappa: 2.5 },
    levels,
    groups: levels.map((one, k) => ({ ...one, weight: 1, members: [k] })),
    inside: levels.slice(0, inside).map((_, k) => k),
    anchor: 0,
  };
}

/** A set that changes at given places, with the true distance to the next change as the radius, or a share of it. */
function stepwise(places: readonly number[], share = 1) {
  const looked: number[] = [];
  const look = (at: number): CertifiedSet => {
    looked.push(at);
    const passed = places.filter((place) => place <= at).length;
    const radius = (side: readonly number[]) =>
      share * side.reduce((least, place) => Math.min(least, Math.abs(place - at)), Number.POSITIVE_INFINITY);
    return {
      set: setOf(1 + (passed % 3)),
      radii: () => ({
        forwards: radius(places.filter((place) => place > at)),
        backwards: radius(places.filter((place) => place <= at)),
      }),
    };
  };
  return { look, looked };
}

const blind = (inside: (at: number) => number) => (at: number) => ({
  set: setOf(inside(at)),
  radii: () => ({ forwards: 0, backwards: 0 }),
});

describe('a scan with a certificate', () => {
  test('that reaches from end to end looks at the ends alone', () => {
    const { look, looked } = stepwise([]);
    expect(scanPath(look)).toMatchObject({ changes: [], uncertified: [] });
    expect(looked).toEqual([0, 1]);
  });

  test('finds every change, however near to each other above the resolution, to the tolerance', () => {
    const places = [0, 1e-5, 0.3, 0.3 + 3e-6, 0.5, 1 / 3, 0.999_99].sort((a, b) => a - b);
    for (const share of [1, 0.5, 0.1]) {
      const { look, looked } = stepwise(places, share);
      const { changes, points, uncertified } = scanPath(look);
      // The change at 0 is there before the path begins.
      expect(changes.length).toBe(places.length - 1);
      changes.forEach(({ before, after }, k) => {
        expect(after.at - before.at).toBeLessThanOrEqual(1e-10);
        expect(before.at).toBeLessThan(places[k + 1]);
        expect(after.at).toBeGreaterThanOrEqual(places[k + 1]);
      });
      expect(points.map(({ at }) => at)).toEqual([...looked].sort((a, b) => a - b));
      // Each change is in what is not certified, and little else is.
      for (const place of places.slice(1)) {
        expect(uncertified.some(([a, b]) => a <= place && place <= b)).toBe(true);
      }
      expect(uncertified.reduce((sum, [a, b]) => sum + b - a, 0)).toBeLessThan(4e-6 * places.length);
      for (let k = 1; k < uncertified.length; k++) expect(uncertified[k][0]).toBeGreaterThan(uncertified[k - 1][1]);
    }
  });

  test('of which only the first is wanted, it looks no further', () => {
    const { look } = stepwise([0.2, 0.200_01, 0.7], 0.1);
    const all = scanPath(look);
    const first = scanPath(look, { firstOnly: true });
    expect(first.changes).toEqual(
      all.changes.slice(0, 1).map(({ before, after }) =>
        expect.objectContaining({
          before: expect.objectContaining({ at: before.at }),
          after: expect.objectContaining({ at: after.at }),
        }),
      ),
    );
    expect(first.points.length).toBeLessThan(0.6 * all.points.length);
  });

  test('radii are asked for only where they are needed, and once', () => {
    let asked = 0;
    const { look } = stepwise([0.4]);
    const { points } = scanPath((at) => {
      const { set, radii } = look(at);
      return {
        set,
        radii: () => {
          asked++;
          return radii();
        },
      };
    });
    expect(asked).toBeLessThanOrEqual(points.length);
    // The points of the bisection have none.
    expect(asked).toBeLessThan(points.length - 10);
  });

  test('a certificate that claims too much does not hide a change that its ends show', () => {
    const { changes } = scanPath((at) => ({
      set: setOf(at < 0.123 ? 1 : 2),
      radii: () => ({ forwards: 2, backwards: 2 }),
    }));
    expect(changes.length).toBe(1);
    expect(Math.abs(changes[0].after.at - 0.123)).toBeLessThan(1e-10);
  });
});

describe('a scan without one', () => {
  test('says that nothing is certified, and still finds what its points show', () => {
    const { changes, uncertified, points } = scanPath(
      blind((at) => (at < 0.37 ? 1 : 2)),
      { resolution: 0.01 },
    );
    expect(uncertified).toEqual([[0, 1]]);
    expect(changes.length).toBe(1);
    expect(points.length).toBeGreaterThan(100);
  });

  test('a change and its undoing within the resolution are missed, where it says so', () => {
    const narrow = (at: number) => (Math.abs(at - 0.3004) < 1e-4 ? 2 : 1);
    const { changes, uncertified } = scanPath(blind(narrow), { resolution: 0.01 });
    expect(changes).toEqual([]);
    expect(uncertified.some(([a, b]) => a < 0.3004 && 0.3004 < b)).toBe(true);
    const fine = scanPath(blind(narrow), { resolution: 1e-4 });
    expect(fine.changes.map(({ before, after }) => [membership(before.set), membership(after.set)])).toEqual([
      ['1+3-', '2+2-'],
      ['2+2-', '1+3-'],
    ]);
  });

  test('three sets within one interval of the resolution are two changes', () => {
    const { changes } = scanPath(
      blind((at) => (at < 0.5001 ? 1 : at < 0.5002 ? 2 : 3)),
      { resolution: 0.1 },
    );
    expect(changes.map(({ after }) => after.set.inside.length)).toEqual([2, 3]);
  });

  test('gives up after so many evaluations, and says how far it came', () => {
    const run = () =>
      scanPath(
        blind(() => 1),
        { maxEvaluations: 500 },
      );
    expect(run).toThrow(ConvergenceError);
    expect(run).toThrow(/500 spectra did not certify it/);
  });

  test('a tolerance below what double precision resolves ends all the same', () => {
    const { changes } = scanPath(
      blind((at) => (at < 1 / 3 ? 1 : 2)),
      { resolution: 0.5, tolerance: 0 },
    );
    expect(changes.length).toBe(1);
    expect(changes[0].after.at - changes[0].before.at).toBeLessThanOrEqual(2 ** -53);
  });
});
