import type { Arbitrary } from 'fast-check';
import { evaluateModel, type KernelName, type Start } from 'htdml';
import { ACCURACY } from '../src/trainability/accuracy.js';
import { propagatedError } from '../src/trainability/exact-snr.js';
import { startLaw } from '../src/trainability/start.js';
import { startTerm, windowShare } from '../src/trainability/tracking-bound.js';
import { estimators, gibbsKernels, reversibleKernels, startsFor } from './arbitraries.js';
import { fc } from './fast-check.js';
import { type Obligation, prose, provenProperty, ratio } from './obligation.js';
import { norm, type Problem, problemsWith, solve } from './system.js';
import { lawError } from './tolerance.js';

interface Case {
  readonly problem: Problem;
  readonly start: Start;
  /** In kernel steps. */
  readonly estimator: { readonly burnIn: number; readonly window: number };
}

const casesOf = (kernels: Arbitrary<KernelName>): Arbitrary<Case> =>
  problemsWith(kernels).chain((problem) =>
    startsFor(problem.model).chain((start) => estimators.map((estimator) => ({ problem, start, estimator }))),
  );

/** `K mse / (2 T)` by propagation, `1 - delta1` and `delta2`, and what rounding makes of them. */
function terms({ problem, start, estimator }: Case) {
  const system = solve(problem);
  const { law, kernel, modes, route, gap, rounding } = system;
  const { timescale = Number.NaN, variance = Number.NaN } = route.evaluate(problem.model.theta, [
    'timescale',
    'variance',
  ]).value;
  const { burnIn, window } = estimator;
  const mu = startLaw(problem.model, problem.data, law, start);
  const { couplings, biases } = propagatedError(law, kernel, problem.model.edges.length, mu, burnIn, window);
  const scaled = (window * (couplings.mse + biases.mse)) / (2 * timescale);
  const share = windowShare(route.relaxation(problem.model.theta).measure ?? [], timescale, window);
  const delta2 = startTerm(law, modes, mu, estimator, timescale);
  return {
    ...system,
    mu,
    timescale,
    variance,
    scaled,
    share,
    delta2,
    slack: slackOf(problem, estimator, timescale) + rounding / gap,
  };
}

/** What B + K steps of propagation round, as a part of `K mse / (2 T)`. */
function slackOf({ model }: Problem, { burnIn, window }: Case['estimator'], timescale: number): number {
  const step = 8 * Number.EPSILON * model.spins + lawError(model);
  return (model.theta.length * (burnIn + window) * step * window) / (2 * timescale);
}

const interval = provenProperty(
  'interval',
  '|K mse / (2 T) - (1 - delta1)| <= delta2 from any start, also where delta1 + delta2 >= 1',
  casesOf(reversibleKernels),
  (x) => {
    const { scaled, share, delta2, slack } = terms(x);
    fc.pre(delta2 !== null);
    return ratio((delta2 ?? Number.NaN) + slack, Math.abs(scaled - share));
  },
);

const equilibrium = provenProperty(
  'equilibrium',
  'from equilibrium K mse / (2 T) is 1 - delta1, an equality',
  fc.record({
    problem: problemsWith(reversibleKernels),
    start: fc.constant<Start>('stationary'),
    estimator: estimators,
  }),
  (x) => {
    const { scaled, share, slack } = terms(x);
    return ratio(slack, Math.abs(scaled - share));
  },
);

const reported = provenProperty(
  'reported interval',
  'R / R_hat of evaluateModel lies in the trackingBound that comes with it',
  casesOf(reversibleKernels),
  ({ problem, start, estimator }) => {
    const options = {
      kernel: problem.kernel,
      start,
      ...estimator,
      chains: 1,
      epsilon: 1e-3,
      kappa: 2.5,
      gradient: false,
    };
    const { trackingBound, operational, predictors } = evaluateModel(problem.model, problem.data, options);
    const [R, Rhat, timescale] = [operational?.R ?? null, predictors.full.Rhat, predictors.full.timescale];
    fc.pre(trackingBound !== null && R !== null && R > 0 && Rhat !== null && timescale !== null);
    if (trackingBound === null || R === null || Rhat === null || timescale === null) return Number.NaN;
    const [low, high] = trackingBound;
    const { gap, rounding } = solve(problem);
    // From the layers of an RBM weights are known less well than from a table.
    const slack = slackOf(problem, estimator, timescale) + rounding / gap + ACCURACY.factored.weight;
    // In terms of K mse / (2 T) = R_hat / R, where rounding is added.
    const scaled = Rhat / R;
    return Math.min(ratio(1 / low + slack, scaled), ratio(scaled + slack, 1 / high));
  },
);

