import { readSpins, wordsOf, writeSpins } from '../../model/spin-words.js';

/** Samples of one chain, a bit per spin: row `s` is the words from `s * ceil(spins / 32)` on, and bit `i & 31` of its word `i >> 5` is set where spin `i` is +1. */
export interface PackedSamples {
  /** Spins of a sample. */
  readonly spins: number;
  /** Samples. */
  readonly count: number;
  /** Their bits, the unused ones of a row's last word zero. */
  readonly words: Uint32Array;
}

/** Words of one sample. */
export const wordsPerSample = wordsOf;

/** Room for `count` samples, all spins -1. */
export function emptySamples(spins: number, count: number): PackedSamples {
  return { spins, count, words: new Uint32Array(count * wordsOf(spins)) };
}

/** Writes the spins of sample `s`, -1 or +1. */
export function readSample({ spins, words }: PackedSamples, s: number, out: Int8Array): void {
  readSpins(words, s, spins, out);
}

/** Keeps the spins, -1 or +1, as sample `s`. */
export function writeSample({ spins, words }: PackedSamples, s: number, x: ArrayLike<number>): void {
  writeSpins(words, s, spins, x);
}
