import type { KernelName } from '../kernel/kernels.js';
import type { DataLaw } from '../model/data-law.js';
import type { Model } from '../model/model.js';
import { MAX_DENSE_STATES } from '../spectrum/dense-kernel.js';
import { type GradientError, overChains, propagatedError, stationaryError } from './exact-snr.js';
import { hasLayeredError, layeredError } from './layered-error.js';
import type { Note } from './notes.js';
import type { Relaxation, Route } from './routes/route.js';
import type { TableRoute } from './routes/table-route.js';
import { type Start, startLaw } from './start.js';

/** `R` (2.5) of one parameter group. */
export interface GroupSnr {
  /** The group's part of the signal over its part of the error. */
  readonly R: number | null;
  /** The group's part of `|g|^2`. */
  readonly signal: number;
}

/** `R` and the error of the estimated gradient, exact, also by parameter group. */
export interface Operational {
  /** `|g|^2 / mse` (2.5). */
  readonly R: number | null;
  /** `E|ghat - g|^2` (3.4) of the mean over chains. */
  readonly mse: number;
  /** The squared bias in it. */
  readonly biasSquared: number;
  /** The same for `couplings` and for `biases`, as far as the model has them. */
  readonly groups: Readonly<Record<string, GroupSnr>>;
}

/**
 * What sampling the positive phase would add. `R` and `mse` take `E_data f` as exact; with hidden spins, hardware samples the posterior for it. Were
 * every gradient estimate to draw as many independent posterior samples as it has chains, `M`, each for a pattern drawn from the data, the posterior would add
 * `variance = sum_a E_data Var(f_a | v) / M` to the squared error, a share `variance / (mse + variance)` of the sum. (Drawing the patterns rather than
 * averaging over all of them adds the variance of a mini-batch besides, which is not counted.) Zero without hidden spins.
 */
export interface PositivePhase {
  /** `sum_a E_data Var(f_a | v) / M`, in the units of `mse`. */
  readonly variance: number;
  /** `variance / (mse + variance)`, between 0 and 1; null where `mse` is not known. */
  readonly share: number | null;
}

/** {@link PositivePhase} from `sum_a E_data Var(f_a | v)`, and the error of the negative phase over the same chains where that is known. */
export function positivePhase(
  posterior: number,
  chains: number,
  operational: Operational | null,
  notes: Note[],
): PositivePhase {
  const variance = posterior / chains;
  if (variance === 0) return { variance, share: 0 };
  if (operational === null)
    notes.push({ path: 'positivePhase.share', reason: 'the error of the gradient is not known' });
  return { variance, share: operational && variance / (operational.mse + variance) };
}

/** The estimator in kernel steps. */
export interface Estimator {
  readonly start: Start;
  readonly burnIn: number;
  readonly window: number;
}

/**
 * The exact error of one chain, or null with a note: from the spectral measure for a start in equilibrium where its gaps are resolved,
 * else by propagation of the law, on the table where there is one, or on an RBM's layers.
 */
export function operationalError(
  model: Model,
  data: DataLaw,
  kernel: KernelName,
  { start, burnIn, window }: Estimator,
  relaxation: Relaxation,
  resolved: boolean,
  route: Route,
  table: TableRoute | null,
  notes: Note[],
): GradientError | null {
  const { measure, groups } = relaxation;
  if (start === 'stationary' && measure !== null && (resolved || groups === null)) {
    return stationaryError(measure, window);
  }
  if (table === null && hasLayeredError(model, kernel)) return layeredError(model, data, start, burnIn, window);
  if (table === null) {
    const remedy = start === 'stationary' ? '' : '; use --start stationary';
    notes.push({
      path: 'operational',
      reason: `R from start ${start} is computed up to ${MAX_DENSE_STATES} states on the ${route.name} route${remedy}`,
    });
    return null;
  }
  const { law, kernel: operator } = table.at(model.theta);
  const mu = startLaw(model, data, law, start);
  return propagatedError(
    law,
    operator,
    model.edges.length,
    mu,
    burnIn,
    window,
    groups && (() => table.modes(model.theta)),
  );
}

/** Turns the error of one chain into `R` of the mean over chains. `signal` is `|g|^2` as the predictors have it, zero where it is rounding, so that their ratio to `R` is one of errors alone. */
export function operationalReport(
  route: Route,
  theta: Float64Array,
  couplings: number,
  error: GradientError,
  chains: number,
  signal: number,
  notes: Note[],
): Operational {
  const { data, model } = route.moments(theta);
  const signals = { couplings: 0, biases: 0 };
  data.forEach((value, a) => {
    if (signal > 0) signals[a < couplings ? 'couplings' : 'biases'] += (value - model[a]) ** 2;
  });
  const parts = { couplings: overChains(error.couplings, chains), biases: overChains(error.biases, chains) };
  const ratio = (path: string, numerator: number, mse: number) => {
    if (mse > 0 && Number.isFinite(numerator / mse)) return numerator / mse;
    notes.push({ path, reason: 'the error is zero in double precision' });
    return null;
  };
  const names = (['couplings', 'biases'] as const).filter((name) =>
    name === 'couplings' ? couplings > 0 : theta.length > couplings,
  );
  const mse = parts.couplings.mse + parts.biases.mse;
  return {
    R: ratio('operational.R', signal, mse),
    mse,
    biasSquared: parts.couplings.biasSquared + parts.biases.biasSquared,
    groups: Object.fromEntries(
      names.map((name) => [
        name,
        { R: ratio(`operational.groups.${name}.R`, signals[name], parts[name].mse), signal: signals[name] },
      ]),
    ),
  };
}
