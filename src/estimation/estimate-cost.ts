import type { Model } from '../model/model.js';
import { levelCounts, makeFeatures } from './bound/features.js';
import { mixtureOf } from './bound/kernel-form.js';
import { localView } from './bound/local.js';
import { MAX_EXACT_OBSERVABLES } from './bound/probes.js';
import { MAX_DENSE } from './bound/trial.js';
import type { EstimateOptions } from './estimate.js';
import { LADDER_PILOT } from './tempering/sample-tempered.js';

/** What an estimate needs, known from sizes alone before anything is sampled. Work is counted in visits, as in the exact routes' workload. */
export interface EstimateWorkload {
  /** Peak memory. */
  readonly bytes: number;
  /** Visits of sampling. */
  readonly sampling: number;
  /** Visits of reading samples and of fitting the bound. */
  readonly reading: number;
}

/** Visits of one spin drawn in one chain, and of one of its neighbours; of a multiplication in the loops over samples, and in the solvers; of a spin or edge where a replica moves; and of starting. */
const COST = { spin: 0.6, neighbour: 0.12, sum: 0.35, solve: 0.35, move: 1.2, base: 1e8 } as const;
/** Steps of conjugate gradients, about: many where features depend on each other. */
const STEPS = 60;
/** Fits of one set: two folds, ridges times two, and the last. */
const FITS = { dense: 26, sparse: 2 * (2 * 5 * 8) } as const;
/** Groups of chains whose moments are kept. */
const GROUPS = 16;
/** Level functions that change with a spin. */
const CHANGED = 25;
const BASE_BYTES = 60e6;

/**
 * The workload of `estimateTrainability` with data of `patterns` patterns. Throws {@link UnsupportedError} where the bound (6.1) does not exist for the kernel, or needs too large a block enumerated: before
 * any sampling.
 */
export function estimateWorkload(
  model: Model,
  patterns: number,
  options: Pick<
    EstimateOptions,
    'kernel' | 'chains' | 'samples' | 'burnIn' | 'apart' | 'features' | 'probes' | 'gradient'
  > & {
    /** Whether samples are tempered. */
    readonly tempering?: boolean | undefined;
  },
): EstimateWorkload {
  const { kernel, chains, samples, burnIn, apart, gradient } = options;
  const { blocks } = mixtureOf(model, kernel);
  const upTo = options.features ?? 'levels';
  const monomials = makeFeatures(model, [], upTo === 'levels' ? 'pairs' : upTo, []);
  const cliques = localView(model, blocks, monomials).cliques.map(({ length }) => length);
  const levels = levelCounts(model.spins);
  const f = upTo === 'levels' ? levels.coarse + levels.fine : 0;
  const p = model.theta.length;
  const total = monomials.count + f;
  const probes = p <= MAX_EXACT_OBSERVABLES ? p : (options.probes ?? 24);
  const pairs = (changed: number) => cliques.reduce((sum, m) => sum + (m + changed) ** 2 / 2, 0);
  const touched = cliques.reduce((sum, m) => sum + m, 0);
  const degree = (2 * model.edges.length) / model.spins;

  const lists = chains + Math.ceil(chains / 4);
  const spin = COST.spin + COST.neighbour * degree;
  const hidden = model.spins - model.visible.length;
  const clamped = hidden > 0 && model.layers === null ? 16 * chains : 0;
  const steps = burnIn + samples * apart;
  const sampling =
    COST.base +
    (options.tempering ? temperedVisits(model, lists, steps) : spin * model.spins * 16 * Math.ceil(lists / 16) * steps);

  const sparse = total > MAX_DENSE;
  const nonzeros = (size: number) => Math.min(size ** 2 / 2, pairs(0) + f * size);
  const near = sparse ? nonzeros(total) : 0;
  const perSample =
    2 * total * (1 + probes) + probes * p + pairs(f > 0 ? CHANGED : 0) + near + cliques.length * (10 + 4 * f);
  const derivative = gradient ? 4 * probes * (touched + cliques.length * CHANGED + total) + 12 * p : 0;
  const positive =
    spin * hidden * clamped * (burnIn + 8) + clamped * 8 * 3 * p + (model.layers === null ? 0 : 4 * patterns * p);
  const sets = [...monomials.sets.map(({ size }) => size), ...(f > 0 ? [total - levels.fine, total] : [])];
  const fit = sets.reduce(
    (sum, size) =>
      sum +
      (size <= MAX_DENSE
        ? FITS.dense * (size ** 3 / 6 + probes * size ** 2)
        : (FITS.sparse + 2 * probes) * STEPS * 2 * nonzeros(size)) +
      GROUPS * probes * 2 * nonzeros(size),
    0,
  );
  const reading =
    COST.base + COST.sum * chains * samples * (perSample + derivative) + COST.solve * fit + COST.sum * positive;

  const words = lists * samples * Math.ceil(model.spins / 32) * 4;
  const group = 8 * (probes * total + nonzeros(total) + near);
  const bytes =
    BASE_BYTES +
    // Samples in both threads and while they are copied; a model's edges as lists, twice.
    4 * words +
    250 * (model.edges.length + model.spins) +
    (GROUPS + 6) * group +
    16 * nonzeros(total) +
    4 * pairs(f) +
    8 * (sparse ? 0 : 2 * total ** 2) +
    chains * 4 * 8 * total +
    clamped * 8 * p +
    (gradient ? 8 * p * 12 * GROUPS : 0);
  return { bytes, sampling, reading };
}

/**
 * Ladder and ensembles. Swaps are accepted well where neighbouring betas differ by about a standard deviation of the energy, which is largest at beta 0, where couplings and biases are independent terms of it.
 */
function temperedVisits({ spins, edges, theta, beta }: Model, lists: number, steps: number): number {
  const deviation = Math.sqrt(theta.reduce((sum, value) => sum + value * value, 0));
  const replicas = 2 + beta * deviation;
  const state = COST.move * (spins + edges.length);
  const { ensembles, steps: pilot } = LADDER_PILOT;
  const ladder = pilot * ensembles * (replicas ** 2 / 2 + 3 * replicas);
  return state * (ladder + lists * steps * replicas);
}
