import { evaluateModel } from 'htdml';
import { GROUP_WIDTH } from '../src/spectrum/groups.js';
import { modeSets } from '../src/trainability/membership/mode-sets.js';
import { DEFAULT_GATE_THRESHOLDS } from '../src/trainability/thresholds.js';
import { between, reversibleKernels } from './arbitraries.js';
import { fc } from './fast-check.js';
import { type Obligation, prose, provenProperty, ratio } from './obligation.js';
import { type Problem, problemsWith, solve } from './system.js';

const thresholds = fc.record({ epsilon: between(-4, -0.5).map((x) => 10 ** x), kappa: between(1, 8) });

/** `T` of all modes by linear solves, and of the slow cluster and the bulk by modes. */
function split(problem: Problem, options: { readonly epsilon: number; readonly kappa: number }) {
  const system = solve(problem);
  const { groups, levels, route } = system;
  const { timescale = Number.NaN } = route.evaluate(problem.model.theta, ['timescale']).value;
  const inside = new Set(modeSets(groups, options).slowCluster.flatMap((k) => groups[k].members));
  const mass = levels.reduce((sum, { weight }) => sum + weight, 0);
  const outside = levels.filter((_, j) => !inside.has(j));
  const unseen = (weight: number) => weight <= DEFAULT_GATE_THRESHOLDS.bulkWeight * mass;
  const bulk = outside.filter(({ weight }) => !unseen(weight));
  const time = (list: typeof levels) => list.reduce((sum, { gap, weight }) => sum + weight * (1 / gap - 0.5), 0);
  return {
    ...system,
    timescale,
    cluster: time(levels.filter((_, j) => inside.has(j))),
    bulkMass: bulk.reduce((sum, { weight }) => sum + weight, 0),
    bulkGap: bulk.reduce((least, { gap }) => Math.min(least, gap), 2),
    // What A7 does not look at: weights of rounding size.
    invisible: time(outside.filter(({ weight }) => unseen(weight))),
    slack: (system.rounding * (timescale + mass)) / system.gap,
  };
}

const cases = fc.record({ problem: problemsWith(reversibleKernels), options: thresholds });

const remainder = provenProperty(
  'remainder',
  'T_full, by linear solves, exceeds T_C by at most mu_bulk (1 / gamma_bulk - 1/2)',
  cases,
  ({ problem, options }) => {
    const { timescale, cluster, bulkMass, bulkGap, invisible, slack } = split(problem, options);
    fc.pre(cluster > 0);
    return ratio(bulkMass * (1 / bulkGap - 0.5) + invisible + slack, Math.max(0, timescale - cluster));
  },
);

const reported = provenProperty(
  'reported ratio',
  'R_hat_full / R_hat_C of evaluateModel lies in [1 / (1 + x), 1], x = mu_bulk (1 / gamma_bulk - 1/2) / T_C with gamma_bulk as gate A7 reports it',
  cases,
  ({ problem, options }) => {
    const { levels, gap, rounding } = solve(problem);
    const estimator = { burnIn: 0, window: 100, chains: 1, start: 'stationary', gradient: false } as const;
    const { predictors, gates, stepsPerSweep } = evaluateModel(problem.model, problem.data, {
      kernel: problem.kernel,
      ...estimator,
      ...options,
    });
    const { full, slowCluster: slow } = predictors;
    fc.pre(full.Rhat !== null && slow !== null && slow.Rhat !== null && slow.Rhat > 0);
    const [time, cluster] = [full.timescale, slow?.timescale ?? null];
    if (full.Rhat === null || slow === null || slow.Rhat === null || time === null || cluster === null)
      return Number.NaN;
    // Everything as the report has it, which takes a group's members to be equal; weights that A7 does not look at are of rounding size.
    const total = time + full.slowMass;
    const unseen = (levels.length * DEFAULT_GATE_THRESHOLDS.bulkWeight * full.slowMass) / gap;
    const slack = levels.length * GROUP_WIDTH * total + (rounding * total) / gap;
    const bulkMass = Math.max(0, full.slowMass - slow.slowMass);
    const gamma = typeof gates.A7.value === 'number' ? gates.A7.value / stepsPerSweep : null;
    const x = (gamma === null ? 0 : bulkMass * (1 / gamma - 0.5)) + unseen;
    const low = 1 / (1 + (x + slack) / cluster);
    return Math.min(ratio(full.Rhat / slow.Rhat, low), ratio(1 + slack / cluster, full.Rhat / slow.Rhat));
  },
);

export const o4Bulk: Obligation = {
  id: 'O4',
  title: 'The slow cluster dominates where the bulk relaxes fast',
  tag: 'proven-here',
  statement: prose`
    Let C be the slow cluster, mu_bulk the weight outside it and gamma_bulk = 1 - max s_j over the modes outside that the observables see (gate A7). Then
    0 <= T_full - T_C <= mu_bulk (1 / gamma_bulk - 1/2), and R_hat_full / R_hat_C = T_C / T_full lies in [1 / (1 + mu_bulk (1 / gamma_bulk - 1/2) / T_C), 1].
    Where A7 holds, gamma_bulk >= 0.05 per sweep, the remainder is at most mu_bulk (20 stepsPerSweep - 1/2), whatever the model.
  `,
  assumptions: [
    'A2: P is self-adjoint, so that there are modes',
    'A3: 1 - s_j > 0 below the stationary mode',
    'A4: the weights mu_j are finite',
    'A7: not needed for the inequality; it is what makes the right side small',
  ],
  derivation: prose`
    T_full - T_C = sum_{j not in C} mu_j tau(s_j), tau(s) = 1 / (1 - s) - 1/2. Every term is at least 0, since s_j >= -1 makes tau(s_j) >= 0 and mu_j >= 0. tau grows with s, so on the modes that count
    tau(s_j) <= 1 / gamma_bulk - 1/2, and their weights add up to mu_bulk. R_hat_C = (K/2) |g|^2 / T_C, so the ratio is T_C / T_full.
    Modes whose weight is below 1e-20 of the total are zero by symmetry and hold rounding only; gamma_bulk leaves them out. What they contribute to T, at most 1e-20 of the total weight times
    their tau, is added to the bound in the property, so that nothing is hidden by the threshold.
  `,
  properties: [remainder, reported],
};
