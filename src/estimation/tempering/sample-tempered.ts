import type { DataLaw } from '../../model/data-law.js';
import type { Model } from '../../model/model.js';
import { type EquilibriumPlan, sweepOf } from '../samples/equilibrium.js';
import { designLadder } from './design-ladder.js';
import { compiledMove } from './local-move.js';
import { type TemperedEquilibrium, temperedEquilibrium } from './tempered-equilibrium.js';

/** How tempered samples came about. */
export interface TemperingReport {
  /** Of the replicas, hottest first. */
  readonly betas: readonly number[];
  /** Mean acceptance of swaps between neighbours, hottest first. */
  readonly acceptance: readonly number[];
  /** Of all ensembles, between the hottest and the coldest replica and back. */
  readonly roundTrips: number;
  /** `tau_int` (2.7) of the energy, in steps of `tempering`; null where it never changed. */
  readonly energyTime: number | null;
  /** Why the ladder's acceptances are not known to be equal, a sentence each: what that costs is time. */
  readonly ladder: readonly string[];
}

/** What {@link sampleTempered} returns. */
export interface TemperedRun {
  /** The samples. */
  readonly equilibrium: TemperedEquilibrium;
  /** How they came about. */
  readonly tempering: TemperingReport;
}

/** Ensembles of the pilots that design a ladder, and steps of their first round. */
export const LADDER_PILOT = { ensembles: 16, steps: 200 } as const;

/**
 * {@link temperedEquilibrium} on a ladder of equal acceptance that pilots design, from beta 0 to the model's own. Counts of the plan are steps of `tempering`, each a palindrome of every replica, over blocks where no edge lies
 * inside one. `progress` gets what is done and the share of the sampling. Throws {@link InputError} for a plan out of range, and {@link UnsupportedError} where too many replicas are needed.
 */
export function sampleTempered(
  model: Model,
  data: DataLaw,
  plan: EquilibriumPlan,
  progress?: (share: number, detail: string) => void,
): TemperedRun {
  const kernel = sweepOf(model) === 'palindrome' ? 'palindrome' : 'palindrome-block';
  const local = compiledMove(model, kernel);
  const { ladder, missing } = designLadder(model, {
    ...LADDER_PILOT,
    kernel,
    seed: plan.seed,
    local,
    progress: progress && ((message) => progress(0, `ladder: ${message}`)),
  });
  const equilibrium = temperedEquilibrium(ladder, data, {
    ...plan,
    local,
    progress: progress && ((sample, of) => progress(sample / of, `tempering, ${sample} of ${of} samples`)),
  });
  const { swaps, roundTrips, energyTime } = equilibrium;
  return {
    equilibrium,
    tempering: {
      betas: [...ladder.betas],
      acceptance: swaps.map(({ acceptance }) => acceptance),
      roundTrips: roundTrips.reduce((sum, trips) => sum + trips, 0),
      energyTime,
      ladder: missing,
    },
  };
}
