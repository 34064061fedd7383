import type { Model } from '../../model/model.js';
import { type PackedSamples, readSample } from '../samples/packed-samples.js';
import { type Coordinate, energyCoordinate, linearCoordinate, principalAxes } from './coordinates.js';

/** Functions of the spins that are evaluated together. `load` comes first, the others speak of the spins that it saw. */
export interface FunctionFeatures {
  /** How many. */
  readonly count: number;
  /** Takes the spins (-1 or +1) and writes the values from `out[offset]` on. */
  load(spins: Int8Array, out: Float64Array, offset: number): void;
  /** Writes the values with spin `i` flipped; `logOdds` is that of `x_i = +1` given the others, at the model's own parameters. */
  flipped(i: number, spins: Int8Array, logOdds: number, out: Float64Array, offset: number): void;
}

/** Functions that a user adds as a set of their own in the growing sequence; even ones where the model has no biases. */
export interface FeatureBlock extends FunctionFeatures {
  /** Of the set. */
  readonly name: string;
  /** Length of what `load` takes. */
  readonly spins: number;
  /** Whether all of them are even under the global flip. */
  readonly even: boolean;
}

/** A function of the spins that a user adds; even under the global flip where the model has no biases. */
export type UserFeature = (spins: Int8Array) => number;

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

/** With more spins the coarse levels are all: each level function meets every other feature, which costs memory and time. */
const MAX_FINE_SPINS = 256;

/** Level functions of a model of so many spins, at most: coarse ones, and fine ones beside them. Both have the energy among their directions. */
export function levelCounts(spins: number): { readonly coarse: number; readonly fine: number } {
  const of = ({ directions, knots }: { directions: number; knots: number }) =>
    (1 + Math.min(directions, spins)) * knots;
  return { coarse: of(LEVELS.coarse), fine: spins <= MAX_FINE_SPINS ? of(LEVELS.fine) : 0 };
}

/** Pairs of spins beyond the edges are left out where there would be more monomials than this. */
export const MAX_PAIR_FEATURES = 2000;

/**
 * The observables; all pairs, and with biases all spins; level functions of the energy and of the first three principal directions of `pilot`, then of six on finer knots (up to 256 spins); at the end user functions, those without a name together and each block by itself.
 * `pilot` holds samples that are independent of those that the bound is computed from, so that the features are fixed functions. Where there are too many spins for pairs these are left out.
 */
export function makeFeatures(
  model: Model,
  pilot: readonly PackedSamples[],
  upTo: FeatureName,
  user: readonly (UserFeature | FeatureBlock)[],
): Features {
  const { spins, edges, biased } = model;
  const monomials: (readonly number[])[] = [...edges, ...(biased ? Array.from({ length: spins }, (_, i) => [i]) : [])];
  const names: { name: string; size: number }[] = [{ name: 'observables', size: monomials.length }];
  const pairs = (spins * (spins - 1)) / 2 + (biased ? spins : 0);
  if (upTo !== 'observables' && pairs > monomials.length && pairs <= MAX_PAIR_FEATURES) {
    const known = new Set(edges.map(([i, j]) => Math.min(i, j) * spins + Math.max(i, j)));
    for (let i = 0; i < spins; i++) {
      for (let j = i + 1; j < spins; j++) if (!known.has(i * spins + j)) monomials.push([i, j]);
    }
    names.push({ name: 'pairs', size: monomials.length });
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
    const axes = principalAxes(pilot, spins, biased, Math.min(LEVELS.fine.directions, spins));
    const coordinates = [energyCoordinate(model), ...axes.map((axis) => linearCoordinate(axis, !biased))];
    const { coarse, fine } = LEVELS;
    add('levels', levelFunctions(coordinates.slice(0, 1 + coarse.directions), pilot, spins, coarse.knots));
    if (spins <= MAX_FINE_SPINS) add('fine levels', levelFunctions(coordinates, pilot, spins, fine.knots));
  }
  add('user functions', userFunctions(user.filter((one) => typeof one === 'function')));
  for (const block of user) if (typeof block !== 'function') add(block.name, block);
  return { monomials, functions: together(parts), count: size, sets: names };
}

/** Several one after the other. */
export function together(parts: readonly FunctionFeatures[]): FunctionFeatures {
  const starts: number[] = [];
  let count = 0;
  for (const part of parts) {
    starts.push(count);
    count += part.count;
  }
  return {
    count,
    load: (spins, out, offset) => parts.forEach((part, k) => part.load(spins, out, offset + starts[k])),
    flipped(i, spins, logOdds, out, offset) {
      for (let k = 0; k < parts.length; k++) parts[k].flipped(i, spins, logOdds, out, offset + starts[k]);
    },
  };
}

function userFunctions(user: readonly UserFeature[]): FunctionFeatures {
  const load = (spins: Int8Array, out: Float64Array, offset: number) =>
    user.forEach((of, k) => {
      out[offset + k] = of(spins);
    });
  return {
    count: user.length,
    load,
    flipped(i, spins, _, out, offset) {
      if (user.length === 0) return;
      spins[i] = -spins[i];
      load(spins, out, offset);
      spins[i] = -spins[i];
    },
  };
}

/** Ramps from 0 to 1 between neighbouring knots, equally spaced over the range of each coordinate in the pilot: their span holds every piecewise linear function of it. */
function levelFunctions(
  coordinates: readonly Coordinate[],
  pilot: readonly PackedSamples[],
  spins: number,
  knots: number,
): FunctionFeatures {
  const x = new Int8Array(spins);
  const low = new Float64Array(coordinates.length).fill(Number.POSITIVE_INFINITY);
  const high = new Float64Array(coordinates.length).fill(Number.NEGATIVE_INFINITY);
  for (const chain of pilot) {
    for (let s = 0; s < chain.count; s++) {
      readSample(chain, s, x);
      coordinates.forEach((one, c) => {
        const value = one.load(x);
        low[c] = Math.min(low[c], value);
        high[c] = Math.max(high[c], value);
      });
    }
  }
  const used = coordinates.flatMap((one, c) =>
    high[c] > low[c] ? [{ one, low: low[c], width: (high[c] - low[c]) / knots }] : [],
  );
  const ramps = (value: number, c: number, out: Float64Array, at: number) => {
    const scaled = (value - used[c].low) / used[c].width;
    for (let k = 0; k < knots; k++) out[at + k] = ramp(scaled - k);
  };
  return {
    count: used.length * knots,
    load(spins_, out, offset) {
      for (let c = 0; c < used.length; c++) ramps(used[c].one.load(spins_), c, out, offset + c * knots);
    },
    flipped(i, spins_, logOdds, out, offset) {
      for (let c = 0; c < used.length; c++) ramps(used[c].one.flipped(i, spins_, logOdds), c, out, offset + c * knots);
    },
  };
}

/** Exact at its ends: a value that rounding moves about a knot must not make a feature of its own. */
function ramp(t: number): number {
  return t < SNAP ? 0 : t > 1 - SNAP ? 1 : t;
}

const SNAP = 1e-9;
