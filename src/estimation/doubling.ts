import { InputError, show } from '../errors.js';
import type { DataLaw } from '../model/data-law.js';
import type { Model } from '../model/model.js';
import { checkOptions } from '../trainability/options.js';
import { type Chain, chain } from './chain.js';
import { randomSource } from './random.js';
import { startSampler } from './start-sampler.js';
import { estimateTimescale, type TimescaleEstimate } from './timescale-estimate.js';
import {
  MAX_MEASURE_BYTES,
  type MeasuredTimescale,
  measureBytes,
  observableSeries,
  type TimescaleOptions,
} from './timescales.js';
import { type Verdict, verdict } from './verdict.js';

/** Chains that are run on until their timescales are stable; `window` is the length of the first measurement, at least 2 kernel steps. */
export interface DoublingOptions extends TimescaleOptions {
  /** Most kernel steps of all chains together, burn-in included. */
  readonly budget: number;
  /** Called after each measurement. */
  readonly progress?: ((measured: TimescaleAtLength) => void) | undefined;
}

/** What chains of one length say. */
export interface TimescaleAtLength {
  /** Kernel steps of each chain that were seen. */
  readonly window: number;
  /** `T` (3.1) in kernel steps. */
  readonly T: number;
  /** Of `T`. */
  readonly standardError: number | null;
  /** The largest integrated time `tau_int` (2.7) in kernel steps; null where no observable changed. */
  readonly tauMax: number | null;
  /** Of that (Madras and Sokal 1988). */
  readonly tauMaxStandardError: number | null;
  /** Of chains of this length. */
  readonly verdict: Verdict['verdict'];
}

/** The last measurement, all of them by length, and why there was no longer one. */
export interface DoubledTimescale extends MeasuredTimescale {
  /** Shortest first, each of chains twice as long as the one before it. */
  readonly sequence: readonly TimescaleAtLength[];
  /** `stable` where the verdict is `resolved`, else what another doubling would exceed. */
  readonly stopped: 'stable' | 'budget' | 'memory';
}

/**
 * Measures timescales as `measureTimescales` does, from chains that are run on to twice their length until the verdict is `resolved` or the budget is used up: `tau` and `T` against
 * the length of the run. The chains are the same all the while, so a measurement sees the steps of the one before it and as many more, and each chain has a random source of its own.
 * A time that grows with the length of the run ends as `unresolved`.
 *
 * Throws {@link InputError} for options out of range, a budget below the first measurement, or data of another size.
 */
export function doublingTimescales(model: Model, data: DataLaw | null, options: DoublingOptions): DoubledTimescale {
  const { chains, burnIn, budget, progress } = options;
  check(options);
  const running = startChains(model, data, options);
  let { window } = options;
  let record = runOn(running, model, new Int8Array(0), 0, window);
  const estimate = (length: number): TimescaleEstimate =>
    estimateTimescale(model.theta.length, observableSeries(model, record, window, chains), length);
  let half = estimate(window >> 1);
  const sequence: TimescaleAtLength[] = [];
  for (;;) {
    const full = estimate(window);
    const judged = verdict(model, full, half, window, chains);
    const summary = summaryOf(full, judged, window);
    sequence.push(summary);
    progress?.(summary);
    const stopped = whyStop(judged, (burnIn + 2 * window) * chains > budget, measureBytes(model, 2 * window, chains));
    if (stopped !== null) {
      const missing = [...judged.missing, ...whatEnded(stopped, budget)];
      return { ...full, ...judged, missing, window, chains, steps: window * chains, half, sequence, stopped };
    }
    half = full;
    record = runOn(running, model, record, window, 2 * window);
    window *= 2;
  }
}

function summaryOf(full: TimescaleEstimate, judged: Verdict, window: number): TimescaleAtLength {
  const { T, standardError, slowestObservable } = full;
  const slowest = slowestObservable && full.observables[slowestObservable.parameter];
  return {
    window,
    T,
    standardError,
    tauMax: slowestObservable?.integratedTime ?? null,
    tauMaxStandardError: slowest === null || slowest.status === 'constant' ? null : slowest.standardError,
    verdict: judged.verdict,
  };
}

function whyStop(judged: Verdict, overBudget: boolean, bytes: number): DoubledTimescale['stopped'] | null {
  if (judged.verdict === 'resolved') return 'stable';
  if (overBudget) return 'budget';
  return bytes > MAX_MEASURE_BYTES ? 'memory' : null;
}

function whatEnded(stopped: DoubledTimescale['stopped'], budget: number): string[] {
  switch (stopped) {
    case 'stable':
      return [];
    case 'budget':
      return [`chains of twice the length are beyond the budget of ${budget} steps`];
    case 'memory':
      return [`chains of twice the length are beyond the memory of ${MAX_MEASURE_BYTES} bytes`];
  }
  return stopped satisfies never;
}

/** Chains after their burn-in. */
function startChains(
  model: Model,
  data: DataLaw | null,
  { chains, kernel, burnIn, start, seed }: DoublingOptions,
): Chain[] {
  const draw = startSampler(model, data, start);
  const random = randomSource(seed);
  return Array.from({ length: chains }, () => {
    const own = random.split();
    const one = chain(model, kernel, own, new Int8Array(model.spins));
    draw(own, one.spins);
    for (let t = 0; t < burnIn; t++) one.step();
    return one;
  });
}

/** Runs chains on from step `from` to `to`: the spins of all steps in order of spin, chain and step. */
function runOn(running: readonly Chain[], model: Model, before: Int8Array, from: number, to: number): Int8Array {
  const record = new Int8Array(model.spins * running.length * to);
  for (let row = 0; row < model.spins * running.length; row++) {
    record.set(before.subarray(row * from, (row + 1) * from), row * to);
  }
  running.forEach(({ spins, step }, m) => {
    for (let t = from; t < to; t++) {
      step();
      for (let i = 0; i < spins.length; i++) record[(i * running.length + m) * to + t] = spins[i];
    }
  });
  return record;
}

function check(options: DoublingOptions): void {
  const { window, burnIn, chains, budget } = options;
  checkOptions({ ...options, repetitions: chains }, ['burnIn', 'window', 'repetitions', 'seed'], {
    repetitions: 'chains',
  });
  const first = (burnIn + window) * chains;
  const refuse = (field: string, expected: string, got: unknown, remedy: string) =>
    new InputError({ field, expected, got: show(got), remedy });
  if (window < 2) throw refuse('window', 'a whole number of at least 2', window, 'half a chain must hold a step');
  if (!(Number.isSafeInteger(budget) && budget >= first)) {
    throw refuse(
      'budget',
      `a whole number of at least ${first}`,
      budget,
      'give the steps of the first measurement or more',
    );
  }
}
