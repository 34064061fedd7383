import {
  type DataLaw,
  HtdmlError,
  type KernelName,
  type Model,
  type PathReport,
  randomSource,
  scanModels,
} from 'htdml';
import { certifiedRadius } from '../src/trainability/membership/certificate.js';
import {
  DEFAULT_THRESHOLDS,
  type MembershipRule,
  type ModeSet,
  membership,
} from '../src/trainability/membership/mode-sets.js';
import { modeSetAt, worstRates } from '../src/trainability/paths/path.js';
import { TableRoute } from '../src/trainability/routes/table-route.js';
import { measuredNoise } from './noise.js';

export interface SmoothnessOptions {
  /** Derivatives that must agree from both sides, 1 to 3. Default 3. */
  readonly order?: 1 | 2 | 3 | undefined;
  /** The longest distance from the point at which the function is evaluated. Default 0.05. */
  readonly reach?: number | undefined;
  /** The check gives up where it could not see a jump of this share of the derivative's size. Default 0.05. */
  readonly resolution?: number | undefined;
}

/** The largest jump of a derivative over its tolerance, by order from 1. */
export interface SmoothnessCheck {
  readonly jumps: readonly number[];
  readonly tolerances: readonly number[];
}

/** Points on either side, the one itself included: derivatives of a polynomial of one degree less. */
const STENCIL = 7;

/**
 * Asserts that a function of one number is smooth at a point: its first, second and third derivatives are the same from the left as from the right.
 *
 * ```ts
 * // log R_hat of the slow cluster through a crossing of two of its levels
 * assertSmoothAlong((t) => logRhatAt(along(from, to, t)), crossing.at);
 * ```
 *
 * From either side they are those of the interpolating polynomial on seven points, over a distance that is halved while that makes their error smaller; the error is
 * what halving changes, and the measured rounding of the function times the weights (Fornberg 1988). Throws an {@link HtdmlError} where a derivative jumps by more than the errors of both sides, and where
 * the errors leave nothing to see: a check that could not fail is no check.
 */
export function assertSmoothAlong(
  f: (t: number) => number,
  at: number,
  { order = 3, reach = 0.05, resolution = 0.05 }: SmoothnessOptions = {},
): SmoothnessCheck {
  const [noise] = measuredNoise((x) => [f(x[0])], Float64Array.of(at));
  const [left, right] = [-1, 1].map((side) => oneSided(f, at, side, order, reach, noise));
  const jumps: number[] = [];
  const tolerances: number[] = [];
  for (let k = 0; k < order; k++) {
    const jump = Math.abs(left[k].value - right[k].value);
    const tolerance = 4 * (left[k].error + right[k].error);
    const size = Math.max(Math.abs(left[k].value), Math.abs(right[k].value), 1);
    if (!(jump <= tolerance)) {
      throw new HtdmlError(
        'HTDML_ASSERTION',
        `derivative ${k + 1} at ${at} is ${left[k].value} from the left and ${right[k].value} from the right, and they may differ by ${tolerance}.`,
      );
    }
    if (tolerance > resolution * size) {
      throw new HtdmlError(
        'HTDML_ASSERTION',
        `derivative ${k + 1} at ${at} cannot be checked: rounding and truncation come to ${tolerance}, above ${resolution} of its size ${size}; raise reach or resolution, or ask for a lower order.`,
      );
    }
    jumps.push(jump);
    tolerances.push(tolerance);
  }
  return { jumps, tolerances };
}

interface Estimate {
  readonly value: number;
  readonly error: number;
}

/** Derivatives 1 to `order` from one side, each at the distance with the smallest error. */
function oneSided(
  f: (t: number) => number,
  at: number,
  side: number,
  order: number,
  reach: number,
  noise: number,
): Estimate[] {
  const weights = fornberg(
    Array.from({ length: STENCIL }, (_, j) => j),
    order,
  );
  const derivatives = (h: number) => {
    const values = Array.from({ length: STENCIL }, (_, j) => f(at + side * h * j));
    return weights.map((row, k) => row.reduce((sum, w, j) => sum + w * values[j], 0) / (side * h) ** (k + 1));
  };
  const best: Estimate[] = weights.map(() => ({ value: Number.NaN, error: Number.POSITIVE_INFINITY }));
  let coarse = derivatives(reach / (STENCIL - 1));
  for (let h = reach / (STENCIL - 1) / 2; h > reach * 2 ** -16; h /= 2) {
    const fine = derivatives(h);
    let alone = true;
    weights.forEach((row, k) => {
      const rounding = (noise * row.reduce((sum, w) => sum + Math.abs(w), 0)) / h ** (k + 1);
      const error = Math.abs(fine[k] - coarse[k]) + rounding;
      if (error < best[k].error) best[k] = { value: fine[k], error };
      if (2 * rounding < best[k].error) alone = false;
    });
    // From here on rounding alone is more.
    if (alone) break;
    coarse = fine;
  }
  return best;
}

