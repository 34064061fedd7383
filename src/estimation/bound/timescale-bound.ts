import { InputError } from '../../errors.js';
import type { KernelName } from '../../kernel/kernels.js';
import type { DataLaw } from '../../model/data-law.js';
import type { Model } from '../../model/model.js';
import { checkOptions } from '../../trainability/options.js';
import { checkDataSize } from '../../trainability/routes/create-route.js';
import { randomSource } from '../random.js';
import { type CrossFit, crossFit, LEAST_CHAINS } from './cross-fit.js';
import { type FeatureName, makeFeatures } from './features.js';
import { localQuantities } from './local.js';
import { type ChainMoments, chainMoments } from './moments.js';
import { convergence, mixtureBlocks, sampleChain } from './samples.js';

/** How {@link boundTimescale} samples. */
export interface BoundOptions {
  /** `random-scan` or `random-block`. */
  readonly kernel: KernelName;
  /** Samples of each chain, one sweep apart; at least 4. */
  readonly samples: number;
  /** Independent chains, at least 12, so that each kind of start has four. */
  readonly chains: number;
  /** Kernel steps of each chain that are not seen. */
  readonly burnIn: number;
  /** Of {@link randomSource}. */
  readonly seed: number;
  /** How far the sequence of features goes; `levels` by default. */
  readonly features?: FeatureName | undefined;
  /** More features, functions of the spins; even ones where the model has no biases. */
  readonly functions?: readonly ((spins: Int8Array) => number)[] | undefined;
  /** Called before each chain. */
  readonly progress?: ((chain: number, of: number) => void) | undefined;
}

/** A lower bound of `T` (3.3) in kernel steps, and whether it can be taken for `T`. */
export interface BoundedTimescale {
  /** The bound on the largest set of features. */
  readonly timescale: number;
  /** By the jackknife over chains. */
  readonly standardError: number;
  /** The bound for each set of features, smallest first. */
  readonly sequence: readonly {
    readonly name: string;
    readonly features: number;
    readonly timescale: number;
    readonly standardError: number;
  }[];
  /** `2 T_a / Var f_a`, a lower bound of the largest integrated time (2.7), in kernel steps. */
  readonly tauMax: number;
  /** Largest split R-hat over all features. */
  readonly splitRhat: number;
  /** Largest difference between chains of different starts, in standard errors. */
  readonly startSigmas: number;
  /** `resolved` where chains agree, were long enough by the bound's own account, and the last features added nothing. */
  readonly verdict: 'resolved' | 'unresolved';
  /** What is missing, a sentence each. */
  readonly missing: readonly string[];
}

/** What a resolved bound needs. */
export const BOUND_THRESHOLDS = {
  splitRhat: 1.05,
  startSigmas: 6,
  burnInTimes: 5,
  lengthTimes: 50,
  growth: 0.03,
  growthSigmas: 2,
} as const;

/**
 * `T >= sum_a max_psi {2 <fc_a, psi> - <psi, (I - P) psi>} - Var/2` (6.1) from chains in equilibrium, by local quantities of each sample. Features are made from chains of their own, trial
 * solutions are fitted on one half of the others and valued on the other half, so the expectation is at most `T`. Throws {@link InputError} for options out of range, and UnsupportedError for a kernel that
 * is no mixture.
 */
