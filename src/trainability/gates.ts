import type { EigenvalueGroup } from '../spectrum/groups.js';
import { type ModeThresholds, modeSets } from './membership/mode-sets.js';
import type { Note } from './notes.js';
import type { SlowEnd } from './routes/route.js';
import { isWindowKnown } from './routes/slow-end.js';
import type { GateThresholds } from './thresholds.js';
import { slowestGap } from './tracking-bound.js';

/** One checked assumption. What cannot be checked has `met` null, and anything that is null comes with a `reason`. */
export interface Gate {
  /** What was measured. */
  readonly value: number | string | readonly [number, number] | null;
  /** Whether the assumption holds; null where it was not checked. */
  readonly met: boolean | null;
  /** Why something is null. */
  readonly reason?: string;
}

/** The checked assumptions of a result, by their names. */
export interface Gates {
  /** Fixed parameters: by construction. */
  readonly A1: Gate;
  /** Reversible kernel: the measured defect of detailed balance. */
  readonly A2: Gate & {
    /** Why a kernel that is not reversible is taken all the same. */
    readonly exemption?: string;
  };
  /** Irreducible and aperiodic: `1 - s_2` over all symmetry sectors, and `1 + s_min` over the observables' one; both above `needed`. */
  readonly A3: Gate & {
    /** `1 + s_min`. */
    readonly onePlusLeast: number | null;
    /** What both must lie above. */
    readonly needed: number;
  };
  /** Observables with finite variance: their sum. */
  readonly A4: Gate;
  /** Burn-in in kernel steps, and what is needed of it. */
  readonly A5: Gate & {
    /** Least burn-in in kernel steps. */
    readonly needed: number | null;
    /** `log chi` (D11) of the start law. */
    readonly logChi?: number | null;
    /** `1 - s_*` per kernel step. */
    readonly gap?: number;
  };
  /** Window in kernel steps, and what is needed of it; `delta1` of D11. */
  readonly A6: Gate & {
    /** Least window in kernel steps. */
    readonly needed: number | null;
    /** What the window misses of `2 T / K` (D11). */
    readonly delta1: number | null;
  };
  /** Relaxation rate outside of the slow cluster, per sweep. */
  readonly A7: Gate & {
    /** Least rate per sweep. */
    readonly needed: number;
  };
  /** The range of `epsilon`, above its first end up to its second, over which the relevant modes are the same. */
  readonly A8: Gate;
  /** Global flip symmetry: `max |pi(x) - pi(-x)| / max pi`. A fact about the model; no claim depends on it. */
  readonly A9: Gate;
  /** Tracking: `log(R / R_hat_relevant)`. */
  readonly F4: Gate;
}

/** What is known of a model on a table of all its states. */
export interface TableFacts {
  readonly detailedBalanceDefect: number;
  /** `log chi` (D11) of the start law. */
  readonly logChi: number;
  readonly flipDefect: number;
}

export interface GateInputs {
  readonly spins: number;
  readonly stepsPerSweep: number;
  readonly burnIn: number;
  readonly window: number;
  /** Whether chains start in equilibrium. */
  readonly stationary: boolean;
  readonly thresholds: ModeThresholds;
  readonly gateThresholds: GateThresholds;
  /** Why a kernel that is not reversible is taken all the same. */
  readonly exemption?: string | undefined;
  /** Sum of the observables' variances, and the largest of their integrated times; null where it is not known. */
  readonly variance: number;
  readonly integratedTime: number | null;
  readonly delta1: number | null;
  /** `1 - s_2` over all symmetry sectors. */
  readonly spectralGap: number | null;
  /** Groups of the observables' sector, and whether their gaps are above rounding. */
  readonly groups: readonly EigenvalueGroup[] | null;
  readonly resolved: boolean;
  /** The slow end, its gaps above rounding, where not all groups are known. */
  readonly slow: SlowEnd | null;
  /** Whether `s >= 0` by construction. */
  readonly nonnegative: boolean;
  readonly table: TableFacts | null;
  readonly R: number | null;
  readonly relevantRhat: number | null;
  /** Why there is no table, why there are no groups or they are not resolved, and why there is no timescale. */
  readonly reasons: { readonly table: string; readonly modes: string; readonly timescale: string };
}

