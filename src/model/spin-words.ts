/** Words of a row of spins, -1 or +1, a bit each: bit `i & 31` of word `i >> 5` is set where spin `i` is +1, and the unused bits of the last word are zero. */
export function wordsOf(spins: number): number {
  return (spins + 31) >>> 5;
}

/** Spins of row `row`, the rows of `words` lying one behind another. */
export function readSpins(words: ArrayLike<number>, row: number, spins: number, out: { [i: number]: number }): void {
  const at = row * wordsOf(spins);
  for (let i = 0; i < spins; i++) out[i] = 2 * ((words[at + (i >>> 5)] >>> (i & 31)) & 1) - 1;
}

/** Keeps spins as row `row`; what is not positive counts as -1. */
export function writeSpins(words: Uint32Array, row: number, spins: number, x: ArrayLike<number>): void {
  const at = row * wordsOf(spins);
  words.fill(0, at, at + wordsOf(spins));
  for (let i = 0; i < spins; i++) if (x[i] > 0) words[at + (i >>> 5)] |= 1 << (i & 31);
}
