import { randomSource } from '../random.js';
import { type PackedSamples, readSample } from '../samples/packed-samples.js';
import { type CrossFit, movedTrials } from './cross-fit.js';
import type { LocalView } from './local.js';
import type { GroupMoments } from './moments.js';
import { type BoundProblem, sum } from './trial.js';

/** Derivatives in theta order. */
export interface SampledDerivative {
  /** One component per parameter. */
  readonly value: Float64Array;
  /** By the jackknife over groups, with what the fit of the other half brings; null where errors were not asked for. */
  readonly standardError: Float64Array | null;
}

/** Of the bound on `T`, of `sum_a Var f_a`, and `beta Cov(sum_a g_a f_a, f_b)`, the model's part of half the signal's. */
export interface SampledDerivatives {
  readonly timescale: SampledDerivative;
  readonly variance: SampledDerivative;
  readonly signal: SampledDerivative;
  /** The `g` that the data's part of the signal's derivative is to be taken along: `E_data f` less the mean over all groups. */
  readonly signalDirection: Float64Array;
}

/** What the derivatives are computed from. */
export interface DerivativeInput extends BoundProblem {
  readonly view: LocalView;
  readonly beta: number;
  readonly groups: readonly (readonly PackedSamples[])[];
  readonly moments: readonly GroupMoments[];
  readonly fit: CrossFit;
  /** `E_data f`. */
  readonly dataMeans: Float64Array;
  /** Whether standard errors are computed, at four times the work. */
  readonly errors: boolean;
}

/** Random moves of each half's fit, for its share of the error. */
const MOVES = 3;
const QUANTITIES = ['timescale', 'variance', 'signal'] as const;

/**
 * D8 with fixed features: `dT/dtheta_b = -beta Cov(f_b, Q)` with `Q = sum_a { 2 fc_a psi_a - sum_c w_c (psi_a - P_c psi_a)^2 - fc_a^2 / 2 }` at each sample, trial solutions and means from the other half. By the envelope
 * theorem the trial solutions need no derivative. Likewise `d sum_a Var f_a / dtheta_b = -beta Cov(f_b, sum_a fc_a^2)`. One more pass over the samples.
 *
 * Unlike the value, a derivative moves at first order with the fit: its share of the variance is measured along random moves, as a ratio to the jackknife's own that is common to all components.
 */
export function sampledDerivatives(input: DerivativeInput): SampledDerivatives {
  const { fit, groups, moments, observables, beta, errors } = input;
  const random = randomSource(1);
  const parts = fit.folds.map((fold, h) => {
    const { trial, valuedOn } = fold;
    const seen = fit.folds[1 - h].valuedOn;
    const weights = Float64Array.from(moments, (_, m) => (seen.includes(m) ? 1 / seen.length : 0));
    const moved = errors ? movedTrials(input, moments, fold, MOVES, random) : [];
    const given = [{ alpha: trial.alpha, weights }, ...moved].map((one) => nuisance(input, one, trial.size));
    const products = valuedOn.map((m) => groupProducts(input, groups[m], given));
    const means = valuedOn.map((m) => moments[m].mean.subarray(0, observables));
    // f_b = -chi_b, so the sign of the covariance with chi is turned.
    return QUANTITIES.map((name, q) => {
      const factor = name === 'signal' ? -beta : beta;
      const [own, ...others] = given.map((_, g) => covariances(products, means, 3 * g + q, factor));
      return { ...own, fitted: others.map(({ value }) => value.map((x, b) => (x - own.value[b]) ** 2 / MOVES)) };
    });
  });
  const [timescale, variance, signal] = QUANTITIES.map((_, q): SampledDerivative => {
    const [a, b] = parts.map((part) => part[q]);
    const value = a.value.map((x, k) => (x + b.value[k]) / 2);
    if (!errors) return { value, standardError: null };
    const own = sum(a.variance) + sum(b.variance);
    const fitted = sum([...a.fitted, ...b.fitted].map(sum));
    const factor = own > 0 ? 1 + fitted / own : 1;
    return { value, standardError: a.variance.map((x, k) => Math.sqrt(factor * (x + b.variance[k])) / 2) };
  });
  const signalDirection = input.dataMeans.map((value, a) => {
    let mean = 0;
    for (const group of moments) mean += group.mean[a] / moments.length;
    return value + mean;
  });
  return { timescale, variance, signal, signalDirection };
}

/** What the scalars of a sample take from the other half. */
interface Nuisance {
  /** Coefficients of the trial solutions, feature by feature. */
  readonly byFeature: Float64Array;
  readonly size: number;
  /** Means of the trial solutions, of the probes and of the observables' features. */
  readonly psi: Float64Array;
  readonly probe: Float64Array;
  readonly chi: Float64Array;
}

function nuisance(
  { moments, probes, view }: DerivativeInput,
  { alpha, weights }: { alpha: Float64Array; weights: Float64Array },
  size: number,
): Nuisance {
  const { count } = probes;
  const chi = new Float64Array(view.count);
  const probe = new Float64Array(count);
  moments.forEach((group, m) => {
    if (weights[m] === 0) return;
    for (let k = 0; k < chi.length; k++) chi[k] += weights[m] * group.mean[k];
    for (let z = 0; z < count; z++) probe[z] += weights[m] * group.probeMean[z];
  });
  const byFeature = transposed(alpha, count, size);
  const psi = new Float64Array(count);
  for (let k = 0; k < size; k++) for (let z = 0; z < count; z++) psi[z] += byFeature[k * count + z] * chi[k];
  return { byFeature, size, psi, probe, chi };
}

