import { ising, type Model, withParameters } from 'htdml';
import { describe, expect, test } from 'vitest';
import { createKernel, type KernelName } from '../../src/kernel/kernels.js';
import { boltzmann, linearCombination } from '../../src/model/boltzmann.js';
import { stateSpace } from '../../src/model/state-space.js';
import { distance, dot, inner, lawError, vector } from '../support/brute-force.js';
import { complete, DIFFERENTIABLE, gradientCases, random } from '../support/models.js';

const STEP = 1e-3;
const normals = (length: number, seed: number) => vector(length, random(seed).normal);

const inside: Record<string, Model> = {
  'folded, blocks with inside edges': ising({
    spins: 4,
    edges: complete(4),
    couplings: normals(6, 5),
    blocks: [[3, 0, 1], [2]],
  }),
  'one block of everything': ising({
    spins: 3,
    edges: complete(3),
    couplings: normals(3, 6),
    biases: normals(3, 7),
    blocks: [[0, 1, 2]],
  }),
  'two spins, no biases': ising({ spins: 2, edges: [[0, 1]], couplings: [0.7], beta: 1.3 }),
};
const cases = [
  ...gradientCases().map(({ name, model }) => ({ name, model })),
  ...Object.entries(inside).map(([name, model]) => ({ name, model })),
];

/** `A w`, `A = D^{1/2} P D^{-1/2}`, by the kernel's own application. */
function symmetric(model: Model, theta: Float64Array, name: KernelName, sector: 1 | -1, w: Float64Array) {
  const law = boltzmann(stateSpace(model), theta, model.beta);
  const kernel = createKernel(law, withParameters(model, theta), name, sector);
  const out = new Float64Array(w.length);
  kernel.apply(
    w.map((x, s) => x / Math.sqrt(law.pi[s])),
    out,
  );
  return out.map((x, s) => x * Math.sqrt(law.pi[s]));
}

describe.each(cases)('dA in a direction: $name', ({ model }) => {
  const law = boltzmann(stateSpace(model), model.theta, model.beta);
  const n = law.space.states;
  const raw = normals(model.theta.length, 71);
  // beta |d|_1 = 1: A is analytic in the step in a disc of radius 1/2 and bounded by a few there (see cotangent.test.ts).
  const direction = raw.map((x) => x / raw.reduce((sum, y) => sum + Math.abs(y), 0) / model.beta);
  const l = linearCombination(law.space, direction).map((x) => -law.beta * x);
  const mean = dot(law.pi, l);
  const centred = l.map((x) => x - mean);
  const root = law.pi.map(Math.sqrt);
  const truncation = (4 * 120 * 2 ** 5 * STEP ** 4) / 30;
  const rounding = (3 * lawError(model)) / STEP;
  const sectors = model.biased ? ([1] as const) : ([1, -1] as const);

  test.each(DIFFERENTIABLE)('%s: by central differences, and adjoint to the cotangent', (name) => {
    for (const sector of sectors) {
      const kernel = createKernel(law, model, name, sector);
      const [w, v] = [normals(n, 73), normals(n, 79)];
      const [fixed, norm] = [w.map((x, s) => x * root[s]), Math.sqrt(inner(law.pi, w, w))];
      const at = (t: number) =>
        symmetric(
          model,
          model.theta.map((x, a) => x + t * direction[a]),
          name,
          sector,
          fixed,
        );
      const [p1, m1, p2, m2] = [at(STEP), at(-STEP), at(2 * STEP), at(-2 * STEP)];
      const numeric = p1.map((x, s) => (8 * (x - m1[s]) - (p2[s] - m2[s])) / (12 * STEP));
      const y = new Float64Array(n).fill(Number.NaN);
      kernel.applyDerivative(w, centred, y);
      const exact = y.map((x, s) => x * root[s]);
      expect(distance(exact, numeric)).toBeLessThan((truncation + rounding) * norm);

      const density = new Float64Array(n);
      kernel.addCotangent(v, w, density);
      const size = Math.sqrt(inner(law.pi, v, v)) * norm;
      // Both are sums over blocks and states of products with l, which is below 2.
      const tolerance = 64 * model.spins * n * Number.EPSILON * size;
      expect(Math.abs(inner(law.pi, v, y) - inner(law.pi, density, centred))).toBeLessThan(tolerance);

      // A constant in l is no direction.
      const shifted = new Float64Array(n);
      kernel.applyDerivative(
        w,
        centred.map((x) => x + 3),
        shifted,
      );
      expect(
        distance(
          shifted.map((x, s) => x * root[s]),
          exact,
        ),
      ).toBeLessThan(4 * tolerance + 64 * n * Number.EPSILON * norm);
    }
  });

  test('the stationary vector stays one: dA psi = (I - A) dpsi', () => {
    for (const name of DIFFERENTIABLE) {
      const kernel = createKernel(law, model, name);
      const [y, z] = [new Float64Array(n), new Float64Array(n)];
      kernel.applyDerivative(new Float64Array(n).fill(1), centred, y);
      kernel.applyGenerator(
        centred.map((x) => x / 2),
        z,
      );
      expect(
        distance(
          y.map((x, s) => x * root[s]),
          z.map((x, s) => x * root[s]),
        ),
      ).toBeLessThan(64 * model.spins * Number.EPSILON);
    }
  });
});
