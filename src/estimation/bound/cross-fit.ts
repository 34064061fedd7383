import { boundOf, type Fit, fitWithRidge, sum } from './fit.js';
import { type ChainMoments, pooled } from './moments.js';

/** The bound (6.1) on one set of features, in kernel steps. */
export interface CrossFit {
  readonly timescale: number;
  /** Of `timescale`, by the jackknife over the chains that it was valued on. */
  readonly standardError: number;
  /** Per observable, in theta order. */
  readonly perObservable: Float64Array;
  /** Fitted on one half of the chains, to be used on the other; both ways. */
  readonly folds: readonly {
    readonly fit: Fit;
    readonly valuedOn: readonly number[];
    readonly leftOut: Float64Array;
  }[];
}

/** Fitting a half needs two parts, and each part two chains. */
export const LEAST_CHAINS = 8;

/**
 * The bound from trial solutions fitted on one half of the chains and valued on the other, both ways, averaged: an expectation of at most `T` as long as the chains are in equilibrium. Even
 * and odd chains are the halves. The jackknife leaves out one chain of the valued half at a time and keeps the fit, which enters at second order only (it maximises the bound).
 */
export function crossFit(chains: readonly ChainMoments[], observables: number, size: number): CrossFit {
  const halves = [0, 1].map((h) => chains.flatMap((_, m) => (m % 2 === h ? [m] : [])));
  const of = (list: readonly number[]) => pooled(list.map((m) => chains[m]));
  const folds = halves.map((valuedOn, h) => {
    const fitted = halves[1 - h];
    const parts = [0, 1].map((part) => of(fitted.filter((_, k) => k % 2 === part)));
    const fit = fitWithRidge(of(fitted), [parts[0], parts[1]], observables, size);
    const values = boundOf(of(valuedOn), fit);
    return {
      fit,
      valuedOn,
      values,
      leftOut: leaveOneOut(
        valuedOn.map((m) => chains[m]),
        fit,
      ),
    };
  });
  const variance = folds.reduce((total, { leftOut }) => total + jackknifeVariance(leftOut), 0);
  return {
    timescale: folds.reduce((total, { values }) => total + sum(values), 0) / folds.length,
    standardError: Math.sqrt(variance) / folds.length,
    perObservable: folds[0].values.map((value, a) => (value + folds[1].values[a]) / 2),
    folds,
  };
}

/** `(n - 1)/n sum_m (v_m - mean)^2` of values that leave out one of `n` each. */
export function jackknifeVariance(leftOut: ArrayLike<number>): number {
  const n = leftOut.length;
  const mean = sum(leftOut) / n;
  return (Array.from(leftOut).reduce((total, value) => total + (value - mean) ** 2, 0) * (n - 1)) / n;
}

/** The summed bound without one chain at a time: what is linear in a chain, and products of means over pairs of chains. */
function leaveOneOut(chains: readonly ChainMoments[], { alpha, size, observables }: Fit): Float64Array {
  const n = chains.length;
  const count = chains[0].mean.length;
  const weights = new Float64Array(size * size);
  for (let a = 0; a < observables; a++) {
    for (let k = 0; k < size; k++) {
      const own = alpha[a * size + k];
      if (own === 0) continue;
      for (let l = 0; l < size; l++) weights[k * size + l] += own * alpha[a * size + l];
    }
  }
  const linear = chains.map(({ square, dirichlet }) => {
    let value = 0;
    for (let a = 0; a < observables; a++) {
      value -= square[a * count + a] / 2;
      for (let k = 0; k < size; k++) value += 2 * alpha[a * size + k] * square[a * count + k];
    }
    for (let k = 0; k < size; k++) {
      for (let l = 0; l < size; l++) value -= weights[k * size + l] * dirichlet[k * count + l];
    }
    return value;
  });
  const trial = chains.map(({ mean }) =>
    Float64Array.from({ length: observables }, (_, a) => {
      let psi = -mean[a] / 2;
      for (let k = 0; k < size; k++) psi += 2 * alpha[a * size + k] * mean[k];
      return psi;
    }),
  );
  const pair = (m: number, other: number) => {
    let value = 0;
    for (let a = 0; a < observables; a++) value += chains[m].mean[a] * trial[other][a];
    return value;
  };
  const across = chains.map((_, m) => sum(chains.map((__, o) => (o === m ? 0 : pair(m, o) + pair(o, m)))));
  const allPairs = sum(across) / 2;
  const allLinear = sum(linear);
  return Float64Array.from(
    { length: n },
    (_, m) => (allLinear - linear[m]) / (n - 1) - (allPairs - across[m]) / ((n - 1) * (n - 2)),
  );
}
