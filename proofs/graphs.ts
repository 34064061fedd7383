import type { Edge } from 'htdml';

/** All pairs of `n` spins. */
export const complete = (n: number): Edge[] =>
  Array.from({ length: n }, (_, i) => Array.from({ length: n - i - 1 }, (_, k) => [i, i + k + 1] as const)).flat();

/** A ring of at least three spins. */
export const ring = (n: number): Edge[] => Array.from({ length: n }, (_, i) => [i, (i + 1) % n] as const);