const closed = provenProperty(
  'closed form',
  'delta1 <= (1 - mu / (2 T)) / (K gap) and delta2 <= F chi s_*^(B+1) / (K gap^(3/2) sqrt(T)) for kernels with a spectrum in [0, 1]',
  casesOf(gibbsKernels),
  (x) => {
    const { law, observables, mu, timescale, variance, share, delta2, slack, gap, rounding } = terms(x);
    fc.pre(delta2 !== null);
    const { burnIn, window } = x.estimator;
    const chi = norm(
      law.pi,
      mu.map((mass, s) => mass / law.pi[s] - 1),
    );
    const top = Math.sqrt(
      law.pi.reduce(
        (most, _, s) =>
          Math.max(
            most,
            observables.reduce((sum, fa) => sum + fa[s] ** 2, 0),
          ),
        0,
      ),
    );
    const first = (1 - variance / (2 * timescale)) / (window * gap);
    const second = (top * chi * (1 - gap + rounding) ** (burnIn + 1)) / (window * gap ** 1.5 * Math.sqrt(timescale));
    // delta2 as computed takes each coefficient larger by rounding, and sums over stretches by chords, up to 2e-3 above.
    const allowance = (states: number) =>
      (top * Math.sqrt(states) * states * Number.EPSILON * (1 + chi) * 16) / (gap ** 1.5 * Math.sqrt(timescale));
    return Math.min(
      ratio(Math.min(1, first) + slack, Math.max(0, 1 - share)),
      ratio(1.002 * second * (1 + slack) + allowance(law.pi.length), delta2 ?? Number.NaN),
    );
  },
);

export const o6Assembly: Obligation = {
  id: 'O6',
  title: 'Assembly: how far R can be from R_hat',
  tag: 'proven-here',
  statement: prose`
    With delta1 = (1/(K T)) sum_j mu_j s_j (1 - s_j^K) / (1 - s_j)^2 and delta2 = (F/(2 K T)) sqrt(sum_j mu_j q_j^2) sum_{t=B+1}^{B+K} D_t, where F^2 = max_x sum_a fc_a(x)^2,
    q_j = max(1, (1 + s_j)/(1 - s_j)) and D_t of O2: K E|ghat - g|^2 / (2 T) lies in [1 - delta1 - delta2, 1 - delta1 + delta2]. So for one chain
    1 / (1 - delta1 + delta2) <= R / R_hat_full <= 1 / (1 - delta1 - delta2), the upper end where delta1 + delta2 < 1. Every evaluation reports this interval as trackingBound.
    For a spectrum in [0, 1]: 0 <= delta1 <= min(1, (1 - mu/(2T)) / (K gap)) and delta2 <= F chi s_*^(B+1) / (K gap^(3/2) T^(1/2)).
  `,
  assumptions: [
    'A1: theta is fixed while the chain runs',
    'A2: P is self-adjoint in L2(pi)',
    'A3: no 1 - s_j vanishes, and -1 is no eigenvalue',
    'A4: F is finite; with spins it is at most 2 sqrt(p)',
    'A5 and A6: not needed for the interval; they make delta2 and delta1 small',
  ],
  derivation: prose`
    Write G_m = sum_a fc_a (fc_a + 2 sum_{d=1}^m P^d fc_a). Expanding the square of a sum over t and using the Markov property, E|ghat - g|^2 = K^-2 sum_t <mu_t, G_{B+K-t}>, t from B + 1 to B + K.
    Put mu_t = pi (1 + r_t). The part with pi is the stationary error, (2 T / K)(1 - delta1) by O3. The rest is K^-2 sum_t <r_t, G_{B+K-t}>.
    G_m = sum_a fc_a v_a with v_a = c_m(P) fc_a, c_m(s) = 1 + 2 s (1 - s^m)/(1 - s). For s in [0, 1), 1 <= c_m <= (1 + s)/(1 - s). For s in (-1, 0), c_m = 1 + 2 sum_{d=1}^m s^d: the alternating sum
    lies between s and 0, so |c_m| <= max(1, |1 + 2 s|) <= 1. Hence |c_m(s_j)| <= q_j.
    Pointwise |G_m(x)| <= sqrt(sum_a fc_a(x)^2) sqrt(sum_a v_a(x)^2) <= F sqrt(sum_a v_a(x)^2), so |G_m| <= F sqrt(sum_a |v_a|^2) <= F sqrt(sum_j mu_j q_j^2) in L2(pi), and
    |<r_t, G_m>| <= D_t |G_m|. Multiplying by K / (2 T) gives delta2. R / R_hat is the inverse of K E|ghat - g|^2 / (2 T).
    For s >= 0: s (1 - s^K)/(1 - s)^2 <= (1/gap) s/(1 - s) = (1/gap)(tau(s) - 1/2), which sums to (T - mu/2)/gap; and the stationary error is not negative, so delta1 <= 1.
    q_j = 2 tau(s_j) <= 2/gap, so sum mu_j q_j^2 <= (2/gap)(2 T), and sum_t D_t <= chi s_*^(B+1)/gap by O2.
  `,
  properties: [interval, equilibrium, reported, closed],
};
