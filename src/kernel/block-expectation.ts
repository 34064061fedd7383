import type { Boltzmann } from '../model/boltzmann.js';

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
 * `P_c f = E[f | spins outside block c]` on a table of states.
 *
 * A conditional expectation over a block is the product of its spins' expectations by the chain rule of probability,
 * `P_c = Q_1 Q_2 ... Q_k`, exact for blocks with and without inside edges; one product costs `k` passes over the states.
 * Flip probabilities are ratios of Boltzmann factors, so they stay accurate where `pi` underflows.
 */
export class BlockExpectation {
  private readonly sites: readonly Site[];

  /** `sector` -1 gives the operator on odd functions of the global flip; the space must then be folded. */
  constructor(law: Boltzmann, block: readonly number[], sector: 1 | -1 = 1) {
    this.sites = conditionalSites(law, block, sector);
  }

  /** `y = P_c x`; in place where `x` is `y`. `even` says that `x` is an even function whatever the sector. */
  apply(x: Float64Array, y: Float64Array, even = false): void {
    if (x !== y) y.set(x);
    for (let k = this.sites.length - 1; k >= 0; k--) {
      const { mask, pivot, flip } = this.sites[k];
      const sign = even ? 1 : this.sites[k].sign;
      for (let base = 0; base < y.length; base += 2 * pivot) {
        for (let s = base; s < base + pivot; s++) {
          const t = s ^ mask;
          // flip[s] + flip[t] = 1, and each is accurate, so neither is formed from the other.
          const mean = flip[t] * y[s] + flip[s] * sign * y[t];
          y[s] = mean;
          y[t] = sign * mean;
        }
      }
    }
  }

  /** `r = x - P_c x` by `I - Q_k ... Q_m = (I - Q_k) + Q_k (I - Q_{k+1} ... Q_m)`: sums of differences of `x` only (D9). */
  difference(x: Float64Array, r: Float64Array): void {
    r.fill(0);
    for (let k = this.sites.length - 1; k >= 0; k--) {
      const { mask, pivot, flip, sign } = this.sites[k];
      for (let base = 0; base < x.length; base += 2 * pivot) {
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

  /** `y += weight (x - P_c x)` for a block of one spin, in one pass; false for other blocks. */
  addSiteDifference(x: Float64Array, y: Float64Array, weight: number): boolean {
    if (this.sites.length !== 1) return false;
    const { mask, pivot, flip, sign } = this.sites[0];
    for (let base = 0; base < x.length; base += 2 * pivot) {
      for (let s = base; s < base + pivot; s++) {
        const t = s ^ mask;
        const d = weight * (x[s] - sign * x[t]);
        y[s] += flip[s] * d;
        y[t] -= sign * flip[t] * d;
      }
    }
    return true;
  }

  /** `mu = mu P_c` for a measure, in place. */
  propagate(mu: Float64Array): void {
    for (const { mask, pivot, flip, sign } of this.sites) {
      for (let base = 0; base < mu.length; base += 2 * pivot) {
        for (let s = base; s < base + pivot; s++) {
          const t = s ^ mask;
          const mass = mu[s] + sign * mu[t];
          mu[s] = flip[t] * mass;
          mu[t] = sign * flip[s] * mass;
        }
      }
    }
  }

  /**
   * Adds `weight` times the derivative of `P_c x` in a direction with `d log pi = l`, `sqrt(pi) x` held fixed: `l P_c x / 2 + P_c(l x) / 2 - (P_c l)(P_c x)`,
   * since `d log A_c(s, t) = (l_s + l_t)/2 - E_c[l]`. `work` holds three functions.
   */
  addDerivative(
    x: Float64Array,
    l: Float64Array,
    weight: number,
    y: Float64Array,
    work: readonly Float64Array[],
  ): void {
    const [px, plx, pl] = work;
    for (let s = 0; s < x.length; s++) plx[s] = l[s] * x[s];
    this.apply(plx, plx);
    this.apply(x, px);
    this.apply(l, pl, true);
    for (let s = 0; s < x.length; s++) y[s] += weight * ((0.5 * l[s] - pl[s]) * px[s] + 0.5 * plx[s]);
  }

  /**
   * Adds to `out` the density `weight Lbar / pi` of the derivative of `<v, P_c w>` (D1), `v b / 2 + w a / 2 - a b` with `a = P_c v`, `b = P_c w`, written
   * with the differences `dv = v - a`, `dw = w - b` as `(b dv + a dw) / 2`. `dv` and `dw` are overwritten and hold the differences afterwards.
   */
  addCotangent(
    v: Float64Array,
    w: Float64Array,
    dv: Float64Array,
    dw: Float64Array,
    weight: number,
    out: Float64Array,
  ): void {
    this.difference(v, dv);
    if (v === w) {
      for (let s = 0; s < v.length; s++) out[s] += weight * (v[s] - dv[s]) * dv[s];
      return;
    }
    this.difference(w, dw);
    for (let s = 0; s < v.length; s++) {
      out[s] += weight * 0.5 * ((v[s] - dv[s]) * dw[s] + (w[s] - dw[s]) * dv[s]);
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
