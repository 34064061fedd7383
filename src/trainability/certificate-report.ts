import { KERNELS, type KernelName } from '../kernel/kernels.js';
import type { Model } from '../model/model.js';
import { type CertificateLimit, certifiedRadius } from './membership/certificate.js';
import { type ModeThresholds, modeSet } from './membership/mode-sets.js';
import { worstRates } from './paths/path.js';
import type { Spectrum } from './routes/route.js';

/** How far theta can move in any direction, by the sum of absolute changes, before the slow cluster may change (4.1). */
export interface CertificateReport {
  /** In units of theta; 0 where nothing can be certified. */
  readonly radius: number;
  /** The norm in which the radius is measured: `sum_a |d_a|`. */
  readonly norm: 'l1';
  /** What ends the radius. */
  readonly limitedBy: CertificateLimit;
}

/** The certificate of the slow cluster at a model's parameters, or why there is none. */
export function certificateReport(
  model: Model,
  kernel: KernelName,
  spectrum: Spectrum,
  thresholds: ModeThresholds,
): CertificateReport | { readonly reason: string } {
  if (!KERNELS[kernel].differentiable)
    return { reason: `the acceptance of ${kernel} has kinks where two energies tie` };
  const { radius, limitedBy } = certifiedRadius(modeSet(spectrum, 'window', thresholds), worstRates(model, kernel));
  if (limitedBy === 'no-modes') return { reason: 'no observable fluctuates in double precision' };
  return { radius, norm: 'l1', limitedBy };
}
