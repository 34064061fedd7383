import type { z } from 'zod';
import { measureSnr } from '../estimation/measure.js';
import { measureTimescales } from '../estimation/timescales.js';
import { type KernelName, stepsPerSweep } from '../kernel/kernels.js';
import type { DataLaw } from '../model/data-law.js';
import type { Model } from '../model/model.js';
import { exactObject, number } from '../model/schema.js';
import { evaluateModel } from '../trainability/evaluation.js';
import { exactMoments } from '../trainability/routes/exact-moments.js';
import { teacherLaw } from '../trainability/teacher.js';
import { type CellResult, experiment, type Figure } from './experiment.js';
import { count, factor, kernel, listOf, nonNegative, positive, share } from './fields.js';
import { normalRbm, sourceFor } from './random-models.js';
import { median, shareOf, withinFactor } from './statistics.js';

const settingsSchema = exactObject(
  {
    sizes: listOf(count),
    betas: listOf(positive),
    seeds: listOf(nonNegative),
    kernels: listOf(kernel),
    weightScale: positive,
    burnInSweeps: nonNegative,
    windowSweeps: count,
    epsilon: share,
    kappa: positive,
    trackingFactor: factor,
    exactUpTo: count,
    propagatedUpTo: count,
    comparedSizes: listOf(count),
    comparedSeeds: listOf(nonNegative),
    repetitions: number(
      (value) => Number.isSafeInteger(value) && value >= 2,
      'a whole number of at least 2',
      'give it',
    ),
    chains: count,
    chainSweeps: count,
    largeChainSweeps: count,
    sigmas: positive,
  },
  'settings',
  'write them between braces',
);
type Settings = z.infer<typeof settingsSchema>;

interface Parameters {
  readonly size: number;
  readonly beta: number;
  readonly seed: number;
  readonly kernel: KernelName;
}

/** `T` by sampling; `resolved` is the verdict on it. */
interface Sampled {
  readonly T: number;
  readonly standardError: number | null;
  readonly resolved: boolean;
  readonly missing: readonly string[];
}

interface Result {
  /** How `R` and `R_hat` were obtained. */
  readonly by: 'exact' | 'sampling';
  readonly R: number | null;
  /** Of `R`, where it was sampled. */
  readonly standardError: number | null;
  /** Over the relevant modes where modes are known, else over all. */
  readonly Rhat: number | null;
  readonly signal: number;
  /** `T` over all modes where it is exact, in steps. */
  readonly timescale: number | null;
  /** Whether no observable sees the slowest mode; null where it is not known. */
  readonly slowestIsOdd: boolean | null;
  readonly sampled: Sampled | null;
}

type Results = readonly CellResult<Parameters, Result>[];

/** RBMs of two equal layers under single-site and block updates: exact where a route reaches, sampled beyond, and sampled timescales against exact ones. */
export const exp2 = experiment<Settings, Parameters, Result>({
  settings: settingsSchema,

  cells: ({ sizes, betas, seeds, kernels, exactUpTo, propagatedUpTo }) =>
    sizes.flatMap((size) =>
      betas.flatMap((beta) =>
        seeds.flatMap((seed) =>
          kernels.map((name) => ({
            key: `${size}+${size} beta=${beta} seed=${seed} ${name}`,
            cost: costOf(size, name, size <= exactUpTo, size <= propagatedUpTo),
            parameters: { size, beta, seed, kernel: name },
          })),
        ),
      ),
    ),

  run(parameters, settings) {
    const { size, beta, seed } = parameters;
    const random = sourceFor(seed, size);
    const scale = settings.weightScale / Math.sqrt(size);
    const model = normalRbm(size, size, beta, scale, random);
    const data = teacherLaw(normalRbm(size, size, beta, scale, random));
    const isCompared = settings.comparedSizes.includes(size) && settings.comparedSeeds.includes(seed);
    if (size > settings.exactUpTo) return bySampling(model, data, parameters, settings);
    const sampled = isCompared ? sampleTimescale(model, parameters, settings) : null;
    return { ...exactly(model, data, parameters, settings), sampled };
  },

  conclude(results, { kernels, trackingFactor, sigmas }) {
    const all = results.map(({ result }) => result);
    const tracked = (name: KernelName, by?: Result['by']) =>
      tracking(
        results.filter(({ parameters, result }) => parameters.kernel === name && (by ?? result.by) === result.by),
        trackingFactor,
      );
    const compared = all.flatMap(({ by, sampled, timescale }) =>
      by === 'exact' && sampled !== null && timescale !== null ? [{ ...sampled, exact: timescale }] : [],
    );
    const errors = compared.map(({ T, exact }) => Math.abs(T / exact - 1));
    return {
      cells: { value: all.length },
      ...Object.fromEntries(
        kernels.flatMap((name) => [
          [`${name} tracks`, tracked(name)],
          [`${name} tracks exactly`, tracked(name, 'exact')],
          [`${name} tracks sampled`, tracked(name, 'sampling')],
        ]),
      ),
      slowestIsOdd: shareOf(all.flatMap(({ slowestIsOdd }) => (slowestIsOdd === null ? [] : [slowestIsOdd]))),
      compared: { value: compared.length },
      medianError: { value: median(errors) },
      resolved: shareOf(compared.map(({ resolved }) => resolved)),
      withinSigmas: shareOf(
        compared.flatMap(({ T, exact, standardError, resolved }) =>
          resolved && standardError !== null ? [Math.abs(T - exact) <= sigmas * standardError] : [],
        ),
      ),
    };
  },
});

