import { type PackedSamples, readSample } from '../samples/packed-samples.js';
import type { CliquePattern } from './clique-matrix.js';
import type { LocalView } from './local.js';
import type { Probes } from './probes.js';

/** What one group of chains tells: averages over its samples. `chi` are the features, `F` the probes. */
export interface GroupMoments {
  /** `E chi`. */
  readonly mean: Float64Array;
  /** `E F`. */
  readonly probeMean: Float64Array;
  /** `E F_z^2`. */
  readonly probeSquare: Float64Array;
  /** `E F_z chi_k`, a row per probe. */
  readonly cross: Float64Array;
  /** The Dirichlet matrix `E sum_c w_c Cov_c(chi, chi)` of (6.1), on the pattern. */
  readonly dirichlet: Float64Array;
  /** `E chi_k chi_l` on the pattern, where an observable is among the two: covariances of what is near. Empty where features are few and observables are not probed. */
  readonly near: Float64Array;
}

/** Means and variances of the features over the first and the second half of one chain. */
export type ChainHalves = readonly { readonly mean: Float64Array; readonly variance: Float64Array }[];

/** Samples whose products are added together. */
const BATCH = 16;

/** Adds up groups of chains, sample by sample. */
export class MomentSums {
  private readonly chi: Float64Array;
  private readonly probe: Float64Array;
  /** Features and probes of the last samples, a row of {@link BATCH} for each. */
  private readonly batch: Float64Array;
  private readonly batchProbe: Float64Array;

  constructor(
    private readonly view: LocalView,
    private readonly pattern: CliquePattern,
    private readonly probes: Probes,
    private readonly observables: number,
    private readonly keepsNear: boolean,
  ) {
    this.chi = view.chi;
    this.probe = new Float64Array(probes.count);
    this.batch = new Float64Array(BATCH * view.count);
    this.batchProbe = new Float64Array(BATCH * probes.count);
  }

  /** The moments of a group; `halves` gets those of each chain. */
  group(chains: readonly PackedSamples[], halves: ChainHalves[]): GroupMoments {
    const { count } = this.view;
    const { rows, columns } = this.pattern;
    const sums: GroupMoments = {
      mean: new Float64Array(count),
      probeMean: new Float64Array(this.probes.count),
      probeSquare: new Float64Array(this.probes.count),
      cross: new Float64Array(this.probes.count * count),
      dirichlet: new Float64Array(columns.length),
      near: new Float64Array(this.keepsNear ? columns.length : 0),
    };
    let total = 0;
    for (const chain of chains) {
      halves.push(this.chain(chain, sums));
      total += chain.count;
    }
    for (const values of Object.values(sums)) for (let k = 0; k < values.length; k++) values[k] /= total;
    for (let k = 0; k < count * Math.sign(sums.near.length); k++) {
      for (let e = rows[k]; e < rows[k + 1]; e++) if (columns[e] >= this.observables) sums.near[e] = 0;
    }
    return sums;
  }

  private chain(samples: PackedSamples, sums: GroupMoments): ChainHalves {
    const { view, chi, probe, probes } = this;
    const { count } = view;
    const middle = samples.count >> 1;
    const halves = [middle, samples.count - middle].map((length) => ({
      length,
      sum: new Float64Array(count),
      squares: new Float64Array(count),
    }));
    const x = new Int8Array(samples.spins);
    for (let s = 0; s < samples.count; s++) {
      readSample(samples, s, x);
      view.load(x);
      probes.project(chi, probe);
      const { sum, squares } = halves[s < middle ? 0 : 1];
      for (let k = 0; k < count; k++) {
        sum[k] += chi[k];
        squares[k] += chi[k] * chi[k];
      }
      for (let z = 0; z < probes.count; z++) {
        sums.probeMean[z] += probe[z];
        sums.probeSquare[z] += probe[z] * probe[z];
      }
      this.keep(s % BATCH);
      if (s % BATCH === BATCH - 1 || s === samples.count - 1) this.addBatch(sums, (s % BATCH) + 1);
      this.addDirichlet(sums.dirichlet);
    }
    for (let k = 0; k < count; k++) sums.mean[k] += halves[0].sum[k] + halves[1].sum[k];
    return halves.map(({ length, sum, squares }) => {
      const mean = sum.map((value) => value / length);
      return { mean, variance: squares.map((value, k) => Math.max(0, value / length - mean[k] ** 2)) };
    });
  }

