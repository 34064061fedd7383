import { createRoute, evaluateModel, ising, type Model, rbm } from 'htdml';
import { symmetricEigen } from '../src/spectrum/symmetric-eigen.js';
import { estimators, gibbsKernels, isings, problems, rbms, startsFor } from './arbitraries.js';
import { fc } from './fast-check.js';
import { type Obligation, prose, provenProperty, ratio } from './obligation.js';
import { spectralMatrices } from './spectra.js';
import { inner, membersOf, minus, norm, problemsWith, project, randomFunction, type Solved, solve } from './system.js';
import { lawError } from './tolerance.js';

const applied = ({ kernel }: Solved, f: Float64Array): Float64Array => {
  const out = new Float64Array(f.length);
  kernel.apply(f, out);
  return out;
};

const seeds = fc.nat(1_000_000);
const draws = fc.nat(2 ** 30 - 1);

const projector = provenProperty(
  'projector',
  '|Pi Pi f - Pi f|, |<g, Pi f> - <Pi g, f>|, |P Pi f - Pi P f|, |f|^2 - (E f)^2 - |Pi f|^2 - |Pi^c f|^2 and sum_j mu_j - sum_a Var f_a are rounding',
  fc.tuple(problemsWith(), draws, seeds),
  ([problem, draw, seed]) => {
    const system = solve(problem);
    const { pi } = system.law;
    const inside = membersOf(system, draw);
    const outside = membersOf(system, 2 ** 30 - 1 - draw);
    const [f, g] = [randomFunction(pi.length, seed), randomFunction(pi.length, seed + 1)];
    const [pf, pg, rest] = [project(system, inside, f), project(system, inside, g), project(system, outside, f)];
    const mean = pi.reduce((sum, p, s) => sum + p * f[s], 0);
    const [size, other] = [norm(pi, f), norm(pi, g)];
    const variance = system.observables.reduce((sum, fa) => sum + inner(pi, fa, fa), 0);
    const weight = system.groups.reduce((sum, group) => sum + group.weight, 0);
    const found = Math.max(
      norm(pi, minus(project(system, inside, pf), pf)) / size,
      Math.abs(inner(pi, g, pf) - inner(pi, pg, f)) / (size * other),
      norm(pi, minus(applied(system, pf), project(system, inside, applied(system, f)))) / size,
      Math.abs(size ** 2 - mean ** 2 - norm(pi, pf) ** 2 - norm(pi, rest) ** 2) / size ** 2,
      Math.abs(weight - variance) / (1 + variance),
    );
    return ratio(2 * system.rounding, found);
  },
);

const prescribed = provenProperty(
  'prescribed spectrum',
  'the projector on the eigenvectors below the edge is the one that the matrix was made from, to n eps over the distance to the rest',
  spectralMatrices,
  ({ n, matrix, vectors, inside, edge, distance }) => {
    const found = symmetricEigen(matrix, n);
    const members = Array.from(found.values.keys()).filter((j) => found.values[j] < edge);
    if (members.length !== inside) return 0;
    let error = 0;
    for (let s = 0; s < n; s++) {
      for (let t = 0; t <= s; t++) {
        let difference = 0;
        for (const j of members) difference += found.vectors[j * n + s] * found.vectors[j * n + t];
        for (let j = 0; j < inside; j++) difference -= vectors[j * n + s] * vectors[j * n + t];
        error = Math.max(error, Math.abs(difference));
      }
    }
    // Davis and Kahan: what the matrix is off by, twice, over the distance.
    return ratio((32 * n * Number.EPSILON) / distance, error);
  },
);

/** The largest `|eigenvalue|` of `Pi - 1_S` in the orthonormal coordinates `sqrt(pi) f`. */
function distanceToRestriction({ law, modes }: Solved, members: ReadonlySet<number>, inS: (s: number) => boolean) {
  const n = law.pi.length;
  const difference = new Float64Array(n * n);
  for (let s = 0; s < n; s++) {
    for (let t = 0; t < n; t++) {
      let entry = s === t && inS(s) ? -1 : 0;
      for (const j of members) {
        entry += Math.sqrt(law.pi[s] * law.pi[t]) * modes.functions[j * n + s] * modes.functions[j * n + t];
      }
      difference[s * n + t] = entry;
    }
  }
  return symmetricEigen(difference, n).values.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
}

