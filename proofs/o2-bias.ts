import { symmetricEigen } from '../src/spectrum/symmetric-eigen.js';
import { propagatedError } from '../src/trainability/exact-snr.js';
import { startLaw } from '../src/trainability/start.js';
import { logChi } from '../src/trainability/tracking-bound.js';
import { estimators, reversibleKernels, startsFor } from './arbitraries.js';
import { type Obligation, prose, provenProperty, ratio } from './obligation.js';
import { inner, problemsWith, solve } from './system.js';
import { lawError } from './tolerance.js';

const cases = problemsWith(reversibleKernels).chain((problem) =>
  startsFor(problem.model).chain((start) => estimators.map((estimator) => ({ problem, start, estimator }))),
);

/** `D_t = |mu_t / pi - 1|` in `L2(pi)` for `t = 0 ... steps`, by propagation, without modes. */
function deviations({ kernel, law }: ReturnType<typeof solve>, start: Float64Array, steps: number): number[] {
  let [mu, next] = [Float64Array.from(start), new Float64Array(start.length)];
  return Array.from({ length: steps + 1 }, (_, t) => {
    if (t > 0) {
      kernel.propagate(mu, next);
      [mu, next] = [next, mu];
    }
    return Math.sqrt(mu.reduce((sum, mass, s) => sum + (mass - law.pi[s]) ** 2 / law.pi[s], 0));
  });
}

const bias = provenProperty(
  'bias',
  'sum_a bias_a^2 <= lambda_max(Cov_pi f) ((1/K) sum_t D_t)^2, D_t by propagation',
  cases,
  ({ problem, start, estimator: { burnIn, window } }) => {
    const system = solve(problem);
    const { law, kernel, observables } = system;
    const p = observables.length;
    const mu = startLaw(problem.model, problem.data, law, start);
    const { couplings, biases } = propagatedError(law, kernel, problem.model.edges.length, mu, burnIn, window);
    const covariance = Float64Array.from({ length: p * p }, (_, k) =>
      inner(law.pi, observables[Math.floor(k / p)], observables[k % p]),
    );
    const largest = symmetricEigen(covariance, p).values[p - 1];
    const mean =
      deviations(system, mu, burnIn + window)
        .slice(burnIn + 1)
        .reduce((sum, d) => sum + d, 0) / window;
    // Each law is right to the steps so far times the rounding of one; observables are at most 2.
    const step = 8 * Number.EPSILON * problem.model.spins + lawError(problem.model);
    const rounding = 2 * Math.sqrt(p) * (burnIn + window) * step;
    return ratio(Math.sqrt(largest) * mean + rounding, Math.sqrt(couplings.biasSquared + biases.biasSquared));
  },
);

const decay = provenProperty(
  'decay',
  'D_t <= chi s_*^t at every step, s_* the largest |s| on the sector of the observables',
  cases,
  ({ problem, start, estimator: { burnIn, window } }) => {
    const system = solve(problem);
    const { law, gap, rounding } = system;
    const mu = startLaw(problem.model, problem.data, law, start);
    const chi = Math.exp(logChi(law, mu));
    const least = Math.sqrt(law.pi.reduce((a, b) => Math.min(a, b), 1));
    const step = 8 * Number.EPSILON * problem.model.spins + lawError(problem.model);
    return deviations(system, mu, burnIn + window).reduce((worst, d, t) => {
      // The eigenvalue is known to rounding, and t of them multiply; a law that is off by some mass is off by that over sqrt(pi) here.
      const bound = chi * Math.min(1, 1 - gap + rounding) ** t * (1 + 64 * lawError(problem.model));
      return Math.min(worst, ratio(bound + ((t + 1) * step) / least, d));
    }, Number.POSITIVE_INFINITY);
  },
);

export const o2Bias: Obligation = {
  id: 'O2',
  title: 'The bias that burn-in leaves',
  tag: 'proven-here',
  statement: prose`
    With D_t = |mu_t / pi - 1| in L2(pi), mu_t = mu_0 P^t, on the symmetry sector of the observables (without biases: mu_0 replaced by its average over the flip),
    sum_a bias_a^2 <= lambda_max(Cov_pi f) ((1/K) sum_{t=B+1}^{B+K} D_t)^2, and D_t <= chi s_*^t with chi = D_0 and s_* = max |s_j| there.
    So the bias falls like s_*^B: it is the largest |s| of the sector that counts, not the harmonic mean gap gamma.
  `,
  assumptions: [
    'A1: theta is fixed while the chain runs',
    'A2: P is self-adjoint, for D_t <= chi s_*^t (the first bound needs only that pi is stationary)',
    'A4: the covariance of the observables is finite',
    'A5: B is long enough is not assumed; it is what makes the bound small',
  ],
  derivation: prose`
    bias_a = E ghat_a - g_a = -(1/K) sum_t (E_{mu_t} f_a - E_pi f_a) = -(1/K) sum_t <r_t, fc_a>, r_t = mu_t / pi - 1.
    Let G: L2(pi) -> R^p, (G r)_a = <r, fc_a>. G G^T is the matrix <fc_a, fc_b> = Cov_pi(f_a, f_b), so |G r|^2 <= lambda_max(Cov_pi f) |r|^2. The bias vector is
    -G (1/K) sum_t r_t, and the triangle inequality gives the first bound.
    mu_t / pi = P* (mu_{t-1} / pi), and P* = P by A2; r_0 is orthogonal to 1, so r_t = P^t r_0 = sum_j s_j^t <r_0, phi_j> phi_j and D_t^2 = sum_j s_j^{2t} <r_0, phi_j>^2 <= s_*^{2t} chi^2.
    Observables of a model without biases are even, <r, fc_a> sees the even part of r only, and P leaves even functions even: r_t may be replaced by its average over the flip.
    (Levin and Peres 2017, Lemma 12.18, for one function.)
  `,
  properties: [bias, decay],
};
