import { InputError, show } from '../../errors.js';
import type { SpectralFunction } from '../../spectrum/spectral-function.js';

/** `timescale` times `tau = 1/x - 1/2` (2.7) plus `mass`, as a function of a gap `x = 1 - s`: what a projected `T_C` and `mu_C` weigh a mode with. */
export interface TimeAndMass {
  /** `t`, the factor of `tau`: 1 for `T_C` (3.1), 0 for `mu_C`. */
  readonly timescale: number;
  /** `m`, what is added: 0 for `T_C`, 1 for `mu_C`. */
  readonly mass: number;
}

/**
 * Hard membership: `1_C (t tau + m)`. Inside the cluster the divided difference of `tau` is `-1 / (x_j x_k)`, finite at any degeneracy, and that of the
 * indicator is 0; across the edge they divide by the gap to the outside.
 */
export function hardMembership(
  gaps: ArrayLike<number>,
  members: ReadonlySet<number>,
  { timescale, mass }: TimeAndMass,
): SpectralFunction {
  const value = (j: number) => (members.has(j) ? timescale * (1 / gaps[j] - 0.5) + mass : 0);
  return {
    value,
    divided: (j, k) => {
      const [a, b] = [members.has(j), members.has(k)];
      if (a && b) return -timescale / (gaps[j] * gaps[k]);
      return a === b ? 0 : (value(j) - value(k)) / (gaps[j] - gaps[k]);
    },
  };
}

/** The smooth spectral window of (4.2): `chi = 1 / (1 + exp((x - center) / eta))` of a gap `x`, one well inside the centre and zero well outside. */
export interface SoftWindow {
  /** The gap at which membership is one half, per kernel step; a fixed number. */
  readonly center: number;
  /** The width, per kernel step. */
  readonly eta: number;
}

/**
 * Soft membership (4.2): `chi (t tau + m)`, an analytic function of the gaps, with divided differences by the product rule and without cancellation.
 * {@link InputError} for a window without a positive width or a finite centre.
 */
export function softMembership(
  gaps: ArrayLike<number>,
  { center, eta }: SoftWindow,
  { timescale, mass }: TimeAndMass,
): SpectralFunction {
  if (!(eta > 0) || !Number.isFinite(eta + center)) {
    throw new InputError({
      field: 'soft',
      expected: 'a window with a finite centre and a positive width eta',
      got: show({ center, eta }),
      remedy: 'give both in gaps per kernel step',
    });
  }
  const chi = Float64Array.from(gaps, (x) => logistic((center - x) / eta));
  const rest = Float64Array.from(gaps, (x) => logistic((x - center) / eta));
  const f = (j: number) => timescale * (1 / gaps[j] - 0.5) + mass;
  return {
    value: (j) => chi[j] * f(j),
    divided: (j, k) => {
      // chi_j - chi_k = chi_j (1 - chi_k) - chi_k (1 - chi_j) = -2 sinh(d) sqrt(chi_j chi_k rest_j rest_k), d = (x_j - x_k) / (2 eta).
      const d = (gaps[j] - gaps[k]) / (2 * eta);
      const slope =
        Math.abs(d) < 20
          ? (-sinhc(d) / eta) * Math.sqrt(chi[j] * rest[j]) * Math.sqrt(chi[k] * rest[k])
          : (chi[j] > 0.5 && chi[k] > 0.5 ? rest[k] - rest[j] : chi[j] - chi[k]) / (gaps[j] - gaps[k]);
      return (-chi[j] * timescale) / (gaps[j] * gaps[k]) + slope * f(k);
    },
  };
}

function logistic(z: number): number {
  return 1 / (1 + Math.exp(-z));
}

/** `sinh(d) / d`. */
function sinhc(d: number): number {
  return Math.abs(d) < 1e-4 ? 1 + (d * d) / 6 : Math.sinh(d) / d;
}
