import type { LayerTable, LayerView } from '../../kernel/rbm-layers.js';
import type { Boltzmann } from '../../model/boltzmann.js';
import { modelCovariance } from './factored-signal.js';

/** The total correlation of a law on a table of all states (2.8). */
export interface TableCorrelation {
  /** In nats. */
  readonly value: number;
  /** `r = log pi - log q` per state, `q` the product of the marginals: `d value = sum_s pi(s) r(s) d log pi(s)`. Zero where `pi(s)` underflows. */
  readonly ratio: Float64Array;
}

/** `TC = sum_s pi r` (2.8) in `2^N N` work, as the sum of `pi r - pi + q`, none of which is negative. */
export function tableCorrelation(law: Boltzmann): TableCorrelation {
  const { pi, logPi, space } = law;
  const { states, bits, folded } = space;
  const ratio = new Float64Array(states);
  // Folded: a state is a pair, and of a law that is even all marginals are one half.
  const logOf = folded ? [] : Array.from({ length: bits }, (_, i) => logMarginal(pi, i));
  const flat = -bits * Math.LN2;
  let value = 0;
  for (let s = 0; s < states; s++) {
    let logQ = folded ? flat : 0;
    for (let i = 0; i < logOf.length; i++) logQ += logOf[i][(s >> i) & 1];
    if (pi[s] > 0) ratio[s] = logPi[s] - logQ;
    value += divergenceTerm(pi[s], ratio[s], logQ);
  }
  return { value, ratio };
}

/** The total correlation of an RBM (2.8). */
export interface FactoredCorrelation {
  /** In nats. */
  readonly value: number;
  /** Its derivative in theta. */
  gradient(): Float64Array;
}

/**
 * (2.8) over an RBM's visible states: `KL(pi(v) || prod_i q_i) + E_v sum_j KL(pi(h_j | v) || q_j)`. Since `log pi - log q` is a sum of observables with coefficients
 * `c = -beta theta + atanh E x_i` (the second at biases only), its derivative is `-beta Cov(f, sum_b c_b f_b)`.
 */
export function factoredCorrelation(
  view: LayerView,
  visible: LayerTable,
  theta: Float64Array,
  beta: number,
): FactoredCorrelation {
  const { size, otherSize, states, p, logP, below, above } = visible;
  const biased = view.bias(0) >= 0;
  const even = [-Math.LN2, -Math.LN2];
  const visibleLog = Array.from({ length: size }, (_, i) => (biased ? logMarginal(p, i) : even));
  const hiddenLog = Array.from({ length: otherSize }, (_, j) => {
    let [down, up] = [0, 0];
    for (let v = 0; v < states; v++) {
      down += (p[v] * below[v * otherSize + j]) / 2;
      up += (p[v] * above[v * otherSize + j]) / 2;
    }
    return biased ? [Math.log(down), Math.log(up)] : even;
  });
  let value = 0;
  for (let v = 0; v < states; v++) {
    let logQ = 0;
    for (let i = 0; i < size; i++) logQ += visibleLog[i][(v >> i) & 1];
    value += divergenceTerm(p[v], logP[v] - logQ, logQ);
    if (p[v] === 0) continue;
    for (let j = 0; j < otherSize; j++) {
      for (const [side, mass] of [below[v * otherSize + j] / 2, above[v * otherSize + j] / 2].entries()) {
        value += p[v] * divergenceTerm(mass, Math.log(mass) - hiddenLog[j][side], hiddenLog[j][side]);
      }
    }
  }
  return {
    value,
    gradient() {
      const coefficients = theta.map((x) => -beta * x);
      if (biased) {
        visibleLog.forEach((log, i) => {
          coefficients[view.bias(i)] += halfLogOdds(log);
        });
        hiddenLog.forEach((log, j) => {
          coefficients[view.otherBias(j)] += halfLogOdds(log);
        });
      }
      return modelCovariance(view, visible, coefficients).map((x) => -beta * x);
    },
  };
}

/** `log P(x_i = -1)` and `log P(x_i = +1)` by sums of positive terms. */
function logMarginal(p: Float64Array, i: number): number[] {
  const mass = [0, 0];
  for (let s = 0; s < p.length; s++) mass[(s >> i) & 1] += p[s];
  return mass.map(Math.log);
}

/** `atanh E x`; 0 for a spin that double precision sees on one side only, whose fluctuations are 0 as well. */
function halfLogOdds([down, up]: readonly number[]): number {
  const value = (up - down) / 2;
  return Number.isFinite(value) ? value : 0;
}

/** `p log(p/q) - p + q >= 0`, with `r = log(p/q)`: these sum to a divergence, since both laws sum to 1. */
function divergenceTerm(p: number, r: number, logQ: number): number {
  if (p === 0) return Math.exp(logQ);
  return Math.abs(r) < 0.5 ? p * (r + Math.expm1(-r)) : p * r - p + Math.exp(logQ);
}
