import { InputError, show } from '../errors.js';
import type { Model } from '../model/model.js';

/** What of theta an optimiser may move, and how far. */
export interface ConstraintOptions {
  /** Largest `|J|`: one for all couplings, or one per edge. Biases are free. */
  readonly maxCoupling?: number | readonly number[] | null | undefined;
  /** Indices into theta of parameters that stay as they are in the model. */
  readonly frozen?: readonly number[] | undefined;
  /** Groups of indices into theta that have one value: all of them couplings, or all biases. */
  readonly tied?: readonly (readonly number[])[] | undefined;
  /** One entry per edge, 0 where the coupling is held at zero and 1 elsewhere. */
  readonly mask?: readonly number[] | null | undefined;
  /** Bits of the converter that sets a coupling: `2^bits - 1` levels, evenly spaced from `-maxCoupling` to `maxCoupling`, zero among them. */
  readonly bits?: number | null | undefined;
}

/**
 * `theta = fixed + T u`: each parameter is held, or is one component of `u`, which lies in a box. What an optimiser moves is `u`.
 *
 * With a converter the couplings in `theta` are rounded to its levels, and the derivative passes through as if they were not (straight-through, Bengio, Leonard and Courville 2013):
 * `u` keeps what steps smaller than a level add up to, and values belong to the rounded `theta`.
 */
export interface Parametrization {
  /** Length of `u`. */
  readonly size: number;
  /** The box. */
  readonly lower: Float64Array;
  /** Its other corner. */
  readonly upper: Float64Array;
  /** Whether couplings are rounded. */
  readonly rounded: boolean;
  /** The parameters at `u`. */
  theta(u: Float64Array): Float64Array;
  /** The `u` nearest to a theta: means over tied groups, not moved into the box. */
  free(theta: ArrayLike<number>): Float64Array;
  /** `T'` times a gradient in theta: the gradient in `u`. */
  pullback(gradient: Float64Array): Float64Array;
}

/** The nearest point of a box. */
export function clip(x: Float64Array, { lower, upper }: Pick<Parametrization, 'lower' | 'upper'>): Float64Array {
  return x.map((value, k) => Math.min(upper[k], Math.max(lower[k], value)));
}

/** Whether a theta is one that the parametrisation can give. */
export function satisfies(parametrization: Parametrization, theta: ArrayLike<number>): boolean {
  const nearest = parametrization.theta(clip(parametrization.free(theta), parametrization));
  return nearest.every((value, a) => value === theta[a]);
}

/** The constraints as a map from `u`; without any, `u` is theta. Throws {@link InputError} naming the option that is wrong, with its index. */
export function parametrization(model: Model, options: ConstraintOptions = {}): Parametrization {
  const { theta: start } = model;
  const couplings = model.edges.length;
  const bounds = boundsOf(options.maxCoupling ?? null, couplings);
  const fixed = Float64Array.from(start);
  const group = new Int32Array(start.length).fill(FREE);
  hold(options, couplings, group, fixed);
  const members = groupsOf(options.tied ?? [], couplings, group);
  const size = members.length;
  const upper = Float64Array.from(members, (group_) =>
    Math.min(...group_.map((a) => (a < couplings ? bounds[a] : Number.POSITIVE_INFINITY))),
  );
  const bits = options.bits ?? null;
  const steps = bits === null ? null : stepsOf(bits, members, couplings, upper);
  return {
    size,
    lower: upper.map((value) => -value),
    upper,
    rounded: steps !== null,
    theta(u) {
      const out = Float64Array.from(fixed);
      members.forEach((group_, k) => {
        const step = steps?.[k] ?? 0;
        // Adding 0 makes -0 a 0.
        const value = step > 0 ? Math.round(u[k] / step) * step + 0 : u[k];
        for (const a of group_) out[a] = value;
      });
      return out;
    },
    free: (theta) =>
      Float64Array.from(members, (group_) => {
        const first = theta[group_[0]];
        return first + group_.reduce((sum, a) => sum + (theta[a] - first), 0) / group_.length;
      }),
    pullback: (gradient) => Float64Array.from(members, (group_) => group_.reduce((sum, a) => sum + gradient[a], 0)),
  };
}

const FREE = -1;
const HELD = -2;