const restriction = provenProperty(
  'no restriction',
  'the distance of Pi_C to the restriction to any set S of states is at least (gap / 2) sqrt(pi(S) (1 - pi(S))), which vanishes only for a reducible chain',
  fc.tuple(problemsWith(gibbsKernels, fc.oneof(isings, rbms)), draws, draws),
  ([problem, draw, set]) => {
    const system = solve(problem);
    const { pi } = system.law;
    const inS = (s: number) => Math.floor(set / 2 ** (s % 30)) % 2 === 1;
    const mass = pi.reduce((sum, p, s) => sum + (inS(s) ? p : 0), 0);
    const bound = (system.gap / 2) * Math.sqrt(mass * Math.max(0, 1 - mass));
    return ratio(distanceToRestriction(system, membersOf(system, draw), inS) + 16 * system.rounding, bound);
  },
);

const positivity = provenProperty(
  'no average',
  'E + the projection on one simple mode makes 1 - max phi |min phi| <= 0 of a positive function: max phi |min phi| >= 1, and above 1 it is no conditional expectation',
  fc.tuple(problemsWith(), seeds),
  ([problem, seed]) => {
    const system = solve(problem);
    const simple = system.groups.filter(({ multiplicity }) => multiplicity === 1);
    fc.pre(simple.length > 0);
    const [j] = simple[seed % simple.length].members;
    const { pi } = system.law;
    const phi = system.modes.functions.subarray(j * pi.length, (j + 1) * pi.length);
    const [low, high] = phi.reduce(([least, most], x) => [Math.min(least, x), Math.max(most, x)], [0, 0]);
    return high * -low + 16 * system.rounding * (1 + high - low);
  },
);

/** The same model with bias parameters, all at zero: its table has all states, where that of a model without biases has half. */
function withZeroBiases(model: Model): Model {
  const couplings = model.theta;
  if (model.layers !== null) {
    const { visible, hidden } = model.layers;
    return rbm({
      visible,
      hidden,
      weights: couplings,
      visibleBiases: Array(visible).fill(0),
      hiddenBiases: Array(hidden).fill(0),
      beta: model.beta,
    });
  }
  const { spins, edges, visible, blocks, beta } = model;
  return ising({ spins, edges, couplings, biases: Array(spins).fill(0), visible, blocks, beta });
}

const quotient = provenProperty(
  'quotient',
  'R and R_hat of the couplings are the same on pairs of states and, with zero biases, on all states',
  fc
    .tuple(
      problems(fc.oneof(isings, rbms).filter(({ biased, spins }) => !biased && spins <= 5)),
      gibbsKernels,
      estimators,
    )
    .chain(([problem, kernel, estimator]) =>
      startsFor(problem[0]).map((start) => ({ problem, kernel, estimator, start })),
    ),
  ({ problem: [model, data], kernel, estimator, start }) => {
    const at = (candidate: Model) => {
      const options = { kernel, start, ...estimator, chains: 1, epsilon: 1e-3, kappa: 2.5, gradient: false };
      const couplings = evaluateModel(candidate, data, options).operational?.groups.couplings;
      const route = createRoute(candidate, data, { kernel, route: 'table' });
      const times = route.evaluate(candidate.theta, ['timescale']).info.observables?.timescale;
      const timescale = times?.slice(0, model.edges.length).reduce((sum, time) => sum + time, 0) ?? Number.NaN;
      const gap = route.relaxation(candidate.theta).groups?.[0]?.gap ?? Number.NaN;
      return { R: couplings?.R ?? null, signal: couplings?.signal ?? 0, timescale, gap };
    };
    const [half, full] = [at(model), at(withZeroBiases(model))];
    // A signal of rounding size has no digits.
    fc.pre(half.R !== null && full.R !== null && half.signal > 1e-6 && half.timescale > 1e-6);
    if (half.R === null || full.R === null) return Number.NaN;
    const steps = estimator.burnIn + estimator.window;
    const relative = model.theta.length * model.spins * lawError(model) * (steps + 1 / full.gap);
    const [r, rHat] = [half.R / full.R, half.signal / half.timescale / (full.signal / full.timescale)];
    const signalError = (lawError(model) * model.theta.length) / half.signal;
    const timeError = (relative * (1 + half.timescale)) / half.timescale;
    const errorError = (relative * half.R) / half.signal;
    return Math.min(
      ratio(signalError + errorError + relative, Math.abs(r - 1)),
      ratio(signalError + timeError, Math.abs(rHat - 1)),
    );
  },
);