/** Weights of derivatives 1 to `order` at the first of some points, for values at all of them (Fornberg 1988). */
function fornberg(points: readonly number[], order: number): number[][] {
  const n = points.length;
  let table = Array.from({ length: order + 1 }, () => new Array<number>(n).fill(0));
  table[0][0] = 1;
  const z = points[0];
  let c1 = 1;
  for (let i = 1; i < n; i++) {
    const next = table.map((row) => [...row]);
    let c2 = 1;
    for (let j = 0; j < i; j++) {
      const c3 = points[i] - points[j];
      c2 *= c3;
      for (let k = 0; k <= order; k++) {
        next[k][j] = ((points[i] - z) * table[k][j] - (k > 0 ? k * table[k - 1][j] : 0)) / c3;
      }
    }
    for (let k = 0; k <= order; k++) {
      next[k][i] = (c1 / c2) * ((k > 0 ? k * table[k - 1][i - 1] : 0) - (points[i - 1] - z) * table[k][i - 1]);
    }
    table = next;
    c1 = c2;
  }
  return table.slice(1);
}

export interface MembershipOptions {
  readonly kernel: KernelName;
  readonly rule?: MembershipRule | undefined;
  readonly epsilon?: number | undefined;
  readonly kappa?: number | undefined;
}

function withDefaults({ kernel, rule = 'window', epsilon, kappa }: MembershipOptions) {
  return { kernel, rule, epsilon: epsilon ?? DEFAULT_THRESHOLDS.epsilon, kappa: kappa ?? DEFAULT_THRESHOLDS.kappa };
}

/**
 * Asserts that the set of modes does not change on the straight line between two models, and returns the scan. Under `window` the scan is certified but for what the result
 * lists as `uncertified`. Throws an {@link HtdmlError} that names the first event.
 */
export function assertNoMembershipChange(
  from: Model,
  to: Model,
  data: DataLaw,
  options: MembershipOptions,
): PathReport {
  const { kernel, rule, ...thresholds } = withDefaults(options);
  const report = scanModels(from, to, data, { kernel, rule, ...thresholds, steps: 2, window: 1 });
  const [event] = report.events;
  if (event === undefined) return report;
  throw new HtdmlError(
    'HTDML_ASSERTION',
    `the set of modes changes ${report.events.length} times, first at ${event.at} (${event.type}), where log R_hat jumps by ${event.jumpLogRhat}.`,
  );
}

export interface CertificateCheckOptions extends MembershipOptions {
  /** Directions at the certified distance that are tried. Default 8 random ones, and both ways along every parameter. */
  readonly directions?: number | undefined;
  readonly seed?: number | undefined;
}

/** What came of trying to break a certificate. */
export interface CertificateCheck {
  /** The certified distance in the 1-norm of theta. */
  readonly radius: number;
  /** The least factor by which an eigenvalue was still on its side of the window's edge; infinite under `relevance`. */
  readonly margin: number;
}

/** The longest step that is tried, in units of `1 / beta`. */
const LONGEST_STEP = 5;

/**
 * Asserts that a model's set of modes is the same everywhere that was tried within its certified radius (4.1): on the sphere of that 1-norm. Throws an {@link HtdmlError}
 * with the step that breaks it.
 */
export function assertCertificateHolds(
  model: Model,
  data: DataLaw,
  options: CertificateCheckOptions,
): CertificateCheck {
  const { directions = 8, seed = 1 } = options;
  const { kernel, rule, ...thresholds } = withDefaults(options);
  const route = new TableRoute(model, data, kernel, thresholds);
  const here = modeSetAt(route, model.theta, rule, thresholds);
  const { radius } = certifiedRadius(here, worstRates(model, kernel));
  let margin = Number.POSITIVE_INFINITY;
  if (radius === 0) return { radius, margin };
  // Further out modes freeze in double precision, where the set is no longer to be seen.
  const reach = Math.min(radius, LONGEST_STEP / model.beta);
  const { normal } = randomSource(seed);
  const p = model.theta.length;
  const steps = Array.from({ length: 2 * p + directions }, (_, k) => {
    const d = Float64Array.from({ length: p }, (__, a) => (k >= 2 * p ? normal() : a === k >> 1 ? 1 - 2 * (k & 1) : 0));
    const size = d.reduce((sum, x) => sum + Math.abs(x), 0);
    return d.map((x) => (x * reach) / size);
  });
  for (const d of steps) {
    const there = modeSetAt(
      route,
      model.theta.map((x, a) => x + d[a]),
      rule,
      thresholds,
    );
    if (membership(there) !== membership(here)) {
      throw new HtdmlError(
        'HTDML_ASSERTION',
        `the certificate of radius ${radius} is broken by the step [${[...d].join(', ')}]: the set is ${membership(there)} instead of ${membership(here)}.`,
      );
    }
    if (rule === 'window') margin = Math.min(margin, edgeMargin(there));
  }
  return { radius, margin };
}

/** The least factor between an eigenvalue and the window's edge, at least 1. */
function edgeMargin({ groups, inside, anchor, thresholds }: ModeSet): number {
  if (anchor === null) return Number.POSITIVE_INFINITY;
  const edge = thresholds.kappa * groups[anchor].gap;
  const last = inside[inside.length - 1];
  const outside = last + 1 < groups.length ? groups[last + 1].gap / edge : Number.POSITIVE_INFINITY;
  return Math.min(edge / groups[last].gap, outside);
}
