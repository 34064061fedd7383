import { type Model, parameterName } from '../model/model.js';

import type { IntegratedTime, TimescaleEstimate } from './timescale-estimate.js';

/** Whether measured timescales can be relied on (DESIGN section 6). */
export interface Verdict {
  /** `resolved` where every observable changes and has a window, and all of {@link VERDICT_THRESHOLDS} are kept. */
  readonly verdict: 'resolved' | 'unresolved';
  /** What is missing, a sentence each; empty where resolved. */
  readonly missing: readonly string[];
}

/** What a resolved measurement needs. */
export const VERDICT_THRESHOLDS = {
  /** Steps of all chains together, over the largest integrated time. */
  length: 50,
  /** Largest change of `T` and of the largest integrated time under doubling the chains, in standard errors of the shorter ones. */
  doublingSigmas: 3,
  /** Largest disagreement of chains, and drift within them, over all observables, in standard deviations. */
  agreementSigmas: 5,
} as const;

/** `resolved` where every observable has a window, the steps suffice, doubling the chains changes nothing and the chains agree. */
export function verdict(
  model: Model,
  full: TimescaleEstimate,
  half: TimescaleEstimate,
  window: number,
  chains: number,
): Verdict {
  const missing = [
    ...windows(model, full.observables, window),
    ...length(full, window * chains),
    ...doubling(model, full, half, window),
    ...agreement(model, full.observables),
  ];
  return { verdict: missing.length === 0 ? 'resolved' : 'unresolved', missing };
}

function windows(model: Model, observables: readonly IntegratedTime[], window: number): string[] {
  const count = observables.length;
  const still = observables.findIndex((time) => time.status === 'constant');
  const endless = observables.findIndex((time) => time.status === 'no window');
  const many = (status: IntegratedTime['status']) => observables.filter((time) => time.status === status).length;
  return [
    ...(still < 0
      ? []
      : [`${many('constant')} of ${count} observables never changed (${parameterName(model, still)} first)`]),
    ...(endless < 0
      ? []
      : [
          `${many('no window')} of ${count} observables have no window within half a chain of ${window} steps (${parameterName(model, endless)} first): longer chains are needed`,
        ]),
  ];
}

function length({ slowestObservable }: TimescaleEstimate, steps: number): string[] {
  if (slowestObservable === null) return [];
  const needed = VERDICT_THRESHOLDS.length * slowestObservable.integratedTime;
  if (steps >= needed) return [];
  return [
    `${steps} steps in all are fewer than ${VERDICT_THRESHOLDS.length} of the largest integrated time, ${digits(needed)}`,
  ];
}

/** The estimate from the first halves of the chains must be the same within its error. */
function doubling(model: Model, full: TimescaleEstimate, half: TimescaleEstimate, window: number): string[] {
  const { slowestObservable } = full;
  if (slowestObservable === null) return [];
  const { parameter, integratedTime } = slowestObservable;
  const before = half.observables[parameter];
  if (before.status !== 'windowed') {
    return [
      `${parameterName(model, parameter)} has no window in chains of half the length (${window >> 1} steps): that doubling them changes nothing is not shown`,
    ];
  }
  const moved = (what: string, from: number, to: number, error: number | null) =>
    error === null || Math.abs(to - from) <= VERDICT_THRESHOLDS.doublingSigmas * error
      ? []
      : [`doubling the chains took ${what} from ${digits(from)} +- ${digits(error)} to ${digits(to)} steps`];
  return [
    ...moved('T', half.T, full.T, half.standardError),
    ...moved(
      `the integrated time of ${parameterName(model, parameter)}`,
      before.tauInt,
      integratedTime,
      before.standardError,
    ),
  ];
}

function agreement(model: Model, observables: readonly IntegratedTime[]): string[] {
  const worst = (size: (time: IntegratedTime) => number) =>
    observables.reduce((top, time, a) => (size(time) > size(observables[top]) ? a : top), 0);
  const of = (time: IntegratedTime) => (time.status === 'windowed' ? time.agreement : null);
  const spread = worst((time) => of(time)?.spreadSigmas ?? Number.NEGATIVE_INFINITY);
  const drift = worst((time) => Math.abs(of(time)?.driftSigmas ?? 0));
  const limit = VERDICT_THRESHOLDS.agreementSigmas;
  const apart = of(observables[spread]);
  const drifting = of(observables[drift]);
  return [
    ...(apart === null || apart.spreadSigmas <= limit
      ? []
      : [
          `the chains disagree: the variance of their means of ${parameterName(model, spread)} is ${digits(apart.spread)} times what its integrated time predicts`,
        ]),
    ...(drifting === null || Math.abs(drifting.driftSigmas) <= limit
      ? []
      : [
          `the start is not forgotten: the mean of ${parameterName(model, drift)} moves by ${digits(Math.abs(drifting.driftSigmas))} standard deviations from the first to the second halves of the chains`,
        ]),
  ];
}

function digits(value: number): string {
  return String(Number(value.toPrecision(4)));
}
