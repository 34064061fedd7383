import { type Edge, ising, type Model, randomSource } from 'htdml';

/** A memory of patterns drawn at random. */
export interface HopfieldOptions {
  readonly spins: number;
  readonly patterns: number;
  readonly beta: number;
  /** Standard deviation of the biases. */
  readonly field: number;
  readonly seed: number;
}

/** `J_ij = sum_p xi_pi xi_pj / N` (Hopfield 1982) with weak random biases: basins at the patterns and their opposites, in directions that are no axes of the spins. */
export function hopfield({ spins, patterns, beta, field, seed }: HopfieldOptions): Model {
  const random = randomSource(seed);
  const xi = Array.from({ length: patterns }, () =>
    Array.from({ length: spins }, () => (random.uniform() < 0.5 ? -1 : 1)),
  );
  const edges: Edge[] = [];
  for (let i = 0; i < spins; i++) for (let j = i + 1; j < spins; j++) edges.push([i, j]);
  const couplings = edges.map(([i, j]) => xi.reduce((sum, pattern) => sum + pattern[i] * pattern[j], 0) / spins);
  const biases = Array.from({ length: spins }, () => field * random.normal());
  return ising({ spins, edges, couplings, biases, beta });
}
