/** A standardised distance: how many standard deviations a statistic is from what it should be. */
export type Sigmas = number;

/**
 * Pearson's statistic of counts against probabilities, as standard normal by the cube-root transform of Wilson and Hilferty 1931, whose error in the
 * tail is a few hundredths. Cells that expect fewer than ten counts are pooled.
 */
export function chiSquareSigmas(counts: ArrayLike<number>, probabilities: ArrayLike<number>): Sigmas {
  const total = Array.from(counts).reduce((sum, count) => sum + count, 0);
  let [statistic, cells, pooledCount, pooledExpected] = [0, 0, 0, 0];
  const add = (count: number, expected: number) => {
    statistic += (count - expected) ** 2 / expected;
    cells++;
  };
  for (let k = 0; k < counts.length; k++) {
    const expected = total * probabilities[k];
    if (expected >= 10) {
      add(counts[k], expected);
    } else {
      pooledCount += counts[k];
      pooledExpected += expected;
    }
  }
  if (pooledExpected >= 10) add(pooledCount, pooledExpected);
  else if (pooledCount > 10 + 5 * Math.sqrt(10)) return Number.POSITIVE_INFINITY;
  const freedom = cells - 1;
  if (freedom < 1) return 0;
  const spread = 2 / (9 * freedom);
  return (Math.cbrt(statistic / freedom) - (1 - spread)) / Math.sqrt(spread);
}

/** Mean of numbers and its standard error. */
export function meanAndError(values: ArrayLike<number>): { readonly mean: number; readonly error: number } {
  const n = values.length;
  const mean = Array.from(values).reduce((sum, value) => sum + value, 0) / n;
  const square = Array.from(values).reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, error: Math.sqrt(square / (n - 1) / n) };
}

/** The state at which the sum of probabilities passes `u`. */
export function stateAt(pi: ArrayLike<number>, u: number): number {
  let s = 0;
  for (let left = u - pi[0]; left >= 0 && s < pi.length - 1; left -= pi[s]) s++;
  return s;
}
