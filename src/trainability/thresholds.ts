import type { z } from 'zod';
import { checked, exactObject, number } from '../model/schema.js';

/** The thresholds of the gates of DESIGN section 7: inputs of a run, committed before it and written into its result. */
export interface GateThresholds {
  /** A2: largest relative defect of detailed balance. */
  readonly detailedBalance: number;
  /** A3: `1 - s_2` and `1 + s_min` lie above this times `2^N`. */
  readonly gapPerState: number;
  /** A5: `B (1 - s_*)` is at least this plus `max(0, log chi)`. */
  readonly burnInLog: number;
  /** A6: `K` is at least this many times the largest integrated time. */
  readonly windowTimes: number;
  /** A6: largest `delta1` (D11). */
  readonly windowDeficit: number;
  /** A7: least `gamma_bulk` per sweep. */
  readonly bulkRelaxation: number;
  /** A7: groups with no more than this share of the weight are not seen. */
  readonly bulkWeight: number;
  /** A8: the sets must be the same from `epsilon` divided by this to `epsilon` times this. */
  readonly epsilonFactor: number;
  /** F4: `R` and `R_hat` are within this factor. */
  readonly trackingFactor: number;
}

/** What the factors of (3.2) are compared with to find the limiting one (DESIGN section 3): inputs of a run too. */
export interface References {
  /** Effective gap per sweep. */
  readonly gap: number;
  /** `|g|^2 / mu`. */
  readonly signal: number;
  /** Window in sweeps. */
  readonly window: number;
}

const fraction = (meaning: string) =>
  number((value) => value > 0 && value < 1, 'a number between 0 and 1', `give ${meaning}`);
const factor = (meaning: string) => number((value) => value >= 1, 'a number of at least 1', `give ${meaning}`);
const positive = (meaning: string) => number((value) => value > 0, 'a positive number', `give ${meaning}`);
const between = (text: string) => [text, 'write it between braces, or leave it out for the defaults'] as const;

/** Some of the thresholds as an object without other keys; the rest is filled in. */
export const gateSchema = exactObject(
  {
    detailedBalance: fraction('the largest relative defect of detailed balance').default(1e-12),
    gapPerState: fraction('the least spectral gap per state').default(Number.EPSILON),
    burnInLog: positive('the logarithm by which burn-in shrinks the start').default(3),
    windowTimes: factor('the window in integrated times').default(50),
    windowDeficit: fraction('the largest delta1').default(0.1),
    bulkRelaxation: positive('the least bulk relaxation rate per sweep').default(0.05),
    bulkWeight: fraction('the weight share up to which a group is not seen').default(1e-20),
    epsilonFactor: factor('the factor by which epsilon may be off').default(3),
    trackingFactor: factor('the factor within which R_hat tracks R').default(2),
  },
  ...between('an object with thresholds of gates'),
) satisfies z.ZodType<GateThresholds>;

/** Some of the references as an object without other keys; the rest is filled in. */
export const referenceSchema = exactObject(
  {
    // The timescale at a gap of 2 per step is zero.
    gap: number((value) => value > 0 && value < 2, 'a number between 0 and 2', 'give a gap per sweep').default(1),
    signal: positive('a ratio of |g|^2 to the slow mass').default(0.01),
    window: positive('a number of sweeps').default(1000),
  },
  ...between('an object with references'),
) satisfies z.ZodType<References>;

/** The thresholds of a run that gives none. */
export const DEFAULT_GATE_THRESHOLDS: GateThresholds = gateSchema.parse({});
/** The references of a run that gives none. */
export const DEFAULT_REFERENCES: References = referenceSchema.parse({});

const inputs = exactObject(
  { gateThresholds: gateSchema.prefault({}), references: referenceSchema.prefault({}) },
  ...between('an object with thresholds and references'),
);

/** Thresholds and references complete. Throws an InputError for one that is unknown or out of range. */
export function runThresholds(
  gateThresholds: Partial<GateThresholds> | undefined,
  references: Partial<References> | undefined,
): { readonly gateThresholds: GateThresholds; readonly references: References } {
  return checked(inputs, { gateThresholds, references }, 'options');
}
