import type { EigenvalueGroup } from '../spectrum/groups.js';
import { type ModeThresholds, modeSets } from './membership/mode-sets.js';
import type { Relaxation } from './routes/route.js';
import { isRelevanceKnown, isWindowKnown } from './routes/slow-end.js';
import type { References } from './thresholds.js';

/** One eigenvalue group of a predictor. */
export interface ModeGroup {
  /** `s`. */
  readonly eigenvalue: number;
  /** Dimension of its eigenspace. */
  readonly multiplicity: number;
  /** `mu` (2.6). */
  readonly weight: number;
}

/** One predictor of section 3. `Rhat` is for the window and chains asked for; times and gaps are in kernel steps. */
export interface Predictor {
  /** `(M K / 2) |g|^2 / T_C` (3.2). */
  readonly Rhat: number | null;
  /** `T_C`, (3.1). */
  readonly timescale: number | null;
  /** `mu_C`. */
  readonly slowMass: number;
  /** `gamma_C = mu_C / (T_C + mu_C / 2)`. */
  readonly effectiveGap: number | null;
  /** The groups of modes in the set, slowest first, where it is listed. */
  readonly groups?: readonly ModeGroup[];
}

/** A set of modes turned into a prediction; `samples` is `M K`. Null where nothing fluctuates or nothing finite can be said. */
export function predict(timescale: number, slowMass: number, signal: number, samples: number): Predictor {
  const Rhat = ((samples / 2) * signal) / timescale;
  const known = slowMass > 0 && timescale > 0 && Number.isFinite(timescale) && Number.isFinite(Rhat);
  return {
    Rhat: known ? Rhat : null,
    timescale: Number.isFinite(timescale) ? timescale : null,
    slowMass,
    effectiveGap: known ? slowMass / (timescale + slowMass / 2) : null,
  };
}

/** The predictors that need modes, by the set `C` that they sum over (section 3). */
export interface ModePredictors {
  /** Groups of weight at least `epsilon` times the total; null where only the slow end is known and there may be others. */
  readonly relevant: Predictor | null;
  /** Every mode within `kappa` times the slowest relevant gap. */
  readonly slowCluster: Predictor;
  /** The slowest relevant group alone. */
  readonly singleRelevantGap: Predictor;
  /** `symmetry-zero` where the group of `s_2` is invisible to every observable. */
  readonly singleGap: Predictor | 'symmetry-zero';
}

/**
 * The four predictors that need modes; null where they are not known or no observable fluctuates. From the slow end alone the slow cluster must lie in it, and the
 * relevant groups are all known where the weight that is left is less than that of a relevant one.
 */
export function modePredictors(
  relaxation: Relaxation,
  thresholds: ModeThresholds,
  signal: number,
  samples: number,
): ModePredictors | null {
  const { slowest, slow = null } = relaxation;
  const groups = relaxation.groups ?? slow?.groups ?? null;
  if (groups === null || slowest === null) return null;
  const total = slow?.totalWeight ?? groups.reduce((sum, group) => sum + group.weight, 0);
  const sets = modeSets(groups, thresholds, total);
  if (sets.relevant.length === 0) return null;
  const partly = relaxation.groups === null ? slow : null;
  if (partly !== null && !isWindowKnown(partly, sets, thresholds)) return null;
  const of = (members: readonly EigenvalueGroup[], list: boolean): Predictor => {
    const mass = members.reduce((sum, group) => sum + group.weight, 0);
    const timescale = members.reduce((sum, group) => sum + group.weight * (1 / group.gap - 0.5), 0);
    const prediction = predict(timescale, mass, signal, samples);
    if (!list) return prediction;
    return {
      ...prediction,
      groups: members.map(({ gap, multiplicity, weight }) => ({ eigenvalue: 1 - gap, multiplicity, weight })),
    };
  };
  const pick = (positions: readonly number[]) => positions.map((k) => groups[k]);
  return {
    relevant: partly === null || isRelevanceKnown(partly, thresholds) ? of(pick(sets.relevant), true) : null,
    slowCluster: of(pick(sets.slowCluster), true),
    singleRelevantGap: of(pick(sets.relevant.slice(0, 1)), false),
    singleGap:
      slowest.weight <= 1e-20 * total
        ? 'symmetry-zero'
        : predict(slowest.weight * (1 / slowest.gap - 0.5), slowest.weight, signal, samples),
  };
}

/** Which factor of (3.2), set to its reference alone, would lift `R_hat` most; `window` is in kernel steps. */
export function limitingFactor(
  full: Predictor,
  signal: number,
  window: number,
  stepsPerSweep: number,
  references: References,
): 'gap' | 'signal' | 'budget' | null {
  if (full.timescale === null || full.effectiveGap === null || full.timescale === 0) return null;
  const { slowMass: mu, timescale: t } = full;
  const lifts = {
    gap: t / (mu * (stepsPerSweep / references.gap - 0.5)),
    signal: signal === 0 ? Number.POSITIVE_INFINITY : references.signal / (signal / mu),
    budget: (references.window * stepsPerSweep) / window,
  };
  const names = ['gap', 'signal', 'budget'] as const;
  return names.reduce((best, name) => (lifts[name] > lifts[best] ? name : best));
}
