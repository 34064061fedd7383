import type { Model } from '../../model/model.js';

/** The conditional laws of single spins, edges listed spin by spin. */
export interface Conditionals {
  /** Log odds of `x_i = +1` given the others. */
  logOdds(i: number, spins: ArrayLike<number>): number;
  /** Whether an edge joins two spins of the block. */
  coupled(block: readonly number[]): boolean;
}

/** At the model's own parameters. */
export function conditionals({ spins, edges, theta, beta, biased }: Model): Conditionals {
  const first = new Int32Array(spins + 1);
  for (const [i, j] of edges) {
    first[i + 1]++;
    first[j + 1]++;
  }
  for (let i = 0; i < spins; i++) first[i + 1] += first[i];
  const next = first.slice();
  const near = new Int32Array(2 * edges.length);
  const strength = new Float64Array(2 * edges.length);
  edges.forEach(([i, j], a) => {
    for (const [from, to] of [
      [i, j],
      [j, i],
    ]) {
      near[next[from]] = to;
      strength[next[from]++] = 2 * beta * theta[a];
    }
  });
  const bias = Float64Array.from({ length: spins }, (_, i) => (biased ? 2 * beta * theta[edges.length + i] : 0));
  return {
    logOdds(i, x) {
      let sum = bias[i];
      for (let k = first[i]; k < first[i + 1]; k++) sum += strength[k] * x[near[k]];
      return sum;
    },
    coupled(block) {
      const inside = new Set(block);
      return block.some((i) => near.subarray(first[i], first[i + 1]).some((j) => inside.has(j)));
    },
  };
}
