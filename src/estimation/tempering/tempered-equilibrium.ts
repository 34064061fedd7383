import type { DataLaw } from '../../model/data-law.js';
import { randomSource } from '../random.js';
import {
  type EquilibriumPlan,
  type EquilibriumSamples,
  equilibriumStarts,
  START_KINDS,
} from '../samples/equilibrium.js';
import { type PackedSamples, readSample } from '../samples/packed-samples.js';
import { integratedTime } from '../timescale-estimate.js';
import { temperingStart } from './ensembles.js';
import type { ReplicaLadder } from './ladder.js';
import type { LocalMove } from './local-move.js';
import { type TemperedSamples, temperedSamples } from './tempered-samples.js';

/** Ensembles in place of chains; all counts are steps of `tempering`, a quarter as many ensembles more for the pilot. */
export interface TemperedEquilibriumPlan extends EquilibriumPlan {
  /** What moves the replicas; chains of the ladder's kernel by default. */
  readonly local?: LocalMove | undefined;
  /** Called before each sample. */
  readonly progress?: ((sample: number, of: number) => void) | undefined;
}

/** Samples in equilibrium by replica exchange. `burnIn` and `apart` are steps of `tempering`, which say nothing in integrated times of the kernel of the model alone. */
export interface TemperedEquilibrium extends EquilibriumSamples, Pick<TemperedSamples, 'swaps' | 'roundTrips'> {
  /** `tau_int` (2.7) of the energy of the model's own replica, in steps of `tempering`; null where it never changed. */
  readonly energyTime: number | null;
  /** What the samples lack, a sentence each, beside what a comparison of ensembles of different starts may find. */
  readonly missing: readonly string[];
}

/** What tempered samples need. */
export const TEMPERED_THRESHOLDS = {
  /** Burn-in of each ensemble, in integrated times of the energy. */
  burnInTimes: 5,
  /** Steps of all ensembles together, in the same. */
  lengthTimes: 50,
  /** Round trips of all ensembles together. */
  roundTrips: 50,
  /** Round trips of each ensemble. */
  roundTripsOfEach: 1,
} as const;

/**
 * Independent ensembles whose replicas all start from data, at random, or from the opposite of data in turn: what takes the place of chains of the model alone where those do not
 * leave a part of the states. Throws {@link InputError} for a plan out of range, and where data are of another size.
 */
export function temperedEquilibrium(
  ladder: ReplicaLadder,
  data: DataLaw,
  plan: TemperedEquilibriumPlan,
): TemperedEquilibrium {
  const { chains, samples, burnIn, apart, local, progress } = plan;
  const random = randomSource(plan.seed);
  const starts = equilibriumStarts(ladder.model, data, chains, random);
  const state = temperingStart(ladder, starts.count, random.integer(2 ** 32), starts);
  const run = temperedSamples(ladder, state, { burnIn, samples, apart, local, progress });
  const { swaps, roundTrips } = run;
  const pilots = starts.count - chains;
  const energyTime = timeOfEnergy(ladder, run.samples);
  return {
    pilot: run.samples.slice(0, pilots),
    chains: run.samples.slice(pilots),
    startKinds: START_KINDS.length,
    burnIn,
    apart,
    swaps,
    roundTrips,
    energyTime: energyTime && energyTime.tauInt * apart,
    missing: whatIsMissing(roundTrips, energyTime, { burnIn, steps: run.steps * starts.count, apart }),
  };
}

/** In samples; null where the energy never changed. */
function timeOfEnergy({ model, energy }: ReplicaLadder, samples: readonly PackedSamples[]) {
  const spins = new Int8Array(model.spins);
  const energies = samples.map((list) =>
    Float64Array.from({ length: list.count }, (_, s) => {
      readSample(list, s, spins);
      return energy(spins);
    }),
  );
  const [[origin]] = energies;
  const time = integratedTime(energies.map((series) => series.map((value) => value - origin)));
  return time.status === 'constant' ? null : time;
}

function whatIsMissing(
  roundTrips: readonly number[],
  time: ReturnType<typeof timeOfEnergy>,
  { burnIn, steps, apart }: { burnIn: number; steps: number; apart: number },
): string[] {
  const limit = TEMPERED_THRESHOLDS;
  const trips = roundTrips.reduce((sum, own) => sum + own, 0);
  const few = roundTrips.filter((own) => own < limit.roundTripsOfEach).length;
  const tau = (time?.tauInt ?? 0) * apart;
  const digits = (value: number) => String(Number(value.toPrecision(4)));
  const found: [boolean, string][] = [
    [
      trips < limit.roundTrips,
      `${trips} round trips between the hottest and the coldest replica are fewer than ${limit.roundTrips}: more steps are needed`,
    ],
    [few > 0, `${few} of ${roundTrips.length} ensembles made no round trip`],
    [time?.status === 'no window', 'the energy has no window within half an ensemble: more samples are needed'],
    [
      burnIn < limit.burnInTimes * tau,
      `the burn-in of ${burnIn} steps is below ${limit.burnInTimes} of the integrated time of the energy, ${digits(tau)}`,
    ],
    [
      steps < limit.lengthTimes * tau,
      `${steps} steps in all are below ${limit.lengthTimes} of the integrated time of the energy, ${digits(tau)}`,
    ],
  ];
  return found.flatMap(([missing, sentence]) => (missing ? [sentence] : []));
}
