import { ConvergenceError, UnsupportedError } from '../../errors.js';
import type { KernelName } from '../../kernel/kernels.js';
import { sensitivity } from '../../kernel/sensitivity.js';
import { linearCombination } from '../../model/boltzmann.js';
import type { Model } from '../../model/model.js';
import { stateSpace } from '../../model/state-space.js';
import { certifiedRadius, type GroupBounds } from '../membership/certificate.js';
import { type LevelBounds, type LevelMotion, levelBounds } from '../membership/level-motion.js';
import { type MembershipRule, type ModeSet, type ModeThresholds, modeSet } from '../membership/mode-sets.js';
import type { CertifiedSet } from '../membership/path-scan.js';
import type { Rates } from '../membership/rates.js';
import { RESOLVED_GAP } from '../routes/resolved.js';
import type { Route } from '../routes/route.js';
import { TableRoute } from '../routes/table-route.js';

/** Energies of more spins than this are not tabulated for the sake of a sharper rate. */
const MAX_RATE_SPINS = 12;

/**
 * How fast the kernel's matrix and the observables move along a straight line of direction `step`, per unit of the path (D6): `matrix` by the kernel's constants,
 * `observables` by `(beta / 2) (max dE - min dE) <= beta |step|_1`, `dE = sum_a step_a f_a`, since `|d(Y / |Y|)|` is at most half the largest `|d log pi|`.
 */
export function ratesAlong(model: Model, kernel: KernelName, step: Float64Array): Rates {
  const { bound, curvature } = sensitivity(model, kernel);
  const size = step.reduce((sum, x) => sum + Math.abs(x), 0);
  let range = 2 * size;
  if (model.spins <= MAX_RATE_SPINS) {
    const change = linearCombination(stateSpace(model), step);
    range = change.reduce((top, x) => Math.max(top, x), 0) - change.reduce((least, x) => Math.min(least, x), 0);
  }
  return { matrix: bound(step), observables: (model.beta / 2) * range, curvature: curvature(step) };
}

/** The rates of the worst direction per unit of the 1-norm of theta. */
export function worstRates(model: Model, kernel: KernelName): Rates {
  const { constants } = sensitivity(model, kernel);
  // Of a direction that is not known the second derivative is not asked for.
  const curvature = Number.POSITIVE_INFINITY;
  return { matrix: constants.reduce((top, c) => Math.max(top, c), 0), observables: model.beta, curvature };
}

/**
 * The set of modes at a parameter vector. Throws {@link UnsupportedError} where there are too many states for modes or the kernel has none, and {@link ConvergenceError}
 * where a gap is below what the eigensolver resolves.
 */
export function modeSetAt(
  route: Route,
  theta: Float64Array,
  rule: MembershipRule,
  thresholds: ModeThresholds,
): ModeSet {
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

/**
 * What a scan of the line sees: the set at a point with its certified radii, to second order (see {@link levelBounds}) where modes are on a table, else by Weyl's
 * bound.
 */
export function certifiedLine(
  route: Route,
  line: ReturnType<typeof lineBetween>,
  rates: Rates,
  rule: MembershipRule,
  thresholds: ModeThresholds,
): (at: number) => CertifiedSet {
  return (at) => {
    const theta = line.at(at);
    const set = modeSetAt(route, theta, rule, thresholds);
    const radii = () => {
      // A path of length zero, also where no radius in theta could be certified.
      if (rates.matrix === 0) return { forwards: Number.POSITIVE_INFINITY, backwards: Number.POSITIVE_INFINITY };
      const plain = certifiedRadius(set, rates);
      if (!(route instanceof TableRoute) || plain.limitedBy !== 'edge') {
        return { forwards: plain.radius, backwards: plain.radius };
      }
      const last = set.inside[set.inside.length - 1];
      const rows = set.groups.slice(0, last + 2).reduce((sum, { multiplicity }) => sum + multiplicity, 2);
      const motion = route.levelMotion(theta, line.step, rates, rows);
      const along = (sense: 1 | -1) => certifiedRadius(set, rates, groupBounds(set, motion, sense)).radius;
      return { forwards: along(1), backwards: along(-1) };
    };
    return { set, radii };
  };
}

function groupBounds({ groups }: ModeSet, motion: LevelMotion, sense: 1 | -1): GroupBounds {
  const known = new Map<number, LevelBounds>();
  const bounds = (j: number) => {
    const found = known.get(j) ?? levelBounds(motion, j, sense);
    known.set(j, found);
    return found;
  };
  return {
    slowest: (k) => bounds(groups[k].members[0]),
    fastest: (k) => bounds(groups[k].members[groups[k].members.length - 1]),
  };
}
