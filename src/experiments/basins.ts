/** A landscape `F(v)` over binary patterns, cut into basins of single-flip descent. */
export interface Landscape {
  /** The patterns at the bottom of each basin: one, or a flat piece of several. */
  readonly minima: readonly (readonly number[])[];
  /** Per pattern the basin into which steepest descent leads, and -1 on a ridge from which it leads into several. */
  readonly basinOf: Int32Array;
  /** The lowest `F` that has to be passed between the minima of two basins by single flips. */
  saddle(a: number, b: number): number;
}

/** Levels that differ by less than this count as one: they are equal by symmetry and differ by rounding. */
const FLAT = 1e-9;

/** Cuts `2^spins` patterns into basins. No tie is broken by the order of patterns, so that a symmetry of `F` is one of its basins. */
export function landscape(f: Float64Array, spins: number): Landscape {
  const neighbours = (v: number) => Array.from({ length: spins }, (_, i) => v ^ (1 << i));
  const plateau = plateaus(f, neighbours);
  const pieces: number[][] = [];
  plateau.forEach((piece, v) => {
    pieces[piece] ??= [];
    pieces[piece].push(v);
  });
  const order = pieces.map((_, piece) => piece).sort((a, b) => f[pieces[a][0]] - f[pieces[b][0]]);
  const basinOfPiece = new Int32Array(pieces.length);
  const minima: number[][] = [];
  for (const piece of order) {
    const around = pieces[piece].flatMap(neighbours).filter((v) => f[v] < f[pieces[piece][0]] - FLAT);
    const least = around.reduce((low, v) => Math.min(low, f[v]), Number.POSITIVE_INFINITY);
    const ways = new Set(around.filter((v) => f[v] <= least + FLAT).map((v) => basinOfPiece[plateau[v]]));
    if (ways.size === 0) minima.push(pieces[piece]);
    basinOfPiece[piece] = ways.size === 0 ? minima.length - 1 : ways.size === 1 ? ([...ways][0] ?? -1) : -1;
  }
  const saddles = saddleTable(f, spins, minima);
  const basinOf = plateau.map((piece) => basinOfPiece[piece]);
  return { minima, basinOf, saddle: (a, b) => saddles[a * minima.length + b] };
}

/** Numbers the connected pieces of equal level. */
function plateaus(f: Float64Array, neighbours: (v: number) => number[]): Int32Array {
  const piece = new Int32Array(f.length).fill(-1);
  let count = 0;
  for (let start = 0; start < f.length; start++) {
    if (piece[start] >= 0) continue;
    const open = [start];
    piece[start] = count;
    for (let v = open.pop(); v !== undefined; v = open.pop()) {
      for (const other of neighbours(v)) {
        if (piece[other] >= 0 || Math.abs(f[other] - f[v]) > FLAT) continue;
        piece[other] = count;
        open.push(other);
      }
    }
    count++;
  }
  return piece;
}

/** Floods the landscape level by level; the level at which two minima come into one lake is their saddle. */
function saddleTable(f: Float64Array, spins: number, minima: readonly (readonly number[])[]): Float64Array {
  const lake = Int32Array.from(f, (_, v) => v);
  const find = (v: number): number => {
    while (lake[v] !== v) v = lake[v];
    return v;
  };
  const members = new Map(minima.map(([v], k) => [v, [k]]));
  const saddles = new Float64Array(minima.length ** 2).fill(Number.POSITIVE_INFINITY);
  minima.forEach(([v], k) => {
    saddles[k * minima.length + k] = f[v];
  });
  const flooded = new Uint8Array(f.length);
  for (const v of Array.from(f, (_, k) => k).sort((a, b) => f[a] - f[b])) {
    flooded[v] = 1;
    for (let i = 0; i < spins; i++) {
      const other = v ^ (1 << i);
      if (flooded[other] === 0) continue;
      const [a, b] = [find(v), find(other)];
      if (a === b) continue;
      const [left, right] = [members.get(a) ?? [], members.get(b) ?? []];
      for (const k of left)
        for (const l of right) saddles[k * minima.length + l] = saddles[l * minima.length + k] = f[v];
      lake[a] = b;
      members.set(b, [...left, ...right]);
    }
  }
  return saddles;
}
