import { ising, type KernelName, type Model, UnsupportedError, withParameters } from 'htdml';
import { describe, expect, test } from 'vitest';
import { createKernel } from '../../src/kernel/kernels.js';
import { sensitivity } from '../../src/kernel/sensitivity.js';
import { boltzmann } from '../../src/model/boltzmann.js';
import { stateSpace } from '../../src/model/state-space.js';
import { transitionMatrix } from '../../src/spectrum/dense-kernel.js';
import { symmetricEigen } from '../../src/spectrum/symmetric-eigen.js';
import { CASES, CHARACTERS, direction, modelOf, TIMEOUT } from '../support/mode-cases.js';
import { complete, GIBBS, random } from '../support/models.js';

/** `A = D^{1/2} P D^{-1/2}` on each symmetry sector, one matrix after the other. */
function matrices(model: Model, theta: Float64Array, name: KernelName): Float64Array[] {
  const law = boltzmann(stateSpace(model), theta, model.beta);
  const n = law.space.states;
  const root = law.pi.map(Math.sqrt);
  return (model.biased ? ([1] as const) : ([1, -1] as const)).map((sector) =>
    transitionMatrix(createKernel(law, withParameters(model, theta), name, sector)).map(
      (p, k) => (p * root[Math.floor(k / n)]) / root[k % n],
    ),
  );
}

/** The spectral norm of `sum_k factors[k] A_k`, over both sectors. */
function norm(parts: readonly Float64Array[][], factors: readonly number[]): number {
  return parts[0].reduce((top, first, sector) => {
    const n = Math.sqrt(first.length);
    const sum = first.map((_, k) => factors.reduce((total, f, m) => total + f * parts[m][sector][k], 0));
    // Symmetric to rounding; made so exactly.
    const { values } = symmetricEigen(
      sum.map((x, k) => (x + sum[(k % n) * n + Math.floor(k / n)]) / 2),
      n,
    );
    return Math.max(top, -values[0], values[n - 1]);
  }, 0);
}

const add = (x: Float64Array, t: number, d: Float64Array) => x.map((value, a) => value + t * d[a]);

// Energies below 30 or so make A right to 1e-13 or better; two of them are subtracted.
const ROUNDING = 1e-12;

describe.each(GIBBS)('%s', (name) => {
  test(
    'finite steps never move A by more than the bound, nor the bound beyond the constants, nor second differences beyond the curvature',
    () => {
      const r = random(41);
      let [closest, closestCurvature] = [0, 0];
      for (let k = 0; k < CASES; k++) {
        const model = modelOf(CHARACTERS[k % CHARACTERS.length], r);
        const { constants, bound, curvature } = sensitivity(model, name);
        const d = direction(model.theta.length, r);
        const t = 10 ** (2.5 * r.uniform() - 2);
        const here = matrices(model, model.theta, name);
        const there = matrices(model, add(model.theta, t, d), name);
        const back = matrices(model, add(model.theta, -t, d), name);
        const step = d.map((x) => t * x);
        const moved = norm([there, here], [1, -1]);
        expect(moved).toBeLessThan(bound(step) + ROUNDING);
        const linear = constants.reduce((sum, c, a) => sum + c * Math.abs(step[a]), 0);
        expect(bound(step)).toBeLessThanOrEqual(linear * (1 + 1e-14));
        // A second difference is a mean of second derivatives between.
        const second = norm([there, here, back], [1, -2, 1]);
        expect(second).toBeLessThan(curvature(step) + 2 * ROUNDING);
        closest = Math.max(closest, moved / bound(step));
        closestCurvature = Math.max(closestCurvature, second / curvature(step));
      }
      // A bound that is never near would tell nothing.
      expect(closest).toBeGreaterThan(0.4);
      expect(closestCurvature).toBeGreaterThan(0.1);
    },
    TIMEOUT,
  );

  test('is homogeneous: the bound of degree one, the curvature of degree two', () => {
    const r = random(43);
    const model = modelOf('blocks with inside edges', r);
    const { bound, curvature } = sensitivity(model, name);
    const d = direction(model.theta.length, r);
    const scaled = d.map((x) => -3 * x);
    expect(bound(scaled)).toBeCloseTo(3 * bound(d), 14);
    expect(curvature(scaled)).toBeCloseTo(9 * curvature(d), 13);
    expect(bound(new Float64Array(d.length))).toBe(0);
  });
});

/** Pattern search over theta for the largest `|A(theta + d) - A(theta)| / (c_a t)`, `d` along parameter `a`. */
function attack(model: Model, name: KernelName, a: number, seed: number): number {
  const r = random(seed);
  const t = 1e-3;
  const c = sensitivity(model, name).constants[a];
  const d = Float64Array.from(model.theta, (_, b) => (b === a ? 1 : 0));
  const ratio = (theta: Float64Array) =>
    norm([matrices(model, add(theta, t / 2, d), name), matrices(model, add(theta, -t / 2, d), name)], [1, -1]) /
    (c * t);
  let theta = Float64Array.from(model.theta, () => r.normal());
  let best = ratio(theta);
  for (let size = 0.8; size > 1e-3; ) {
    let better = false;
    for (let b = 0; b < theta.length; b++) {
      for (const sign of [1, -1]) {
        const trial = add(
          theta,
          sign * size,
          Float64Array.from(theta, (_, k) => (k === b ? 1 : 0)),
        );
        const value = ratio(trial);
        if (value > best) [best, theta, better] = [value, trial, true];
      }
    }
    if (!better) size /= 2;
  }
  return best;
}

// D6: an adversarial search comes to 1.0000 for mixtures and 0.99999 for palindromes, there at the last site; before it 3 sqrt(3) / 4 is approached from below.
describe.each([
  { name: 'random-scan', parameter: 'an edge', a: 0, reached: 0.999 },
  { name: 'random-scan', parameter: 'a bias', a: 3, reached: 0.999 },
  { name: 'random-block', parameter: 'an edge', a: 0, reached: 0.999 },
  { name: 'random-block', parameter: 'a bias', a: 4, reached: 0.999 },
  { name: 'palindrome', parameter: 'the last bias', a: 5, reached: 0.999 },
  { name: 'palindrome', parameter: 'the first bias', a: 3, reached: 0.5 },
] as const)('adversarial search on $name along $parameter', ({ name, a, reached }) => {
  test('comes near 1 and never above', () => {
    const model = ising({ spins: 3, edges: complete(3), couplings: Array(3).fill(0), biases: Array(3).fill(0) });
    const best = Math.max(...[1, 2, 3].map((seed) => attack(model, name, a, seed)));
    // A difference over 1e-3 of values right to a few eps.
    expect(best).toBeLessThan(1 + 1e-11);
    expect(best).toBeGreaterThan(reached);
  });
});

test('kernels without a certificate are refused with the reason', () => {
  const model = ising({ spins: 2, edges: [[0, 1]], couplings: [0.1] });
  expect(() => sensitivity(model, 'metropolis')).toThrow(/kinks/);
  expect(() => sensitivity(model, 'alternating-block')).toThrow(UnsupportedError);
});
