import { logRhat } from './log-quantities.js';
import type { SoftWindow } from './membership.js';
import { type ModeThresholds, modeSets } from './mode-sets.js';
import { type Predictor, predict } from './predictors.js';
import type { Spectrum } from './route.js';
import type { TableRoute } from './table-route.js';

/** The predictor with soft membership (4.2), and the window that it was evaluated with. */
export interface SoftPredictor extends Predictor, SoftWindow {}

/** The window whose centre is the edge of the slow cluster, `kappa (1 - s_1)`, as it is at these parameters; null where no observable fluctuates. */
export function windowAtEdge(groups: Spectrum['groups'], thresholds: ModeThresholds, eta: number): SoftWindow | null {
  const { relevant } = modeSets(groups, thresholds);
  return relevant.length === 0 ? null : { center: thresholds.kappa * groups[relevant[0]].gap, eta };
}

/** `R_hat` of soft membership and its logarithm's gradient, on a route that was made with the window. */
export function softReport(
  route: TableRoute,
  window: SoftWindow,
  theta: Float64Array,
  signal: number,
  samples: number,
): { readonly predictor: SoftPredictor; gradient(): Float64Array | null } {
  const at = route.evaluate(theta, ['softTimescale', 'softMass', 'signal']);
  const { softTimescale = 0, softMass = 0 } = at.value;
  return {
    predictor: { ...predict(softTimescale, softMass, signal, samples), ...window },
    gradient() {
      const value = logRhat({ signal, timescale: softTimescale }, samples);
      return value && at.pullback({ signal: value.bar.signal, softTimescale: value.bar.timescale });
    },
  };
}
