import {
  type DataLaw,
  type Direction,
  type EquilibriumSamples,
  estimateTrainability,
  type GridLayer,
  type KernelName,
  layerModel,
  type ProbedTimescales,
  probedTimescales,
  sampleEquilibrium,
  type TrainabilityEstimate,
} from 'htdml';
import type { Settings } from './settings.js';

/** The reversible kernel that the bound is made for, and the sweep that the hardware runs, with their steps per sweep over two blocks. */
export const KERNELS = { 'random-block': 2, 'alternating-block': 1 } as const satisfies Partial<
  Record<KernelName, number>
>;

/** What is said of a checkpoint under one kernel; times in kernel steps. */
export interface Look {
  readonly kernel: keyof typeof KERNELS;
  readonly estimate: Omit<TrainabilityEstimate, 'gradient'>;
  readonly series: ProbedTimescales;
  /** `R` of the training's window and chains by the squared error of chains in equilibrium. */
  readonly R: { readonly value: number; readonly standardError: number };
  readonly seconds: number;
}

/** Samples that both kernels' estimates are made from: the law is the same. */
export function equilibriumOf(layer: GridLayer, data: DataLaw, { estimate, seed }: Settings): EquilibriumSamples {
  return sampleEquilibrium(layerModel(layer), data, { ...estimate, seed });
}

/** The estimate without time series, and the time series that it is held against. */
export function lookAt(
  layer: GridLayer,
  data: DataLaw,
  kernel: keyof typeof KERNELS,
  equilibrium: EquilibriumSamples,
  axes: readonly Float64Array[],
  { training, estimate: plan, series: chains, seed }: Settings,
): Look {
  const began = performance.now();
  const model = layerModel(layer);
  const window = training.samples * training.apart * KERNELS[kernel];
  const { gradient, ...estimate } = estimateTrainability(model, data, {
    ...plan,
    burnIn: plan.positiveBurnIn,
    kernel,
    features: 'observables',
    equilibrium,
    window,
    estimatorChains: training.chains,
    gradient: false,
    seed,
  });
  const directions = axes.map(
    (axis, k): Direction => ({
      name: `direction ${k + 1} of the images`,
      value: (x) => layer.image.reduce((sum, i, p) => sum + axis[p] * x[i], 0),
    }),
  );
  const series = probedTimescales(model, data, { ...chains, kernel, probes: plan.probes, seed, window, directions });
  const { value, standardError } = series.squaredError;
  const R = (training.chains * estimate.signal.value) / value;
  return {
    kernel,
    estimate,
    series,
    R: { value: R, standardError: Math.abs(R) * Math.hypot(standardError / value, noise(estimate)) },
    seconds: (performance.now() - began) / 1000,
  };
}

function noise({ signal: { value, standardError } }: Pick<TrainabilityEstimate, 'signal'>): number {
  return standardError / Math.abs(value);
}

/** Standard errors that an estimate may be off before it counts as contradicted, and the factor that tauMax, a lower bound, may be short by. */
const LIMITS = { sigmas: 3, short: 1.5 } as const;

/** Where estimate and series disagree, a sentence each. */
export function contradictions({ estimate: { timescale: bound }, series }: Look): string[] {
  const { timescale, slowestObservable: slowest } = series;
  const [low, high] = bound.interval;
  const margin = LIMITS.sigmas * timescale.standardError;
  const slack = LIMITS.sigmas * slowest.standardError;
  const digits = (value: number) => String(Number(value.toPrecision(3)));
  const found: [boolean, string][] = [
    [
      timescale.windowed && (timescale.value + margin < low || timescale.value - margin > high),
      `T by time series is ${digits(timescale.value)} +- ${digits(timescale.standardError)}, outside [${digits(low)}, ${digits(high)}]`,
    ],
    [
      slowest.windowed && bound.tauMax > slowest.value + slack,
      `tauMax is ${digits(bound.tauMax)}, above the slowest time found, ${digits(slowest.value)} +- ${digits(slowest.standardError)}`,
    ],
    [
      slowest.value - slack > LIMITS.short * bound.tauMax,
      `${slowest.name} has a time of ${digits(slowest.value)} +- ${digits(slowest.standardError)}: tauMax, a lower bound of ${digits(bound.tauMax)}, is too low to say how long chains must be`,
    ],
    [
      bound.verdict === 'resolved' && !(timescale.windowed && slowest.windowed),
      'the bound is resolved, yet chains are too short for a window of their time series',
    ],
  ];
  return found.flatMap(([is, sentence]) => (is ? [sentence] : []));
}
