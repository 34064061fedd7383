import { InputError, show } from '../../errors.js';
import { type KernelName, stepsPerSweep } from '../../kernel/kernels.js';
import type { DataLaw } from '../../model/data-law.js';
import { type Model, parameterName } from '../../model/model.js';
import { makeProbes } from '../bound/probes.js';
import type { Estimated } from '../estimate.js';
import { randomSource } from '../random.js';
import { estimateTimescale, type TimescaleEstimate } from '../timescale-estimate.js';
import {
  observableSeries,
  probeSeries,
  recordChains,
  slowestObservables,
  squaredError,
  valueSeries,
} from './record.js';

/** A function of the spins, -1 or +1, under a name. */
export interface Direction {
  /** As results name it. */
  readonly name: string;
  /** Of one state. */
  value(spins: Int8Array): number;
}

/** Chains whose every step is kept, and what is read off them. */
export interface ProbedOptions {
  /** Any but `metropolis`. */
  readonly kernel: KernelName;
  /** At least 6, from data, at random and from the opposite of data in turn. */
  readonly chains: number;
  /** Sweeps that are not seen. */
  readonly burnIn: number;
  /** Sweeps that are, at least 64. */
  readonly sweeps: number;
  /** Random signs over the observables, at least 2; those of the bound (6.1) on the same seed. */
  readonly probes: number;
  /** Of {@link randomSource}; the same seed gives the same numbers. */
  readonly seed: number;
  /** How many observables are measured on their own. */
  readonly slowest: number;
  /** `K` (2.4), kernel steps of an estimate whose squared error is measured. */
  readonly window: number;
  /** Functions beside the observables whose times are measured. */
  readonly directions?: readonly Direction[] | undefined;
}

/** A number from time series. */
export interface Timed {
  /** In kernel steps. */
  readonly value: number;
  /** Over chains for `T`, by Madras and Sokal for a time. */
  readonly standardError: number;
  /** Whether there is a window: without one the number is mostly too small. */
  readonly windowed: boolean;
}

/** The time of something that has a name. */
export interface NamedTime extends Timed {
  /** Of the observable or the direction. */
  readonly name: string;
}

/** Timescales of a model of many observables by time series, in kernel steps. */
export interface ProbedTimescales {
  /** `T` (3.1), from random signs: `sum_z T(F_z) / probes`. Of the error the signs' own part is left out; it is that of the bound on the same signs. */
  readonly timescale: Timed;
  /** The slowest of the observables that look slowest on a third of the chains, measured on the others; `tau_int` (2.7). Being the largest of several, it is too large by about an error. */
  readonly slowestObservable: NamedTime;
  /** The same over the functions; null for none. */
  readonly slowestDirection: NamedTime | null;
  /** `E|ghat - g|^2` (2.4) of one chain in equilibrium, from pairs of chains. */
  readonly squaredError: Estimated;
}

/** Stretches of each chain on which the squared error is measured. */
const STRETCHES = 8;

/**
 * Where {@link measureTimescales} would need too much: random combinations of the observables by counting bits, work `probes p / 32` a step for `p` observables, memory a bit for each spin and step.
 * A state that no chain leaves or reaches is not seen. Throws InputError for options out of range, and UnsupportedError for `metropolis` or blocks with edges inside.
 */
export function probedTimescales(model: Model, data: DataLaw, options: ProbedOptions): ProbedTimescales {
  const { kernel, probes: count, seed, slowest, window, directions = [] } = options;
  checkOptions(options, options.sweeps * stepsPerSweep(model, kernel));
  const recorded = recordChains(model, data, kernel, options, randomSource(seed + 1));
  const { chains, steps } = recorded;
  const probes = makeProbes(model.theta.length, count, randomSource(seed));
  const values = probes.exact ? null : probeSeries(recorded, probes);
  const T = estimateTimescale(probes.count, (z) => values?.[z] ?? observableSeries(recorded, z), steps);
  const third = Math.floor(chains.length / 3);
  const candidates = slowestObservables({ ...recorded, chains: chains.slice(0, third) }, slowest);
  const others = { ...recorded, chains: chains.slice(third) };
  const slow = estimateTimescale(candidates.length, (k) => observableSeries(others, candidates[k]), steps);
  const wide = directions.map(({ value }) => valueSeries(recorded, value));
  return {
    timescale: {
      value: probes.weight * T.T,
      standardError: probes.weight * (T.standardError ?? Number.NaN),
      windowed: T.observables.every(({ status }) => status === 'windowed'),
    },
    slowestObservable: slowestOf(slow, (k) => parameterName(model, candidates[k])),
    slowestDirection:
      wide.length === 0
        ? null
        : slowestOf(
            estimateTimescale(wide.length, (k) => wide[k], steps),
            (k) => directions[k].name,
          ),
    squaredError: squaredError(recorded, window, STRETCHES),
  };
}

function slowestOf({ observables, slowestObservable }: TimescaleEstimate, name: (k: number) => string) {
  const k = slowestObservable?.parameter ?? 0;
  const one = observables[k];
  if (one.status === 'constant') return { name: name(k), value: 1, standardError: 0, windowed: false };
  return {
    name: name(k),
    value: one.tauInt,
    standardError: one.standardError,
    windowed: observables.every(({ status }) => status === 'windowed'),
  };
}

function checkOptions(options: ProbedOptions, steps: number): void {
  for (const [field, least] of [
    ['chains', 6],
    ['burnIn', 0],
    ['sweeps', 64],
    ['probes', 2],
    ['slowest', 1],
    ['window', 1],
    ['seed', Number.MIN_SAFE_INTEGER],
  ] as const) {
    const value = options[field];
    const most = field === 'window' ? steps : Number.MAX_SAFE_INTEGER;
    if (Number.isSafeInteger(value) && value >= least && value <= most) continue;
    throw new InputError({
      field,
      expected: `a whole number from ${least} to ${most}`,
      got: show(value),
      remedy: field === 'window' ? 'keep more steps, or take a shorter window' : 'give such a number',
    });
  }
}