/** Marks what is frozen or masked, and zeroes the latter. */
function hold({ frozen = [], mask }: ConstraintOptions, couplings: number, group: Int32Array, fixed: Float64Array) {
  frozen.forEach((a, k) => {
    checkIndex(`frozen[${k}]`, a, group.length);
    if (group[a] === HELD) refuse(`frozen[${k}]`, 'an index not listed before', a, 'list each parameter once');
    group[a] = HELD;
  });
  if (mask === null || mask === undefined) return;
  checkLength('mask', mask, couplings);
  mask.forEach((kept, a) => {
    if (kept !== 0 && kept !== 1) refuse(`mask[${a}]`, '0 or 1', kept, 'write 0 where the coupling is held at zero');
    if (kept === 1) return;
    if (group[a] === HELD) refuse(`mask[${a}]`, '1 where the coupling is frozen', kept, 'choose one of the two');
    group[a] = HELD;
    fixed[a] = 0;
  });
}

/** Indices into theta of each component of `u`, in order of the first. */
function groupsOf(tied: readonly (readonly number[])[], couplings: number, group: Int32Array): number[][] {
  tied.forEach((indices, g) => {
    if (indices.length < 2) {
      refuse(`tied[${g}]`, 'a group of at least two parameters', indices, 'leave out what is tied to nothing');
    }
    indices.forEach((a, k) => {
      const field = `tied[${g}][${k}]`;
      checkIndex(field, a, group.length);
      if (group[a] === HELD)
        refuse(field, 'a parameter that is not frozen or masked', a, 'take it out of one of the two');
      if (group[a] !== FREE) refuse(field, 'a parameter that is tied once', a, 'merge the groups');
      if (a < couplings !== indices[0] < couplings) {
        refuse(
          field,
          indices[0] < couplings ? 'a coupling like the first' : 'a bias like the first',
          a,
          'split the group',
        );
      }
      group[a] = g;
    });
  });
  const members: number[][] = [];
  const seen = new Map<number, number[]>();
  group.forEach((g, a) => {
    if (g === HELD) return;
    const known = g === FREE ? undefined : seen.get(g);
    if (known !== undefined) {
      known.push(a);
      return;
    }
    const fresh = [a];
    members.push(fresh);
    if (g !== FREE) seen.set(g, fresh);
  });
  return members;
}

/** Distance of two levels for each component of `u`; 0 where it is not rounded. */
function stepsOf(bits: number, members: readonly number[][], couplings: number, upper: Float64Array): Float64Array {
  if (!Number.isInteger(bits) || bits < 2 || bits > MAX_BITS) {
    refuse('bits', `a whole number from 2 to ${MAX_BITS}`, bits, 'give the bits of the converter, its sign included');
  }
  return Float64Array.from(members, ([first], k) => {
    if (first >= couplings) return 0;
    if (upper[k] === Number.POSITIVE_INFINITY) {
      refuse('maxCoupling', 'given where there are bits', null, 'give the range of the converter');
    }
    return upper[k] / (2 ** (bits - 1) - 1);
  });
}

const MAX_BITS = 32;

function boundsOf(maxCoupling: number | readonly number[] | null, couplings: number): Float64Array {
  const check = (field: string, bound: unknown): number => {
    if (typeof bound === 'number' && bound > 0 && Number.isFinite(bound)) return bound;
    return refuse(field, 'a positive number', bound, 'give the largest coupling allowed');
  };
  if (maxCoupling === null) return new Float64Array(couplings).fill(Number.POSITIVE_INFINITY);
  if (typeof maxCoupling === 'number') return new Float64Array(couplings).fill(check('maxCoupling', maxCoupling));
  checkLength('maxCoupling', maxCoupling, couplings);
  return Float64Array.from(maxCoupling, (bound, a) => check(`maxCoupling[${a}]`, bound));
}

function checkLength(field: string, values: readonly unknown[], couplings: number): void {
  if (values.length === couplings) return;
  refuse(field, `a list of ${couplings} numbers, one per edge`, values.length, 'give them in the order of the edges');
}

function checkIndex(field: string, a: number, parameters: number): void {
  if (Number.isInteger(a) && a >= 0 && a < parameters) return;
  refuse(
    field,
    `a parameter index from 0 to ${parameters - 1}`,
    a,
    'parameters are counted from 0 in theta order: couplings, then biases',
  );
}

function refuse(field: string, expected: string, got: unknown, remedy: string): never {
  throw new InputError({ field, expected, got: show(got), remedy });
}