/** `R` and `R_hat` by the routes; `R` from a uniform start where the law can be propagated, else from equilibrium. */
function exactly(
  model: Model,
  data: DataLaw,
  { size, kernel: name }: Parameters,
  settings: Settings,
): Omit<Result, 'sampled'> {
  const sweep = stepsPerSweep(model, name);
  const { operational, predictors, signal } = evaluateModel(model, data, {
    kernel: name,
    burnIn: settings.burnInSweeps * sweep,
    window: settings.windowSweeps * sweep,
    chains: 1,
    start: size <= settings.propagatedUpTo ? 'uniform' : 'stationary',
    epsilon: settings.epsilon,
    kappa: settings.kappa,
    gradient: false,
  });
  return {
    by: 'exact',
    R: operational?.R ?? null,
    standardError: null,
    Rhat: (predictors.relevant ?? predictors.full).Rhat,
    signal,
    timescale: predictors.full.timescale,
    slowestIsOdd: predictors.singleGap && predictors.singleGap === 'symmetry-zero',
  };
}

/** `R` from repetitions of the estimator and `R_hat` from a sampled `T`; the signal is exact. An unresolved `T` makes no prediction. */
function bySampling(model: Model, data: DataLaw, parameters: Parameters, settings: Settings): Result {
  const { kernel: name, seed } = parameters;
  const sweep = stepsPerSweep(model, name);
  const { data: wanted, model: means } = exactMoments(model, data);
  const signal = wanted.reduce((sum, value, a) => sum + (value - means[a]) ** 2, 0);
  const window = settings.windowSweeps * sweep;
  const { R, standardError } = measureSnr(model, data, {
    kernel: name,
    start: 'uniform',
    burnIn: settings.burnInSweeps * sweep,
    window,
    chains: 1,
    repetitions: settings.repetitions,
    seed,
  });
  const sampled = sampleTimescale(model, parameters, settings);
  const Rhat = sampled.resolved ? ((window / 2) * signal) / sampled.T : null;
  return { by: 'sampling', R, standardError, Rhat, signal, timescale: null, slowestIsOdd: null, sampled };
}

function sampleTimescale(model: Model, { size, kernel: name, seed }: Parameters, settings: Settings): Sampled {
  const sweep = stepsPerSweep(model, name);
  const { T, standardError, verdict, missing } = measureTimescales(model, null, {
    kernel: name,
    start: 'uniform',
    burnIn: settings.burnInSweeps * sweep,
    window: (size > settings.exactUpTo ? settings.largeChainSweeps : settings.chainSweeps) * sweep,
    chains: settings.chains,
    seed,
  });
  return { T, standardError, resolved: verdict === 'resolved', missing };
}

function tracking(results: Results, trackingFactor: number): Figure {
  return shareOf(results.map(({ result }) => withinFactor(result.R, result.Rhat, trackingFactor)));
}

/** Seconds, roughly. */
function costOf(size: number, name: KernelName, exact: boolean, propagated: boolean): number {
  if (!exact) return name === 'random-scan' ? 5 : 0.5;
  if (propagated) return 8 ** size / 3e4;
  return name === 'random-scan' ? (4 ** size * size * size) / 5e5 : 8 ** size / 1e8;
}
