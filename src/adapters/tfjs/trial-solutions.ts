import { cliquePattern } from '../../estimation/bound/clique-matrix.js';
import { type FunctionFeatures, together } from '../../estimation/bound/features.js';
import { eachConfiguration, localView, partsOf } from '../../estimation/bound/local.js';
import { MomentSums, pooled } from '../../estimation/bound/moments.js';
import type { Probes } from '../../estimation/bound/probes.js';
import { fitTrial } from '../../estimation/bound/trial.js';
import { type Conditionals, conditionals } from '../../estimation/conditionals.js';
import type { RandomSource } from '../../estimation/random.js';
import { emptySamples, type PackedSamples, readSample, writeSample } from '../../estimation/samples/packed-samples.js';
import type { Model } from '../../model/model.js';
import { BatchRows, type HeldTrials, type TrainingBatch } from './training-batch.js';

/** Samples of the pilot that trial solutions are fitted on: fewer where a sample costs more, so that a fit takes about so many products. */
const FITTED = { least: 256, most: 2048 } as const;
const FIT_WORK = 1e9;
/** Moves from each sample of a batch, at most. */
const MAX_MOVES = 32;
/** Of the fit, relative to the diagonal of the Dirichlet matrix: a pilot is short, and a trial solution that follows its noise misleads the network. */
const RIDGE = 1e-3;

/** The problem (6.1) over a pilot, with features `g` that are given: the probes `F_z` first, then blocks that are trained already. */
export class PilotProblem {
  private readonly given: FunctionFeatures;
  private readonly laws: Conditionals;
  private readonly parts: readonly { readonly spins: readonly number[]; readonly joint: boolean }[];
  private readonly fitted: number;
  private readonly probeMean: Float64Array;

  constructor(
    private readonly model: Model,
    private readonly pilot: readonly PackedSamples[],
    private readonly blocks: readonly (readonly number[])[],
    private readonly probes: Probes,
    trained: readonly FunctionFeatures[],
    count: number,
  ) {
    this.given = together([probeFeatures(model, probes), ...trained]);
    this.laws = conditionals(model);
    this.parts = blocks.flatMap((block) => partsOf(block, this.laws, { monomials: [], functions: this.given }));
    const most = FIT_WORK / (this.parts.length * (this.given.count + count) ** 2);
    this.fitted = Math.min(FITTED.most, Math.max(FITTED.least, most));
    this.probeMean = new Float64Array(probes.count);
    const values = new Float64Array(this.given.count);
    const x = new Int8Array(model.spins);
    const total = pilot.reduce((sum, { count }) => sum + count, 0);
    for (const chain of pilot) {
      for (let s = 0; s < chain.count; s++) {
        readSample(chain, s, x);
        this.given.load(x, values, 0);
        for (let z = 0; z < probes.count; z++) this.probeMean[z] -= values[z] / total;
      }
    }
  }

  /** The best trial solutions over `g` and `chi` on samples of the pilot drawn anew, so that training follows the noise of none, in float64. */
  fit(chi: FunctionFeatures, random: RandomSource): HeldTrials {
    const { probes, model, pilot } = this;
    const share = Math.ceil(this.fitted / pilot.length);
    const functions = together([this.given, chi]);
    const size = functions.count;
    const view = localView(model, this.blocks, { monomials: [], functions, count: size, sets: [] });
    const pattern = cliquePattern(view.cliques, size);
    const own = { ...exactly(probes.count), weight: probes.weight };
    const sums = new MomentSums(view, pattern, own, probes.count, false);
    const moments = pooled(
      pilot.map((chain) => sums.group([drawn(chain, share, random)], [])),
      pattern,
      probes.count,
    );
    const { alpha } = fitTrial({ pattern, probes: own, observables: probes.count }, moments, size, {
      ridge: RIDGE,
      near: false,
    });
    let scale = 0;
    for (let k = 0; k < alpha.length; k++) scale += probes.weight * alpha[k] * moments.covariance[k];
    return { alpha, scale: scale > 0 ? scale : 1 };
  }

