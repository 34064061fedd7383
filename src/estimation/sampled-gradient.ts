import { InputError, show } from '../errors.js';
import type { DataLaw } from '../model/data-law.js';
import type { Model } from '../model/model.js';
import { readSpins, wordsOf, writeSpins } from '../model/spin-words.js';
import type { Gate } from '../trainability/gates.js';
import { checkOptions } from '../trainability/options.js';
import type { Start } from '../trainability/start.js';
import { addObservables, dataMoments } from './data-moments.js';
import { randomSource, resumeRandom } from './random.js';
import { type ChainPlan, runChains } from './run-chains.js';
import { type StartSampler, startSampler } from './start-sampler.js';

/** The negative phase (2.4): chains of a kernel, `burnIn` steps unseen and `window` steps seen, and where they begin. */
export interface SampledPlan extends ChainPlan {
  /** Law of the first state. With `persistent` that of the very first one only. */
  readonly start: Start;
  /** Whether a chain goes on from where the last estimate left it (Tieleman 2008), instead of from a fresh draw. */
  readonly persistent: boolean;
}

/** What the next estimate depends on beside the model: plain data, so that a run can be stopped and resumed bit by bit. */
export interface SamplerState {
  /** Four 32-bit words of the random source. */
  readonly random: readonly number[];
  /**
   * States of the persistent chains, one behind another, each of `ceil(spins / 32)` words: bit `i & 31` of word `i >> 5` is set where spin `i` is +1. Up to 32 spins that is a
   * state index per chain. Empty before the first estimate and where chains start afresh.
   */
  readonly chains: readonly number[];
}

/** A sampled gradient of the likelihood. */
export interface SampledGradient {
  /**
   * `beta sum_a theta_a ghat_a`, the mean energy of the data less that of the samples, times beta: with samples and posterior held, its derivative in theta is
   * {@link gradient}. It is no divergence and may be negative.
   */
  readonly value: number;
  /** `beta ghat`, an estimate of `d KL(data || model) / d theta` (2.3), in theta order. */
  readonly gradient: Float64Array;
  /**
   * `sum_a` of the squared standard errors of `ghat` over independent chains: unbiased for the variance in `E|ghat - g|^2` (3.4), blind to the bias. Null
   * for a single chain.
   */
  readonly variance: number | null;
  /** Kernel steps taken, of all chains. */
  readonly steps: number;
  /** From where the next estimate goes on. */
  readonly state: SamplerState;
}

/** A gradient of the likelihood by sampling. */
export interface SampledObjective {
  /** As in records. */
  readonly name: string;
  /** The chains. */
  readonly plan: SampledPlan;
  /** Gate A1: whether the parameters are the same all the while the chains run. A persistent chain carries states of earlier parameters. */
  readonly A1: Gate;
  /** Whether `E ghat` differs from `g` at fixed parameters: from every start but equilibrium, the less the longer the burn-in. */
  readonly biased: boolean;
  /** One estimate at the model's own parameters. Throws {@link InputError} for data of another size or a state that is none of this plan's. */
  estimate(model: Model, data: DataLaw, state: SamplerState): SampledGradient;
}

/** The state before the first estimate. Throws {@link InputError} for a seed that is not a whole number of at least 0. */
export function samplerStart(seed: number): SamplerState {
  checkOptions({ seed }, ['seed']);
  return { random: randomSource(seed).state(), chains: [] };
}

/**
 * The gradient of the likelihood `beta (E_data f - (1/MK) sum f(x_t))` (2.3, 2.4) with its data term exact, from chains run as the plan says.
 * Throws {@link InputError} for a plan out of range.
 */
export function sampledObjective(name: string, plan: SampledPlan): SampledObjective {
  checkOptions(plan, ['burnIn', 'window', 'chains']);
  return {
    name,
    plan,
    A1: plan.persistent ? { value: 'carries states of earlier parameters', met: false } : { value: 'fixed', met: true },
    biased: plan.persistent || plan.start !== 'stationary',
    estimate: (model, data, state) => estimate(model, data, plan, state),
  };
}

function estimate(model: Model, data: DataLaw, plan: SampledPlan, state: SamplerState): SampledGradient {
  const { chains, window, burnIn } = plan;
  const random = resumeRandom(state.random);
  const gradient = dataMoments(model, data);
  const sum = new Float64Array(gradient.length);
  const squares = new Float64Array(gradient.length);
  const ofChain = new Float64Array(gradient.length);
  const last = new Uint32Array(plan.persistent ? chains * wordsOf(model.spins) : 0);
  runChains(model, plan, starts(model, data, plan, state), random, (spins, t, m) => {
    addObservables(model, spins, 1 / window, ofChain);
    if (t < window - 1) return;
    for (let a = 0; a < sum.length; a++) {
      sum[a] += ofChain[a];
      squares[a] += ofChain[a] ** 2;
    }
    ofChain.fill(0);
    if (plan.persistent) writeSpins(last, m, model.spins, spins);
  });
  let value = 0;
  let variance = 0;
  for (let a = 0; a < gradient.length; a++) {
    const mean = sum[a] / chains;
    variance += Math.max(0, squares[a] / chains - mean * mean);
    gradient[a] = model.beta * (gradient[a] - mean);
    value += model.theta[a] * gradient[a];
  }
  return {
    value,
    gradient,
    variance: chains > 1 ? variance / (chains - 1) : null,
    steps: chains * (burnIn + window),
    state: { random: random.state(), chains: [...last] },
  };
}

/** Draws from the start, or the states that were left, one after another. */
function starts(model: Model, data: DataLaw, plan: SampledPlan, { chains }: SamplerState): StartSampler {
  if (!plan.persistent || chains.length === 0) return startSampler(model, data, plan.start);
  const width = wordsOf(model.spins);
  const most = (k: number) => 2 ** Math.min(32, model.spins - 32 * (k % width)) - 1;
  const sound = chains.every((word, k) => Number.isInteger(word) && word >= 0 && word <= most(k));
  if (chains.length !== plan.chains * width || !sound) {
    throw new InputError({
      field: 'chains',
      expected:
        width === 1
          ? `${plan.chains} state indices from 0 to ${most(0)}, or none`
          : `${plan.chains} states of ${width} words, a bit for each of ${model.spins} spins, or none`,
      got: show(chains),
      remedy: 'give the state that an estimate of the same plan returned',
    });
  }
  let next = 0;
  return (_, out) => readSpins(chains, next++, model.spins, out);
}
