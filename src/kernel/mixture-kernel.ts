import type { Boltzmann } from '../model/boltzmann.js';
import type { Model } from '../model/model.js';
import type { KernelOperator } from './operator.js';

export const KERNEL_NAMES = ['random-scan', 'random-block'] as const;
export type KernelName = (typeof KERNEL_NAMES)[number];

/** The blocks that a kernel resamples; their number is also its steps per sweep (DESIGN section 2). */
export function kernelBlocks(model: Model, kernel: KernelName): readonly (readonly number[])[] {
  switch (kernel) {
    case 'random-scan':
      return Array.from({ length: model.spins }, (_, i) => [i]);
    case 'random-block':
      return model.blocks;
  }
  return kernel satisfies never;
}

/** One spin of a block: given the spins outside and the block's earlier spins, `flip[s]` is the probability that it changes. */
interface Site {
  /** XOR mask of the flip, and its highest bit, which pairs the states. */
  readonly mask: number;
  readonly pivot: number;
  readonly flip: Float64Array;
  /** What crossing the flip does to a function: 1, or -1 on the last spin of a folded space in the odd sector. */
  readonly sign: number;
}

/**
 * `P = sum_c P_c / C`, each `P_c f = E[f | spins outside block c]`: `random-scan` (blocks of one spin) and `random-block`.
 *
 * A conditional expectation over a block is the product of its spins' expectations by the chain rule of probability,
 * `P_c = Q_1 Q_2 ... Q_k`, exact for blocks with and without inside edges; one product costs `k` passes over the states.
 * Flip probabilities are ratios of Boltzmann factors, so they stay accurate where `pi` underflows.
 */
export class MixtureKernel implements KernelOperator {
  readonly states: number;
  readonly pi: Float64Array;
  private readonly blocks: readonly (readonly Site[])[];
  private readonly work: Float64Array;
  private readonly work2: Float64Array;

  /** `sector` -1 gives the operator on odd functions of the global flip; the space must then be folded. */
  constructor(law: Boltzmann, blocks: readonly (readonly number[])[], sector: 1 | -1 = 1) {
    this.states = law.space.states;
    this.pi = law.pi;
    this.blocks = blocks.map((block) => conditionalSites(law, block, sector));
    this.work = new Float64Array(this.states);
    this.work2 = new Float64Array(this.states);
  }

  apply(x: Float64Array, y: Float64Array, count = 1): void {
    const weight = 1 / this.blocks.length;
    y.fill(0, 0, count * this.states);
    for (let k = 0; k < count; k++) {
      const [xk, yk] = [this.column(x, k), this.column(y, k)];
      for (const sites of this.blocks) {
        this.expectation(sites, xk, this.work);
        for (let s = 0; s < this.states; s++) yk[s] += weight * this.work[s];
      }
    }
  }

  applyAdjoint(x: Float64Array, y: Float64Array, count = 1): void {
    this.apply(x, y, count);
  }

  propagate(mu: Float64Array, out: Float64Array): void {
    const weight = 1 / this.blocks.length;
    const nu = this.work;
    out.fill(0);
    for (const sites of this.blocks) {
      nu.set(mu);
      for (const { mask, pivot, flip, sign } of sites) {
        for (let base = 0; base < this.states; base += 2 * pivot) {
          for (let s = base; s < base + pivot; s++) {
            const t = s ^ mask;
            const mass = nu[s] + sign * nu[t];
            nu[s] = flip[t] * mass;
            nu[t] = sign * flip[s] * mass;
          }
        }
      }
      for (let s = 0; s < this.states; s++) out[s] += weight * nu[s];
    }
  }

  applyGenerator(x: Float64Array, y: Float64Array, count = 1): void {
    const weight = 1 / this.blocks.length;
    y.fill(0, 0, count * this.states);
    for (let k = 0; k < count; k++) {
      const [xk, yk] = [this.column(x, k), this.column(y, k)];
      for (const sites of this.blocks) {
        if (sites.length === 1) {
          addSiteGenerator(sites[0], xk, yk, weight);
        } else {
          this.blockGenerator(sites, xk, this.work);
          for (let s = 0; s < this.states; s++) yk[s] += weight * this.work[s];
        }
      }
    }
  }

