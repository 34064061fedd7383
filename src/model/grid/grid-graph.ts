import { InputError, show } from '../../errors.js';
import type { Edge } from '../model.js';

/** The two lists of offsets that the published denoising thermodynamic models connect their grids by. */
export const GRID_FAMILIES = ['standard', 'wide'] as const;

/** One of {@link GRID_FAMILIES}. */
export type GridFamily = (typeof GRID_FAMILIES)[number];

/** What fixes a grid's nodes and edges. */
export interface GridShape {
  /** Nodes per side, at least 2; even on a torus. */
  readonly side: number;
  /** Neighbours of a node on a large torus, a multiple of 4: each offset brings four. Up to 32, in the wide family up to 76. */
  readonly degree: number;
  /** Whether the sides are joined; true by default. Without it, edges that leave the grid are left out. */
  readonly torus?: boolean | undefined;
  /** Which list of offsets; `standard` by default. */
  readonly family?: GridFamily | undefined;
}

/** The graph of a grid layer, bipartite: every edge joins an upper node to a lower one. */
export interface GridGraph {
  /** Nodes per side. */
  readonly side: number;
  /** Neighbours of a node on a large torus. */
  readonly degree: number;
  /** Whether the sides are joined. */
  readonly torus: boolean;
  /** Which list of offsets. */
  readonly family: GridFamily;
  /** Number of nodes, `side^2`. Node `(i, j)` is `i * side + j`. */
  readonly nodes: number;
  /** `(upper, lower)`, in the order of dtm-replication's generator. */
  readonly edges: readonly Edge[];
  /** Nodes with `i + j` even, ascending. */
  readonly upper: readonly number[];
  /** Nodes with `i + j` odd, ascending. */
  readonly lower: readonly number[];
}

type Offset = readonly [number, number];

/** Degree `d` takes the first `d / 4`. */
const OFFSETS: Readonly<Record<GridFamily, readonly Offset[]>> = {
  standard: [
    [0, 1],
    [4, 1],
    [10, 9],
    [11, 14],
    [23, 6],
    [3, 28],
    [6, 33],
    [20, 35],
  ],
  wide: [
    [0, 1],
    [6, 1],
    [12, 5],
    [11, 14],
    [23, 6],
    [3, 28],
    [6, 33],
    [20, 35],
    [34, 29],
    [47, 20],
    [4, 5],
    [2, 9],
    [1, 14],
    [17, 8],
    [8, 21],
    [11, 26],
    [21, 24],
    [31, 18],
    [23, 34],
  ],
};

/**
 * The grid of a denoising thermodynamic model (Jelincic et al. 2025) by the rules of their published code.
 *
 * Each offset `(dx, dy)` is added to every node in its four rotations `(dx, dy), (-dy, dx), (-dx, -dy), (dy, -dx)`. All offsets have odd `dx + dy`, so they join nodes
 * of different colours of the checkerboard. Edges come offset by offset, rotation by rotation, over all nodes in raster order, each as (upper, lower); what an
 * earlier edge joins already is left out. A torus whose side is too small for its offsets therefore has fewer than `degree` neighbours per node.
 * Throws {@link InputError} for a shape that there is no such grid of.
 */
export function gridGraph(shape: GridShape): GridGraph {
  const { side, degree, torus = true, family = 'standard' } = shape;
  checkShape(side, degree, torus, family);
  const nodes = side * side;
  const isUpper = (k: number) => (Math.floor(k / side) + (k % side)) % 2 === 0;
  const edges: Edge[] = [];
  const seen = new Set<number>();
  for (const [dx, dy] of OFFSETS[family].slice(0, degree / 4)) {
    for (const step of [[dx, dy] as const, [-dy, dx] as const, [-dx, -dy] as const, [dy, -dx] as const]) {
      for (let k = 0; k < nodes; k++) {
        const other = neighbour(k, step, side, torus);
        if (other === null) continue;
        const edge: Edge = isUpper(k) ? [k, other] : [other, k];
        const key = edge[0] * nodes + edge[1];
        if (seen.has(key)) continue;
        seen.add(key);
        edges.push(edge);
      }
    }
  }
  const all = Array.from({ length: nodes }, (_, k) => k);
  return {
    side,
    degree,
    torus,
    family,
    nodes,
    edges,
    upper: all.filter(isUpper),
    lower: all.filter((k) => !isUpper(k)),
  };
}

/** The node that a step from node `k` leads to; null where it leaves a grid without joined sides. */
function neighbour(k: number, [di, dj]: Offset, side: number, torus: boolean): number | null {
  const i = Math.floor(k / side) + di;
  const j = (k % side) + dj;
  if (torus) return wrapped(i, side) * side + wrapped(j, side);
  return i < 0 || j < 0 || i >= side || j >= side ? null : i * side + j;
}

function wrapped(i: number, side: number): number {
  return ((i % side) + side) % side;
}

function checkShape(side: number, degree: number, torus: boolean, family: GridFamily): void {
  if (!Number.isSafeInteger(side * side) || side < 2) {
    throw new InputError({
      field: 'side',
      expected: 'a whole number of at least 2',
      got: show(side),
      remedy: 'give the number of nodes per side',
    });
  }
  if (!GRID_FAMILIES.includes(family)) {
    throw new InputError({
      field: 'family',
      expected: '"standard" or "wide"',
      got: show(family),
      remedy: 'leave it out for the standard offsets',
    });
  }
  const most = 4 * OFFSETS[family].length;
  if (!Number.isInteger(degree / 4) || degree < 4 || degree > most) {
    throw new InputError({
      field: 'degree',
      expected: `a multiple of 4 from 4 to ${most}`,
      got: show(degree),
      remedy: family === 'wide' ? 'use a degree of the wide family' : 'use family "wide" for degrees up to 76',
    });
  }
  if (torus && side % 2 === 1) {
    throw new InputError({
      field: 'side',
      expected: 'even on a torus',
      got: show(side),
      remedy: 'use an even side, or torus false, since a torus of odd side has no checkerboard',
    });
  }
}
