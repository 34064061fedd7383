import type { Objective } from '../trainability/routes/log-quantities.js';
import type { Quantities, Quantity, Route } from '../trainability/routes/route.js';

/** An objective with its weight in a sum. */
export interface Term {
  /** The objective. */
  readonly objective: Objective;
  /** What it is multiplied by. */
  readonly weight: number;
}

export interface WeightedSum {
  /** Value of each term's objective, in order. */
  readonly values: readonly number[];
  /** Gradient of `sum_k weights[k] objective_k` in theta. */
  gradient(weights: readonly number[]): Float64Array;
}

/** Evaluates objectives on one route together; null where one of them has no finite value or the route did not converge. */
export function evaluateObjectives(
  route: Route,
  objectives: readonly Objective[],
  theta: Float64Array,
): WeightedSum | null {
  const quantities = [...new Set(objectives.flatMap((objective) => objective.quantities))];
  const evaluation = route.evaluate(theta, quantities);
  if (!evaluation.info.converged) return null;
  const parts = objectives.map((objective) => objective.evaluate(evaluation.value));
  const values: number[] = [];
  for (const part of parts) {
    if (part === null || !Number.isFinite(part.value)) return null;
    values.push(part.value);
  }
  return {
    values,
    gradient(weights) {
      const bar: { [q in Quantity]?: number } = {};
      parts.forEach((part, k) => {
        for (const [q, value] of Object.entries(part?.bar ?? {}) as [Quantity, number | undefined][]) {
          bar[q] = (bar[q] ?? 0) + weights[k] * (value ?? 0);
        }
      });
      return evaluation.pullback(bar satisfies Quantities);
    },
  };
}
