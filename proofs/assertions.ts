import {
  type Evaluation,
  HtdmlError,
  InputError,
  type Objective,
  type Quantity,
  type Route,
  randomSource,
} from 'htdml';
import { measuredNoise } from './noise.js';

/**
 * What an objective is evaluated on: a {@link Route}, or a function that gives the values of the quantities at a parameter vector and their derivatives, for
 * suites with routes of their own.
 */
export type Evaluator =
  | Route
  | ((theta: Float64Array, quantities: readonly Quantity[]) => Pick<Evaluation, 'value' | 'pullback'>);

export interface GradientCheckOptions {
  /** Directions to differentiate along, each as long as theta. Default: every coordinate, and one along all of them. */
  readonly directions?: readonly Float64Array[] | undefined;
  /** The check gives up, with an error, where it cannot tell derivatives apart that differ by this share of the gradient's size. Default 1e-4. */
  readonly resolution?: number | undefined;
}

/** The largest disagreement of a gradient with central differences. */
export interface GradientCheck {
  /** `|gradient . direction - difference|` over its tolerance, at most 1. */
  readonly worst: number;
  /** The largest of the tolerances, in units of the objective per unit of theta. */
  readonly tolerance: number;
}

/** Steps to choose from, halved from the first to the last; the best balances truncation `h^4` against rounding `noise / h`. */
const FIRST_STEP = 2 ** -6;
const LAST_STEP = 2 ** -14;
/** At a stationary point the gradient has no size. Where it is below this share of the objective's value, or of 1 where that is more, it counts as this large. */
const LEAST_SIZE = 1e-6;

/**
 * Asserts that the gradient of an objective in theta is the one of its values.
 *
 * ```ts
 * import { createRoute, logRhat } from 'htdml';
 * import { assertGradient, dataFor, isings, problems } from 'htdml/proofs';
 *
 * test('my objective has the gradient that it says', () => {
 *   fc.assert(fc.property(problems(isings), ([model, data]) => {
 *     assertGradient(myObjective, createRoute(model, data, { kernel: 'random-scan' }), model.theta);
 *   }));
 * });
 * ```
 *
 * Along each direction the derivative is taken by the fourth-order central difference, at the step with the smallest error estimate: what doubling the step changes, which is
 * 15 times the truncation error where it is of fourth order, plus `3 / (2 h)` times the noise of the values, which is measured (More and Wild 2011) and at least eps times their size. The
 * tolerance is that estimate and the noise of the gradient itself. Throws an {@link HtdmlError} where they differ by more, where the objective has no value, or where the estimate is above
 * `resolution` times the gradient's size, which counts as at least a millionth of the objective's (or of 1): a check that could not fail is no check. At a change of the mode set a projected objective jumps and the check fails or gives up, as it should.
 */
export function assertGradient(
  objective: Objective,
  evaluator: Evaluator,
  theta: Float64Array,
  options: GradientCheckOptions = {},
): GradientCheck {
  const value = objectiveValue(objective, evaluator);
  const gradient = gradientOf(objective, evaluator, theta);
  const directions = options.directions ?? standardDirections(theta.length);
  const resolution = options.resolution ?? 1e-4;
  const size = Math.max(...gradient.map(Math.abs), LEAST_SIZE * Math.max(1, Math.abs(value(theta))));
  const [noise] = measuredNoise((x) => [value(x)], theta);
  const gradientNoise = measuredNoise((x) => gradientOf(objective, evaluator, x), theta);
  let worst = 0;
  let tolerance = 0;
  for (const direction of directions) {
    if (direction.length !== theta.length) {
      throw new InputError({
        field: 'directions',
        expected: `lists of ${theta.length} numbers, as long as theta`,
        got: `${direction.length}`,
        remedy: 'give a direction in the space of all parameters',
      });
    }
    const exact = direction.reduce((sum, x, a) => sum + x * gradient[a], 0);
    const { slope, tolerance: known } = bestDifference((h) => value(theta.map((x, a) => x + h * direction[a])), noise);
    const allowed = direction.reduce((sum, x, a) => sum + Math.abs(x) * gradientNoise[a], known);
    const length = Math.max(...direction.map(Math.abs));
    const error = Math.abs(exact - slope);
    const where = `the derivative of ${objective.name} along [${[...direction].join(', ')}]`;
    if (!(error <= allowed)) {
      throw new HtdmlError(
        'HTDML_ASSERTION',
        `${where} is ${exact} by the gradient and ${slope} by central differences, and they may differ by ${allowed}.`,
      );
    }
    if (allowed > resolution * size * length) {
      throw new HtdmlError(
        'HTDML_ASSERTION',
        `${where} cannot be checked here: rounding and truncation come to ${allowed}, above ${resolution} of the gradient's size ${size}; look for a change of the mode set nearby, or raise resolution.`,
      );
    }
    worst = Math.max(worst, error / allowed);
    tolerance = Math.max(tolerance, allowed);
  }
  return { worst, tolerance };
}

function at(evaluator: Evaluator, theta: Float64Array, quantities: readonly Quantity[]) {
  return typeof evaluator === 'function' ? evaluator(theta, quantities) : evaluator.evaluate(theta, quantities);
}

function evaluated(objective: Objective, evaluator: Evaluator, theta: Float64Array) {
  const evaluation = at(evaluator, theta, objective.quantities);
  const scalar = objective.evaluate(evaluation.value);
  if (scalar === null || !Number.isFinite(scalar.value)) {
    throw new HtdmlError(
      'HTDML_ASSERTION',
      `${objective.name} has no finite value at theta = [${[...theta].join(', ')}].`,
    );
  }
  return { evaluation, scalar };
}

/** The objective as a function of theta. */
function objectiveValue(objective: Objective, evaluator: Evaluator): (theta: Float64Array) => number {
  return (theta) => evaluated(objective, evaluator, theta).scalar.value;
}

function gradientOf(objective: Objective, evaluator: Evaluator, theta: Float64Array): Float64Array {
  const { evaluation, scalar } = evaluated(objective, evaluator, theta);
  return evaluation.pullback(scalar.bar);
}

function standardDirections(length: number): Float64Array[] {
  const units = Array.from({ length }, (_, a) => Float64Array.from({ length }, (__, b) => (a === b ? 1 : 0)));
  const { normal } = randomSource(1);
  return [...units, Float64Array.from({ length }, () => normal() / length)];
}

/** The central difference of fourth order at the step with the smallest error estimate, and that estimate. */
function bestDifference(value: (h: number) => number, noise: number): { slope: number; tolerance: number } {
  const central = (h: number) => (value(h) - value(-h)) / (2 * h);
  let [one, two, four] = [central(FIRST_STEP), central(2 * FIRST_STEP), central(4 * FIRST_STEP)];
  let best = { slope: Number.NaN, tolerance: Number.POSITIVE_INFINITY };
  for (let h = FIRST_STEP; h >= LAST_STEP; h /= 2) {
    if (h < FIRST_STEP) [one, two, four] = [central(h), one, two];
    const [fine, coarse] = [(4 * one - two) / 3, (4 * two - four) / 3];
    const rounding = (3 * noise) / (2 * h);
    const tolerance = Math.abs(fine - coarse) + rounding;
    if (tolerance < best.tolerance) best = { slope: fine, tolerance };
    // From here on rounding alone is more.
    if (2 * rounding >= best.tolerance) break;
  }
  return best;
}
