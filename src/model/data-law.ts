import { InputError, show, UnsupportedError } from '../errors.js';
import { MAX_INDEXED_SPINS, MAX_SPINS } from './model.js';
import { readSpins, wordsOf, writeSpins } from './spin-words.js';

/** A probability law of the visible spins, stored sparsely: patterns and their probabilities. */
export interface DataLaw {
  /** Number of visible spins. */
  readonly spins: number;
  /**
   * Distinct patterns in increasing order, one behind another, each of `ceil(spins / 32)` words: bit `k & 31` of word `k >> 5` is set where the `k`-th visible spin is +1, and
   * later words count more in the order. Up to 32 spins a pattern is one word, its index. {@link readPattern} unpacks them.
   */
  readonly patterns: Uint32Array;
  /** Their probabilities, positive, of sum 1. */
  readonly probabilities: Float64Array;
}

/** Writes the visible spins, -1 or +1, of the law's pattern `k`, counted from 0, into the first `law.spins` places of `out`. */
export function readPattern(law: DataLaw, k: number, out: { [i: number]: number }): void {
  readSpins(law.patterns, k, law.spins, out);
}

/** The pattern indices of a law of at most 32 spins. Throws {@link UnsupportedError} for more. */
export function patternIndices({ spins, patterns }: DataLaw): Uint32Array {
  if (spins <= MAX_INDEXED_SPINS) return patterns;
  throw new UnsupportedError(
    `An index of patterns of ${spins} spins`,
    `it has ${MAX_INDEXED_SPINS} bits`,
    'use what works by sampling, such as htdml estimate',
  );
}

/** The empirical law of rows of visible spins, each entry -1 or +1. Throws {@link InputError} naming row and column, counted from 1. */
export function dataLawFromRows(rows: readonly ArrayLike<number>[]): DataLaw {
  const spins = rows[0]?.length ?? 0;
  if (spins === 0) {
    throw new InputError({
      field: 'rows',
      expected: 'at least one row of at least one value',
      got: 'none',
      remedy: 'give data with at least one sample',
    });
  }
  checkColumns(spins);
  const words = new Uint32Array(rows.length * wordsOf(spins));
  rows.forEach((row, r) => {
    if (row.length !== spins) {
      throw new InputError({
        field: `row ${r + 1}`,
        expected: `${spins} values like row 1`,
        got: `${row.length}`,
        remedy: 'give every row the same length',
      });
    }
    for (let k = 0; k < spins; k++) {
      if (row[k] !== 1 && row[k] !== -1) {
        throw new InputError({
          field: `row ${r + 1}, column ${k + 1}`,
          expected: '-1 or 1',
          got: show(row[k]),
          remedy: 'binarise the data first',
        });
      }
    }
    writeSpins(words, r, spins, row);
  });
  return dataLawFromWords(spins, words);
}

/** Refuses rows of more values than a model has spins. */
export function checkColumns(columns: number): void {
  if (columns <= MAX_SPINS) return;
  throw new InputError({
    field: 'row 1',
    expected: `at most ${MAX_SPINS} values, one per visible spin`,
    got: String(columns),
    remedy: 'select fewer columns',
  });
}

/** The empirical law of rows of spins, at least one, in the layout of {@link DataLaw.patterns} and any order. */
export function dataLawFromWords(spins: number, words: Uint32Array): DataLaw {
  const width = wordsOf(spins);
  const rows = words.length / width;
  const compare = (a: number, b: number) => {
    for (let w = width - 1; w >= 0; w--) {
      const difference = words[a * width + w] - words[b * width + w];
      if (difference !== 0) return difference;
    }
    return 0;
  };
  const order = Uint32Array.from({ length: rows }, (_, r) => r).sort(compare);
  const patterns = new Uint32Array(words.length);
  const counts: number[] = [];
  order.forEach((r, k) => {
    if (k > 0 && compare(order[k - 1], r) === 0) {
      counts[counts.length - 1]++;
      return;
    }
    for (let w = 0; w < width; w++) patterns[counts.length * width + w] = words[r * width + w];
    counts.push(1);
  });
  return {
    spins,
    patterns: patterns.slice(0, counts.length * width),
    probabilities: Float64Array.from(counts, (count) => count / rows),
  };
}

/**
 * A law of at most 32 spins from pattern weights (counts or probabilities). Weights of one pattern add up, patterns of weight zero are dropped, and the rest is
 * normalised. Throws {@link InputError} for more spins, a pattern beyond `2^spins` or a weight that is negative or not finite.
 */
export function dataLawFromCounts(spins: number, counts: Iterable<readonly [number, number]>): DataLaw {
  if (!Number.isInteger(spins) || spins < 0 || spins > MAX_INDEXED_SPINS) {
    throw new InputError({
      field: 'the number of visible spins',
      expected: `a whole number up to ${MAX_INDEXED_SPINS}, since a pattern index has ${MAX_INDEXED_SPINS} bits`,
      got: show(spins),
      remedy: 'give larger data as rows',
    });
  }
  const merged = new Map<number, number>();
  for (const [pattern, weight] of counts) {
    if (!Number.isInteger(pattern) || pattern < 0 || pattern >= 2 ** spins) {
      throw new InputError({
        field: 'data pattern',
        expected: `a whole number from 0 to ${2 ** spins - 1}`,
        got: show(pattern),
        remedy: 'bit k of a pattern set means that the k-th visible spin is +1',
      });
    }
    if (!(weight >= 0) || !Number.isFinite(weight)) {
      throw new InputError({
        field: `data weight of pattern ${pattern}`,
        expected: 'a finite number of at least 0',
        got: show(weight),
        remedy: 'give counts or probabilities',
      });
    }
    if (weight > 0) merged.set(pattern, (merged.get(pattern) ?? 0) + weight);
  }
  const kept = [...merged].sort(([a], [b]) => a - b);
  const total = kept.reduce((sum, [, weight]) => sum + weight, 0);
  if (!(total > 0) || !Number.isFinite(total)) {
    throw new InputError({
      field: 'data weights',
      expected: 'non-negative numbers of positive finite sum',
      got: show(total),
      remedy: 'give at least one pattern a positive weight',
    });
  }
  return {
    spins,
    patterns: Uint32Array.from(kept, ([pattern]) => pattern),
    probabilities: Float64Array.from(kept, ([, weight]) => weight / total),
  };
}

/** `sum_v d(v) log d(v)`, minus the entropy in nats. */
export function negativeEntropy(law: DataLaw): number {
  let sum = 0;
  for (const d of law.probabilities) sum += d * Math.log(d);
  return sum;
}
