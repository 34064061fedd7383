import { propagatedError, stationaryError } from '../src/trainability/exact-snr.js';
import { isingsOf, reversibleKernels } from './arbitraries.js';
import { fc } from './fast-check.js';
import { type Obligation, prose, provenProperty, ratio } from './obligation.js';
import { inner, problemsWith, type Solved, solve } from './system.js';
import { lawError } from './tolerance.js';

/** `mse` as (D10) has it: `(2/K) (T - (1/K) sum_j mu_j s_j (1 - s_j^K) / (1 - s_j)^2)`, with the size of its terms. */
function sumOverModes({ levels }: Solved, window: number): { readonly mse: number; readonly size: number } {
  let timescale = 0;
  let deficit = 0;
  for (const { gap, weight } of levels) {
    const s = 1 - gap;
    timescale += weight * (1 / gap - 0.5);
    deficit += (weight * s * (1 - s ** window)) / gap ** 2;
  }
  return {
    mse: (2 / window) * (timescale - deficit / window),
    size: (2 / window) * (Math.abs(timescale) + Math.abs(deficit) / window),
  };
}

const total = ({ couplings, biases }: ReturnType<typeof stationaryError>) => couplings.mse + biases.mse;

const propagation = provenProperty(
  'propagation',
  'the sum over modes, as (D10) writes it and as the library computes it, is the variance by propagation of the law from equilibrium',
  fc.record({ problem: problemsWith(reversibleKernels), window: fc.integer({ min: 1, max: 200 }) }),
  ({ problem, window }) => {
    const system = solve(problem);
    const { law, kernel, route, rounding, gap } = system;
    const edges = problem.model.edges.length;
    const exact = total(propagatedError(law, kernel, edges, Float64Array.from(law.pi), 0, window));
    const { mse, size } = sumOverModes(system, window);
    const library = total(stationaryError(route.relaxation(problem.model.theta).measure ?? [], window));
    const p = problem.model.theta.length;
    // Propagation: each of K steps rounds once. The library's form: weights to rounding, at most 1 each. (D10) as written loses what its terms cancel.
    const step = 8 * Number.EPSILON * problem.model.spins + lawError(problem.model);
    const slack = p * (window * step + rounding);
    const lost = (size * rounding) / gap;
    return Math.min(ratio(slack, Math.abs(library - exact)), ratio(slack + lost, Math.abs(mse - exact)));
  },
);

/** The mean over all paths `x_1 ... x_K` from equilibrium of `sum_a ((1/K) sum_t fc_a(x_t))^2`. */
function overAllPaths({ law, kernel, observables }: Solved, window: number): number {
  const n = law.pi.length;
  const rows = Array.from({ length: n }, (_, s) => {
    const unit = new Float64Array(n);
    unit[s] = 1;
    const row = new Float64Array(n);
    kernel.propagate(unit, row);
    return row;
  });
  let mse = 0;
  const visit = (t: number, s: number, probability: number, sums: readonly number[]): void => {
    const next = sums.map((sum, a) => sum + observables[a][s]);
    if (t < window) {
      for (let r = 0; r < n; r++) if (rows[s][r] > 0) visit(t + 1, r, probability * rows[s][r], next);
      return;
    }
    mse += probability * next.reduce((square, sum) => square + (sum / window) ** 2, 0);
  };
  for (let s = 0; s < n; s++) {
    visit(
      1,
      s,
      law.pi[s],
      observables.map(() => 0),
    );
  }
  return mse;
}

const enumeration = provenProperty(
  'enumeration',
  'the sum over modes is the variance over all paths of K steps and their probabilities',
  fc.record({ problem: problemsWith(reversibleKernels, isingsOf(2, 3)), window: fc.integer({ min: 1, max: 4 }) }),
  ({ problem, window }) => {
    const system = solve(problem);
    const library = total(stationaryError(system.route.relaxation(problem.model.theta).measure ?? [], window));
    const slack = problem.model.theta.length * system.rounding;
    return ratio(slack, Math.abs(library - overAllPaths(system, window)));
  },
);

const times = provenProperty(
  'timescale',
  'T of one linear solve per observable (3.3) is sum_j mu_j (1 / (1 - s_j) - 1/2)',
  problemsWith(reversibleKernels),
  (problem) => {
    const system = solve(problem);
    const { timescale = 0, variance = 0 } = system.route.evaluate(problem.model.theta, ['timescale', 'variance']).value;
    const modes = sumOverModes(system, 1);
    const shifted = timescale + variance / 2;
    // Eigenvalues are known to rounding, so each time relatively to that over its gap.
    const slack = (system.rounding * (shifted + system.observables.length)) / system.gap;
    const pi = system.law.pi;
    const weights = system.observables.reduce((sum, fa) => sum + inner(pi, fa, fa), 0);
    return Math.min(
      ratio(slack, Math.abs(timescale - timescaleOf(system))),
      // K = 1 is the variance itself.
      ratio(
        system.observables.length * system.rounding + (modes.size * system.rounding) / system.gap,
        Math.abs(modes.mse - weights),
      ),
    );
  },
);

const timescaleOf = ({ levels }: Solved) => levels.reduce((sum, { gap, weight }) => sum + weight * (1 / gap - 0.5), 0);

export const o3Variance: Obligation = {
  id: 'O3',
  title: 'The stationary variance as a sum over modes',
  tag: 'proven-here',
  statement: prose`
    From equilibrium, E|ghat - g|^2 = (2/K) [ T - (1/K) sum_j mu_j s_j (1 - s_j^K) / (1 - s_j)^2 ] with T = sum_j mu_j tau(s_j), tau(s) = (1 + s) / (2 (1 - s)), so (K/2) E|ghat - g|^2 -> T
    as K grows: R_hat of all modes is the limit of R. T needs no modes: T = sum_a <fc_a, u_a - fc_a / 2>, (I - P) u_a = fc_a, E u_a = 0.
  `,
  assumptions: [
    'A1: theta is fixed while the chain runs',
    'A2: P is self-adjoint in L2(pi)',
    'A3: 1 is a simple eigenvalue and -1 is none, so that no 1 - s_j vanishes',
    'A4: the observables have finite variance',
  ],
  derivation: prose`
    In equilibrium there is no bias, and E|ghat - g|^2 = sum_a (1/K^2) sum_{s,t} <fc_a, P^{|t-s|} fc_a>. By the spectral theorem <fc_a, P^d fc_a> = sum_j w_aj s_j^d. Summing over a, with
    mu_j = sum_a w_aj, mode j contributes mu_j (1/K^2) (K + 2 sum_{d=1}^{K-1} (K - d) s^d).
    sum_{d=1}^{K-1} (K - d) s^d = K s / (1 - s) - s (1 - s^K) / (1 - s)^2 (the geometric sum and its derivative), and K + 2 K s / (1 - s) = 2 K tau(s). That is the statement.
    T: u_a = sum_j <fc_a, phi_j> phi_j / (1 - s_j) is the solution with mean zero, so <fc_a, u_a> - <fc_a, fc_a> / 2 = sum_j w_aj (1 / (1 - s_j) - 1/2).
    The library sums the variance as sum_j mu_j (1 + 2 s_j (1 - phi_j) / (1 - s_j)) / K, phi = (1 - s^K) / (K (1 - s)), which is the same number without the difference of two large ones.
  `,
  properties: [propagation, enumeration, times],
};
