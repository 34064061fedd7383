import type { Quantities, Quantity } from './route.js';

/** A scalar function of a route's quantities at one point: its value, and the cotangent to hand to the route's pullback. */
export interface ScalarWithCotangent {
  /** The function. */
  readonly value: number;
  /** Its derivative in each quantity. */
  readonly bar: Quantities;
}

/** A scalar function of a route's quantities. `evaluate` gives null where the function has no finite value. */
export interface Objective {
  /** As in SPECs and records. */
  readonly name: string;
  /** Whether more of it is better, or less; `raise` where left out. A penalty pushes that way. */
  readonly goal?: 'raise' | 'lower' | undefined;
  /** What the route must evaluate. */
  readonly quantities: readonly Quantity[];
  /** Value and cotangent at the route's values; null where there is no finite value. */
  evaluate(values: Quantities): ScalarWithCotangent | null;
}

/** Positive and finite, and so its inverse. */
function isUsable(value: number): boolean {
  return value > 0 && Number.isFinite(value) && Number.isFinite(1 / value);
}

/** `log gamma`, `gamma = mu / (T + mu / 2)` over all modes (3.1), per kernel step. */
export function logEffectiveGap({ timescale: t = 0, variance: mu = 0 }: Quantities): ScalarWithCotangent | null {
  if (!isUsable(mu) || !isUsable(t)) return null;
  const shifted = t + mu / 2;
  return { value: Math.log(mu / shifted), bar: { variance: 1 / mu - 0.5 / shifted, timescale: -1 / shifted } };
}

/** `log R_hat = log (M K / 2) + log |g|^2 - log T` over all modes (3.2); `samples` is `M K`. */
export function logRhat(values: Quantities, samples: number): ScalarWithCotangent | null {
  const { timescale: t = 0, signal = 0 } = values;
  if (!isUsable(signal) || !isUsable(t)) return null;
  return { value: Math.log(((samples / 2) * signal) / t), bar: { signal: 1 / signal, timescale: -1 / t } };
}
