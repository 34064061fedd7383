/**
 * How fast things can move along a direction, per unit of it: `matrix` bounds the spectral norm of the change of `A` (4.1), `observables` that of
 * `Y / |Y|`, `Y = sqrt(pi) fc` (D6), at most `beta` in the 1-norm of theta, and `curvature` bounds the second derivative of `A`.
 */
export interface Rates {
  /** Bounds `|dA|_2` (4.1). */
  readonly matrix: number;
  /** Bounds `|d(Y / |Y|)|` (D6). */
  readonly observables: number;
  /** Bounds the second derivative of `A` in the spectral norm; infinite where it is not asked for. */
  readonly curvature: number;
}
