import { InputError, show } from '../errors.js';

/** A probability law of the visible spins, stored sparsely: pattern index (bit `k` set: the `k`-th visible spin is +1) and probability. */
export interface DataLaw {
  /** Number of visible spins. */
  readonly spins: number;
  /** Distinct patterns, increasing. */
  readonly patterns: Uint32Array;
  /** Their probabilities, positive, of sum 1. */
  readonly probabilities: Float64Array;
}

/** The empirical law of rows of visible spins, each entry -1 or +1. Throws {@link InputError} naming row and column, counted from 1. */
export function dataLawFromRows(rows: readonly ArrayLike<number>[]): DataLaw {
  if (rows.length === 0) {
    throw new InputError({
      field: 'rows',
      expected: 'at least one row',
      got: 'none',
      remedy: 'give data with at least one sample',
    });
  }
  const spins = rows[0].length;
  const counts = new Map<number, number>();
  rows.forEach((row, r) => {
    if (row.length !== spins) {
      throw new InputError({
        field: `row ${r + 1}`,
        expected: `${spins} values like row 1`,
        got: `${row.length}`,
        remedy: 'give every row the same length',
      });
    }
    let pattern = 0;
    for (let k = 0; k < spins; k++) {
      if (row[k] !== 1 && row[k] !== -1) {
        throw new InputError({
          field: `row ${r + 1}, column ${k + 1}`,
          expected: '-1 or 1',
          got: show(row[k]),
          remedy: 'binarise the data first',
        });
      }
      if (row[k] === 1) pattern += 2 ** k;
    }
    counts.set(pattern, (counts.get(pattern) ?? 0) + 1);
  });
  return dataLawFromCounts(spins, counts);
}

/**
 * A law from pattern weights (counts or probabilities). Weights of one pattern add up, patterns of weight zero are dropped, and the rest is
 * normalised. Throws {@link InputError} for a pattern beyond `2^spins` or a weight that is negative or not finite.
 */
export function dataLawFromCounts(spins: number, counts: Iterable<readonly [number, number]>): DataLaw {
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
