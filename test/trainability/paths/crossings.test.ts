import { ising } from 'htdml';
import { describe, expect, test } from 'vitest';
import { scan, twoPairs, unlinked } from '../../support/decoupled.js';
import { complete } from '../../support/models.js';

describe('levels of parts that do not see each other cross', () => {
  /** The couplings of the pairs are equal at `place`. */
  const pairs = (place: number) =>
    [
      unlinked([0.7 - 0.1 * place, 0], [0.7 + 0.05 * place, 0]),
      unlinked([0.7 + 0.1 * (1 - place), 0], [0.7 - 0.05 * (1 - place), 0]),
    ] as const;

  test.each([0.37, 0.002, 0.013, 0.96, 0.9996])('at %d of the path, on any grid', (place) => {
    for (const steps of [2, 7, 20, 60]) {
      const { crossings, events } = scan(...pairs(place), { steps });
      expect(events).toEqual([]);
      expect(crossings).toMatchObject([{ inside: true, kind: 'true' }]);
      expect(Math.abs(crossings[0].at - place)).toBeLessThan(1e-8);
    }
  });

  test('under a palindrome too, whose eigenvalues multiply', () => {
    const { crossings } = scan(...pairs(0.4), { kernel: 'palindrome' });
    const [{ at, inside, kind, eigenvalues }] = crossings;
    expect({ inside, kind }).toEqual({ inside: true, kind: 'true' });
    expect(Math.abs(at - 0.4)).toBeLessThan(1e-8);
    for (const s of eigenvalues) expect(Math.abs(s - Math.tanh(0.7) ** 2)).toBeLessThan(1e-8);
  });

  test('levels that are one all the way do not cross, nor those that part at the end of the path', () => {
    const flat = (value: number) =>
      ising({ spins: 4, edges: complete(4), couplings: Array(6).fill(value), biases: Array(4).fill(0) });
    expect(scan(flat(0.1), flat(0.3)).crossings).toEqual([]);
    expect(scan(flat(0), flat(0.3)).crossings).toEqual([]);
  });

  test('more than two that meet at one place are one crossing', () => {
    // Without biases the levels 2 - A + B and 2 + A - B pass through two that stay at 2.
    const even = (a: number, b: number) =>
      ising({
        spins: 4,
        edges: [
          [0, 1],
          [2, 3],
        ],
        couplings: [a, b],
      });
    const { crossings } = scan(even(0.2, 1), even(1, 0.2));
    expect(crossings).toMatchObject([{ kind: 'true', inside: true }]);
    expect(Math.abs(crossings[0].at - 0.5)).toBeLessThan(1e-8);
    expect(Math.abs(crossings[0].eigenvalues[0] - 0.5)).toBeLessThan(1e-8);
  });
});

describe('levels of parts that see each other weakly repel', () => {
  const closest = (link: number, steps = 20) => {
    const { crossings } = scan(twoPairs([0.6, 0], [0.75, 0], link), twoPairs([0.8, 0], [0.65, 0], link), { steps });
    const [{ at, kind, inside, eigenvalues }, ...others] = crossings;
    expect({ kind, inside, others }).toEqual({ kind: 'avoided', inside: true, others: [] });
    return { at, distance: eigenvalues[0] - eigenvalues[1] };
  };

  test('at a distance in proportion to the link', () => {
    const links = [1e-5, 1e-4, 1e-3, 1e-2];
    const found = links.map((link) => closest(link));
    // First-order perturbation: twice the element of L' between the two modes, from the link alone.
    const rate = found[0].distance / links[0];
    expect(rate).toBeGreaterThan(0.01);
    links.forEach((link, k) => {
      expect(Math.abs(found[k].distance / link / rate - 1)).toBeLessThan(link + 1e-5);
      // The place moves in second order.
      expect(Math.abs(found[k].at - 0.5)).toBeLessThan(10 * link ** 2 + 1e-6);
    });
  });

  test('whatever the grid', () => {
    const found = [4, 20, 100, 400].map((steps) => closest(0.02, steps));
    for (const { at, distance } of found) {
      expect(Math.abs(distance / found[0].distance - 1)).toBeLessThan(1e-9);
      // A parabola is known to the root of eps at its bottom.
      expect(Math.abs(at - found[0].at)).toBeLessThan(1e-5);
    }
  });

  test('a distance that is smallest without an exchange is no crossing', () => {
    // The slow level of the second pair is slowest without a bias, and comes nearest to that of the first one there.
    const { crossings, samples } = scan(unlinked([0.6, 0], [0.5, -0.2]), unlinked([0.6, 0], [0.5, 0.2]));
    const distances = samples.map(({ groups }) => groups[0].eigenvalue - groups[1].eigenvalue);
    expect(Math.min(...distances)).toBe(distances[10]);
    expect(distances[10]).toBeGreaterThan(0.01);
    expect(crossings).toEqual([]);
  });
});