  addCotangent(v: Float64Array, w: Float64Array, out: Float64Array): void {
    const weight = 1 / this.blocks.length;
    const [dv, dw] = [this.work, this.work2];
    for (const sites of this.blocks) {
      this.blockGenerator(sites, v, dv);
      if (v === w) {
        // pi u a - pi a^2 with a = u - D u, as (u - D u) D u: no cancellation deep in a plateau (D9).
        for (let s = 0; s < this.states; s++) out[s] += weight * (v[s] - dv[s]) * dv[s];
      } else {
        this.blockGenerator(sites, w, dw);
        // v b / 2 + w a / 2 - a b with a = v - dv, b = w - dw.
        for (let s = 0; s < this.states; s++) {
          out[s] += weight * (0.5 * ((v[s] - dv[s]) * dw[s] + (w[s] - dw[s]) * dv[s]));
        }
      }
    }
  }

  private column(x: Float64Array, k: number): Float64Array {
    return x.length === this.states ? x : x.subarray(k * this.states, (k + 1) * this.states);
  }

  /** `y = Q_1 ... Q_k x`. */
  private expectation(sites: readonly Site[], x: Float64Array, y: Float64Array): void {
    y.set(x);
    for (let k = sites.length - 1; k >= 0; k--) {
      const { mask, pivot, flip, sign } = sites[k];
      for (let base = 0; base < this.states; base += 2 * pivot) {
        for (let s = base; s < base + pivot; s++) {
          const t = s ^ mask;
          const ys = y[s];
          const yt = sign * y[t];
          // flip[s] + flip[t] = 1, and each is accurate, so neither is formed from the other.
          const mean = flip[t] * ys + flip[s] * yt;
          y[s] = mean;
          y[t] = sign * mean;
        }
      }
    }
  }

  /** `r = x - P_c x` by `I - Q_k ... Q_m = (I - Q_k) + Q_k (I - Q_{k+1} ... Q_m)`: sums of differences of `x` only. */
  private blockGenerator(sites: readonly Site[], x: Float64Array, r: Float64Array): void {
    r.fill(0);
    for (let k = sites.length - 1; k >= 0; k--) {
      const { mask, pivot, flip, sign } = sites[k];
      for (let base = 0; base < this.states; base += 2 * pivot) {
        for (let s = base; s < base + pivot; s++) {
          const t = s ^ mask;
          const d = x[s] - sign * x[t];
          const mean = flip[t] * r[s] + flip[s] * sign * r[t];
          r[s] = mean + flip[s] * d;
          r[t] = sign * (mean - flip[t] * d);
        }
      }
    }
  }
}

function addSiteGenerator(site: Site, x: Float64Array, y: Float64Array, weight: number): void {
  const { mask, pivot, flip, sign } = site;
  for (let base = 0; base < x.length; base += 2 * pivot) {
    for (let s = base; s < base + pivot; s++) {
      const t = s ^ mask;
      const d = weight * (x[s] - sign * x[t]);
      y[s] += flip[s] * d;
      y[t] -= sign * flip[t] * d;
    }
  }
}

function conditionalSites(law: Boltzmann, block: readonly number[], sector: 1 | -1): Site[] {
  const { space, beta } = law;
  const sites: Site[] = [];
  // Free energy (times beta) with the block's later spins summed out; for the last spin, the energy itself.
  const free = law.energies.map((energy) => beta * energy);
  for (let k = block.length - 1; k >= 0; k--) {
    const mask = space.flips[block[k]];
    if (mask === 0) continue; // the only spin of a folded one-spin space: flipping it changes nothing
    const pivot = 2 ** (31 - Math.clz32(mask));
    const flip = new Float64Array(space.states);
    for (let base = 0; base < space.states; base += 2 * pivot) {
      for (let s = base; s < base + pivot; s++) {
        const t = s ^ mask;
        const d = free[t] - free[s];
        flip[s] = 1 / (1 + Math.exp(d));
        flip[t] = 1 / (1 + Math.exp(-d));
        free[s] = free[t] = Math.min(free[s], free[t]) - Math.log1p(Math.exp(-Math.abs(d)));
      }
    }
    const last = space.folded && block[k] === space.bits;
    sites.unshift({ mask, pivot, flip, sign: last ? sector : 1 });
  }
  return sites;
}
