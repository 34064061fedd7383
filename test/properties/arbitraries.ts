export {
  dataFor,
  isings,
  mixtures as kernels,
  order,
  problems,
  rbms,
  real,
} from 'htdml/proofs';

/** Every property runs the same hundred cases each time. */
export const RUNS = { seed: 20_251, numRuns: 100 } as const;
