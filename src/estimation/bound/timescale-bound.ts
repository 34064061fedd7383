import { InputError } from '../../errors.js';
import type { KernelName } from '../../kernel/kernels.js';
import type { Model } from '../../model/model.js';
import { randomSource } from '../random.js';
import type { EquilibriumSamples } from '../samples/equilibrium.js';
import type { PackedSamples } from '../samples/packed-samples.js';
import { carryingSamples } from './carrying.js';
import { cliquePattern } from './clique-matrix.js';
import { convergence } from './convergence.js';
import { type CrossFit, crossFit, jackknifeVariance, LEAST_GROUPS, sampleVariance } from './cross-fit.js';
import { type SampledDerivatives, sampledDerivatives } from './derivatives.js';
import { type FeatureBlock, type FeatureName, makeFeatures, type UserFeature } from './features.js';
import { mixtureOf } from './kernel-form.js';
import { localView } from './local.js';
import { type ChainHalves, MomentSums, pooled } from './moments.js';
import { couplingRate, largestTime, observableVariance } from './observable-times.js';
import { makeProbes, type Probes } from './probes.js';
import { hasResidual, type ResidualTime, residualTime } from './residual.js';
import { MAX_DENSE } from './trial.js';
import { type Verdict, verdictOf } from './verdict.js';

/** How a bound is computed from samples. */
export interface BoundOptions {
  /** `random-scan`, `random-block`, or `alternating-block` with two blocks. */
  readonly kernel: KernelName;
  /** How far the sequence of features goes; `levels` by default. */
  readonly features?: FeatureName | undefined;
  /** More features, functions of the spins; even ones where the model has no biases. Blocks are sets of their own, in this order. */
  readonly functions?: readonly (UserFeature | FeatureBlock)[] | undefined;
  /** Random signs, where there are too many observables for a trial solution each; 24 by default. */
  readonly probes?: number | undefined;
  /** Whether what trial solutions miss is added where observables are probed by random signs; true by default. Derivatives are always of the bound without it. */
  readonly residual?: boolean | undefined;
  /** Of {@link randomSource}, for the signs. */
  readonly seed: number;
  /** Called before each group of chains is read, and before each set of features is fitted. */
  readonly progress?: ((done: number, of: number) => void) | undefined;
}

/** One set of features. */
export interface BoundStep {
  /** Name of the last part. */
  readonly name: string;
  /** How many features. */
  readonly features: number;
  /** The bound, in kernel steps. */
  readonly timescale: number;
  /** By the jackknife over groups of chains. */
  readonly standardError: number;
}

/** A lower bound of `T` (3.3) in kernel steps, and whether it can be taken for `T`. */
export interface BoundedTimescale extends Verdict {
  /** The bound on the largest set of features. */
  readonly timescale: number;
  /** By the jackknife over groups of chains, and the spread between probes. */
  readonly standardError: number;
  /** The same trial solutions on the samples that they were fitted on: in expectation above the best bound of these features. What is between the two is what more samples would give. */
  readonly inSample: number;
  /**
   * Where observables are probed at random: what the second half of the lags of what the trial solutions leave adds to the bound, so that about as much may be missing. Zero elsewhere.
   */
  readonly tail: number;
  /** For `T`, 95% where it is resolved: two standard errors, from the bound to {@link inSample}, or {@link tail} above it, with {@link slack}. */
  readonly interval: readonly [number, number];
  /** What `T` may be above the bound by what is left out for a sweep over two blocks: functions that neither block sees alone; zero for a mixture. */
  readonly slack: number;
  /** `sum_a Var f_a`. */
  readonly variance: number;
  /** The bound for each set of features, smallest first. */
  readonly sequence: readonly BoundStep[];
  /** `2 T_a / Var f_a`, a lower bound of the largest integrated time (2.7), in kernel steps. */
  readonly tauMax: number;
  /** How many samples of a half carry the Dirichlet form of the trial solutions: of a metastable model those on its barriers. With few of them neither the bound nor its error is known. */
  readonly carrying: number;
  /** Largest split R-hat over all features. */
  readonly splitRhat: number;
  /** Of a permutation test that chains from different kinds of start agree: small where they differ. */
  readonly startPValue: number;
}

