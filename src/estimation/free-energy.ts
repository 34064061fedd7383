import { InputError } from '../errors.js';
import { type DataLaw, readPattern } from '../model/data-law.js';
import { type Model, withParameters } from '../model/model.js';
import { sampleVariance } from './bound/cross-fit.js';
import { addObservables } from './data-moments.js';
import { sweepOf } from './samples/equilibrium.js';
import { type PackedSamples, readSample } from './samples/packed-samples.js';
import { sampleChains } from './samples/sample-chains.js';

/** `log Z_to / Z_from` by annealed importance sampling. */
export interface LogRatio {
  /** The logarithm of the mean weight. */
  readonly value: number;
  /** Of `value`, from the spread of the weights over independent chains. */
  readonly standardError: number;
  /** Effective share of the draws, `(sum w)^2 / (M sum w^2)`: near 0 a few decide and the error means nothing. */
  readonly effectiveShare: number;
}

/**
 * Annealed importance sampling (Neal 2001) from a model to one of other parameters, along the straight line in `rungs` steps of one sweep each. `starts` are draws from the first model; draw `m` belongs
 * to group `m mod groups`, and groups are independent (by default all draws are). The mean of the weights is unbiased for the ratio of the partition functions. Throws {@link InputError} where a model is not the other's with other parameters, or for less than one rung.
 */
export function annealedLogRatio(
  from: Model,
  to: Model,
  starts: PackedSamples,
  { rungs, seed, groups = starts.count }: { rungs: number; seed: number; groups?: number },
): LogRatio {
  if (!Number.isSafeInteger(rungs) || rungs < 1) {
    throw new InputError({
      field: 'rungs',
      expected: 'a whole number of at least 1',
      got: String(rungs),
      remedy: 'give more',
    });
  }
  const { beta } = from;
  const direction = withParameters(from, to.theta).theta.map((value, a) => (value - from.theta[a]) / rungs);
  const weights = new Float64Array(starts.count);
  const kernel = sweepOf(from);
  let states = starts;
  for (let rung = 0; rung < rungs; rung++) {
    addWork(from, states, direction, -beta, weights);
    if (rung === rungs - 1) break;
    const model = withParameters(
      from,
      from.theta.map((value, a) => value + (rung + 1) * direction[a]),
    );
    states = sampleChains(model, { kernel, starts: states, samples: 0, burnIn: 1, apart: 1, seed, from: rung }).last;
  }
  const top = weights.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const shares = weights.map((value) => Math.exp(value - top));
  const n = shares.length;
  const sum = shares.reduce((total, value) => total + value, 0);
  const squares = shares.reduce((total, value) => total + value * value, 0);
  const mean = sum / n;
  const averages = new Float64Array(groups);
  shares.forEach((value, m) => {
    averages[m % groups] += value / Math.ceil((n - (m % groups)) / groups);
  });
  const variance = groups > 1 ? sampleVariance(averages) / groups : Number.POSITIVE_INFINITY;
  return {
    value: top + Math.log(mean),
    standardError: Math.sqrt(variance) / mean,
    effectiveShare: (sum * sum) / (n * squares),
  };
}

/** Adds `factor sum_a direction_a f_a(x)` of every chain's state. */
function addWork(
  { edges, spins, theta }: Model,
  states: PackedSamples,
  direction: Float64Array,
  factor: number,
  out: Float64Array,
): void {
  const x = new Int8Array(spins);
  for (let m = 0; m < states.count; m++) {
    readSample(states, m, x);
    let sum = 0;
    for (let a = 0; a < edges.length; a++) sum -= direction[a] * x[edges[a][0]] * x[edges[a][1]];
    for (let a = edges.length; a < theta.length; a++) sum -= direction[a] * x[a - edges.length];
    out[m] += factor * sum;
  }
}

/**
 * `E_data F(v)` with `F(v) = -log sum_h exp(-beta E(v, h))`: the cross entropy of data and model less `log Z`. In closed form for an RBM and without hidden spins; null elsewhere.
 */
export function dataFreeEnergy(model: Model, data: DataLaw): number | null {
  if (model.layers !== null) return layeredFreeEnergy(model, data);
  if (model.visible.length < model.spins) return null;
  const pattern = new Int8Array(data.spins);
  const x = new Int8Array(model.spins);
  const f = new Float64Array(model.theta.length);
  data.probabilities.forEach((probability, k) => {
    readPattern(data, k, pattern);
    model.visible.forEach((i, bit) => {
      x[i] = pattern[bit];
    });
    addObservables(model, x, probability, f);
  });
  return model.beta * f.reduce((sum, value, a) => sum + value * model.theta[a], 0);
}

function layeredFreeEnergy({ layers, theta, beta, biased }: Model, data: DataLaw): number {
  const { visible: m, hidden: n } = layers ?? { visible: 0, hidden: 0 };
  const pattern = new Int8Array(m);
  const field = new Float64Array(n);
  let total = 0;
  data.probabilities.forEach((probability, k) => {
    readPattern(data, k, pattern);
    let value = 0;
    for (let j = 0; j < n; j++) field[j] = biased ? theta[m * n + m + j] : 0;
    for (let i = 0; i < m; i++) {
      const x = pattern[i];
      if (biased) value -= beta * x * theta[m * n + i];
      for (let j = 0; j < n; j++) field[j] += x * theta[i * n + j];
    }
    for (let j = 0; j < n; j++) {
      // log 2 cosh, which does not overflow.
      const size = Math.abs(beta * field[j]);
      value -= size + Math.log1p(Math.exp(-2 * size));
    }
    total += probability * value;
  });
  return total;
}
