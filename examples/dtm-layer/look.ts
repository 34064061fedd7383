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
  /** Where estimate and series disagree, a sentence each. */
  readonly contradictions: readonly string[];
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
    contradictions: contradictions(estimate, series),
    seconds: (performance.now() - began) / 1000,
  };
}

function noise({ signal: { value, standardError } }: Pick<TrainabilityEstimate, 'signal'>): number {
  return standardError / Math.abs(value);
}

/** Standard errors that an estimate may be off before it counts as contradicted. */
const SIGMAS = 3;

function contradictions(
  { timescale: bound }: Look['estimate'],
  { timescale, slowestObservable: slowest }: ProbedTimescales,
): string[] {
  const [low, high] = bound.interval;
  const margin = SIGMAS * timescale.standardError;
  const digits = (value: number) => String(Number(value.toPrecision(3)));
  const found: [boolean, string][] = [
    [
      timescale.windowed && (timescale.value + margin < low || timescale.value - margin > high),
      `T by time series is ${digits(timescale.value)} +- ${digits(timescale.standardError)}, outside [${digits(low)}, ${digits(high)}]`,
    ],
    [
      slowest.windowed && bound.tauMax > slowest.value + SIGMAS * slowest.standardError,
      `tauMax is ${digits(bound.tauMax)}, above the slowest time found, ${digits(slowest.value)} +- ${digits(slowest.standardError)}`,
    ],
    [
      bound.verdict === 'resolved' && !(timescale.windowed && slowest.windowed),
      'the bound is resolved, yet chains are too short for a window of their time series',
    ],
  ];
  return found.flatMap(([is, sentence]) => (is ? [sentence] : []));
}
