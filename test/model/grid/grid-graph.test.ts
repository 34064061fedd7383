import { createHash } from 'node:crypto';
import { InputError } from 'htdml';
import { describe, expect, test } from 'vitest';
import { type GridGraph, type GridShape, gridGraph } from '../../../src/model/grid/grid-graph.js';

/** Number of edges and the start of the SHA-256 of all ends as 32-bit integers, from dtm-replication's own generator at commit 7c22d19. */
const GOLDEN: readonly (readonly [string, GridShape, number, string])[] = [
  ['4_4', { side: 4, degree: 4 }, 32, '594f0a78d583177e'],
  ['6_4', { side: 6, degree: 4 }, 72, '862bbae9856917b9'],
  ['3_4, open', { side: 3, degree: 4, torus: false }, 12, '04097f9f977599fb'],
  ['8_8', { side: 8, degree: 8 }, 256, '94c4110cbbbc4a28'],
  ['20_8, open', { side: 20, degree: 8, torus: false }, 1368, '7fb53602e89f2c97'],
  ['44_12', { side: 44, degree: 12 }, 11616, '30cb74d53f7fdbdb'],
  ['60_12', { side: 60, degree: 12 }, 21600, 'c2071fa6971cabd1'],
  ['60_12, open', { side: 60, degree: 12, torus: false }, 18788, '5a7089a65b8cdfa7'],
  ['70_12', { side: 70, degree: 12 }, 29400, '5874cc3a29fac3c9'],
  ['90_20', { side: 90, degree: 20 }, 81000, 'b2ab53b552b5fe60'],
  ['70_24', { side: 70, degree: 24 }, 58800, '3cef997faae1f7a5'],
  ['60_32', { side: 60, degree: 32 }, 57600, 'a43e6ab33606e0cc'],
  ['80_24, wide', { side: 80, degree: 24, family: 'wide' }, 76800, '3e0e3900c2528d8e'],
  ['70_52, wide', { side: 70, degree: 52, family: 'wide' }, 127400, 'f7abddbda85f5097'],
  ['100_76, wide', { side: 100, degree: 76, family: 'wide' }, 380000, '821e4e7e32bffa88'],
];

const degrees = ({ nodes, edges }: GridGraph) => {
  const count = new Array<number>(nodes).fill(0);
  for (const edge of edges) for (const k of edge) count[k]++;
  return count;
};

/** How many nodes a walk from node 0 reaches. */
const reached = ({ nodes, edges }: GridGraph) => {
  const neighbours: number[][] = Array.from({ length: nodes }, () => []);
  for (const [i, j] of edges) {
    neighbours[i].push(j);
    neighbours[j].push(i);
  }
  const found = new Set([0]);
  for (const k of found) for (const j of neighbours[k]) found.add(j);
  return found.size;
};

test.each(GOLDEN)('edges and their order: %s', (_, shape, count, digest) => {
  const { edges } = gridGraph(shape);
  expect(edges).toHaveLength(count);
  const ends = Buffer.alloc(8 * count);
  for (const [a, [i, j]] of edges.entries()) {
    ends.writeInt32LE(i, 8 * a);
    ends.writeInt32LE(j, 8 * a + 4);
  }
  expect(createHash('sha256').update(ends).digest('hex').slice(0, 16)).toBe(digest);
});

test.each(GOLDEN)('bipartite and connected, and regular on a torus: %s', (_, shape) => {
  const graph = gridGraph(shape);
  const { side, nodes, upper, lower, edges } = graph;
  expect(nodes).toBe(side ** 2);
  expect([...upper, ...lower].sort((a, b) => a - b)).toEqual(Array.from({ length: nodes }, (_, k) => k));
  const [above, below] = [new Set(upper), new Set(lower)];
  expect(edges.every(([i, j]) => above.has(i) && below.has(j))).toBe(true);
  expect(reached(graph)).toBe(nodes);
  if (graph.torus) expect(new Set(degrees(graph))).toEqual(new Set([graph.degree]));
});

test('a grid with open sides has fewer neighbours', () => {
  const count = degrees(gridGraph({ side: 60, degree: 12, torus: false }));
  expect(Math.min(...count)).toBe(4);
  expect(Math.max(...count)).toBe(12);
  expect(count.reduce((a, b) => a + b) / 3600).toBeCloseTo(10.44, 2);
});

test('the neighbours of the middle node, by rotating an offset', () => {
  const { edges } = gridGraph({ side: 12, degree: 8 });
  const middle = 6 * 12 + 6;
  const steps = edges.filter(([i]) => i === middle).map(([, j]) => [Math.floor(j / 12) - 6, (j % 12) - 6]);
  const [near, far] = [steps.slice(0, 4), steps.slice(4)].map((list) => list.sort());
  expect(near).toEqual(
    [
      [0, 1],
      [1, 0],
      [0, -1],
      [-1, 0],
    ].sort(),
  );
  expect(far).toEqual(
    [
      [4, 1],
      [-1, 4],
      [-4, -1],
      [1, -4],
    ].sort(),
  );
});

test('a torus too small for its offsets joins no two nodes twice', () => {
  expect(gridGraph({ side: 4, degree: 8 }).edges).toEqual(gridGraph({ side: 4, degree: 4 }).edges);
  expect(gridGraph({ side: 2, degree: 4 }).edges).toEqual([
    [0, 1],
    [3, 2],
    [0, 2],
    [3, 1],
  ]);
});

describe('refused', () => {
  test.each<[string, object, RegExp]>([
    ['side 0', { side: 0, degree: 4 }, /^side must be a whole number of at least 2, got 0/],
    ['half a node', { side: 4.5, degree: 4 }, /^side must be a whole number/],
    ['an odd torus', { side: 5, degree: 4 }, /^side must be even on a torus, got 5; use an even side/],
    ['degree 10', { side: 6, degree: 10 }, /^degree must be a multiple of 4 from 4 to 32, got 10/],
    ['degree 36', { side: 6, degree: 36 }, /got 36; use family "wide"/],
    ['degree 80', { side: 6, degree: 80, family: 'wide' }, /^degree must be a multiple of 4 from 4 to 76/],
    ['degree 0', { side: 6, degree: 0 }, /^degree .* got 0/],
    ['another family', { side: 6, degree: 4, family: 'narrow' }, /^family must be "standard" or "wide", got "narrow"/],
  ])('%s', (_, shape, pattern) => {
    expect(() => gridGraph(shape as GridShape)).toThrow(InputError);
    expect(() => gridGraph(shape as GridShape)).toThrow(pattern);
  });
});
