import type { Objective, Quantities, Quantity, Term } from 'htdml';

/**
 * `sum_k weight_k objective_k` as one objective, to raise where larger is better in it (a term to be lowered counts against it: its weight is taken negative).
 * It has no value where a term has none.
 */
export function weightedSum(name: string, terms: readonly Term[]): Objective {
  return {
    name,
    quantities: [...new Set(terms.flatMap(({ objective }) => objective.quantities))],
    evaluate(values) {
      let value = 0;
      const bar: { [q in Quantity]?: number } = {};
      for (const { objective, weight } of terms) {
        const at = objective.evaluate(values);
        if (at === null) return null;
        const factor = objective.goal === 'lower' ? -weight : weight;
        value += factor * at.value;
        for (const [q, slope] of Object.entries(at.bar) as [Quantity, number][])
          bar[q] = (bar[q] ?? 0) + factor * slope;
      }
      return { value, bar: bar satisfies Quantities };
    },
  };
}
