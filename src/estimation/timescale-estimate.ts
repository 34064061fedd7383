import { InputError } from '../errors.js';
import { type Agreement, average, type ChainMeans, chainAgreement, chainMeans } from './agreement.js';
import { relativeErrorOfTime, sokalWindow, varianceOfMean, windowedSum } from './autocorrelation.js';
import { lagProducts, spectrumSize } from './autocovariance.js';

/** Chains are gathered in at most this many groups of nearly equal size, over which the error of `T` is taken. */
export const MAX_GROUPS = 20;

/** The window is doubled as long as that changes `T` by more than this many standard errors of the change. */
const TAIL_SIGMAS = 3;

/** The integrated time of an observable as independent chains show it. */
export type IntegratedTime =
  /** The observable never changed: nothing is known of its time. */
  | {
      /** Every value of every chain is the same. */
      readonly status: 'constant';
      /** That value. */
      readonly mean: number;
    }
  /** `no window`: the chains are too short for this observable, and its time is that of the lags up to half a chain. */
  | {
      /** Whether the lags up to half a chain hold a window. */
      readonly status: 'windowed' | 'no window';
      /** Of all steps of all chains. */
      readonly mean: number;
      /** About that mean, corrected to first order for the mean being an estimate. */
      readonly variance: number;
      /** `tau_int = 1 + 2 sum_t rho(t)` (2.7) in steps; half of it is `tau`. */
      readonly tauInt: number;
      /** Of `tauInt`, in steps (Madras and Sokal 1988). */
      readonly standardError: number;
      /** Null for a single chain. */
      readonly agreement: Agreement | null;
    };

/** What chains of one length say of timescales. */
export interface TimescaleEstimate {
  /** `T = sum_a Var_a tau_a` (3.1) in steps, over the observables that changed at all. */
  readonly T: number;
  /** Of `T`, from groups of chains (a jackknife: given the window, `T` is a mean over chains); null for a single chain. */
  readonly standardError: number | null;
  /** The lag up to which correlations are summed: the longest of the observables' own windows or more, or half a chain where one of them has none. */
  readonly lagWindow: number;
  /** The largest integrated time `tau_int` and its observable; null where no observable changed. */
  readonly slowestObservable: {
    /** Its position in `observables`. */
    readonly parameter: number;
    /** `tau_int` (2.7) in steps. */
    readonly integratedTime: number;
  } | null;
  /** Of each observable; for a model's (2.2) in theta order. */
  readonly observables: readonly IntegratedTime[];
}

/** An observable before the window is known. */
interface Correlations {
  readonly means: ChainMeans;
  /** Null where it never changed. */
  readonly covariance: Float64Array | null;
}

/**
 * `T` and the integrated times of `count` observables from the first `steps` steps of their series, which are asked for one observable at a time.
 *
 * Autocovariances are pooled over chains about the pooled mean, each lag divided by its number of pairs, and corrected to first order for that mean being
 * an estimate (Wolff 2004). Every observable has a window of its own by Sokal's rule, but all are summed up to the longest of them: an observable that moves
 * fast and feels a slow mode a little has a window that leaves out this mode, and an error bar that does not say so. Where none of them is longer, the sum of all observables may show it: the window is doubled while that
 * changes `T` by more than chance explains, and there is none where half a chain ends before that does.
 */
