/** Eigensolvers know a gap to a few eps; from here on it has at least six digits. */
export const RESOLVED_GAP = 1e6 * Number.EPSILON;
