import { randomSource } from 'htdml';

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The middle 95% of the medians of 4,000 resamples with replacement (Efron 1979). */
export function medianInterval(values: readonly number[]): readonly [number, number] {
  const random = randomSource(1);
  const medians = Array.from({ length: 4000 }, () => median(values.map(() => values[random.integer(values.length)])));
  medians.sort((a, b) => a - b);
  return [medians[100], medians[3899]];
}

/**
 * Two-sided p of the signed-rank test of Wilcoxon 1945 on paired differences, exact: of all assignments of signs to the ranks, the share with a sum of positive
 * ranks as far from its mean as the one seen. Zeros are dropped; equal sizes share their mean rank.
 */
export function signedRank(differences: readonly number[]): number {
  const kept = differences.filter((d) => d !== 0);
  const sizes = kept.map(Math.abs);
  const ranks = sizes.map((x) => sizes.filter((y) => y < x).length + (sizes.filter((y) => y === x).length + 1) / 2);
  const mean = ranks.reduce((sum, r) => sum + r, 0) / 2;
  const seen = Math.abs(kept.reduce((sum, d, k) => sum + (d > 0 ? ranks[k] : 0), 0) - mean);
  let extreme = 0;
  for (let signs = 0; signs < 2 ** kept.length; signs++) {
    const sum = ranks.reduce((total, r, k) => total + ((signs >> k) & 1 ? r : 0), 0);
    if (Math.abs(sum - mean) >= seen - 1e-9) extreme++;
  }
  return extreme / 2 ** kept.length;
}
