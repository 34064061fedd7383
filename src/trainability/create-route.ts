import { InputError, UnsupportedError } from '../errors.js';
import { FACTORED_KERNELS, isFactored, type KernelName } from '../kernel/kernels.js';
import type { DataLaw } from '../model/data-law.js';
import type { Model } from '../model/model.js';
import { FactoredRoute } from './factored-route.js';
import { DEFAULT_THRESHOLDS, type ModeThresholds } from './mode-sets.js';
import type { Route } from './route.js';
import { TableRoute } from './table-route.js';

export interface RouteOptions {
  readonly kernel: KernelName;
  /** Default `auto`: factored for an RBM under a kernel that has this route (`KERNELS`), else the table. */
  readonly route?: 'auto' | 'table' | 'factored' | undefined;
  readonly thresholds?: ModeThresholds | undefined;
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
  const { kernel, route: choice = 'auto', thresholds = DEFAULT_THRESHOLDS } = options;
  if (choice !== 'table' && model.layers !== null && isFactored(kernel)) return new FactoredRoute(model, data, kernel);
  if (choice === 'factored') {
    throw new UnsupportedError(
      `The factored route for ${model.layers === null ? 'this graph' : kernel}`,
      `it is for an RBM under ${new Intl.ListFormat('en', { type: 'disjunction' }).format(FACTORED_KERNELS)}`,
      'use the table route, or one of them',
    );
  }
  return new TableRoute(model, data, kernel, thresholds);
}
