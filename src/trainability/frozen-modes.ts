import type { KernelName } from '../kernel/kernels.js';
import { sensitivity } from '../kernel/sensitivity.js';
import type { Model } from '../model/model.js';
import { levelsInside, type ModeSet } from './mode-sets.js';
import { lineBetween } from './path.js';
import type { TableRoute } from './table-route.js';

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

/** A step moves the matrix by at most this share of the gap, and with it turns the projector by at most `(pi / 2) STEP / (1 - STEP)`, less than a quarter. */
const STEP = 1 / 8;
/** Steps shorter than this mean that the gap closes. */
const SHORTEST = 1e-9;

/**
 * Follows the projector on a frozen set along the straight line to `theta` by continuity.
 *
 * Each step is short enough, against the gap between members and non-members, that the projector turns by less than a quarter (Davis and Kahan, with the
 * constant `pi / 2` for sets that interleave), so that every mode at its end has an overlap with the old set near 1 or near 0 and membership needs no choice.
 * Crossings among the members, and among the others, do not matter.
 */
export function follow(
  route: TableRoute,
  model: Model,
  kernel: KernelName,
  frozen: FrozenModes,
  theta: Float64Array,
): Followed {
  const line = lineBetween(frozen.theta, theta);
  const rate = sensitivity(model, kernel).bound(line.step);
  let at = 0;
  let here = frozen;
  while (at < 1) {
    const modes = route.modes(here.theta);
    const gap = distanceToOthers(modes.gaps, here.members);
    const step = rate === 0 ? 1 : Math.min(1 - at, (STEP * gap) / rate);
    if (step < SHORTEST && at + step < 1) return { frozen: here, arrived: false, at };
    at = Math.min(1, at + step);
    const next = line.at(at);
    const { law: before } = route.at(here.theta);
    const { law: after } = route.at(next);
    const old = here.members.map((j) => modes.functions.subarray(j * modes.states, (j + 1) * modes.states));
    const now = route.modes(next);
    const members: number[] = [];
    for (let k = 0; k < now.count; k++) {
      let share = 0;
      for (const phi of old) {
        let overlap = 0;
        for (let s = 0; s < now.states; s++) {
          overlap += Math.sqrt(before.pi[s] * after.pi[s]) * phi[s] * now.functions[k * now.states + s];
        }
        share += overlap * overlap;
      }
      if (share > 0.5) members.push(k);
    }
    here = { theta: next, members };
  }
  return { frozen: here, arrived: true, at: 1 };
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
