import { type Boltzmann, linearCombination, observableSums } from '../../model/boltzmann.js';
import { type DataLaw, negativeEntropy, patternIndices } from '../../model/data-law.js';
import { foldPattern, parity, type StateSpace } from '../../model/state-space.js';

/** The data law on a state space's visible indices, and what does not depend on the parameters. */
export interface FoldedData {
  readonly indices: Int32Array;
  readonly probabilities: Float64Array;
  readonly negativeEntropy: number;
}

export function foldData(space: StateSpace, data: DataLaw): FoldedData {
  return {
    indices: Int32Array.from(patternIndices(data), (pattern) => foldPattern(pattern, data.spins, space.folded)),
    probabilities: data.probabilities,
    negativeEntropy: negativeEntropy(data),
  };
}

export interface TableSignal {
  /** `g = E_data f - E_pi f` (2.3). */
  readonly g: Float64Array;
  /** `KL(data || model)` in nats. */
  readonly kl: number;
  /** The joint law of data and posterior, `d(v) pi(h | v)`, on the states. */
  readonly joint: Float64Array;
  /** Derivative of `|g|^2` (D5). */
  signalGradient(): Float64Array;
}

/** The gradient of the likelihood, the divergence, and the derivative of the signal, on a table of all states. */
export function tableSignal(law: Boltzmann, data: FoldedData): TableSignal {
  const { space, logPi, pi, beta } = law;
  const logVisible = visibleLogProbabilities(law);
  const dataOf = new Float64Array(space.visibleStates);
  let cross = 0;
  data.indices.forEach((v, k) => {
    dataOf[v] += data.probabilities[k];
    // A folded index stands for two patterns of equal probability.
    cross += data.probabilities[k] * (logVisible[v] - (space.folded ? Math.LN2 : 0));
  });
  const joint = new Float64Array(space.states);
  for (let s = 0; s < space.states; s++) {
    const v = space.visibleOf[s];
    if (dataOf[v] > 0) joint[s] = dataOf[v] * Math.exp(logPi[s] - logVisible[v]);
  }
  const g = observableSums(
    space,
    joint.map((rho, s) => rho - pi[s]),
  );
  return {
    g,
    joint,
    // Rounding can leave a divergence of zero at -1e-16.
    kl: Math.max(0, data.negativeEntropy - cross),
    signalGradient() {
      // d|g|^2 / d theta = 2 beta [Cov_pi(f, G) - E_data Cov_posterior(f, G)] with G = sum_a g_a f_a.
      const big = linearCombination(space, g);
      const posteriorMean = new Float64Array(space.visibleStates);
      let mean = 0;
      for (let s = 0; s < space.states; s++) {
        mean += pi[s] * big[s];
        const v = space.visibleOf[s];
        if (dataOf[v] > 0) posteriorMean[v] += (joint[s] / dataOf[v]) * big[s];
      }
      for (let s = 0; s < space.states; s++) {
        big[s] = 2 * beta * (pi[s] * (big[s] - mean) - joint[s] * (big[s] - posteriorMean[space.visibleOf[s]]));
      }
      return observableSums(space, big);
    },
  };
}

/**
 * `sum_a E_data Var(f_a | v)` under the posterior `pi(h | v)`. An observable is +1 or -1, so its variance is four times the product of the two
 * probabilities, each a sum of positive terms: nothing cancels where the posterior is nearly certain. `states * parameters` work.
 */
export function posteriorVariance(law: Boltzmann, data: FoldedData): number {
  const { space, logPi } = law;
  const logVisible = visibleLogProbabilities(law);
  const posterior = logPi.map((value, s) => Math.exp(value - logVisible[space.visibleOf[s]]));
  const even = new Float64Array(space.visibleStates);
  const odd = new Float64Array(space.visibleStates);
  let total = 0;
  for (const mask of space.masks) {
    even.fill(0);
    odd.fill(0);
    for (let s = 0; s < space.states; s++) (parity(mask & s) > 0 ? even : odd)[space.visibleOf[s]] += posterior[s];
    data.indices.forEach((v, k) => {
      total += 4 * data.probabilities[k] * even[v] * odd[v];
    });
  }
  return total;
}

/** `log pi(v)` for every visible index, by sums relative to the largest term. */
export function visibleLogProbabilities(law: Boltzmann): Float64Array {
  const { space, logPi } = law;
  const top = new Float64Array(space.visibleStates).fill(Number.NEGATIVE_INFINITY);
  for (let s = 0; s < space.states; s++) top[space.visibleOf[s]] = Math.max(top[space.visibleOf[s]], logPi[s]);
  const sums = new Float64Array(space.visibleStates);
  for (let s = 0; s < space.states; s++) sums[space.visibleOf[s]] += Math.exp(logPi[s] - top[space.visibleOf[s]]);
  return sums.map((sum, v) => top[v] + Math.log(sum));
}
