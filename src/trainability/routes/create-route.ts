import { InputError, show, UnsupportedError } from '../../errors.js';
import { FACTORED_KERNELS, type FactoredKernel, isFactored, type KernelName } from '../../kernel/kernels.js';
import type { DataLaw } from '../../model/data-law.js';
import type { Model } from '../../model/model.js';
import { DEFAULT_THRESHOLDS, type ModeThresholds } from '../membership/mode-sets.js';
import type { SoftWindow } from '../membership/soft-window.js';
import { checkOptions } from '../options.js';
import { FactoredRoute } from './factored-route.js';
import { drawSigns } from './probed-timescale.js';
import type { Route } from './route.js';
import { TableRoute } from './table-route.js';

/** Random probes of the observables. */
export interface ProbeOptions {
  /** How many, from 1 to 1024; filled up to whole panels of eight, which cost what one does. */
  readonly count: number;
  /** Where their signs come from, such as {@link RandomSource}. */
  readonly random: {
    /** Uniform in [0, 1). */
    uniform(): number;
  };
}

/** Which kernel a route is for, and which route. */
export interface RouteOptions {
  /** The chain whose timescale is computed. */
  readonly kernel: KernelName;
  /** Default `auto`: factored for an RBM under a kernel that has this route (`KERNELS`), if no soft window is asked for, else the table. */
  readonly route?: 'auto' | 'table' | 'factored' | undefined;
  /** Which modes the slow cluster holds; `epsilon` 1e-3 and `kappa` 2.5 by default. */
  readonly thresholds?: ModeThresholds | undefined;
  /** The window of `softTimescale` and `softMass` (4.2), which need the table. */
  readonly soft?: SoftWindow | undefined;
  /**
   * On a table, `T` and its gradient from random probes instead of observable by observable: unbiased, with their standard errors in `info.probes`, in a fraction of the
   * time where there are many observables. The signs are drawn once, when the route is made. Small tables, and kernels without compiled loops, stay exact.
   */
  readonly probes?: ProbeOptions | undefined;
}

/** Whether a model can be factored under a kernel; `auto` then does. */
export function isFactorable(model: Model, kernel: KernelName): kernel is FactoredKernel {
  return model.layers !== null && isFactored(kernel);
}

/**
 * The way to evaluate a model's structure on data under a kernel. Throws {@link InputError} where the data's spins are not the model's visible ones, and
 * {@link UnsupportedError} where the model is too large for the route, or the factored route does not exist for it.
 */
export function createRoute(model: Model, data: DataLaw, options: RouteOptions): Route {
  checkDataSize(model, data);
  const { kernel, route: choice = 'auto', thresholds = DEFAULT_THRESHOLDS, soft, probes } = options;
  if (soft !== undefined) checkWindow(soft);
  if (probes !== undefined) checkOptions({ probes: probes.count }, ['probes'], { probes: 'probes.count' });
  const factored = choice === 'factored' || (choice === 'auto' && soft === undefined && probes === undefined);
  if (factored && isFactorable(model, kernel)) return new FactoredRoute(model, data, kernel);
  if (choice === 'factored') {
    throw new UnsupportedError(
      `The factored route for ${model.layers === null ? 'this graph' : kernel}`,
      `it is for an RBM under ${new Intl.ListFormat('en', { type: 'disjunction' }).format(FACTORED_KERNELS)}`,
      'use the table route, or one of them',
    );
  }
  const signs = probes === undefined ? null : drawSigns(probes.count, model.theta.length, probes.random);
  return new TableRoute(model, data, kernel, thresholds, soft ?? null, signs);
}

/** Data and model must have the same number of visible spins. */
export function checkDataSize(model: Model, data: DataLaw): void {
  if (data.spins === model.visible.length) return;
  throw new InputError({
    field: 'data',
    expected: `a law of ${model.visible.length} visible spins, as many as the model has`,
    got: `${data.spins}`,
    remedy: 'use data and a model of the same size',
  });
}

function checkWindow(soft: SoftWindow): void {
  for (const field of ['center', 'eta'] as const) {
    if (soft[field] > 0 && Number.isFinite(soft[field])) continue;
    throw new InputError({
      field: `soft.${field}`,
      expected: 'a positive finite number',
      got: show(soft[field]),
      remedy: field === 'eta' ? 'give the width of the window in 1 - s' : 'give the gap 1 - s at its edge',
    });
  }
}