/** A bound with all that is needed to differentiate it, and to compute what depends on the same samples. */
export interface SampledBound {
  readonly bound: BoundedTimescale;
  /** `E_pi f` over each group of chains. */
  readonly means: readonly Float64Array[];
  /** The bound without one group at a time; groups take turns between the two halves. */
  readonly leftOut: Float64Array;
  /** Share of the squared standard error that is the probes'. */
  readonly probeVariance: number;
  /** D8, of the features' bound without its residual; see {@link sampledDerivatives}. */
  derivatives(dataMeans: Float64Array, errors?: boolean): SampledDerivatives;
}

/** Each kind of start four times. */
export const LEAST_CHAINS = 12;
/** More chains are joined to this many groups, or to as many as this memory holds, in bytes. */
const MAX_GROUPS = 32;
const GROUP_BYTES = 2 ** 29;
const PROBES = 24;

/**
 * `T >= sum_a max_psi {2 <fc_a, psi> - <psi, (I - P) psi>} - Var/2` (6.1) from samples in equilibrium, by local quantities of each. Trial solutions are fitted on one half of the chains and valued on the other
 * half, so the expectation is at most `T`. Throws InputError for too few samples, and UnsupportedError for a kernel of which this is no bound.
 */
export function boundFromSamples(model: Model, samples: EquilibriumSamples, options: BoundOptions): SampledBound {
  const { kernel, seed, progress } = options;
  const form = mixtureOf(model, kernel);
  checkSamples(model, samples);
  checkBlocks(model, options.functions ?? []);
  const features = makeFeatures(model, samples.pilot, options.features ?? 'levels', options.functions ?? []);
  const observables = model.theta.length;
  const view = localView(model, form.blocks, features);
  const pattern = cliquePattern(view.cliques, features.count);
  const probes = makeProbes(observables, options.probes ?? PROBES, randomSource(seed));
  const bytes = 8 * (2 * pattern.columns.length + probes.count * features.count);
  const groups = grouped(samples.chains, Math.max(LEAST_CHAINS, Math.floor(GROUP_BYTES / bytes)));
  const halves: ChainHalves[] = [];
  const sums = new MomentSums(view, pattern, probes, observables, features.count > MAX_DENSE || !probes.exact);
  const work = groups.length + features.sets.length;
  const moments = groups.map((chains, g) => {
    progress?.(g, work);
    return sums.group(chains, halves);
  });
  const problem = { pattern, probes, observables };
  const sets = features.sets.map((set, k) => {
    progress?.(groups.length + k, work);
    return { ...set, fit: crossFit(problem, moments, set.size) };
  });
  const { fit } = sets[sets.length - 1];
  const variance = observableVariance(moments, observables);
  const { monomials } = features;
  const linear = sets.filter(({ size }) => size <= monomials.length).slice(-1);
  const residual =
    probes.exact || options.residual === false || !hasResidual(model, form.blocks)
      ? null
      : residualTime({ model, blocks: form.blocks, monomials, probes, groups, moments, ...linear[0].fit, seed });
  const whole = residual === null ? fit : withResidual(linear[0].fit, residual, probes);
  const steps = residual === null ? sets : [...sets, { ...linear[0], name: 'residual', fit: whole }];
  const sequence = steps.map(({ name, size, fit: one }) => ({
    name,
    features: size,
    timescale: form.timescale(one.timescale, variance),
    standardError: form.scale * one.standardError,
  }));
  const perSample = samples.chains[0].count;
  const pool = pooled(moments, pattern, observables);
  const run = {
    sequence,
    inSample: form.timescale(fit.inSample, variance),
    tail: residual === null ? null : form.scale * Math.max(0, residual.late),
    slack: form.slack(couplingRate(problem, pool, model.edges.length)),
    variance,
    carrying: carryingSamples(view, probes, groups, fit),
    tauMax: form.time(largestTime(problem, whole, moments, pool)),
    ...convergence(halves, perSample, samples.startKinds),
  };
  const last = sequence[sequence.length - 1];
  const noise = 1.96 * last.standardError;
  const above = run.tail ?? Math.max(0, run.inSample - last.timescale);
  // A mode of integrated time tau is seen where samples could leave what they are in: about `steps / tau` of them. Samples that no such chain made count once.
  const sweeps = samples.chains.length * perSample * (samples.missing === undefined ? samples.apart : 1);
  return {
    bound: {
      timescale: last.timescale,
      standardError: last.standardError,
      interval: [last.timescale - noise, last.timescale + above + run.slack + noise],
      ...run,
      tail: run.tail ?? 0,
      ...verdictOf(run, {
        burnIn: samples.burnIn * form.stepsPerSweep,
        steps: sweeps * form.stepsPerSweep,
        known: samples.missing,
      }),
    },
    means: moments.map(({ mean }) => mean.subarray(0, observables).map((value) => -value)),
    leftOut: whole.leftOut.map((value) => form.timescale(value, variance)),
    probeVariance: probes.exact ? 0 : (form.scale ** 2 * sampleVariance(whole.perProbe)) / probes.count,
    derivatives(dataMeans, errors = true) {
      const input = { ...problem, view, beta: model.beta, groups, moments, fit, dataMeans, errors };
      return form.derivatives(sampledDerivatives(input));
    },
  };
}

