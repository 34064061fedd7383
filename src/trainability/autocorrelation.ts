import type { Relaxation } from './routes/route.js';

/**
 * Exact autocorrelation of the observables at a lag of kernel steps, `sum_a <fc_a, P^lag fc_a> / sum_a Var f_a`: each counts by its variance. 1 at lag 0, and 0 where nothing
 * fluctuates. Null for a kernel that is not reversible, whose modes are not known.
 */
export function autocorrelation({ measure }: Pick<Relaxation, 'measure'>, lag: number): number | null {
  if (measure === null) return null;
  let [left, variance] = [0, 0];
  for (const { gap, couplingsWeight, biasesWeight } of measure) {
    const weight = couplingsWeight + biasesWeight;
    variance += weight;
    left += weight * (gap < 0.5 ? Math.exp(lag * Math.log1p(-gap)) : (1 - gap) ** lag);
  }
  return variance > 0 ? left / variance : 0;
}
