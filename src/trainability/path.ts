import { ConvergenceError, UnsupportedError } from '../errors.js';
import type { KernelName } from '../kernel/kernels.js';
import { sensitivity } from '../kernel/sensitivity.js';
import { linearCombination } from '../model/boltzmann.js';
import type { Model } from '../model/model.js';
import { stateSpace } from '../model/state-space.js';
import type { Rates } from './certificate.js';
import { type MembershipRule, type ModeSet, type ModeThresholds, modeSet } from './mode-sets.js';
import { RESOLVED_GAP } from './resolved.js';
import type { Route } from './route.js';

/** Energies of more spins than this are not tabulated for the sake of a sharper rate. */
const MAX_RATE_SPINS = 12;

/**
 * How fast the kernel's matrix and the observables move along a straight line of direction `step`, per unit of the path (D6): `matrix` by the kernel's constants,
 * `observables` by `(beta / 2) (max dE - min dE) <= beta |step|_1`, `dE = sum_a step_a f_a`, since `|d(Y / |Y|)|` is at most half the largest `|d log pi|`.
 */
export function ratesAlong(model: Model, kernel: KernelName, step: Float64Array): Rates {
  const { bound } = sensitivity(model, kernel);
  const size = step.reduce((sum, x) => sum + Math.abs(x), 0);
  let range = 2 * size;
  if (model.spins <= MAX_RATE_SPINS) {
    const change = linearCombination(stateSpace(model), step);
    range = change.reduce((top, x) => Math.max(top, x), 0) - change.reduce((least, x) => Math.min(least, x), 0);
  }
  return { matrix: bound(step), observables: (model.beta / 2) * range };
}

/** The rates of the worst direction per unit of the 1-norm of theta. */
export function worstRates(model: Model, kernel: KernelName): Rates {
  const { constants } = sensitivity(model, kernel);
  return { matrix: constants.reduce((top, c) => Math.max(top, c), 0), observables: model.beta };
}

/**
 * The set of modes at a parameter vector. Throws {@link UnsupportedError} where there are too many states for modes or the kernel has none, and {@link ConvergenceError}
 * where a gap is below what the eigensolver resolves.
 */
export function modeSetAt(route: Route, theta: Float64Array, rule: MembershipRule, thresholds: ModeThresholds): ModeSet {
  const spectrum = route.spectrum(theta);
  if (spectrum === null) {
    throw new UnsupportedError(
      'The set of modes',
      'the kernel is not reversible or there are too many states for modes',
      'use a reversible kernel and a smaller model',
    );
  }
  if (spectrum.groups.some(({ gap }) => gap <= RESOLVED_GAP)) {
    throw new ConvergenceError('The set of modes', 'a gap is below what the eigensolver resolves');
  }
  return modeSet(spectrum, rule, thresholds);
}

/** The straight line from one parameter vector to another. */
export function lineBetween(from: Float64Array, to: Float64Array) {
  const step = to.map((value, a) => value - from[a]);
  return {
    step,
    /** The parameters at `t` from 0 to 1, exactly the ends at the ends. */
    at: (t: number) => (t === 1 ? Float64Array.from(to) : from.map((value, a) => value + t * step[a])),
  };
}
