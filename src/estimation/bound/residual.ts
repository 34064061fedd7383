import { chainProgram } from '../../kernel/chains/chain-program.js';
import { openChains } from '../../kernel/chains/chains.js';
import type { Model } from '../../model/model.js';
import { conditionals } from '../conditionals.js';
import { type RandomSource, randomSource } from '../random.js';
import { emptySamples, type PackedSamples, readSample, writeSample } from '../samples/packed-samples.js';
import type { Fold } from './cross-fit.js';
import type { GroupMoments } from './moments.js';
import type { Probes } from './probes.js';

/** What is left of the observables' combinations by trial solutions, in steps of the mixture. */
export interface ResidualTime {
  /** For each probe what the trial solutions of the bound are short of its `T`: `sum_k <r, P^k r>` over the lags. */
  readonly perProbe: Float64Array;
  /** Summed and weighed, the first half of the lags and the second. */
  readonly early: number;
  readonly late: number;
  /** Summed and weighed, without one group at a time, less the sum over all. */
  readonly leftOut: Float64Array;
}

/** What it is computed from. */
export interface ResidualInput {
  readonly model: Model;
  /** Of the mixture: the model's own, or single spins. */
  readonly blocks: readonly (readonly number[])[];
  /** Products of one or two spins, in which the trial solutions are linear. */
  readonly monomials: readonly (readonly number[])[];
  readonly probes: Probes;
  readonly groups: readonly (readonly PackedSamples[])[];
  readonly moments: readonly GroupMoments[];
  readonly folds: readonly Fold[];
  readonly seed: number;
}

/** Lags, and chains of so many steps begun from the samples of a group, at most. */
const LAGS = 24;
const STARTS = 12;
/** States that are evaluated together. */
const BATCH = 16;

/** Whether the conditional law of each block is a product, which the residual is computed by, and the lags reach far enough: a few blocks, or single spins, of which many make a step of the lags. */
export function hasResidual(model: Model, blocks: readonly (readonly number[])[]): boolean {
  if (areSites(blocks)) return true;
  const laws = conditionals(model);
  return blocks === model.blocks && blocks.length <= LAGS / 4 && blocks.every((block) => !laws.coupled(block));
}

function areSites(blocks: readonly (readonly number[])[]): boolean {
  return blocks.every(({ length }) => length === 1);
}

/**
 * Where the chains are looked at, in steps, and how many steps each look stands for. Of single spins half a sweep is a window, in which one step is drawn at random: a look at each of them would be the sum over
 * all, and one at random is that sum on average.
 */
function looks(blocks: readonly (readonly number[])[], random: RandomSource): { at: number[]; weights: Float64Array } {
  const width = areSites(blocks) ? Math.max(1, blocks.length >> 1) : 1;
  return {
    at: Array.from({ length: LAGS }, (_, k) => (k === 0 ? 0 : (k - 1) * width + 1 + random.integer(width))),
    weights: Float64Array.from({ length: LAGS }, (_, k) => (k === 0 ? 1 : width)),
  };
}

/**
 * What a trial solution `psi` misses is known exactly: with `r = F - E F - (I - P) psi`, `T(F) - (2 <F, psi> - <psi, (I - P) psi> - Var F / 2) = <r, (I - P)^-1 r> = sum_{k >= 0} <r, P^k r>`, and no term is negative for a
 * mixture, so that those of the first lags leave a lower bound. `r` is local: given the spins outside a block its spins are independent, and `P psi` replaces them by their means. Short chains from the equilibrium
 * samples give the lags. Groups are those that the fold's trial solutions did not see.
 */
export function residualTime(input: ResidualInput): ResidualTime {
  const { folds, groups, probes, moments } = input;
  const perProbe = new Float64Array(probes.count);
  const leftOut = new Float64Array(groups.length);
  let [early, late] = [0, 0];
  for (const { trial, valuedOn } of folds) {
    const fitted = moments.filter((_, m) => !valuedOn.includes(m));
    const centre = perProbe.map((_, z) => fitted.reduce((sum, { probeMean }) => sum + probeMean[z] / fitted.length, 0));
    const residual = residualOf(input, trial.alpha, trial.size, centre);
    const products = valuedOn.map((m) => groupProducts(input, groups[m], input.seed + m, residual));
    const all = lagSums(products, probes.count);
    const total = (sums: Float64Array) => probes.weight * sums.reduce((sum, value) => sum + value, 0);
    all.early.forEach((value, z) => {
      perProbe[z] += (value + all.late[z]) / folds.length;
    });
    early += total(all.early) / folds.length;
    late += total(all.late) / folds.length;
    valuedOn.forEach((m, k) => {
      const rest = lagSums(
        products.filter((_, other) => other !== k),
        probes.count,
      );
      leftOut[m] = (total(rest.early) + total(rest.late) - total(all.early) - total(all.late)) / folds.length;
    });
  }
  return { perProbe, early, late, leftOut };
}

/** Averages over the starts of one group, a row per half of the lags: `r_z(x_0) sum_k r_z(x_k)`, and both means. */
interface GroupProducts {
  readonly product: readonly Float64Array[];
  readonly first: Float64Array;
  readonly sums: readonly Float64Array[];
}

