import type { Arbitrary } from 'fast-check';
import {
  createRoute,
  type DataLaw,
  type KernelName,
  type Model,
  type Objective,
  randomSource,
  scanModels,
} from 'htdml';
import { contourProjector } from '../src/spectrum/contour-projector.js';
import { indicator, spectralDerivative, spectralMatrix } from '../src/spectrum/spectral-function.js';
import { symmetricEigen } from '../src/spectrum/symmetric-eigen.js';
import { membership } from '../src/trainability/membership/mode-sets.js';
import { modeSetAt } from '../src/trainability/paths/path.js';
import { TableRoute } from '../src/trainability/routes/table-route.js';
import { between, dataFor, gibbsKernels, isingsOf, reals } from './arbitraries.js';
import { assertGradient } from './assertions.js';
import { boundaries } from './boundaries.js';
import { along, crossings } from './crossings.js';
import { fc } from './fast-check.js';
import { type Obligation, prose, provenProperty, ratio } from './obligation.js';
import { assertCertificateHolds, assertSmoothAlong } from './path-assertions.js';
import { matrixFromSpectrum, randomBasis, type SpectralMatrix, spectralMatrices } from './spectra.js';

const THRESHOLDS = { epsilon: 1e-3, kappa: 2.5 };

/** A symmetric direction of spectral norm 1. */
function direction(n: number, seed: number): Float64Array {
  const signs = Float64Array.from({ length: n }, (_, k) => (k % 2 === 0 ? 1 : -1));
  return matrixFromSpectrum(signs, randomBasis(n, seed));
}

const members = ({ inside }: SpectralMatrix) => new Set(Array.from({ length: inside }, (_, j) => j));

const derivative = provenProperty(
  'Riesz projector',
  'dP by (5.2) is the central difference of the projector, whatever happens inside the cluster: degenerate, clustered, within 1e-10',
  fc.tuple(
    spectralMatrices.filter(({ distance }) => distance > 1e-3),
    fc.nat(1000),
  ),
  ([matrix, seed]) => {
    const { n, distance } = matrix;
    const d = direction(n, seed);
    const projector = (t: number) => {
      const eigen = symmetricEigen(
        matrix.matrix.map((x, k) => x + t * d[k]),
        n,
      );
      return spectralMatrix(eigen, indicator(eigen.values, members(matrix)));
    };
    const eigen = symmetricEigen(matrix.matrix, n);
    const exact = spectralDerivative(eigen, indicator(eigen.values, members(matrix)), d);
    // Truncation h^4 |P^(5)| / 30 and rounding n eps / (distance h) are equal near here.
    const h = distance * Number.EPSILON ** 0.2;
    const [a, b, c, e] = [2, 1, -1, -2].map((k) => projector(k * h));
    let error = 0;
    for (let k = 0; k < n * n; k++) {
      error = Math.max(error, Math.abs((-a[k] + 8 * b[k] - 8 * c[k] + e[k]) / (12 * h) - exact[k]));
    }
    // |P^(k)| is at most about k! (2 / distance)^k.
    const truncation = (4 * h ** 4 * 120 * (2 / distance) ** 5) / 120;
    const rounding = (8 * n * n * Number.EPSILON) / (distance * h);
    return ratio(truncation + rounding, error);
  },
);

const contour = provenProperty(
  'contour',
  'the projector by quadrature of the resolvent around the cluster, without eigenvectors, is the one on the eigenvectors',
  spectralMatrices.filter(({ distance }) => distance > 0.05),
  (matrix) => {
    const { n, edge, distance } = matrix;
    const eigen = symmetricEigen(matrix.matrix, n);
    const exact = spectralMatrix(eigen, indicator(eigen.values, members(matrix)));
    // As far below the cluster as the edge is above it.
    const low = matrix.values[0] - distance / 2;
    const circle = { centre: (low + edge) / 2, radius: (edge - low) / 2 };
    const { projector, converged } = contourProjector(matrix.matrix, n, circle);
    if (!converged) return 0;
    const error = projector.reduce((worst, x, k) => Math.max(worst, Math.abs(x - exact[k])), 0);
    return ratio((512 * n * n * Number.EPSILON) / distance, error);
  },
);