export function estimateTimescale(
  count: number,
  series: (a: number) => readonly ArrayLike<number>[],
  steps: number,
): TimescaleEstimate {
  const longest = Math.floor(steps / 2);
  const size = spectrumSize(steps, longest);
  const products = lagProducts(steps, longest);
  const chains = series(0).length;
  const groups = Math.min(MAX_GROUPS, chains);
  const groupPower = Array.from({ length: groups }, () => new Float64Array(size));
  const covarianceOf = (power: Float64Array) =>
    products.fromPower(power).map((sum, t) => sum / (Math.max(1, steps - t) * chains));

  const correlations = Array.from({ length: count }, (_, a): Correlations => {
    const list = series(a);
    const means = chainMeans(list, steps);
    if (isConstant(list, steps)) return { means, covariance: null };
    const mean = average(means.whole);
    const total = new Float64Array(size);
    const power = new Float64Array(size);
    groupPower.forEach((sum, g) => {
      const group = list.filter((_, m) => m % groups === g);
      products.addPower(group, mean, power.fill(0));
      for (let k = 0; k < size; k++) {
        sum[k] += power[k];
        total[k] += power[k];
      }
    });
    return { means, covariance: covarianceOf(total) };
  });

  const groupCovariances = groupPower.map(covarianceOf);
  const shares = groupCovariances.map((_, g) => Math.ceil((chains - g) / groups) / chains);
  const windows = correlations.map(({ covariance }) => (covariance === null ? 0 : sokalWindow(covariance)));
  const common = windows.reduce<number>((top, own) => Math.max(top, own ?? longest), 0);
  const relativeErrorAt = (lags: number) => relativeErrorOfTime(lags, chains * (steps - lags / 2));
  const together = commonWindow(
    groupCovariances,
    shares,
    common,
    longest,
    (lags) => relativeErrorAt(lags) / Math.sqrt(count),
  );
  const window = together ?? longest;
  const samples = Math.max(1, chains * steps);
  const relativeError = relativeErrorAt(window);
  const meanCorrection = 1 + (2 * window) / samples;

  let T = 0;
  let slowest: TimescaleEstimate['slowestObservable'] = null;
  const observables = correlations.map(({ means, covariance }, parameter): IntegratedTime => {
    const mean = average(means.whole);
    if (covariance === null) return { status: 'constant', mean };
    const sum = windowedSum(covariance, window);
    const shift = Math.max(0, sum) / samples;
    const variance = covariance[0] + shift;
    const tauInt = (sum * meanCorrection) / variance;
    T += (variance * tauInt) / 2;
    if (slowest === null || tauInt > slowest.integratedTime) slowest = { parameter, integratedTime: tauInt };
    const predicted = varianceOfMean(
      covariance.map((value) => value + shift),
      window,
      steps,
    );
    return {
      status: together === null || windows[parameter] === null ? 'no window' : 'windowed',
      mean,
      variance,
      tauInt,
      standardError: Math.abs(tauInt) * relativeError,
      agreement: chainAgreement(means, predicted, relativeError),
    };
  });
  const parts = groupCovariances.map((covariance) => (windowedSum(covariance, window) * meanCorrection) / 2);
  return { T, standardError: errorOfSum(parts, shares), lagWindow: window, slowestObservable: slowest, observables };
}

/** The integrated time (2.7) of one observable from its values at every step of independent chains. Throws {@link InputError} where there are no chains, or they are empty or of different lengths, or hold what is no number. */
export function integratedTime(chains: readonly ArrayLike<number>[]): IntegratedTime {
  const steps = chains[0]?.length ?? 0;
  // The squares of larger numbers overflow, or those of smaller ones vanish.
  const usable = (x: number) => x === 0 || (Math.abs(x) < 1e120 && Math.abs(x) > 1e-120);
  const bad = chains.findIndex((chain) => chain.length !== steps || !Array.from(chain).every(usable));
  if (steps > 0 && bad < 0) return estimateTimescale(1, () => chains, steps).observables[0];
  throw new InputError({
    field: steps === 0 ? 'chains' : `chains[${bad}]`,
    expected:
      steps === 0 ? 'at least one chain of at least one step' : `${steps} numbers of a size from 1e-120 to 1e120`,
    got: steps === 0 ? 'nothing' : `${chains[bad].length} values`,
    remedy: 'give independent chains of one length',
  });
}

function isConstant(chains: readonly ArrayLike<number>[], steps: number): boolean {
  const first = chains[0][0];
  return chains.every((chain) => {
    for (let s = 0; s < steps; s++) if (chain[s] !== first) return false;
    return true;
  });
}

/**
 * The window, doubled while that changes the sum over observables more than chance explains; null where half a chain ends before that does. The error of a
 * change is that over groups of chains, but no less than `leastError` relative to the sum, its size for independent observables: few groups may agree by chance.
 */
function commonWindow(
  groupCovariances: readonly Float64Array[],
  shares: readonly number[],
  common: number,
  longest: number,
  leastError: (window: number) => number,
): number | null {
  const total = (parts: readonly number[]) => Math.abs(parts.reduce((sum, part) => sum + part, 0));
  let window = common;
  while (0 < window && 2 * window <= longest) {
    const before = groupCovariances.map((covariance) => windowedSum(covariance, window));
    const added = groupCovariances.map((covariance, g) => windowedSum(covariance, 2 * window) - before[g]);
    const error = Math.max(errorOfSum(added, shares) ?? 0, leastError(window) * total(before));
    if (total(added) <= TAIL_SIGMAS * error) return window;
    window *= 2;
  }
  return window === common ? common : null;
}

/** Standard error of a sum from its parts by groups of chains, each with its share of the chains. */
function errorOfSum(parts: readonly number[], shares: readonly number[]): number | null {
  if (parts.length < 2) return null;
  const total = parts.reduce((sum, part) => sum + part, 0);
  const squares = parts.reduce((sum, part, g) => sum + (part - shares[g] * total) ** 2, 0);
  return Math.sqrt((squares * parts.length) / (parts.length - 1));
}