  private keep(at: number): void {
    const { chi, probe, batch, batchProbe } = this;
    for (let k = 0; k < chi.length; k++) batch[k * BATCH + at] = chi[k];
    for (let z = 0; z < probe.length; z++) batchProbe[z * BATCH + at] = probe[z];
  }

  /** Products over the samples kept: they pass through memory once for all. */
  private addBatch({ cross, near }: GroupMoments, many: number): void {
    const { batch, batchProbe, chi, probe } = this;
    const { rows, columns } = this.pattern;
    const count = chi.length;
    for (let z = 0; z < probe.length; z++) {
      const of = z * BATCH;
      for (let k = 0; k < count; k++) {
        let sum = 0;
        for (let s = 0, at = k * BATCH; s < many; s++) sum += batchProbe[of + s] * batch[at + s];
        cross[z * count + k] += sum;
      }
    }
    if (!this.keepsNear) return;
    for (let k = 0; k < count; k++) {
      const of = k * BATCH;
      for (let e = rows[k]; e < rows[k + 1]; e++) {
        let sum = 0;
        for (let s = 0, at = columns[e] * BATCH; s < many; s++) sum += batch[of + s] * batch[at + s];
        near[e] += sum;
      }
    }
  }

  private addDirichlet(dirichlet: Float64Array): void {
    const { places } = this.pattern;
    const { weight } = this.view;
    this.view.visit((part, length, positions, difference, scale) => {
      const place = places[part];
      const factor = weight * scale;
      for (let i = 0; i < length; i++) {
        const own = factor * difference[i];
        const row = (positions[i] * (positions[i] + 1)) / 2;
        for (let j = 0; j <= i; j++) dirichlet[place[row + positions[j]]] += own * difference[j];
      }
    });
  }
}

/** Moments pooled over independent groups: covariances instead of products, the Dirichlet matrix as it is. */
export interface PooledMoments {
  /** `Var F_z`. */
  readonly variance: Float64Array;
  /** `Cov(F_z, chi_k)`, a row per probe. */
  readonly covariance: Float64Array;
  readonly dirichlet: Float64Array;
  /** `Cov(chi_k, chi_l)` on the pattern, an observable among the two; empty where it is not kept. */
  readonly near: Float64Array;
}

/**
 * Over independent groups in equilibrium all are unbiased, however correlated a chain's own samples are: the product of two means is the average over pairs of *different* groups. At least two groups.
 */
export function pooled(groups: readonly GroupMoments[], pattern: CliquePattern, observables: number): PooledMoments {
  const m = groups.length;
  const { mean, probeMean } = groups[0];
  const average = (of: (group: GroupMoments) => Float64Array) => {
    const out = new Float64Array(of(groups[0]).length);
    for (const group of groups) {
      const values = of(group);
      for (let k = 0; k < out.length; k++) out[k] += values[k] / m;
    }
    return out;
  };
  const variance = average((group) => group.probeSquare);
  const covariance = average((group) => group.cross);
  const near = average((group) => group.near);
  const pairs = m * (m - 1);
  const count = mean.length;
  const total = average((group) => group.mean).map((value) => value * m);
  const probeTotal = average((group) => group.probeMean).map((value) => value * m);
  for (let z = 0; z < probeMean.length; z++) {
    const row = z * count;
    let own = probeTotal[z] * probeTotal[z];
    for (const group of groups) own -= group.probeMean[z] ** 2;
    variance[z] -= own / pairs;
    for (let k = 0; k < count; k++) {
      let product = probeTotal[z] * total[k];
      for (const group of groups) product -= group.probeMean[z] * group.mean[k];
      covariance[row + k] -= product / pairs;
    }
  }
  if (near.length > 0) {
    for (let k = 0; k < count; k++) {
      for (let e = pattern.rows[k]; e < pattern.rows[k + 1]; e++) {
        const l = pattern.columns[e];
        if (l >= observables) continue;
        let product = total[k] * total[l];
        for (const group of groups) product -= group.mean[k] * group.mean[l];
        near[e] -= product / pairs;
      }
    }
  }
  return { variance, covariance, dirichlet: average((group) => group.dirichlet), near };
}
