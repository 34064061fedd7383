/** Eigensolvers know a gap to a few eps; from here on it has at least six digits. */
export const RESOLVED_GAP = 1e6 * Number.EPSILON;

/** `|g|^2` of so many parameters: every component is a difference of means known to a few eps, and a signal of that size is zero (the model is its own teacher). */
export function resolvedSignal(squared: number, parameters: number): number {
  return squared <= parameters * (64 * Number.EPSILON) ** 2 ? 0 : squared;
}
