import { checkOptions } from '../../trainability/options.js';
import { emptySamples, type PackedSamples, writeSample } from '../samples/packed-samples.js';
import { Ensembles, type SwapCounts, type TemperingState } from './ensembles.js';
import type { ReplicaLadder } from './ladder.js';
import type { LocalMove } from './local-move.js';

/** How {@link temperedSamples} samples; all counts are steps of `tempering`, each `sweeps` sweeps of every replica. */
export interface TemperingPlan {
  /** Steps that are run unseen, at least 0. */
  readonly burnIn: number;
  /** Samples of each ensemble, at least 1. */
  readonly samples: number;
  /** Steps from one sample to the next, 1 by default. */
  readonly apart?: number | undefined;
  /** What moves the replicas; chains of the ladder's kernel by default. */
  readonly local?: LocalMove | undefined;
  /** Called before each sample. */
  readonly progress?: ((sample: number, of: number) => void) | undefined;
}

/** Samples of a model by replica exchange, and what swaps did meanwhile, burn-in left out. */
export interface TemperedSamples {
  /** Of the model's own law, one list for each independent ensemble. */
  readonly samples: readonly PackedSamples[];
  /** Of neighbouring replicas, hottest first. */
  readonly swaps: readonly PairSwaps[];
  /** Of each ensemble: walkers that came back to the hottest replica from the coldest. */
  readonly roundTrips: readonly number[];
  /** Steps of each ensemble, without burn-in. */
  readonly steps: number;
  /** From where another run goes on, bit by bit. */
  readonly state: TemperingState;
}

/** Swaps of two neighbouring replicas over all ensembles. */
export interface PairSwaps {
  /** Mean over steps and ensembles of the probability that they would swap. */
  readonly acceptance: number;
  /** Of that, over ensembles; null for a single one. */
  readonly standardError: number | null;
  /** Swaps that were tried. */
  readonly tried: number;
  /** Swaps that were made. */
  readonly made: number;
}

/**
 * Independent samples of the model's own law from every ensemble of `state`, by the kernel `tempering`. Work is `steps * replicas` local moves for each ensemble.
 * Throws {@link InputError} for counts out of range or a state that is none of this ladder's.
 */
export function temperedSamples(ladder: ReplicaLadder, state: TemperingState, plan: TemperingPlan): TemperedSamples {
  const { burnIn, samples: count, apart = 1, local, progress } = plan;
  checkOptions({ burnIn, window: count, chains: apart }, ['burnIn', 'window', 'chains'], {
    window: 'samples',
    chains: 'apart',
  });
  const ensembles = new Ensembles(ladder, state, local);
  for (let t = 0; t < burnIn; t++) ensembles.step();
  ensembles.forget();
  const samples = Array.from({ length: ensembles.count }, () => emptySamples(ladder.model.spins, count));
  for (let s = 0; s < count; s++) {
    progress?.(s, count);
    for (let t = 0; t < apart; t++) ensembles.step();
    samples.forEach((list, m) => {
      writeSample(list, s, ensembles.spins[(m + 1) * ensembles.replicas - 1]);
    });
  }
  const swaps = ensembles.swaps();
  return {
    samples,
    swaps: pairSwaps(swaps, ensembles.count),
    roundTrips: Array.from(swaps.roundTrips),
    steps: swaps.steps,
    state: ensembles.state(),
  };
}

/** Swap counts of each pair over `count` ensembles. */
export function pairSwaps({ steps, probability, tried, made }: SwapCounts, count: number): PairSwaps[] {
  const pairs = probability.length / count;
  return Array.from({ length: pairs }, (_, k) => {
    const of = (list: Float64Array) => Float64Array.from({ length: count }, (_, m) => list[m * pairs + k]);
    const sum = (list: Float64Array) => list.reduce((total, value) => total + value, 0);
    const means = of(probability).map((total) => total / steps);
    const acceptance = sum(means) / count;
    const squares = sum(means.map((mean) => (mean - acceptance) ** 2));
    return {
      acceptance,
      standardError: count > 1 ? Math.sqrt(squares / (count - 1) / count) : null,
      tried: sum(of(tried)),
      made: sum(of(made)),
    };
  });
}
