import { InputError, show } from '../../errors.js';
import type { KernelName } from '../../kernel/kernels.js';
import { sensitivity } from '../../kernel/sensitivity.js';
import { type Model, withParameters } from '../../model/model.js';
import { levelsInside, type ModeSet } from '../membership/mode-sets.js';
import type { TableRoute } from '../routes/table-route.js';
import { lineBetween } from './path.js';

/** A set of modes at one parameter vector, by index in the sorted spectrum, without a rule: the projector on it can be followed. */
export interface FrozenModes {
  readonly theta: Float64Array;
  readonly members: readonly number[];
}

/** Where a frozen set could be followed to. */
export interface Followed {
  readonly frozen: FrozenModes;
  /** Whether it arrived. If not, a member and a non-member met (or nearly) before, and past that point there is no continuous projector to follow. */
  readonly arrived: boolean;
  /** The part of the way, 1 where it arrived. */
  readonly at: number;
}

/** The members of a set decided by a rule, from now on whatever the rule would say. */
export function freeze(theta: Float64Array, set: ModeSet): FrozenModes {
  return { theta: Float64Array.from(theta), members: [...levelsInside(set)] };
}

/** A step moves the matrix, and with it every eigenvalue, by at most this share of the gap: below a half, so that none can close it. */
const STEP = 0.45;
/** Steps shorter than this mean that the gap closes. */
const SHORTEST = 1e-9;

/**
 * Follows the projector on a frozen set along the straight line to `theta` by continuity.
 *
 * Each step is short enough, against the gap between members and non-members, that no two of them can meet on it (Weyl). So the members keep their ranks in the
 * sorted spectrum, and the projector on them is the continuous one; what is to be found out is whether the gap stays open.
 * Crossings among the members, and among the others, do not matter. {@link InputError} for members that are no modes, and for parameters that are not finite.
 */
export function follow(
  route: TableRoute,
  model: Model,
  kernel: KernelName,
  frozen: FrozenModes,
  theta: Float64Array,
): Followed {
  const line = lineBetween(withParameters(model, frozen.theta).theta, withParameters(model, theta).theta);
  const { count } = route.modes(frozen.theta);
  const stray = frozen.members.find((j) => !Number.isInteger(j) || j < 0 || j >= count);
  if (stray !== undefined) {
    throw new InputError({
      field: 'members',
      expected: `indices of modes from 0 to ${count - 1}`,
      got: show(stray),
      remedy: 'freeze a set at these parameters',
    });
  }
  const rate = sensitivity(model, kernel).bound(line.step);
  const { members } = frozen;
  let at = 0;
  let here = line.at(0);
  while (at < 1) {
    const gap = distanceToOthers(route.modes(here).gaps, members);
    const step = rate === 0 ? 1 : Math.min(1 - at, (STEP * gap) / rate);
    if (step < SHORTEST && at + step < 1) return { frozen: { theta: here, members }, arrived: false, at };
    at = Math.min(1, at + step);
    here = line.at(at);
  }
  return { frozen: { theta: here, members }, arrived: true, at: 1 };
}

/** The smallest distance between an eigenvalue of the set and one outside, the stationary one at gap 0 included; infinite where there is none outside. */
function distanceToOthers(gaps: Float64Array, members: readonly number[]): number {
  const inside = new Set(members);
  let least = Number.POSITIVE_INFINITY;
  for (let j = 0; j < gaps.length; j++) {
    if (inside.has(j)) least = Math.min(least, gaps[j]);
    if (j + 1 < gaps.length && inside.has(j) !== inside.has(j + 1)) least = Math.min(least, gaps[j + 1] - gaps[j]);
  }
  return least;
}
