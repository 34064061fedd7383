import fc from 'fast-check';
import {
  createRoute,
  logEffectiveGap as gap,
  HtdmlError,
  InputError,
  ising,
  type Objective,
  type Quantities,
} from 'htdml';
import { kl, logEffectiveGap, logRhat } from 'htdml/objectives';
import { assertGradient, deepPlateaus, type Evaluator, gibbsKernels, isings, problems, rbms } from 'htdml/proofs';
import { describe, expect, test } from 'vitest';
import { RUNS } from '../properties/arbitraries.js';
import { gradientCases, randomData } from '../support/models.js';

const runs = { ...RUNS, numRuns: 8, endOnFailure: true };
const message = (body: () => unknown) => {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(HtdmlError);
    return String((error as Error).message);
  }
  throw new Error('nothing was thrown');
};

describe('assertGradient', () => {
  test('holds for the objectives of the package on random models', () => {
    fc.assert(
      fc.property(problems(fc.oneof(isings, rbms)), gibbsKernels, ([model, data], kernel) => {
        const route = createRoute(model, data, { kernel });
        const { signal = 0, variance = 0 } = route.evaluate(model.theta, ['signal', 'variance']).value;
        fc.pre(signal > 1e-3 && variance > 1e-3);
        for (const objective of [kl, logEffectiveGap, logRhat({ samples: 100 })]) {
          const { worst } = assertGradient(objective, route, model.theta);
          expect(worst).toBeLessThanOrEqual(1);
        }
      }),
      runs,
    );
  });

  test('where an objective is flat a zero gradient passes, and one of a millionth does not', () => {
    // Two spins without biases: the one observable is a mode of gap 1 whatever the coupling.
    const model = ising({ spins: 2, edges: [[0, 1]], couplings: [0.4] });
    const route = createRoute(model, randomData(2, 3), { kernel: 'random-scan' });
    assertGradient(logEffectiveGap, route, model.theta);
    const tilted: Evaluator = (theta, quantities) => {
      const { value, pullback } = route.evaluate(theta, quantities);
      return { value, pullback: (bar) => pullback(bar).map((x) => x + 1e-6) };
    };
    expect(message(() => assertGradient(logEffectiveGap, tilted, model.theta))).toMatch(/by central differences/);
  });

  test.each(gradientCases().slice(0, 4))('resolves a millionth of the gradient: $name', ({ model, data }) => {
    const route = createRoute(model, data, { kernel: 'random-scan' });
    const { tolerance } = assertGradient(logEffectiveGap, route, model.theta, { resolution: 1e-6 });
    expect(tolerance).toBeGreaterThan(0);
    const off = (factor: number): Objective => ({
      ...logEffectiveGap,
      name: 'off',
      evaluate(values: Quantities) {
        const exact = gap(values);
        return exact && { value: exact.value, bar: { ...exact.bar, timescale: factor * (exact.bar.timescale ?? 0) } };
      },
    });
    assertGradient(off(1), route, model.theta);
    for (const factor of [1 + 1e-4, 1 - 1e-4, -1, 0]) {
      expect(message(() => assertGradient(off(factor), route, model.theta))).toMatch(
        /^the derivative of off along \[.*\] is \S+ by the gradient and \S+ by central differences/,
      );
    }
  });

  test('deep in a plateau, where values carry noise, it allows for it and still sees a wrong sign', () => {
    fc.assert(
      // Without biases the slow mode is invisible and the effective gap hardly moves.
      fc.property(
        deepPlateaus.filter(({ model }) => model.biased),
        ({ model }) => {
          const route = createRoute(model, randomData(model.spins, 3), { kernel: 'random-scan' });
          assertGradient(logEffectiveGap, route, model.theta, { resolution: 1e-2 });
          const wrong: Objective = {
            ...logEffectiveGap,
            evaluate: (v) => {
              const x = gap(v);
              return x && { value: -x.value, bar: x.bar };
            },
          };
          expect(() => assertGradient(wrong, route, model.theta)).toThrow(/by central differences/);
        },
      ),
      runs,
    );
  });

  const plain = (f: (x: Float64Array) => number, gradient: (x: Float64Array) => Float64Array) =>
    [
      {
        name: 'plain',
        quantities: ['kl'],
        evaluate: ({ kl: value = Number.NaN }) => ({ value, bar: { kl: 1 } }),
      } as Objective,
      (x: Float64Array) => ({ value: { kl: f(x) }, pullback: () => gradient(x) }),
    ] as const;

  test('takes a function in place of a route', () => {
    const [objective, evaluator] = plain(
      (x) => Math.exp(x[0]) * Math.sin(x[1]),
      (x) => Float64Array.of(Math.exp(x[0]) * Math.sin(x[1]), Math.exp(x[0]) * Math.cos(x[1])),
    );
    const { tolerance } = assertGradient(objective, evaluator, Float64Array.of(0.3, -1.2));
    expect(tolerance).toBeLessThan(1e-10);
  });

  test('at a kink and beside a jump it does not pass', () => {
    const [kink, atKink] = plain(
      (x) => Math.abs(x[0]),
      () => Float64Array.of(1),
    );
    expect(() => assertGradient(kink, atKink, Float64Array.of(0))).toThrow(
      /by central differences|cannot be checked here/,
    );
    const [jump, atJump] = plain(
      (x) => x[0] + (x[0] > 1e-7 ? 1 : 0),
      () => Float64Array.of(1),
    );
    expect(() => assertGradient(jump, atJump, Float64Array.of(0))).toThrow(
      /by central differences|cannot be checked here/,
    );
  });

  test('refuses what it cannot use, in one sentence', () => {
    const [objective, evaluator] = plain(
      (x) => x[0],
      () => Float64Array.of(1, 0),
    );
    expect(() =>
      assertGradient(objective, evaluator, Float64Array.of(0, 0), { directions: [Float64Array.of(1)] }),
    ).toThrow(InputError);
    const [nothing, nowhere] = plain(
      () => Number.NaN,
      () => Float64Array.of(1),
    );
    expect(message(() => assertGradient(nothing, nowhere, Float64Array.of(0)))).toBe(
      'plain has no finite value at theta = [0].',
    );
    // Values that are noise at the size of the slope: the check says that it cannot tell.
    let flip = 1;
    const [noisy, hiss] = plain(
      (x) => {
        flip = -flip;
        return x[0] + 0.1 * flip;
      },
      () => Float64Array.of(1),
    );
    expect(message(() => assertGradient(noisy, hiss, Float64Array.of(0)))).toMatch(/cannot be checked here/);
  });
});
