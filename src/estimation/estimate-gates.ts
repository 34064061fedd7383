import { KERNELS, type KernelName } from '../kernel/kernels.js';
import type { Gate, Gates } from '../trainability/gates.js';
import type { GateThresholds } from '../trainability/thresholds.js';

/** The gates of section 7 as far as samples tell. Anything that is null comes with a `reason`. */
export interface EstimatedGates {
  /** Fixed parameters: by construction. */
  readonly A1: Gate;
  /** Reversible kernel: by construction, not measured. */
  readonly A2: Gates['A2'];
  /** Irreducible and aperiodic: unchecked. */
  readonly A3: Gate;
  /** Observables with finite variance: their sum. */
  readonly A4: Gate;
  /** Burn-in in kernel steps; `needed` is a lower bound of what is. */
  readonly A5: AtLeast;
  /** Window in kernel steps; `needed` is a lower bound of what is. */
  readonly A6: AtLeast;
  /** Relaxation outside of the slow cluster: unchecked. */
  readonly A7: Gate;
  /** Robustness of the set of modes: unchecked. */
  readonly A8: Gate;
  /** Global flip symmetry: zero defect by construction without biases, else unchecked. */
  readonly A9: Gate;
  /** Tracking: unchecked, `R` being unknown. */
  readonly F4: Gate;
}

/** A gate on a number of kernel steps. */
export interface AtLeast extends Gate {
  /** The least that is needed, at least. */
  readonly needed: number | null;
}

/** What {@link estimatedGates} needs. */
export interface EstimatedFacts {
  readonly kernel: KernelName;
  readonly biased: boolean;
  /** `B` and `K` (2.4) in kernel steps. */
  readonly burnIn: number;
  readonly window: number;
  /** `sum_a Var f_a`. */
  readonly variance: number;
  /** A lower bound of the largest integrated time, in kernel steps; null where there is none. */
  readonly tauMax: number | null;
  /** Whether the bound on `T` can be taken for `T`. */
  readonly resolved: boolean;
  readonly thresholds: GateThresholds;
}

const UNKNOWN = 'the spectrum is not known from samples';

/**
 * What samples can say of each gate. A lower bound of a time refutes a gate that the time must meet, and supports it otherwise: A6 counts as met where the bound is resolved, since then it is the time that A6
 * speaks of; A5 is about the slowest mode, which no average over modes bounds from above, and stays unchecked.
 */
export function estimatedGates(facts: EstimatedFacts): EstimatedGates {
  const { kernel, biased, variance } = facts;
  const unchecked = (reason: string): Gate => ({ value: null, met: null, reason });
  return {
    A1: { value: 'fixed', met: true },
    A2: KERNELS[kernel].reversible
      ? { value: 'by construction', met: true }
      : { value: 'not reversible', met: true, exemption: 'two-block (5.6)' },
    A3: unchecked(UNKNOWN),
    A4: { value: variance, met: Number.isFinite(variance) && variance > 0 },
    A5: burnIn(facts),
    A6: windowLength(facts),
    A7: unchecked(UNKNOWN),
    A8: unchecked(UNKNOWN),
    A9: biased
      ? unchecked('it is measured on a table of all states; the model has biases')
      : { value: 0, met: null, reason: 'a fact about the model that no claim depends on: it has no biases' },
    F4: unchecked('R is not known'),
  };
}

/**
 * A5 asks for `B (1 - s_*) >= burnInLog + max(0, log chi)`. An integrated time is an average of `(1 + s)/(1 - s)` over modes, so that `1/(1 - s_*) >= (tau + 1)/2`; of the sweep over two blocks, whose autocorrelation at
 * lag `k` is at most `s_*^(k - 1/2)`, only `1/(1 - s_*) >= (tau - 1)/2` follows.
 */
function burnIn({ kernel, burnIn: value, tauMax, thresholds }: EstimatedFacts): EstimatedGates['A5'] {
  if (tauMax === null) return { value, needed: null, met: null, reason: NO_TIME };
  const needed = thresholds.burnInLog * Math.max(1, (tauMax + (KERNELS[kernel].reversible ? 1 : -1)) / 2);
  if (value < needed) return { value, needed, met: false };
  return { value, needed, met: null, reason: 'at least so much is needed; the slowest mode may need more' };
}

const NO_TIME = 'no integrated time is known';

function windowLength({ window: value, tauMax, resolved, thresholds }: EstimatedFacts): EstimatedGates['A6'] {
  if (tauMax === null) return { value, needed: null, met: null, reason: NO_TIME };
  const needed = thresholds.windowTimes * tauMax;
  if (value < needed) return { value, needed, met: false };
  if (!resolved) return { value, needed, met: null, reason: 'at least so much is needed; the bound is not resolved' };
  return { value, needed, met: true };
}
