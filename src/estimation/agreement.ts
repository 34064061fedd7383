/** Whether independent chains tell the same of an observable. */
export interface Agreement {
  /** Variance of the chains' means over what the integrated time predicts for it; 1 is expected. */
  readonly spread: number;
  /** How far above 1 that is, in standard deviations. */
  readonly spreadSigmas: number;
  /** Mean of the chains' second halves less that of the first halves, in standard deviations; large where the start is not forgotten. */
  readonly driftSigmas: number;
}

/** Mean of each chain, and of its first and second halves. */
export interface ChainMeans {
  readonly whole: Float64Array;
  readonly early: Float64Array;
  readonly late: Float64Array;
}

export function chainMeans(chains: readonly ArrayLike<number>[], steps: number): ChainMeans {
  const half = steps >> 1;
  const over = (from: number, to: number) =>
    Float64Array.from(chains, (chain) => {
      let sum = 0;
      for (let s = from; s < to; s++) sum += chain[s];
      return sum / Math.max(1, to - from);
    });
  return { whole: over(0, steps), early: over(0, half), late: over(steps - half, steps) };
}

export function average(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Compares means with the variance `predicted` for that of one chain, itself known to a share of `relativeError`; null for a single chain. */
export function chainAgreement(means: ChainMeans, predicted: number, relativeError: number): Agreement | null {
  const chains = means.whole.length;
  const freedom = chains - 1;
  if (freedom === 0) return null;
  const mean = average(means.whole);
  const spread = means.whole.reduce((sum, value) => sum + (value - mean) ** 2, 0) / freedom / predicted;
  const drift = average(means.late) - average(means.early);
  // The cube root of a mean square is nearly normal (Wilson and Hilferty 1931), and so is that of the prediction.
  const ninth = 2 / (9 * freedom);
  const known = relativeError ** 2;
  return {
    spread,
    spreadSigmas: (Math.cbrt(spread) - (1 - ninth)) / Math.sqrt(ninth + known / 9),
    driftSigmas: drift / Math.sqrt(((4 * predicted) / chains) * (1 + known)),
  };
}
