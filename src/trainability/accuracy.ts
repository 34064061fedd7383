/**
 * What tests hold numbers to. The coverage table prints these and the tests import them, so that neither can drift from the other. Relative errors are of `1 +` the value
 * on the models of the tests, of up to six spins; on plateaus the error is counted in units of `eps (1 + sum |theta|)`, what the exponents are known to.
 */
export const ACCURACY = {
  /** Values on a table against sums and dense solves over all states. */
  table: 1e-11,
  /** Derivatives against fourth-order central differences, whose own error this is. */
  differences: 2e-9,
  /** `T` and its derivative against 80-digit arithmetic, in units of `eps (1 + sum |theta|)`. */
  plateau: { value: 16, gradient: 64 },
  /** The factored route against the table: values, derivatives, gaps, weights of groups, and the error of the estimated gradient. */
  factored: { value: 1e-13, gradient: 1e-12, gap: 5e-13, weight: 5e-10, error: 1e-12 },
  /** Sums over modes against the solve of (3.3), in units of `eps / gap`; derivatives carry one more power of the gap. */
  modes: 64,
  /** Derivatives of hard and soft spectral forms against central differences: within their own error, which is at most this share. */
  spectralForms: 1e-4,
  /** The exact error (3.4) against the sum over all paths, under a mixture and under a product of blocks. */
  paths: { mixture: 1e-13, product: 5e-13 },
  /** The error from equilibrium beyond the dense limit against propagation, relative, in units of `eps sqrt(states) (1 + K / 2)`. */
  quadrature: 64,
  /** Rounding by which the exact `R` may stand outside of its proven interval. */
  bound: 1e-6,
  /** Standard errors within which measured values are of exact ones. */
  standardErrors: 4,
} as const;