/** Averages over a group's samples of the scalars (`Q`, `sum_a fc_a^2` and `sum_a g_a f_a` for each nuisance) and of their products with each `chi_b`. */
interface Products {
  readonly scalar: Float64Array;
  readonly product: readonly Float64Array[];
}

function groupProducts(
  { view, probes, observables, dataMeans }: DerivativeInput,
  chains: readonly PackedSamples[],
  given: readonly Nuisance[],
): Products {
  const { chi } = view;
  const probe = new Float64Array(probes.count);
  const scalar = new Float64Array(3 * given.length);
  const product = Array.from(scalar, () => new Float64Array(observables));
  const dissipation = new Float64Array(given.length);
  const psi = new Float64Array(probes.count);
  let total = 0;
  for (const chain of chains) {
    const x = new Int8Array(chain.spins);
    for (let s = 0; s < chain.count; s++) {
      readSample(chain, s, x);
      view.load(x);
      probes.project(chi, probe);
      dissipations(view, given, psi, dissipation);
      given.forEach((one, g) => {
        trialValues(one, chi, psi);
        let q = -view.weight * dissipation[g];
        for (let z = 0; z < psi.length; z++) {
          const f = probe[z] - one.probe[z];
          q += f * (2 * psi[z] - f / 2);
        }
        let spread = 0;
        let signal = 0;
        for (let a = 0; a < observables; a++) {
          const centred = chi[a] - one.chi[a];
          spread += centred * centred;
          signal -= (dataMeans[a] + one.chi[a]) * chi[a];
        }
        accumulate(probes.weight * q, 3 * g);
        accumulate(spread, 3 * g + 1);
        accumulate(signal, 3 * g + 2);
      });
      total++;
    }
  }
  function accumulate(value: number, w: number) {
    scalar[w] += value;
    const row = product[w];
    for (let b = 0; b < observables; b++) row[b] += value * chi[b];
  }
  for (const values of [scalar, ...product]) for (let k = 0; k < values.length; k++) values[k] /= total;
  return { scalar, product };
}

/** `psi_z` at the features, centred. */
function trialValues({ byFeature, size, psi: mean }: Nuisance, chi: Float64Array, out: Float64Array): void {
  const count = out.length;
  for (let z = 0; z < count; z++) out[z] = -mean[z];
  for (let k = 0; k < size; k++) {
    const value = chi[k];
    if (value === 0) continue;
    const row = k * count;
    for (let z = 0; z < count; z++) out[z] += byFeature[row + z] * value;
  }
}

/** `sum_c sum_z (psi_z - P_c psi_z)^2` for each nuisance. */
function dissipations(view: LocalView, given: readonly Nuisance[], change: Float64Array, out: Float64Array): void {
  const count = change.length;
  out.fill(0);
  view.visit((part, length, positions, difference) => {
    const clique = view.cliques[part];
    for (let g = 0; g < given.length; g++) {
      const { byFeature, size } = given[g];
      change.fill(0);
      for (let i = 0; i < length; i++) {
        const k = clique[positions[i]];
        if (k >= size) continue;
        const row = k * count;
        const value = difference[i];
        for (let z = 0; z < count; z++) change[z] += byFeature[row + z] * value;
      }
      for (let z = 0; z < count; z++) out[g] += change[z] * change[z];
    }
  });
}

function transposed(alpha: Float64Array, count: number, size: number): Float64Array {
  const out = new Float64Array(size * count);
  for (let z = 0; z < count; z++) for (let k = 0; k < size; k++) out[k * count + z] = alpha[z * size + k];
  return out;
}

/** `factor Cov(chi_b, scalar)` over independent groups, products of means over pairs of different ones; and its variance by the jackknife. */
function covariances(
  groups: readonly Products[],
  means: readonly Float64Array[],
  which: number,
  factor: number,
): { value: Float64Array; variance: Float64Array } {
  const n = groups.length;
  const value = new Float64Array(means[0].length);
  const variance = new Float64Array(value.length);
  const scalarTotal = groups.reduce((total, { scalar }) => total + scalar[which], 0);
  for (let b = 0; b < value.length; b++) {
    let linear = 0;
    let chiTotal = 0;
    let own = 0;
    groups.forEach(({ scalar, product }, m) => {
      linear += product[which][b];
      chiTotal += means[m][b];
      own += scalar[which] * means[m][b];
    });
    const pairs = scalarTotal * chiTotal - own;
    value[b] = factor * (linear / n - pairs / (n * (n - 1)));
    let spread = 0;
    let centre = 0;
    const left = groups.map(({ scalar, product }, m) => {
      const s = scalar[which];
      const c = means[m][b];
      const rest = pairs - s * (chiTotal - c) - c * (scalarTotal - s);
      return (linear - product[which][b]) / (n - 1) - rest / ((n - 1) * (n - 2));
    });
    for (const one of left) centre += one / n;
    for (const one of left) spread += (one - centre) ** 2;
    variance[b] = (factor * factor * spread * (n - 1)) / n;
  }
  return { value, variance };
}
