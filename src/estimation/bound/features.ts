import type { Model } from '../../model/model.js';
import { symmetricEigen } from '../../spectrum/symmetric-eigen.js';

/** Functions of the spins that are evaluated together: `out[offset..]` gets `count` values. */
export interface FunctionFeatures {
  /** How many. */
  readonly count: number;
  /** Writes the values at the spins (-1 or +1), from `out[offset]` on. */
  evaluate(spins: Int8Array, out: Float64Array, offset: number): void;
}

/** The features `chi` of (6.1) in a growing sequence: each set is the first `size` of them. */
export interface Features {
  /** Products of one or two spins; the first ones are those of the observables, in theta order: `f_a = -chi_a` (2.2). */
  readonly monomials: readonly (readonly number[])[];
  /** What follows the monomials. */
  readonly functions: FunctionFeatures;
  /** All of them. */
  readonly count: number;
  /** The growing sets, each holding the one before. */
  readonly sets: readonly { readonly name: string; readonly size: number }[];
}

/** How far the sequence of feature sets goes: each name stands for its set and all that come before. */
export const FEATURE_NAMES = ['observables', 'pairs', 'levels'] as const;
/** Name of a feature set. */
export type FeatureName = (typeof FEATURE_NAMES)[number];

/** Directions and knots of the level functions, and of the finer ones that show whether they suffice. */
const LEVELS = { coarse: { directions: 3, knots: 6 }, fine: { directions: 6, knots: 12 } } as const;

/**
 * The observables; all pairs, and with biases all spins; level functions of the energy and of the first three principal directions of `pilot`, then of six on finer knots; at the end user functions.
 * `pilot` holds samples of `model.spins` spins each, independent of those that the bound is computed from, so that the features are fixed functions.
 */
export function makeFeatures(
  model: Model,
  pilot: Int8Array,
  upTo: FeatureName,
  user: readonly ((spins: Int8Array) => number)[],
): Features {
  const monomials: (readonly number[])[] = [
    ...model.edges,
    ...(model.biased ? Array.from({ length: model.spins }, (_, i) => [i]) : []),
  ];
  const names: { name: string; size: number }[] = [{ name: 'observables', size: monomials.length }];
  if (upTo !== 'observables') {
    const known = new Set(model.edges.map(([i, j]) => Math.min(i, j) * model.spins + Math.max(i, j)));
    for (let i = 0; i < model.spins; i++) {
      for (let j = i + 1; j < model.spins; j++) if (!known.has(i * model.spins + j)) monomials.push([i, j]);
    }
    if (monomials.length > names[0].size) names.push({ name: 'pairs', size: monomials.length });
  }
  const parts: FunctionFeatures[] = [];
  let size = monomials.length;
  const add = (name: string, part: FunctionFeatures) => {
    if (part.count === 0) return;
    parts.push(part);
    size += part.count;
    names.push({ name, size });
  };
  if (upTo === 'levels') {
    const coordinates = slowCoordinates(model, pilot, LEVELS.fine.directions);
    add(
      'levels',
      levelFunctions(coordinates.slice(0, 1 + LEVELS.coarse.directions), pilot, model, LEVELS.coarse.knots),
    );
    add('fine levels', levelFunctions(coordinates, pilot, model, LEVELS.fine.knots));
  }
  add('user functions', {
    count: user.length,
    evaluate: (spins, out, offset) =>
      user.forEach((of, k) => {
        out[offset + k] = of(spins);
      }),
  });
  return { monomials, functions: together(parts), count: size, sets: names };
}

function together(parts: readonly FunctionFeatures[]): FunctionFeatures {
  return {
    count: parts.reduce((sum, { count }) => sum + count, 0),
    evaluate(spins, out, offset) {
      let at = offset;
      for (const part of parts) {
        part.evaluate(spins, out, at);
        at += part.count;
      }
    },
  };
}

type Coordinate = (spins: Int8Array) => number;

/** The energy at the model's own parameters, and the principal directions of the samples; without biases the size of the latter, an even function. */
function slowCoordinates(model: Model, pilot: Int8Array, directions: number): Coordinate[] {
  const { spins: n, edges, theta, biased } = model;
  const energy: Coordinate = (x) => {
    let sum = 0;
    for (let a = 0; a < edges.length; a++) sum -= theta[a] * x[edges[a][0]] * x[edges[a][1]];
    if (biased) for (let i = 0; i < n; i++) sum -= theta[edges.length + i] * x[i];
    return sum;
  };
  const axes = principalAxes(pilot, n, biased, Math.min(directions, n));
  return [
    energy,
    ...axes.map(
      (axis): Coordinate =>
        (x) => {
          let sum = 0;
          for (let i = 0; i < n; i++) sum += axis[i] * x[i];
          return biased ? sum : Math.abs(sum);
        },
    ),
  ];
}

/** Ramps from 0 to 1 between neighbouring knots, equally spaced over the range of each coordinate in the pilot: their span holds every piecewise linear function of it. */
function levelFunctions(
  coordinates: readonly Coordinate[],
  pilot: Int8Array,
  model: Model,
  knots: number,
): FunctionFeatures {
  const ranges = coordinates.map((of) => {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (let s = 0; s < pilot.length; s += model.spins) {
      const value = of(pilot.subarray(s, s + model.spins));
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    return { of, low, width: (high - low) / knots };
  });
  const used = ranges.filter(({ width }) => width > 0);
  return {
    count: used.length * knots,
    evaluate(spins, out, offset) {
      let at = offset;
      for (const { of, low, width } of used) {
        const scaled = (of(spins) - low) / width;
        for (let k = 0; k < knots; k++) out[at++] = Math.min(1, Math.max(0, scaled - k));
      }
    },
  };
}

/** The leading eigenvectors of the samples' covariance; about zero where the law is even. */
function principalAxes(samples: Int8Array, n: number, centred: boolean, count: number): Float64Array[] {
  const total = samples.length / n;
  const mean = new Float64Array(n);
  if (centred) for (let s = 0; s < samples.length; s++) mean[s % n] += samples[s] / total;
  const covariance = new Float64Array(n * n);
  for (let s = 0; s < samples.length; s += n) {
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++)
        covariance[i * n + j] += ((samples[s + i] - mean[i]) * (samples[s + j] - mean[j])) / total;
    }
  }
  const { vectors } = symmetricEigen(covariance, n);
  return Array.from({ length: count }, (_, k) => vectors.slice((n - 1 - k) * n, (n - k) * n));
}