/** `log T_C` of the slow cluster, whose derivative is that of `-log R_hat` at a held signal. */
const logTime: Objective = {
  name: 'log T of the slow cluster',
  quantities: ['slowClusterTimescale'],
  evaluate: ({ slowClusterTimescale: t = 0 }) =>
    t > 0 ? { value: Math.log(t), bar: { slowClusterTimescale: 1 / t } } : null,
};

const softTime: Objective = {
  name: 'log T of the soft window',
  quantities: ['softTimescale'],
  evaluate: ({ softTimescale: t = 0 }) => (t > 0 ? { value: Math.log(t), bar: { softTimescale: 1 / t } } : null),
};

const wide = { epsilon: 1e-9, kappa: 1e3 };

const atCrossing = provenProperty(
  'at a crossing',
  'where two levels of the cluster cross exactly, d log T_C is its central difference along the path and in random directions',
  crossings.chain((path) => fc.tuple(dataFor(path.from), fc.nat(1000)).map(([data, seed]) => ({ path, data, seed }))),
  ({ path, data, seed }) => {
    const { normal } = randomSource(seed);
    const { theta } = along(path.from, path.to, path.at);
    const random = () => theta.map(() => normal() / theta.length);
    const directions = [path.to.theta.map((x, a) => x - path.from.theta[a]), random(), random()];
    // A window that holds every level: what is tested is what happens inside.
    const route = createRoute(path.from, data, { kernel: 'random-scan', thresholds: wide });
    return ratio(1, assertGradient(logTime, route, theta, { directions }).worst);
  },
);

const through = provenProperty(
  'through a crossing',
  'along a path through an exact crossing inside the cluster the first three derivatives of log T_C are the same from both sides',
  crossings.chain((path) => dataFor(path.from).map((data) => ({ path, data }))),
  ({ path, data }) => {
    const route = createRoute(path.from, data, { kernel: 'random-scan', thresholds: wide });
    const f = (t: number) => {
      const { slowClusterTimescale = Number.NaN } = route.evaluate(along(path.from, path.to, t).theta, [
        'slowClusterTimescale',
      ]).value;
      return Math.log(slowClusterTimescale);
    };
    const { jumps, tolerances } = assertSmoothAlong(f, path.at, { reach: 0.2, resolution: 0.25 });
    return jumps.reduce((worst, jump, k) => Math.min(worst, ratio(tolerances[k], jump)), Number.POSITIVE_INFINITY);
  },
);

const acrossBoundary = provenProperty(
  'soft membership',
  'at the edge of the window, within 1e-3 of which the hard set changes, d log T_soft is its central difference',
  boundaries.chain((boundary) =>
    fc.tuple(dataFor(boundary.model), between(0.02, 0.3)).map(([data, width]) => ({ boundary, data, width })),
  ),
  ({ boundary, data, width }) => {
    const soft = { center: boundary.gap, eta: width * boundary.gap };
    const route = createRoute(boundary.model, data, { kernel: 'random-scan', soft });
    return ratio(1, assertGradient(softTime, route, boundary.model.theta).worst);
  },
);

/** A small model, and another of the same structure. */
const pairs: Arbitrary<{
  readonly from: Model;
  readonly to: Model;
  readonly data: DataLaw;
  readonly kernel: KernelName;
}> = isingsOf(2, 4).chain((from) =>
  fc
    .tuple(dataFor(from), gibbsKernels, reals(from.theta.length, 1))
    .map(([data, kernel, theta]) => ({ from, to: { ...from, theta: Float64Array.from(theta) }, data, kernel })),
);

const certificate = provenProperty(
  'certificate',
  'no step of the certified size, along a parameter or at random, changes the slow cluster; the margin is the least factor between an eigenvalue and the edge',
  pairs,
  ({ from, data, kernel }) => assertCertificateHolds(from, data, { kernel }).margin,
);