  /** Samples of the pilot drawn at random, and moves from each: those of all parts of the mixture, or some of them at random with shares that make up for the others. */
  batch(samples: number, count: number, trials: HeldTrials, random: RandomSource): TrainingBatch {
    const { model, pilot, parts } = this;
    const x = new Int8Array(model.spins);
    const moves = Math.min(parts.length, MAX_MOVES);
    const rows = new BatchRows(samples, moves, model.spins, count, this.given.count);
    rows.hold(trials, this.probes.weight);
    const order = Array.from({ length: parts.length }, (_, k) => k);
    for (let s = 0; s < samples; s++) {
      const chain = pilot[random.integer(pilot.length)];
      readSample(chain, random.integer(chain.count), x);
      this.from(rows, s, x, 1 / samples);
      for (let m = 0; m < moves; m++) {
        // The first `moves` of a random order.
        const other = m + random.integer(parts.length - m);
        [order[m], order[other]] = [order[other], order[m]];
        this.move(rows, s, m, order[m], x, parts.length / moves / samples, random);
      }
    }
    return rows.batch(trials.scale);
  }

  /** Writes a sample with its weight in the average. */
  from(rows: BatchRows, s: number, x: Int8Array, weight: number): void {
    this.given.load(x, rows.values, 0);
    rows.sample(s, x, weight, this.probeMean);
  }

  /** Writes a move of part `part` from the sample that was written last. `E Cov_c(chi, chi)` is that of `p (1 - p) D D^T` for the flip of a spin, and half that of `D D^T` for a block drawn anew. */
  move(rows: BatchRows, s: number, m: number, part: number, x: Int8Array, weight: number, random: RandomSource): void {
    const { spins, joint } = this.parts[part];
    const { given, laws, blocks } = this;
    const moved = x.slice();
    let share = 1 / 2;
    if (joint) {
      let left = random.uniform();
      eachConfiguration(spins, x, laws, (probability) => {
        if (left >= 0 && left < probability) moved.set(x);
        left -= probability;
      });
      given.load(moved, rows.changed, 0);
    } else {
      const [i] = spins;
      moved[i] = -moved[i];
      const logOdds = laws.logOdds(i, x);
      given.flipped(i, x, logOdds, rows.changed, 0);
      share = 1 / ((1 + Math.exp(logOdds)) * (1 + Math.exp(-logOdds)));
    }
    rows.move(s, m, moved, (share * weight) / blocks.length);
    if (joint) given.load(x, rows.values, 0);
  }
}

/** `-F_z`, as the features of the observables are `-f_a`. */
function probeFeatures({ edges, spins, biased, theta }: Model, probes: Probes): FunctionFeatures {
  const monomials = [...edges, ...(biased ? Array.from({ length: spins }, (_, i) => [i]) : [])];
  const touching: number[][] = Array.from({ length: spins }, () => []);
  monomials.forEach((of, a) => {
    for (const i of of) touching[i].push(a);
  });
  const chi = new Float64Array(theta.length);
  const values = new Float64Array(probes.count);
  return {
    count: probes.count,
    load(x, out, offset) {
      monomials.forEach((of, a) => {
        chi[a] = of.length === 1 ? x[of[0]] : x[of[0]] * x[of[1]];
      });
      probes.project(chi, values);
      for (let z = 0; z < probes.count; z++) out[offset + z] = values[z] = -values[z];
    },
    flipped(i, _x, _logOdds, out, offset) {
      for (let z = 0; z < probes.count; z++) out[offset + z] = values[z];
      for (const a of touching[i]) {
        if (probes.exact) out[offset + a] -= 2 * chi[a];
        else for (let z = 0; z < probes.count; z++) out[offset + z] -= 2 * probes.entry(z, a) * chi[a];
      }
    },
  };
}

/** The first `count` features stand for the probes, each for one. */
function exactly(count: number): Probes {
  return {
    count,
    exact: true,
    weight: 1,
    entry: (z, a) => (z === a ? 1 : 0),
    project(values, out) {
      for (let z = 0; z < count; z++) out[z] = -values[z];
    },
  };
}

/** At most `most` samples of a chain: all of them, or as many at random. */
function drawn(chain: PackedSamples, most: number, random: RandomSource): PackedSamples {
  if (chain.count <= most) return chain;
  const out = emptySamples(chain.spins, most);
  const x = new Int8Array(chain.spins);
  for (let s = 0; s < most; s++) {
    readSample(chain, random.integer(chain.count), x);
    writeSample(out, s, x);
  }
  return out;
}