/** Products of two means are taken over pairs of different groups, {@link pooled}. */
function lagSums(groups: readonly GroupProducts[], count: number): { early: Float64Array; late: Float64Array } {
  const n = groups.length;
  const [early, late] = [0, 1].map((half) =>
    Float64Array.from({ length: count }, (_, z) => {
      let [linear, first, second, own] = [0, 0, 0, 0];
      for (const group of groups) {
        linear += group.product[half][z];
        first += group.first[z];
        second += group.sums[half][z];
        own += group.first[z] * group.sums[half][z];
      }
      return linear / n - (first * second - own) / (n * (n - 1));
    }),
  );
  return { early, late };
}

type Residual = (states: readonly Int8Array[], out: Float64Array) => void;

function groupProducts(
  { model, blocks, probes }: ResidualInput,
  chains: readonly PackedSamples[],
  seed: number,
  residual: Residual,
): GroupProducts {
  const each = Math.max(1, Math.min(chains[0].count, Math.floor(STARTS / chains.length)));
  const starts = emptySamples(model.spins, each * chains.length);
  const x = new Int8Array(model.spins);
  chains.forEach((chain, m) => {
    for (let k = 0; k < each; k++) {
      readSample(chain, Math.floor(((k + 0.5) * chain.count) / each), x);
      writeSample(starts, m * each + k, x);
    }
  });
  const betas = new Float64Array(starts.count).fill(model.beta);
  const kernel = areSites(blocks) ? 'random-scan' : 'random-block';
  const running = openChains(chainProgram(model, kernel), starts.words, betas);
  const { at, weights } = looks(blocks, randomSource(seed));
  const later = at.slice(1).map((step, k): PackedSamples => {
    const interval = step - at[k];
    const words = running.run({ seed, before: at[k], lead: 0, interval, samples: 1 });
    return { spins: model.spins, count: starts.count, words };
  });
  const { count } = probes;
  const out: GroupProducts = {
    product: [0, 1].map(() => new Float64Array(count)),
    first: new Float64Array(count),
    sums: [0, 1].map(() => new Float64Array(count)),
  };
  const states = Array.from({ length: LAGS }, () => new Int8Array(model.spins));
  const values = new Float64Array(LAGS * count);
  for (let start = 0; start < starts.count; start++) {
    states.forEach((state, k) => {
      readSample(k === 0 ? starts : later[k - 1], start, state);
    });
    for (let k = 0; k < LAGS; k += BATCH) residual(states.slice(k, k + BATCH), values.subarray(k * count));
    for (let z = 0; z < count; z++) {
      const first = values[z];
      out.first[z] += first / starts.count;
      for (let k = 0; k < LAGS; k++) {
        const half = 2 * k < LAGS ? 0 : 1;
        const value = (weights[k] * values[k * count + z]) / starts.count;
        out.sums[half][z] += value;
        out.product[half][z] += first * value;
      }
    }
  }
  return out;
}

/** Writes `r_z`, state by state, all probes of a state together. */
function residualOf(
  { model, blocks, monomials, probes }: ResidualInput,
  alpha: Float64Array,
  size: number,
  centre: Float64Array,
): Residual {
  const { count, entry } = probes;
  const observables = model.theta.length;
  const weight = 1 / blocks.length;
  const owner = new Int32Array(model.spins);
  blocks.forEach((block, c) => {
    for (const i of block) owner[i] = c;
  });
  const first = Int32Array.from({ length: size }, (_, k) => monomials[k][0]);
  const second = Int32Array.from({ length: size }, (_, k) => monomials[k][1] ?? -1);
  const inside = Uint8Array.from({ length: size }, (_, k) =>
    second[k] >= 0 && owner[first[k]] === owner[second[k]] ? 1 : 0,
  );
  const laws = conditionals(model);
  // Spin by spin, the states of a batch side by side: values and conditional means.
  const x = new Float64Array(model.spins * BATCH);
  const m = new Float64Array(model.spins * BATCH);
  const chi = new Float64Array(BATCH);
  const moved = new Float64Array(BATCH);
  // Feature by feature, as they are used.
  const steps = new Float64Array(size * count);
  const signs = new Float64Array(size * count);
  for (let k = 0; k < size; k++) {
    for (let z = 0; z < count; z++) {
      steps[k * count + z] = weight * alpha[z * size + k];
      if (k < observables) signs[k * count + z] = entry(z, k);
    }
  }
  return (states, out) => {
    const many = states.length;
    states.forEach((state, s) => {
      for (let i = 0; i < state.length; i++) {
        x[i * BATCH + s] = state[i];
        m[i * BATCH + s] = Math.tanh(laws.logOdds(i, state) / 2);
      }
      for (let z = 0; z < count; z++) out[s * count + z] = -centre[z];
    });
    for (let k = 0; k < size; k++) {
      const i = first[k] * BATCH;
      const j = second[k] * BATCH;
      // (I - P_c) chi over the blocks that hold one of its spins.
      if (j < 0) {
        for (let s = 0; s < many; s++) {
          chi[s] = x[i + s];
          moved[s] = x[i + s] - m[i + s];
        }
      } else if (inside[k] === 1) {
        for (let s = 0; s < many; s++) {
          chi[s] = x[i + s] * x[j + s];
          moved[s] = chi[s] - m[i + s] * m[j + s];
        }
      } else {
        for (let s = 0; s < many; s++) {
          chi[s] = x[i + s] * x[j + s];
          moved[s] = 2 * chi[s] - m[i + s] * x[j + s] - x[i + s] * m[j + s];
        }
      }
      const feature = k * count;
      for (let s = 0; s < many; s++) {
        const row = s * count;
        const [own, step] = [chi[s], moved[s]];
        for (let z = 0; z < count; z++) out[row + z] -= signs[feature + z] * own + steps[feature + z] * step;
      }
    }
  };
}
