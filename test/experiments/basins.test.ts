import { expect, test } from 'vitest';
import { randomSource } from '../../src/estimation/random.js';
import { landscape } from '../../src/experiments/basins.js';

const flips = (v: number, spins: number) => Array.from({ length: spins }, (_, i) => v ^ (1 << i));

/** The lowest level at which two patterns hang together, by raising it until a search gets across. */
function passBySearch(f: Float64Array, spins: number, from: number, to: number): number {
  for (const level of [...f].sort((a, b) => a - b)) {
    if (f[from] > level) continue;
    const seen = new Set([from]);
    for (const v of seen) for (const w of flips(v, spins)) if (f[w] <= level) seen.add(w);
    if (seen.has(to)) return level;
  }
  return Number.POSITIVE_INFINITY;
}

test('a rough landscape: minima, steepest descent and saddles', () => {
  const spins = 6;
  const random = randomSource(3);
  const f = Float64Array.from({ length: 2 ** spins }, () => random.normal());
  const { minima, basinOf, saddle } = landscape(f, spins);
  const bottoms = [...f.keys()].filter((v) => flips(v, spins).every((w) => f[w] > f[v]));
  expect(minima.map(([v]) => v).sort((a, b) => a - b)).toEqual(bottoms);
  expect(minima.length).toBeGreaterThan(3);
  f.forEach((_, start) => {
    let v = start;
    for (;;) {
      const lowest = flips(v, spins).reduce((a, b) => (f[b] < f[a] ? b : a));
      if (f[lowest] > f[v]) break;
      v = lowest;
    }
    expect(minima[basinOf[start]]).toEqual([v]);
  });
  minima.forEach(([v], a) => {
    minima.forEach(([w], b) => {
      expect(saddle(a, b)).toBe(a === b ? f[v] : passBySearch(f, spins, v, w));
    });
  });
});

test('ties: a ridge belongs to no basin, a flat bottom is one minimum, and a symmetry of the landscape is one of its basins', () => {
  const spins = 4;
  // F falls with the distance from a balanced pattern: two bottoms, all up and all down, and the six balanced patterns between them.
  const up = (v: number) => flips(v, spins).filter((w) => w < v).length;
  const f = Float64Array.from({ length: 16 }, (_, v) => 0 - Math.abs(up(v) - 2));
  const { minima, basinOf, saddle } = landscape(f, spins);
  expect(minima).toEqual([[0], [15]]);
  for (let v = 0; v < 16; v++) expect(basinOf[v]).toBe(up(v) < 2 ? 0 : up(v) > 2 ? 1 : -1);
  expect(saddle(0, 1)).toBe(0);
  // And upside down: one flat bottom would be the balanced patterns, which single flips do not join.
  const inverted = landscape(
    f.map((x) => -x),
    spins,
  );
  expect(inverted.minima).toHaveLength(6);
  expect(inverted.basinOf[0]).toBe(-1);
  const flat = landscape(new Float64Array(16), spins);
  expect(flat.minima).toHaveLength(1);
  expect(flat.minima[0]).toHaveLength(16);
});