/** All gates of section 7. */
export function checkGates(inputs: GateInputs): Gates {
  const groups = inputs.resolved ? inputs.groups : null;
  return {
    A1: { value: 'fixed', met: true },
    A2: reversibility(inputs),
    A3: ergodicity(inputs),
    A4: { value: inputs.variance, met: Number.isFinite(inputs.variance) && inputs.variance > 0 },
    A5: burnIn(inputs, groups),
    A6: windowLength(inputs),
    A7: bulkRelaxation(inputs, groups),
    A8: robustness(inputs, groups),
    A9: flipSymmetry(inputs),
    F4: tracking(inputs),
  };
}

function reversibility({ table, exemption, gateThresholds, reasons }: GateInputs): Gates['A2'] {
  if (table === null) return { value: null, met: null, reason: reasons.table };
  const value = table.detailedBalanceDefect;
  const met = value <= gateThresholds.detailedBalance;
  return !met && exemption !== undefined ? { value, met: true, exemption } : { value, met };
}

function ergodicity(inputs: GateInputs): Gates['A3'] {
  const { spectralGap, groups, reasons } = inputs;
  const needed = smallestGap(inputs);
  const onePlusLeast = groups?.reduce((least, { gap }) => Math.min(least, 2 - gap), 2) ?? null;
  const bounded = onePlusLeast === null && inputs.nonnegative;
  const missing = spectralGap === null || (onePlusLeast === null && !bounded);
  const low = (spectralGap ?? 1) <= needed || (onePlusLeast ?? 1) <= needed;
  const known = { value: spectralGap, onePlusLeast, needed, met: low ? false : missing ? null : true };
  if (missing) return { ...known, reason: reasons.modes };
  return bounded ? { ...known, reason: 's_min is not computed; it is at least 0 under this kernel' } : known;
}

/** What eigenvalues are known to, with a margin. */
function smallestGap({ spins, gateThresholds }: GateInputs): number {
  return 2 ** spins * gateThresholds.gapPerState;
}

/**
 * A5: `B >= (burnInLog + max(0, log chi)) / (1 - s_*)`, `chi^2 = E_pi (mu_0/pi - 1)^2` on the observables' sector and `s_*` the largest `|s|` there.
 * It makes `delta2` of D11 negligible. From equilibrium no burn-in is needed.
 */
function burnIn(inputs: GateInputs, groups: GateInputs['groups']): Gates['A5'] {
  const value = inputs.burnIn;
  if (inputs.stationary) return { value, needed: 0, met: true };
  const { table, gateThresholds, reasons } = inputs;
  if (table === null) return { value, needed: null, met: null, reason: reasons.table };
  if (groups === null) return { value, needed: null, met: null, reason: reasons.modes };
  const gap = slowestGap(groups);
  if (gap <= smallestGap(inputs)) {
    return { value, needed: null, met: false, gap, reason: 'the chain is periodic or reducible: no burn-in is enough' };
  }
  const needed = (gateThresholds.burnInLog + Math.max(0, table.logChi)) / gap;
  const met = value >= needed;
  if (Number.isFinite(table.logChi)) return { value, needed, met, logChi: table.logChi, gap };
  return { value, needed, met, logChi: null, gap, reason: 'the start law is the equilibrium' };
}

function windowLength(inputs: GateInputs): Gates['A6'] {
  const { window, integratedTime, delta1, gateThresholds, reasons } = inputs;
  if (integratedTime === null) return { value: window, needed: null, delta1, met: null, reason: reasons.timescale };
  const needed = gateThresholds.windowTimes * integratedTime;
  const known = { value: window, needed, delta1 };
  if (delta1 === null) return { ...known, met: window >= needed, reason: reasons.modes };
  return { ...known, met: window >= needed && delta1 <= gateThresholds.windowDeficit };
}

