export {
  type TrainabilityCallback,
  type TrainabilityCallbackOptions,
  type TrainabilityRecord,
  trainabilityCallback,
} from './callback.js';
export { type Network, type NetworkShape, type NeuralFeatures, networkFeatures } from './network.js';
export { type NeuralOptions, neuralFeatures } from './neural-features.js';
export type { TfTraining } from './neural-objective.js';
export {
  type ChainOptions,
  kl,
  logEffectiveGap,
  logRHat,
  logRHatSlowCluster,
  logRHatSoft,
  type ObjectiveOptions,
  objective,
  type RHatOptions,
  type SlowClusterOptions,
  type SoftRHatOptions,
} from './operations.js';
export {
  type HtdmlRegularizer,
  type HtdmlRegularizerClass,
  type Json,
  REGULARIZER_OBJECTIVES,
  type RegularizerOptions,
  registerRegularizer,
  type TfLayersLike,
} from './regularizer.js';
export type { SaveTensors, TensorLike, TfLike, WithGradient } from './tf-like.js';
export type { ThetaTensors } from './theta.js';
