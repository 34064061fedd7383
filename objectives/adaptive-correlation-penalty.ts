import { autocorrelation as autocorrelationAt, type ControlledTerm, type Route, UnsupportedError } from 'htdml';
import { totalCorrelation } from './total-correlation.js';

/** Where the controller of {@link adaptCorrelationPenalty} stands; plain data. */
export interface CorrelationControl {
  /** The weight `lambda` of the total-correlation penalty. */
  readonly weight: number;
  /** The last autocorrelation that was seen; null before the first. */
  readonly autocorrelation: number | null;
}

/** The threshold of {@link adaptCorrelationPenalty} and its smallest weight. */
export interface CorrelationControlSettings {
  /** Autocorrelation, in (0, 1), below which the penalty is lifted. */
  readonly threshold: number;
  /** The smallest weight that is not zero; 0.001 by default. */
  readonly least?: number | undefined;
}

/** No penalty, and nothing seen: where the controller starts. */
export const UNCONTROLLED: CorrelationControl = { weight: 0, autocorrelation: null };

/**
 * The adaptive correlation penalty of denoising thermodynamic models (Jelincic et al. 2025, as in their published runs): with the autocorrelation `a` of a chain
 * at a long lag, seen once in a while, the last one `a'` and the threshold `t`, `lambda <- f max(lambda, least)`, where
 *
 * - `a < t`: `f = 0.6 + 0.2 a/t`;
 * - `a >= t`, risen (`a > a'`): `f = 1.2`, and 1.5 from `a = 1.8 t` on;
 * - `a >= t`, not risen: `f = 0.95`;
 *
 * and 0 where that is below `least`. `a` counts as 0 where it is negative. The first autocorrelation is compared with none, so it has not risen.
 */
export function adaptCorrelationPenalty(
  { weight, autocorrelation: last }: CorrelationControl,
  autocorrelation: number,
  { threshold, least = 1e-3 }: CorrelationControlSettings,
): CorrelationControl {
  const a = Math.max(0, autocorrelation);
  const changed = Math.max(weight, least) * factor(a, last ?? Number.POSITIVE_INFINITY, threshold);
  return { weight: changed < least ? 0 : changed, autocorrelation: a };
}

function factor(a: number, last: number, threshold: number): number {
  if (a < threshold) return 0.6 + (0.2 * a) / threshold;
  if (a <= last) return 0.95;
  return a < 1.8 * threshold ? 1.2 : 1.5;
}

/** When {@link adaptiveTotalCorrelation} looks, at what. */
export interface AdaptiveCorrelationSettings extends CorrelationControlSettings {
  /** In kernel steps: how far apart states should be to count as independent. */
  readonly lag: number;
  /** Steps of the optimiser from one look to the next. */
  readonly every: number;
}

/**
 * A penalty on the total correlation (2.8) whose weight follows {@link adaptCorrelationPenalty}, seeing the exact autocorrelation of the observables, `sum_a <fc_a, P^lag fc_a>
 * / sum_a Var f_a`. {@link UnsupportedError} when it looks, where the kernel is not reversible.
 */
export function adaptiveTotalCorrelation(route: Route, settings: AdaptiveCorrelationSettings): ControlledTerm {
  return {
    objective: totalCorrelation,
    every: settings.every,
    start: UNCONTROLLED,
    next(control: CorrelationControl, theta) {
      const seen = autocorrelationAt(route.relaxation(theta), settings.lag);
      if (seen === null) {
        throw new UnsupportedError(
          'An adaptive correlation penalty',
          'the kernel is not reversible, so its autocorrelation is not known from modes',
          'use a reversible kernel, or a fixed weight',
        );
      }
      return adaptCorrelationPenalty(control, seen, settings);
    },
  };
}