function bulkRelaxation(inputs: GateInputs, groups: GateInputs['groups']): Gates['A7'] {
  const { stepsPerSweep, thresholds, gateThresholds, reasons } = inputs;
  const needed = gateThresholds.bulkRelaxation;
  const { slow } = inputs;
  const listed = groups ?? slow?.groups ?? null;
  if (listed === null) return { value: null, needed, met: null, reason: reasons.modes };
  const partly = groups === null ? slow : null;
  const total = partly?.totalWeight ?? totalWeight(listed);
  const sets = modeSets(listed, thresholds, total);
  const { relevant, slowCluster } = sets;
  if (partly !== null && !isWindowKnown(partly, sets, thresholds)) {
    return { value: null, needed, met: null, reason: 'the slow cluster is not known' };
  }
  if (relevant.length === 0) return { value: null, needed, met: null, reason: 'no group is relevant at this epsilon' };
  const least = gateThresholds.bulkWeight * total;
  const inside = new Set(slowCluster);
  const bulk = listed.filter(({ weight }, k) => !inside.has(k) && weight > least);
  if (bulk.length === 0 && partly !== null) {
    // Nothing that is seen up to where modes are known: a lower bound.
    const value = stepsPerSweep * partly.clear;
    const reason = 'the modes beyond the slow cluster that are known are invisible; this is a lower bound';
    return { value, needed, met: value >= needed ? true : null, reason };
  }
  if (bulk.length === 0) {
    return { value: null, needed, met: true, reason: 'the slow cluster holds every mode that the observables see' };
  }
  const value = stepsPerSweep * bulk.reduce((slowest, { gap }) => Math.min(slowest, gap), 2);
  return { value, needed, met: value >= needed };
}

/** Given `kappa`, the slow cluster depends on `epsilon` through its anchor, the slowest relevant group: it is the same where the relevant groups are. */
function robustness(inputs: GateInputs, groups: GateInputs['groups']): Gate {
  const { thresholds, reasons } = inputs;
  if (groups === null) return { value: null, met: null, reason: reasons.modes };
  const { epsilon } = thresholds;
  const total = totalWeight(groups);
  if (!(total > 0)) return { value: null, met: null, reason: reasons.timescale };
  const shares = groups.map(({ weight }) => weight / total);
  const inside = new Set(modeSets(groups, thresholds).relevant);
  const low = shares.reduce((most, share, k) => (inside.has(k) ? most : Math.max(most, share)), 0);
  const high = shares.reduce((least, share, k) => (inside.has(k) ? Math.min(least, share) : least), 1);
  const factor = inputs.gateThresholds.epsilonFactor;
  return { value: [low, high], met: low < epsilon / factor && factor * epsilon <= high };
}

function flipSymmetry({ table, reasons }: GateInputs): Gate {
  return table === null
    ? { value: null, met: null, reason: reasons.table }
    : { value: table.flipDefect, met: null, reason: 'a fact about the model that no claim depends on' };
}

function tracking({ R, relevantRhat, gateThresholds }: GateInputs): Gate {
  if (R === null) return { value: null, met: null, reason: 'R is not known' };
  if (relevantRhat === null) return { value: null, met: null, reason: 'R_hat of the relevant modes is not known' };
  if (R === 0 || relevantRhat === 0) return { value: null, met: null, reason: 'there is no signal' };
  const value = Math.log(R / relevantRhat);
  return { value, met: Math.abs(value) <= Math.log(gateThresholds.trackingFactor) };
}

function totalWeight(groups: readonly EigenvalueGroup[]): number {
  return groups.reduce((sum, { weight }) => sum + weight, 0);
}

/** The two tiers of a claim (section 7). */
export interface Claim {
  /** The factorisation, under A1 to A8. */
  readonly conditional: 'met' | 'unmet' | 'unchecked';
  /** The gates in the way of the conditional tier: those unmet, or where there is none, those unchecked. */
  readonly gates: readonly string[];
  /** That `R_hat` tracks `R` on this system (F4). */
  readonly operational: 'tracked' | 'violated' | 'untested';
}

export const CONDITIONS = ['A1', 'A2', 'A3', 'A4', 'A5', 'A6', 'A7', 'A8'] as const;

export function claim(gates: Readonly<Record<(typeof CONDITIONS)[number] | 'F4', Gate>>): Claim {
  const unmet = CONDITIONS.filter((name) => gates[name].met === false);
  const unchecked = CONDITIONS.filter((name) => gates[name].met === null);
  const { met } = gates.F4;
  return {
    conditional: unmet.length > 0 ? 'unmet' : unchecked.length > 0 ? 'unchecked' : 'met',
    gates: unmet.length > 0 ? unmet : unchecked,
    operational: met === null ? 'untested' : met ? 'tracked' : 'violated',
  };
}

/** A note for every gate with something null in it. */
export function gateNotes(gates: Readonly<Record<keyof Gates, Gate>>): Note[] {
  return Object.entries(gates).flatMap(([name, { reason }]) =>
    reason === undefined ? [] : [{ path: `gates.${name}`, reason }],
  );
}