export const o1Projection: Obligation = {
  id: 'O1',
  title: 'Projection on modes is not conditioning, and the ratio is the same on the quotient by the symmetry',
  tag: 'proven-here',
  statement: prose`
    Let C be whole eigenspaces of a reversible kernel P below the stationary one, and Pi_C f = sum_{j in C} <f, phi_j> phi_j.
    (a) Pi_C is idempotent and self-adjoint in L2(pi), commutes with P, and Var f = |Pi_C f|^2 + |Pi_{C^c} f|^2 (Parseval); hence sum_j mu_j = sum_a Var f_a.
    (b) Pi_C is not the restriction to a part S of the states, f -> 1_S f, with 0 < pi(S) < 1: its distance to any is at least (gap / 2) sqrt(pi(S) (1 - pi(S))). Such a restriction
    commutes with P only where no step leaves S, that is for a reducible chain.
    (c) E_pi + Pi_C is a conditional expectation, an average over the cells of a partition, exactly when the constants and C together are closed under products. For one simple mode phi
    that is when phi takes two values; otherwise some positive function is mapped to one that is negative somewhere.
    (d) For a model without biases, R and R_hat on pairs {x, -x} are those of the couplings on all states.
  `,
  assumptions: [
    'A2: P is self-adjoint in L2(pi), so that it has an orthonormal basis of modes',
    'A3: the gap in (b) is positive; without it (b) says nothing, as it must',
    'A9 (for (d) only): no biases, so that pi and P are invariant under the global flip',
  ],
  derivation: prose`
    (a) Spectral theorem for A = D^{1/2} P D^{-1/2}: {1, phi_j} is an orthonormal basis, and all four statements are read off coordinates in it. mu_j = sum_a <fc_a, phi_j>^2.

    (b) Write M for the restriction. Pi = Pi_C (with or without the constants) commutes with P, so [P, M] = [P, M - Pi] and |[P, M]| <= |P (M - Pi)| + |(M - Pi) P| <= 2 |M - Pi| as |P| <= 1.
    On the function 1, [P, M] 1 = P 1_S - 1_S, and |(I - P) 1_S| >= gap |1_S - pi(S)| = gap sqrt(pi(S) (1 - pi(S))). If M commutes with P, then P 1_S = 1_S, which says that no step leaves S.

    (c) Q = E_pi + Pi_C is an orthogonal projection with Q 1 = 1. If Q is a conditional expectation, its range is the functions that are constant on cells, closed under products. Conversely, on
    a finite space a subspace that holds 1 and is closed under products is spanned by the indicators of its level sets (interpolate by polynomials), and the orthogonal projection on it
    is the average over them (Bahadur 1955; Sidak 1957 for the equivalence with positivity). For C = {phi}: {1, phi} is closed under products exactly when phi^2 = a + b phi, that is when
    phi takes two values. Applied to the indicator of x, over pi(x), Q gives 1 + phi(x) phi(y) at y, whose least value is 1 - max phi |min phi|. Since E phi = 0 and E phi^2 = 1, and
    E (max phi - phi)(phi - min phi) >= 0, max phi |min phi| >= 1 with equality only for two values (Bhatia and Davis 2000).
    The wording "no conditioning unless the chain is reducible" is therefore right for restrictions, (b), and too strong for averages: a free spin with a rate of its own is a simple mode of two
    values in an irreducible chain, and there E_pi + Pi_C is the average given that spin. A test keeps this example.

    (d) The flip F commutes with P and preserves pi, so L2(pi) splits into even and odd functions and P leaves both alone. Couplings' observables are even. R holds their means and
    autocovariances under mu_t = mu_0 P^t and under the data, of which only the even part enters; even functions on all states are the functions on pairs, with pi({x, -x}) = pi(x) + pi(-x), the image of mu_0, and
    P acting on them. So g, the error and T of the couplings are the same numbers.
  `,
  properties: [projector, prescribed, restriction, positivity, quotient],
};
