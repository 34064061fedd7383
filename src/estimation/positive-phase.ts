import { type DataLaw, readPattern } from '../model/data-law.js';
import type { Layers, Model } from '../model/model.js';
import { checkDataSize } from '../trainability/routes/create-route.js';
import { addObservables, dataMoments } from './data-moments.js';
import { observableMeans } from './observable-means.js';
import { randomSource } from './random.js';
import { sweepOf } from './samples/equilibrium.js';
import { emptySamples, type PackedSamples, readSample, writeSample } from './samples/packed-samples.js';
import { sampleChains } from './samples/sample-chains.js';
import { drawPatterns, rowStarts } from './samples/starts.js';

/** The data's part of the gradient (2.3) and of its derivative. */
export interface PositiveMoments {
  /** `E_data f` in theta order, hidden spins by the posterior. */
  readonly means: Float64Array;
  /** Independent estimates of which {@link means} is the average; null where it is exact. */
  readonly groups: readonly Float64Array[] | null;
  /** `E_data Cov(sum_a g_a f_a, f_b | v)`, in theta order. */
  covariance(g: Float64Array): Float64Array;
}

/** How hidden spins are sampled where their posterior has no closed form. */
export interface ClampedPlan {
  /** Patterns that are drawn from the data, at least 16. Two chains each. */
  readonly patterns: number;
  /** Samples of each chain. */
  readonly samples: number;
  /** Sweeps of the free spins before the first sample. */
  readonly burnIn: number;
  /** Of {@link randomSource}. */
  readonly seed: number;
}

const GROUPS = 16;

/** Exact without hidden spins and for an RBM; else by chains of the hidden spins with the visible ones clamped to patterns of the data. Throws InputError for data of another size. */
export function positivePhase(model: Model, data: DataLaw, plan: ClampedPlan): PositiveMoments {
  checkDataSize(model, data);
  if (model.visible.length === model.spins) {
    const none = new Float64Array(model.theta.length);
    return { means: dataMoments(model, data), groups: null, covariance: () => none };
  }
  const { layers } = model;
  if (layers === null) return clampedPhase(model, data, plan);
  return {
    means: dataMoments(model, data),
    groups: null,
    covariance: (g) => layeredCovariance(model, layers, data, g),
  };
}

/** Hidden spins are independent given the visible ones, and every observable is linear in each. */
function layeredCovariance(
  { theta, beta, biased }: Model,
  { visible: m, hidden: n }: Layers,
  data: DataLaw,
  g: Float64Array,
): Float64Array {
  const out = new Float64Array(theta.length);
  const pattern = new Int8Array(m);
  const field = new Float64Array(n);
  const slope = new Float64Array(n);
  const biases = m * n + m;
  data.probabilities.forEach((probability, k) => {
    readPattern(data, k, pattern);
    for (let j = 0; j < n; j++) {
      field[j] = biased ? theta[biases + j] : 0;
      slope[j] = biased ? g[biases + j] : 0;
    }
    for (let i = 0; i < m; i++) {
      const x = pattern[i];
      for (let j = 0; j < n; j++) {
        field[j] += x * theta[i * n + j];
        slope[j] += x * g[i * n + j];
      }
    }
    for (let j = 0; j < n; j++) slope[j] *= probability * (1 - Math.tanh(beta * field[j]) ** 2);
    for (let i = 0; i < m; i++) {
      const x = pattern[i];
      for (let j = 0; j < n; j++) out[i * n + j] += x * slope[j];
    }
    if (biased) for (let j = 0; j < n; j++) out[biases + j] += slope[j];
  });
  return out;
}

function clampedPhase(model: Model, data: DataLaw, { patterns, samples, burnIn, seed }: ClampedPlan): PositiveMoments {
  const random = randomSource(seed);
  // Two chains of each pattern, one after the other.
  const drawn = drawPatterns(data, patterns, random);
  const twice = emptySamples(data.spins, 2 * patterns);
  const x = new Int8Array(data.spins);
  for (let m = 0; m < twice.count; m++) {
    readSample(drawn, m >> 1, x);
    writeSample(twice, m, x);
  }
  const starts = rowStarts(model, twice, random);
  const run = sampleChains(model, {
    kernel: sweepOf(model),
    starts,
    samples,
    burnIn,
    apart: 1,
    seed: random.integer(2 ** 32),
    clamped: model.visible,
  });
  const means = run.samples.map((chain) => observableMeans(model, chain));
  const average = (list: readonly Float64Array[]) =>
    list[0].map((_, a) => list.reduce((sum, one) => sum + one[a] / list.length, 0));
  // Both chains of a pattern belong to one group.
  const groups = Array.from({ length: GROUPS }, (_, g) => average(means.filter((__, m) => (m >> 1) % GROUPS === g)));
  return { means: average(groups), groups, covariance: (g) => clampedCovariance(model, run.samples, means, g) };
}

/** Products of means over the two chains of a pattern, so that it is unbiased. */
function clampedCovariance(
  model: Model,
  chains: readonly PackedSamples[],
  means: readonly Float64Array[],
  g: Float64Array,
): Float64Array {
  const out = new Float64Array(model.theta.length);
  const dot = (f: Float64Array) => f.reduce((sum, value, a) => sum + g[a] * value, 0);
  chains.forEach((chain, m) => {
    const other = means[m ^ 1];
    const product = new Float64Array(out.length);
    eachObservable(model, chain, (f) => {
      const value = dot(f);
      for (let b = 0; b < out.length; b++) product[b] += (value * f[b]) / chain.count;
    });
    const value = dot(means[m]);
    for (let b = 0; b < out.length; b++) out[b] += (product[b] - value * other[b]) / chains.length;
  });
  return out;
}

function eachObservable(model: Model, chain: PackedSamples, visit: (f: Float64Array) => void): void {
  const x = new Int8Array(model.spins);
  const f = new Float64Array(model.theta.length);
  for (let s = 0; s < chain.count; s++) {
    readSample(chain, s, x);
    f.fill(0);
    addObservables(model, x, 1, f);
    visit(f);
  }
}
