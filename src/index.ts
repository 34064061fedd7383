export { readDtmStep, type SavedStep, untrainedStep, writeDtmStep } from './adapters/dtm/saved-step.js';
export { readNumpyModel, writeNumpyModel } from './adapters/numpy/numpy-model.js';
export {
  ConvergenceError,
  HtdmlError,
  InputError,
  type InputProblem,
  ReversibilityError,
  UnsupportedError,
} from './errors.js';
export type { Agreement } from './estimation/agreement.js';
export type { SampledDerivative } from './estimation/bound/derivatives.js';
export {
  FEATURE_NAMES,
  type FeatureBlock,
  type FeatureName,
  type FunctionFeatures,
  type UserFeature,
} from './estimation/bound/features.js';
export type { BoundedTimescale, BoundOptions, BoundStep } from './estimation/bound/timescale-bound.js';
export { BOUND_THRESHOLDS, type Verdict as BoundVerdict } from './estimation/bound/verdict.js';
export {
  type CorrelationPenalty,
  correlationPenaltyGradient,
  denoisingGradient,
  MEAN_PRODUCTS,
  type MeanProducts,
  type NegativePhase,
} from './estimation/correlation-penalty.js';
export {
  type DoubledTimescale,
  type DoublingOptions,
  doublingTimescales,
  type TimescaleAtLength,
} from './estimation/doubling.js';
export {
  type Estimated,
  type EstimatedRhat,
  type EstimateOptions,
  estimateTrainability,
  type TrainabilityEstimate,
} from './estimation/estimate.js';
export { type EstimateWorkload, estimateWorkload } from './estimation/estimate-cost.js';
export type { AtLeast, EstimatedGates } from './estimation/estimate-gates.js';
export {
  type EstimateReport,
  type EstimateReportOptions,
  estimateReport,
  type ReportedDerivative,
} from './estimation/estimate-report.js';
export {
  type EstimatedEvaluation,
  EstimatedRoute,
  type EstimatedRouteOptions,
  type EstimateErrors,
} from './estimation/estimated-route.js';
export {
  type EstimatedSnr,
  type EstimatedSnrOptions,
  estimateSnr,
  SNR_THRESHOLDS,
} from './estimation/estimated-snr.js';
export { annealedLogRatio, dataFreeEnergy, type LogRatio } from './estimation/free-energy.js';
export { type MeasuredSnr, type MeasureOptions, measureSnr } from './estimation/measure.js';
export { observableMeans } from './estimation/observable-means.js';
export { type ClampedPlan, type PositiveMoments, positivePhase } from './estimation/positive-phase.js';
export { type RandomSource, randomSource, resumeRandom } from './estimation/random.js';
export {
  type ReferenceMoments,
  type ReferencePlan,
  referenceMoments,
  sampleMoments,
} from './estimation/reference-moments.js';
export type { ChainPlan } from './estimation/run-chains.js';
export {
  type SampledGradient,
  type SampledObjective,
  type SampledPlan,
  type SamplerState,
  sampledObjective,
  samplerStart,
} from './estimation/sampled-gradient.js';
export {
  type EquilibriumPlan,
  EquilibriumRun,
  type EquilibriumSamples,
  type EquilibriumState,
  sampleEquilibrium,
} from './estimation/samples/equilibrium.js';
export { emptySamples, type PackedSamples, readSample, writeSample } from './estimation/samples/packed-samples.js';
export { type SampledChains, type SampleOptions, sampleChains } from './estimation/samples/sample-chains.js';
export { drawStarts, rowStarts, type StartKind } from './estimation/samples/starts.js';
export {
  type Direction,
  type NamedTime,
  type ProbedOptions,
  type ProbedTimescales,
  probedTimescales,
  type Timed,
} from './estimation/series/probed-timescales.js';
export {
  type DesignedLadder,
  designLadder,
  LADDER_THRESHOLDS,
  type LadderDesignOptions,
} from './estimation/tempering/design-ladder.js';
export { type EnsembleState, type TemperingState, temperingStart } from './estimation/tempering/ensembles.js';
export { type LadderOptions, type ReplicaLadder, replicaLadder } from './estimation/tempering/ladder.js';
export { chainMove, compiledMove, type LocalMove } from './estimation/tempering/local-move.js';
export { sampleTempered, type TemperedRun, type TemperingReport } from './estimation/tempering/sample-tempered.js';
export {
  TEMPERED_THRESHOLDS,
  type TemperedEquilibrium,
  type TemperedEquilibriumPlan,
  temperedEquilibrium,
} from './estimation/tempering/tempered-equilibrium.js';
export {
  type PairSwaps,
  type TemperedSamples,
  type TemperingPlan,
  temperedSamples,
} from './estimation/tempering/tempered-samples.js';
export { type IntegratedTime, integratedTime, type TimescaleEstimate } from './estimation/timescale-estimate.js';
export {
  type MeasuredTimescale,
  measureTimescales,
  type TimescaleOptions,
} from './estimation/timescales.js';
export { VERDICT_THRESHOLDS, type Verdict } from './estimation/verdict.js';
export { KERNEL_NAMES, type KernelName } from './kernel/kernels.js';
export { type Sensitivity, sensitivity } from './kernel/sensitivity.js';
export { writeFileAtomic } from './model/atomic-file.js';
export { readData } from './model/data-file.js';
export { type DataLaw, dataLawFromCounts, dataLawFromRows, readPattern } from './model/data-law.js';
export {
  type ForwardProcess,
  flipProbability,
  forwardLayers,
  forwardTimes,
  inputCoupling,
  type LayerNoise,
  type NoisedPairs,
  noised,
  SCHEDULES,
  type Schedule,
  type Span,
} from './model/grid/forward-process.js';
export { GRID_FAMILIES, type GridFamily, type GridGraph, type GridShape, gridGraph } from './model/grid/grid-graph.js';
export {
  type GridLayer,
  type GridLayerOptions,
  gridLayer,
  type InputCouplings,
  inputBiases,
  isConditional,
  layerModel,
  layerWithInputs,
  type PlacementSize,
  randomPlacement,
  withLayerParameters,
  withoutInputs,
} from './model/grid/grid-layer.js';
export { layerToJson, parseLayer, readLayer, writeLayer } from './model/grid/layer-file.js';
export {
  type Edge,
  type IsingOptions,
  ising,
  type Layers,
  type Model,
  parameterName,
  type RbmOptions,
  rbm,
  withParameters,
} from './model/model.js';
export { modelToJson, parseModel, readModel, writeModel } from './model/model-file.js';
export { type AdamMemory, type AdamStep, adamStart, adamStep } from './optimization/adam.js';
export {
  type DesignPoint,
  type DesignRecord,
  type DesignSettings,
  type DesignState,
  type DesignStep,
  design,
  designStart,
} from './optimization/design.js';
export {
  designSampled,
  type SampledDesignRecord,
  type SampledDesignSettings,
  type SampledDesignState,
  type SampledDesignStep,
  sampledDesignStart,
} from './optimization/design-sampled.js';
export type { CurvaturePair } from './optimization/lbfgs.js';
export { EVENT_POLICIES, type EventPolicy, MembershipWatch, type StepEvent } from './optimization/membership-watch.js';
export {
  type ConstraintOptions,
  type Parametrization,
  parametrization,
} from './optimization/parametrization.js';
export {
  type ControlledTerm,
  OPTIMIZERS,
  type Optimizer,
  type TrainRecord,
  type TrainSettings,
  type TrainState,
  type TrainStep,
  train,
  trainStart,
  type WeightControl,
} from './optimization/train.js';
export {
  type SampledTrainRecord,
  type SampledTrainSettings,
  type SampledTrainState,
  type SampledTrainStep,
  sampledTrainStart,
  trainSampled,
} from './optimization/train-sampled.js';
export type { Term } from './optimization/weighted-sum.js';
export { type Circle, type ContourProjector, contourProjector } from './spectrum/contour-projector.js';
export type { EigenvalueGroup, WeightedEigenvalue } from './spectrum/groups.js';
export { indicator, type SpectralFunction, spectralDerivative, spectralMatrix } from './spectrum/spectral-function.js';
export { type SymmetricEigen, symmetricEigen } from './spectrum/symmetric-eigen.js';
export { autocorrelation } from './trainability/autocorrelation.js';
export type { CertificateReport } from './trainability/certificate-report.js';
export { secondsOf, type Workload, type WorkloadOptions, workload } from './trainability/cost.js';
export {
  type CoverageRow,
  coverage,
  type LayersLimit,
  type SizeLimit,
  type TableLimit,
  type VisibleLimit,
} from './trainability/coverage.js';
export { type EvaluateOptions, evaluateModel, type ModelEvaluation } from './trainability/evaluation.js';
export type { Claim, Gate, Gates } from './trainability/gates.js';
export type { GradientReport } from './trainability/gradient-report.js';
export {
  type CertificateLimit,
  type CertifiedRadius,
  certifiedRadius,
  type GroupBounds,
} from './trainability/membership/certificate.js';
export type { LevelBounds } from './trainability/membership/level-motion.js';
export { EVENT_TYPES, type EventType, type MembershipEvent } from './trainability/membership/membership-events.js';
export {
  MEMBERSHIP_RULES,
  type MembershipRule,
  type ModeSet,
  type ModeThresholds,
  membership,
  modeSet,
  sameMembership,
} from './trainability/membership/mode-sets.js';
export type { Rates } from './trainability/membership/rates.js';
export { type SoftWindow, softMembership, type TimeAndMass } from './trainability/membership/soft-window.js';
export type { Note } from './trainability/notes.js';
export type { GroupSnr, Operational, PositivePhase } from './trainability/operational.js';
export type { Crossing } from './trainability/paths/crossings.js';
export { modeSetAt, ratesAlong, worstRates } from './trainability/paths/path.js';
export {
  type PathOptions,
  type PathReport,
  type PathSample,
  scanModels,
} from './trainability/paths/path-report.js';
export type { ModeGroup, ModePredictors, Predictor } from './trainability/predictors.js';
export { createRoute, type ProbeOptions, type RouteOptions } from './trainability/routes/create-route.js';
export {
  logEffectiveGap,
  logRhat,
  type Objective,
  type ScalarWithCotangent,
} from './trainability/routes/log-quantities.js';
export type {
  Evaluation,
  Moments,
  ObservableTimes,
  ProbeErrors,
  Quantities,
  Quantity,
  Relaxation,
  Route,
  RouteInfo,
  SlowEnd,
  Spectrum,
} from './trainability/routes/route.js';
export type { SoftPredictor } from './trainability/soft-report.js';
export type { Start } from './trainability/start.js';
export { teacherLaw } from './trainability/teacher.js';
export {
  DEFAULT_GATE_THRESHOLDS,
  DEFAULT_REFERENCES,
  type GateThresholds,
  type References,
} from './trainability/thresholds.js';

export { version } from './version.js';

/** The figures and the HTML report, loaded when first asked for: their plotting libraries take a few tenths of a second. */
export const loadReport = () => import('./report/index.js');
