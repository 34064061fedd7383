import { UnsupportedError } from '../errors.js';
import type { DataLaw } from '../model/data-law.js';
import type { Model } from '../model/model.js';
import { checkOptions } from '../trainability/options.js';
import type { Start } from '../trainability/start.js';
import { spectrumSize } from './autocovariance.js';
import { randomSource } from './random.js';
import { type ChainPlan, runChains } from './run-chains.js';
import { startSampler } from './start-sampler.js';
import { estimateTimescale, MAX_GROUPS, type TimescaleEstimate } from './timescale-estimate.js';
import { type Verdict, verdict } from './verdict.js';

/** The chains from which timescales are measured: at least two, `window` steps each after `burnIn`. */
export interface TimescaleOptions extends ChainPlan {
  /** Law of the first state, drawn anew for every chain. */
  readonly start: Start;
  /** Of {@link randomSource}; the same seed gives the same numbers. */
  readonly seed: number;
}

/** Timescales by sampling. A number whose verdict is `unresolved` is not known within its error: the chains are too short or too few, and it is mostly too small. */
export interface MeasuredTimescale extends TimescaleEstimate, Verdict {
  /** Kernel steps of each chain that were seen. */
  readonly window: number;
  /** Independent chains. */
  readonly chains: number;
  /** Kernel steps of all chains together, `window` times `chains`. */
  readonly steps: number;
  /** The same from the first half of every chain. */
  readonly half: TimescaleEstimate;
}

/** Memory that a measurement may take, in bytes. */
export const MAX_MEASURE_BYTES = 2 ** 29;

/**
 * Measures how slow a kernel is for the observables of a model, by running it: no table of states is made, unless the start needs one. `data` may be null but
 * for the start `data`. Work is `p M K log K` for `p` observables and `M` chains of `K` steps, memory `N M K + 4 p K` bytes and the transforms' 8 bytes for each
 * of up to 25 padded series. Chains that never leave a part of the states look like ones that have seen them all: only starts that differ, as from `uniform`,
 * can tell.
 *
 * Throws InputError for options out of range or data of another size, and UnsupportedError where the memory would be above 512 MiB.
 */
export function measureTimescales(model: Model, data: DataLaw | null, options: TimescaleOptions): MeasuredTimescale {
  const { window, chains, start, seed } = options;
  checkOptions({ ...options, repetitions: chains }, ['burnIn', 'window', 'repetitions', 'seed'], {
    repetitions: 'chains',
  });
  checkMemory(model, options);
  const steps = window * chains;
  const draw = startSampler(model, data, start);
  // Spin by spin, so that the series of an observable is a product of two runs of neighbours in memory.
  const record = new Int8Array(model.spins * steps);
  runChains(model, options, draw, randomSource(seed), (spins, t, m) => {
    for (let i = 0; i < spins.length; i++) record[i * steps + m * window + t] = spins[i];
  });
  const series = observableSeries(model, record, window, chains);
  const count = model.theta.length;
  const full = estimateTimescale(count, series, window);
  const half = estimateTimescale(count, series, window >> 1);
  return { ...full, ...verdict(model, full, half, window, chains), window, chains, steps, half };
}

/** Memory that chains of `window` steps take while they are measured, in bytes. */
export function measureBytes(model: Model, window: number, chains: number): number {
  const spectra = (MAX_GROUPS + 5) * spectrumSize(window, window >> 1);
  return model.spins * window * chains + 4 * model.theta.length * window + 8 * spectra;
}

function checkMemory(model: Model, { window, chains }: ChainPlan): void {
  const bytes = measureBytes(model, window, chains);
  if (bytes <= MAX_MEASURE_BYTES) return;
  throw new UnsupportedError(
    `A measurement of ${model.theta.length} observables of ${model.spins} spins over ${window} steps of ${chains} chains`,
    `it would take ${bytes} bytes and the limit is ${MAX_MEASURE_BYTES}`,
    'use fewer or shorter chains',
  );
}

/** The series of observable `a`, one per chain, from the spins in order of spin, chain and step; the next call overwrites them. */
export function observableSeries(model: Model, record: Int8Array, window: number, chains: number) {
  const steps = window * chains;
  const values = new Int8Array(steps);
  const series = Array.from({ length: chains }, (_, m) => values.subarray(m * window, (m + 1) * window));
  return (a: number): readonly Int8Array[] => {
    const [i, j] = model.edges[a] ?? [a - model.edges.length, -1];
    const first = record.subarray(i * steps, (i + 1) * steps);
    const second = record.subarray(j * steps, (j + 1) * steps);
    if (j < 0) for (let t = 0; t < steps; t++) values[t] = -first[t];
    else for (let t = 0; t < steps; t++) values[t] = -first[t] * second[t];
    return series;
  };
}
