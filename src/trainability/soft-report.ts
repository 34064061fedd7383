import type { KernelName } from '../kernel/kernels.js';
import type { DataLaw } from '../model/data-law.js';
import type { Model } from '../model/model.js';
import { type ModeThresholds, modeSets } from './membership/mode-sets.js';
import type { SoftWindow } from './membership/soft-window.js';
import { type Predictor, predict } from './predictors.js';
import { logRhat } from './routes/log-quantities.js';
import type { Spectrum } from './routes/route.js';
import { TableRoute } from './routes/table-route.js';

/** The predictor with soft membership (4.2), and the window that it was evaluated with. */
export interface SoftPredictor extends Predictor, SoftWindow {}

/** The edge of the slow cluster, `kappa (1 - s_1)` as it is at these parameters, where a soft window has its centre; null where no group is relevant. */
export function windowEdge(groups: Spectrum['groups'], thresholds: ModeThresholds): number | null {
  const { relevant } = modeSets(groups, thresholds);
  return relevant.length === 0 ? null : thresholds.kappa * groups[relevant[0]].gap;
}

/** `R_hat` of soft membership, and the gradient of its logarithm where it has one. */
export interface SoftReport {
  readonly predictor: SoftPredictor;
  gradient(): Float64Array | null;
}

/** The soft predictor of a model with the window at the edge of its slow cluster; null where no observable fluctuates. */
export function softReport(
  model: Model,
  data: DataLaw,
  kernel: KernelName,
  groups: Spectrum['groups'],
  thresholds: ModeThresholds,
  eta: number,
  signal: number,
  samples: number,
): SoftReport | null {
  const center = windowEdge(groups, thresholds);
  if (center === null) return null;
  const window: SoftWindow = { center, eta };
  const at = new TableRoute(model, data, kernel, thresholds, window).evaluate(model.theta, [
    'softTimescale',
    'softMass',
    'signal',
  ]);
  const { softTimescale = 0, softMass = 0 } = at.value;
  return {
    predictor: { ...predict(softTimescale, softMass, signal, samples), ...window },
    gradient() {
      const value = logRhat({ signal, timescale: softTimescale }, samples);
      return value && at.pullback({ signal: value.bar.signal, softTimescale: value.bar.timescale });
    },
  };
}
