import type { Model } from 'htdml';

/**
 * Relative rounding of a probability under a model, in two computations together: energies are sums of `p` terms below `sum |theta|` in size,
 * so each is off by at most `p eps sum|theta| / 2`; a ratio has two of them; normalisation sums 2^N positive terms.
 */
export function lawError(model: Model): number {
  const size = model.theta.reduce((sum, value) => sum + Math.abs(value), 0);
  return Number.EPSILON * (8 + 2 ** model.spins + 2 * model.theta.length * model.beta * size);
}