/** The bound with what its trial solutions are short of, which the same groups tell. */
function withResidual(fit: CrossFit, residual: ResidualTime, probes: Probes): CrossFit {
  const perProbe = fit.perProbe.map((value, z) => value + residual.perProbe[z]);
  const extra = residual.early + residual.late;
  const timescale = fit.timescale + extra;
  const leftOut = fit.leftOut.map((value, m) => value + extra + residual.leftOut[m]);
  const spread = sampleVariance(perProbe) / probes.count;
  return { ...fit, timescale, perProbe, leftOut, standardError: Math.sqrt(jackknifeVariance(leftOut) + spread) };
}

/** Chains in groups, which take turns; of one size where that is possible. */
function grouped(chains: readonly PackedSamples[], most: number): PackedSamples[][] {
  let count = Math.min(MAX_GROUPS, most, chains.length);
  for (let even = count; even >= LEAST_GROUPS; even--) {
    if (chains.length % even > 0) continue;
    count = even;
    break;
  }
  return Array.from({ length: count }, (_, g) => chains.filter((__, m) => m % count === g));
}

function checkBlocks({ spins, biased }: Model, functions: readonly (UserFeature | FeatureBlock)[]): void {
  functions.forEach((one, k) => {
    if (typeof one === 'function') return;
    const refuse = (field: string, expected: string, got: unknown) => {
      const remedy = 'give functions that are made for this model';
      throw new InputError({ field: `functions[${k}].${field}`, expected, got: String(got), remedy });
    };
    if (one.spins !== spins) refuse('spins', `${spins}, as the model has`, one.spins);
    if (!biased && !one.even) refuse('even', 'true, as the model has no biases', one.even);
  });
}

function checkSamples(model: Model, { chains, pilot }: EquilibriumSamples): void {
  const refuse = (field: string, expected: string, got: string) => {
    throw new InputError({ field, expected, got, remedy: 'sample more, or samples of this model' });
  };
  if (chains.length < LEAST_CHAINS) refuse('chains', `at least ${LEAST_CHAINS}`, String(chains.length));
  if (pilot.length === 0) refuse('pilot', 'at least one chain', 'none');
  for (const [field, list] of Object.entries({ chains, pilot })) {
    list.forEach(({ spins, count }, m) => {
      if (spins !== model.spins) refuse(`${field}[${m}].spins`, `${model.spins}, as the model has`, String(spins));
      if (count < 4) refuse(`${field}[${m}].count`, 'at least 4 samples', String(count));
    });
  }
  chains.forEach(({ count }, m) => {
    if (count !== chains[0].count) refuse(`chains[${m}].count`, `${chains[0].count} like the first`, String(count));
  });
}
