export {
  ConvergenceError,
  HtdmlError,
  InputError,
  type InputProblem,
  UnsupportedError,
} from './errors.js';
export { KERNEL_NAMES, type KernelName } from './kernel/mixture-kernel.js';
export { type DataLaw, dataLawFromCounts, dataLawFromRows } from './model/data-law.js';
export {
  type Edge,
  type IsingOptions,
  ising,
  type Model,
  parameterName,
  type RbmOptions,
  rbm,
  withParameters,
} from './model/model.js';
export { createRoute, type RouteOptions } from './trainability/create-route.js';
export type { Evaluation, Quantities, Quantity, Relaxation, Route, RouteInfo } from './trainability/route.js';
