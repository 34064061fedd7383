import { InputError, show, UnsupportedError } from '../errors.js';
import type { KernelName } from '../kernel/kernels.js';
import type { DataLaw } from '../model/data-law.js';
import type { Model } from '../model/model.js';
import { FactoredRoute } from './factored-route.js';
import type { SoftWindow } from './membership.js';
import { DEFAULT_THRESHOLDS, type ModeThresholds } from './mode-sets.js';
import type { Route } from './route.js';
import { TableRoute } from './table-route.js';

export interface RouteOptions {
  readonly kernel: KernelName;
  /** Default `auto`: factored for an RBM under `random-block` or `alternating-block`, if no soft window is asked for, else the table. */
  readonly route?: 'auto' | 'table' | 'factored' | undefined;
  readonly thresholds?: ModeThresholds | undefined;
  /** The window of `softTimescale` and `softMass` (4.2), which need the table. */
  readonly soft?: SoftWindow | undefined;
}

/** The way to evaluate a model's structure on data under a kernel. */
export function createRoute(model: Model, data: DataLaw, options: RouteOptions): Route {
  if (data.spins !== model.visible.length) {
    throw new InputError({
      field: 'data',
      expected: `a law of ${model.visible.length} visible spins, as many as the model has`,
      got: `${data.spins}`,
      remedy: 'use data and a model of the same size',
    });
  }
  const { kernel, soft } = options;
  if (soft !== undefined) checkWindow(soft);
  const factorable = model.layers !== null && (kernel === 'random-block' || kernel === 'alternating-block');
  const choice = options.route ?? 'auto';
  if (choice === 'factored' && !factorable) {
    throw new UnsupportedError(
      'The factored route',
      'it is for an RBM under random-block or alternating-block',
      'use the table route, or one of them',
    );
  }
  return factorable && (choice === 'factored' || (choice === 'auto' && soft === undefined))
    ? new FactoredRoute(model, data, kernel)
    : new TableRoute(model, data, kernel, options.thresholds ?? DEFAULT_THRESHOLDS, soft ?? null);
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
