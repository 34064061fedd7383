import { ConvergenceError, UnsupportedError } from '../errors.js';
import type { Note } from './notes.js';
import { logEffectiveGap, logRhat } from './routes/log-quantities.js';
import type { Evaluation } from './routes/route.js';
import type { TableRoute } from './routes/table-route.js';
import type { SoftReport } from './soft-report.js';

/** Gradients in theta order. */
export interface GradientReport {
  /** `d log R_hat_full / d theta` (5.4). */
  readonly logRhatFull: readonly number[] | null;
  /** `d log R_hat / d theta` of the slow cluster, its members frozen (5.2). */
  readonly logRhatSlowCluster: readonly number[] | null;
  /** `d log R_hat / d theta` with soft membership (4.2), its window fixed; where it was asked for. */
  readonly logRhatSoft?: readonly number[] | null;
  /** `d log gamma / d theta` over all modes (3.1). */
  readonly logEffectiveGap: readonly number[] | null;
  /** `d KL / d theta = beta g` (2.3), in nats. */
  readonly kl: readonly number[];
}

/**
 * Gradients of the differentiable predictors and of the divergence, or null with a note, from an evaluation of all four quantities of a model. `signal` is
 * `|g|^2`, zero where it is rounding.
 */
export function gradientReport(
  at: Evaluation,
  differentiable: boolean,
  table: TableRoute | null,
  soft: SoftReport | null,
  theta: Float64Array,
  samples: number,
  signal: number,
  resolved: boolean,
  notes: Note[],
): GradientReport {
  const usable = at.info.converged && differentiable;
  const gap = usable ? logEffectiveGap(at.value) : null;
  const rhat = usable ? logRhat({ ...at.value, signal }, samples) : null;
  const ofCluster = () =>
    rhat !== null && resolved && table !== null ? clusterGradient(table, theta, samples, signal) : null;
  const noted = (name: keyof GradientReport, gradient: Float64Array | null | undefined, reason: string) => {
    if (gradient?.every(Number.isFinite)) return [...gradient];
    notes.push({ path: `gradient.${name}`, reason });
    return null;
  };
  const noRhat = 'R_hat is zero, has no finite derivative in double precision, or the kernel has none';
  return {
    logRhatFull: noted('logRhatFull', rhat && at.pullback(rhat.bar), noRhat),
    logRhatSlowCluster: noted(
      'logRhatSlowCluster',
      ofCluster(),
      rhat === null ? noRhat : 'the slow cluster is not known, or not resolved, or has no finite derivative',
    ),
    ...(soft !== null && { logRhatSoft: noted('logRhatSoft', differentiable ? soft.gradient() : null, noRhat) }),
    logEffectiveGap: noted(
      'logEffectiveGap',
      gap && at.pullback(gap.bar),
      'the effective gap has no finite derivative in double precision, or the kernel has none',
    ),
    kl: [...at.pullback({ kl: 1 })],
  };
}

/** Null where the cluster is too large for a table beyond all modes, or its numerics did not converge. */
function clusterGradient(table: TableRoute, theta: Float64Array, samples: number, signal: number): Float64Array | null {
  try {
    const cluster = table.evaluate(theta, ['signal', 'slowClusterTimescale']);
    const rhat = logRhat({ signal, timescale: cluster.value.slowClusterTimescale }, samples);
    return rhat && cluster.pullback({ signal: rhat.bar.signal, slowClusterTimescale: rhat.bar.timescale });
  } catch (error) {
    if (error instanceof UnsupportedError || error instanceof ConvergenceError) return null;
    throw error;
  }
}