export function boundTimescale(model: Model, data: DataLaw, options: BoundOptions): BoundedTimescale {
  const { kernel, samples, chains, burnIn, seed, progress } = options;
  const blocks = mixtureBlocks(model, kernel);
  checkDataSize(model, data);
  checkOptions(options, ['burnIn', 'seed']);
  atLeast('chains', chains, Math.max(LEAST_CHAINS, 12));
  atLeast('samples', samples, 4);
  const random = randomSource(seed);
  const pilots = Math.ceil(chains / 4);
  const run = (m: number) => {
    progress?.(m, pilots + chains);
    return sampleChain(model, data, { kernel, burnIn, count: samples, kind: m }, random.split());
  };
  const pilot = Int8Array.from(Array.from({ length: pilots }, (_, m) => [...run(m)]).flat());
  const features = makeFeatures(model, pilot, options.features ?? 'levels', options.functions ?? []);
  const local = localQuantities(model, blocks, features);
  const moments = Array.from({ length: chains }, (_, m) =>
    chainMoments(local, run(pilots + m), model.spins, features.count, blocks.length),
  );
  const sets = features.sets.map((set) => ({ ...set, fit: crossFit(moments, model.theta.length, set.size) }));
  const best = sets[sets.length - 1].fit;
  const tauMax = largestTime(best, moments);
  const equilibrium = convergence(moments, samples);
  const { rhat: splitRhat, startSigmas } = equilibrium;
  const sequence = sets.map(({ name, size, fit }) => ({
    name,
    features: size,
    timescale: fit.timescale,
    standardError: fit.standardError,
  }));
  const missing = whatIsMissing(sequence, {
    splitRhat,
    startSigmas,
    tauMax,
    burnIn,
    steps: chains * samples * blocks.length,
  });
  return {
    timescale: best.timescale,
    standardError: best.standardError,
    sequence,
    tauMax,
    splitRhat,
    startSigmas,
    verdict: missing.length === 0 ? 'resolved' : 'unresolved',
    missing,
  };
}

function largestTime({ perObservable }: CrossFit, chains: readonly ChainMoments[]): number {
  const count = chains[0].mean.length;
  return perObservable.reduce((top, value, a) => {
    const mean = chains.reduce((total, one) => total + one.mean[a], 0) / chains.length;
    const square = chains.reduce((total, one) => total + one.square[a * count + a], 0) / chains.length;
    const variance = square - mean * mean;
    return variance > 0 ? Math.max(top, (2 * value) / variance) : top;
  }, 0);
}

function whatIsMissing(
  sequence: BoundedTimescale['sequence'],
  run: { splitRhat: number; startSigmas: number; tauMax: number; burnIn: number; steps: number },
): string[] {
  const limit = BOUND_THRESHOLDS;
  const last = sequence[sequence.length - 1];
  const before = sequence[sequence.length - 2];
  const digits = (value: number) => String(Number(value.toPrecision(4)));
  const growth = before === undefined ? null : last.timescale - before.timescale;
  const allowed = limit.growth * last.timescale + limit.growthSigmas * last.standardError;
  const found: [boolean, string][] = [
    [
      !(run.splitRhat <= limit.splitRhat),
      `split R-hat is ${digits(run.splitRhat)}, above ${limit.splitRhat}: longer chains are needed`,
    ],
    [
      run.startSigmas > limit.startSigmas,
      `chains from different starts differ by ${digits(run.startSigmas)} standard errors, above ${limit.startSigmas}: more burn-in is needed`,
    ],
    [
      run.burnIn < limit.burnInTimes * run.tauMax,
      `the burn-in of ${run.burnIn} steps is below ${limit.burnInTimes} of the largest integrated time, at least ${digits(run.tauMax)}`,
    ],
    [
      run.steps < limit.lengthTimes * run.tauMax,
      `${run.steps} steps in all are below ${limit.lengthTimes} of the largest integrated time, at least ${digits(run.tauMax)}`,
    ],
    [growth === null, 'one set of features alone cannot show that it suffices: add features'],
    [
      growth !== null && !(Math.abs(growth) <= allowed),
      `the last features changed the bound by ${digits(growth ?? 0)} steps, more than ${digits(allowed)}: it is not saturated`,
    ],
  ];
  return found.flatMap(([missing, sentence]) => (missing ? [sentence] : []));
}

function atLeast(field: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new InputError({
    field,
    expected: `a whole number of at least ${least}`,
    got: String(value),
    remedy: 'give more',
  });
}