const complete = provenProperty(
  'events',
  'the set of modes is the same at 40 points of a path wherever the scan has no event between them, and differs on the two sides of every event',
  pairs,
  ({ from, to, data, kernel }) => {
    const options = { kernel, rule: 'window', ...THRESHOLDS, steps: 2, window: 1 } as const;
    const { events } = scanModels(from, to, data, options);
    const route = new TableRoute(from, data, kernel);
    const name = (t: number) => membership(modeSetAt(route, along(from, to, t).theta, 'window', THRESHOLDS));
    const points = Array.from({ length: 41 }, (_, k) => k / 40);
    const names = points.map(name);
    const missed = points
      .slice(1)
      .some((t, k) => names[k] !== names[k + 1] && !events.some(({ at }) => at >= points[k] && at <= t));
    const imagined = events.some(({ at }) => name(Math.max(0, at - 1e-9)) === name(Math.min(1, at + 1e-9)));
    return missed || imagined ? 0 : Number.POSITIVE_INFINITY;
  },
);

export const o5Differentiability: Obligation = {
  id: 'O5',
  title: 'R_hat of the slow cluster is smooth through crossings inside, and changes of the set are found',
  tag: 'proven-here',
  statement: prose`
    (a) While the eigenvalues of C stay apart from the others, the Riesz projector Pi_C and with it mu_C, T_C and log R_hat_C are real-analytic in theta, whatever meets inside C. The derivative divides by
    gaps between C and the rest only: dPi = sum_{j in C, k not in C} (Pi_j dA Pi_k + Pi_k dA Pi_j) / (s_j - s_k).
    (b) The certificate: where |A(theta + d) - A(theta)| <= sum_a c_a |d_a| keeps every eigenvalue on its side of the window's edge, and the shares of the anchor and of what is slower on their side of epsilon, the set is the
    same. A path whose every point is within a certified radius of some point that was looked at has no change of the set that was not seen.
    (c) With a fixed centre, T_soft = sum_j mu_j chi((s_j - s_c) / eta) tau(s_j) is real-analytic in theta everywhere, across the edge too, and tends to T_C as eta -> 0 where no eigenvalue is at the edge.
  `,
  assumptions: [
    'A1: theta is a point or a path, not a random variable',
    'A2: A is symmetric, so that its spectral functions have the rule (5.2)',
    'A3: 1 - s_j > 0, so that tau is analytic at every eigenvalue',
  ],
  derivation: prose`
    (a) A(theta) is real-analytic, since conditional probabilities are ratios of positive sums of exponentials. Let Gamma enclose the eigenvalues of C and no others. It does so for all theta nearby, and
    Pi_C = (1 / 2 pi i) oint_Gamma (z - A)^{-1} dz is analytic under the integral (Kato 1966, II-1). So is F = (1 / 2 pi i) oint_Gamma q(z) (z - A)^{-1} dz for q = tau, and T_C = sum_a <fc_a, F fc_a>. Differentiating the
    resolvent, d(z - A)^{-1} = (z - A)^{-1} dA (z - A)^{-1}, and residues give divided differences of q on pairs of eigenvalues (Daleckii and Krein 1965): 0 for q = 1 inside, 1 / ((1 - s_j)(1 - s_k)) for tau
    inside, and over s_j - s_k across.
    (b) Weyl: every sorted eigenvalue moves by at most |A' - A|, which (4.1) bounds. Davis and Kahan: with delta = |A' - A| and a set G of eigenvalues at the distance g from the rest, |sin angle| <= delta / (g - delta), so that the square root of
    the share of G moves by at most this plus what Y / |Y| and sqrt(pi) turn. If G, which holds the anchor, keeps more than k epsilon of the weight for its k modes, one of its groups has epsilon, and
    if all slower modes together keep less, none of them is relevant: the anchor stays in G, and the edge between kappa times the ends of G. Along a line eigenvalues are also bounded to second order: with L' in the
    basis of the modes, a run H of eigenvalues moves by its own block of L' and by |E_12|^2 / (g - 2 delta) (Mathias 1998). The certified radii of neighbouring points cover the path between them, or the
    interval is named as uncertified.
    (c) T_soft is a spectral function with q = chi tau, analytic at every eigenvalue, on all of the spectrum: no contour has to separate anything. chi tends to the indicator at every eigenvalue off the centre,
    exponentially fast in its distance over eta.
  `,
  properties: [derivative, contour, atCrossing, through, acrossBoundary, certificate, complete],
};
