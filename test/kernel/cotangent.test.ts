import { ising, type Model, withParameters } from 'htdml';
import { describe, expect, test } from 'vitest';
import { createKernel, type KernelName } from '../../src/kernel/kernels.js';
import { boltzmann, pullbackLogPi } from '../../src/model/boltzmann.js';
import { stateSpace } from '../../src/model/state-space.js';
import {
  dot,
  fullSpace,
  inner,
  lawError,
  matrixOf,
  symmetrised,
  times,
  unfold,
  vector,
} from '../support/brute-force.js';
import { complete, DIFFERENTIABLE, gradientCases, random } from '../support/models.js';

const STEP = 1e-3;

const normals = (length: number, seed: number) => vector(length, random(seed).normal);

/** `<v, P w>` as a function of theta with `sqrt(pi) v` and `sqrt(pi) w` fixed: `V^T A W` with the matrix `A` of all states. */
function form(model: Model, kernel: KernelName, v: Float64Array, w: Float64Array) {
  return (theta: Float64Array) => {
    const full = fullSpace(withParameters(model, theta));
    return dot(v, times(symmetrised(matrixOf(full, kernel), full.pi), w));
  };
}

const cases = [
  ...gradientCases().map(({ name, model }) => ({ name, model })),
  {
    name: 'folded, blocks with inside edges',
    model: ising({ spins: 4, edges: complete(4), couplings: normals(6, 5), blocks: [[3, 0, 1], [2]] }),
  },
].filter(({ model }) => model.spins <= 5);

describe.each(cases)('D1 by differences: $name', ({ model }) => {
  const full = fullSpace(model);
  const law = boltzmann(stateSpace(model), model.theta, model.beta);
  const n = law.space.states;
  // beta |d|_1 = 1, so log pi moves by at most 2 per unit step and the form is analytic in a disc of radius 1/2 around 0, where it stays
  // below a few |V| |W|; by Cauchy its fifth derivative is below 5! 2^5 times that, and the fourth-order difference is off by STEP^4 / 30 of it.
  const raw = normals(model.theta.length, 71);
  const direction = raw.map((x) => x / raw.reduce((sum, y) => sum + Math.abs(y), 0) / model.beta);
  const truncation = (4 * 120 * 2 ** 5 * STEP ** 4) / 30;
  const rounding = (3 * lawError(model)) / STEP;

  for (const kernelName of DIFFERENTIABLE) {
    for (const sector of model.biased ? ([1] as const) : ([1, -1] as const)) {
      test(`${kernelName}, sector ${sector}: v = w and v apart from w`, () => {
        const kernel = createKernel(law, model, kernelName, sector);
        const v = normals(n, 73);
        for (const w of [v, normals(n, 79)]) {
          const scaled = (x: Float64Array) => unfold(model, x, sector).map((value, s) => value * Math.sqrt(full.pi[s]));
          const value = form(model, kernelName, scaled(v), scaled(w));
          const at = (step: number) => value(model.theta.map((x, a) => x + step * direction[a]));
          const numeric = (8 * (at(STEP) - at(-STEP)) - (at(2 * STEP) - at(-2 * STEP))) / (12 * STEP);
          const density = new Float64Array(n);
          kernel.addCotangent(v, w, density);
          const gradient = pullbackLogPi(
            law,
            density.map((x, s) => x * law.pi[s]),
          );
          const size = Math.sqrt(inner(law.pi, v, v) * inner(law.pi, w, w));
          expect(Math.abs(dot(gradient, direction) - numeric)).toBeLessThan((truncation + rounding) * size);
        }
      });
    }
  }

  test('adds to what is there, and agrees with itself when v = w is passed as two arrays', () => {
    const kernel = createKernel(law, model, 'random-block');
    const v = normals(n, 83);
    const [once, twice, apart] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
    kernel.addCotangent(v, v, once);
    kernel.addCotangent(v, v, twice);
    kernel.addCotangent(v, v, twice);
    kernel.addCotangent(v, Float64Array.from(v), apart);
    // Products of two values below `top`, summed over the blocks.
    const top = v.reduce((a, x) => Math.max(a, x * x), 0);
    once.forEach((x, s) => {
      expect(Math.abs(twice[s] - 2 * x)).toBeLessThan(8 * Number.EPSILON * model.spins * top);
      expect(Math.abs(apart[s] - x)).toBeLessThan(8 * Number.EPSILON * model.spins * top);
    });
  });
});
