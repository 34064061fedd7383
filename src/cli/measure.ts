import { type MeasuredSnr, type MeasureOptions, measureSnr } from '../estimation/measure.js';
import { type MeasuredTimescale, measureTimescales } from '../estimation/timescales.js';
import type { DataLaw } from '../model/data-law.js';
import { type Model, parameterName } from '../model/model.js';
import type { ModelEvaluation } from '../trainability/evaluation.js';
import { num } from './format.js';

/** What `--measure` adds to an evaluation: `R` from repetitions of the estimator, and the timescale from chains of the same kernel, start and burn-in. */
export interface Measured extends MeasuredSnr {
  readonly timescale: {
    readonly T: number;
    readonly standardError: number | null;
    readonly tauMax: number | null;
    readonly slowestObservable: MeasuredTimescale['slowestObservable'];
    readonly verdict: MeasuredTimescale['verdict'];
    readonly missing?: readonly string[];
    readonly steps: number;
    readonly chains: number;
  };
}

/** Values of observables that are analysed for the timescale, at most: a few seconds. */
const MAX_VALUES = 1e7;
/** Fewer chains have no error bar worth the name. */
const LEAST_CHAINS = 4;

export function measure(model: Model, data: DataLaw, options: MeasureOptions): Measured {
  const snr = measureSnr(model, data, options);
  const { chains, window } = affordableChains(model, options);
  const { T, standardError, slowestObservable, verdict, missing, steps } = measureTimescales(model, data, {
    ...options,
    chains,
    window,
  });
  const tauMax = slowestObservable?.integratedTime ?? null;
  const why = missing.length > 0 && { missing };
  return { ...snr, timescale: { T, standardError, tauMax, slowestObservable, verdict, ...why, steps, chains } };
}

/** As many chains as repetitions, of the estimator's window; fewer where that is too much to analyse, and shorter ones where it still is. */
export function affordableChains(
  model: Model,
  { window, repetitions }: Pick<MeasureOptions, 'window' | 'repetitions'>,
) {
  const perStep = Math.max(model.spins, model.theta.length);
  const affordable = Math.floor(MAX_VALUES / (window * perStep));
  return {
    chains: Math.max(LEAST_CHAINS, Math.min(repetitions, affordable)),
    window: Math.min(window, Math.floor(MAX_VALUES / (LEAST_CHAINS * perStep))),
  };
}

/** Lines of the text output: name and value. */
export function describeSnr({ R, standardError, repetitions }: Measured): string[] {
  return ['R, measured', `${num(R)} +- ${num(standardError, 2)}  (${repetitions} repetitions)`];
}

export function describeTimescale(model: Model, exact: ModelEvaluation, { timescale }: Measured): string[][] {
  const { T, standardError, slowestObservable, verdict, missing = [], steps, chains } = timescale;
  const slowest =
    slowestObservable === null
      ? ''
      : `, slowest ${parameterName(model, slowestObservable.parameter)}: ${num(slowestObservable.integratedTime)}`;
  const value = `${num(T)} +- ${num(standardError, 2)} steps, exact ${num(exact.predictors.full.timescale)}`;
  return [
    ['T, measured', `${value}  (${verdict}${slowest}; ${num(steps, 9)} steps in ${chains} chains)`],
    ...missing.map((reason) => ['  missing', reason]),
  ];
}
