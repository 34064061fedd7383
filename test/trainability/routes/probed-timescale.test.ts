import { createRoute, type Evaluation, ising, type KernelName, type Model, randomSource, teacherLaw } from 'htdml';
import { describe, expect, test } from 'vitest';
import { loops } from '../../../src/kernel/compiled/loops.js';
import { programOf } from '../../../src/kernel/compiled/table.js';
import { boltzmann, pullbackLogPi } from '../../../src/model/boltzmann.js';
import { stateSpace } from '../../../src/model/state-space.js';
import { probedTimescale, probesFor } from '../../../src/trainability/routes/probed-timescale.js';
import { complete, GIBBS } from '../../support/models.js';

function glass(spins: number, scale: number, seed: number, biased = false): Model {
  const random = randomSource(seed);
  const edges = complete(spins);
  const normals = (count: number) => Array.from({ length: count }, () => scale * random.normal());
  return ising({ spins, edges, couplings: normals(edges.length), ...(biased && { biases: normals(spins) }) });
}

function exact(model: Model, kernel: KernelName) {
  const at = createRoute(model, teacherLaw(model), { kernel }).evaluate(model.theta, ['timescale']);
  return { timescale: at.value.timescale ?? Number.NaN, gradient: at.pullback({ timescale: 1 }) };
}

function probed(model: Model, kernel: KernelName, count: number, seed: number) {
  const at: Evaluation = createRoute(model, teacherLaw(model), {
    kernel,
    probes: { count, random: randomSource(seed) },
  }).evaluate(model.theta, ['timescale']);
  if (at.info.probes === undefined) throw new Error('it was not probed');
  return { timescale: at.value.timescale ?? Number.NaN, gradient: at.pullback({ timescale: 1 }), ...at.info, at };
}

const norm = (x: ArrayLike<number>) => Math.sqrt(Array.from(x).reduce((sum, value) => sum + value * value, 0));

/** Rows of the Hadamard matrix of Sylvester: over all of them, `sum e_a e_b` vanishes for `a != b`, so that nothing is left to chance. */
function hadamard(rows: number, columns: number): Float64Array[] {
  const parity = (x: number): number => (x === 0 ? 0 : (x & 1) ^ parity(x >> 1));
  return Array.from({ length: rows }, (_, k) =>
    Float64Array.from({ length: columns }, (__, a) => (parity(k & a) === 0 ? 1 : -1)),
  );
}

describe.each(GIBBS)('%s', (kernel) => {
  test('over orthogonal signs the estimate is the exact value, and its gradient the exact gradient', () => {
    const model = glass(8, 0.4, 3, true);
    const law = boltzmann(stateSpace(model), model.theta, model.beta);
    const program = programOf(law, model, kernel);
    const compiled = loops();
    if (program === null || compiled === null) throw new Error('the compiled loops do not run');
    const found = probedTimescale(compiled, law, program, hadamard(64, model.theta.length));
    if (found === null) throw new Error('it does not fit');
    const { timescale, gradient } = exact(model, kernel);
    expect(found.converged).toBe(true);
    // Solved to 1e-6 of what is sampled: second order in the value, first in the gradient.
    expect(Math.abs(found.timescale / timescale - 1)).toBeLessThan(1e-10);
    const theirs = pullbackLogPi(
      law,
      found.density.map((value, s) => law.pi[s] * value),
    );
    expect(norm(theirs.map((value, a) => value - gradient[a]))).toBeLessThan(1e-5 * norm(gradient));
  });

  test('independent spins: nothing is left to sample', () => {
    const model = glass(9, 0, 1);
    const { timescale, probes } = probed(model, kernel, 8, 1);
    expect(probes?.timescale).toBeLessThan(1e-9 * timescale);
    expect(Math.abs(timescale / exact(model, kernel).timescale - 1)).toBeLessThan(1e-9);
  });
});

test('unbiased, with the stated standard errors: 60 seeds', () => {
  const model = glass(9, 0.5, 4);
  const truth = exact(model, 'random-scan');
  const scores: number[] = [];
  const slopes: number[] = [];
  const along = norm(truth.gradient);
  for (let seed = 1; seed <= 60; seed++) {
    const { timescale, gradient, probes } = probed(model, 'random-scan', 64, seed);
    if (probes?.gradient == null) throw new Error('no error of the gradient');
    scores.push((timescale - truth.timescale) / probes.timescale);
    slopes.push(gradient.reduce((sum, value, a) => sum + (value - truth.gradient[a]) * truth.gradient[a], 0) / along);
    // Eight groups: each component's error is a Student's t of 7 degrees of freedom.
    const t = gradient.map((value, a) => (value - truth.gradient[a]) / (probes.gradient?.[a] ?? 0));
    expect(norm(t) / Math.sqrt(t.length)).toBeLessThan(4);
  }
  const mean = scores.reduce((sum, z) => sum + z, 0) / scores.length;
  expect(Math.abs(mean)).toBeLessThan(4.5 / Math.sqrt(scores.length));
  const spread = norm(scores) / Math.sqrt(scores.length);
  // Chi-squared with 60 degrees of freedom, four standard deviations.
  expect(spread).toBeGreaterThan(1 - 4 / Math.sqrt(120));
  expect(spread).toBeLessThan(1 + 4 / Math.sqrt(120));
  const slope = slopes.reduce((sum, value) => sum + value, 0) / slopes.length;
  const deviation = Math.sqrt(slopes.reduce((sum, value) => sum + (value - slope) ** 2, 0) / (slopes.length - 1));
  expect(Math.abs(slope)).toBeLessThan((4.5 * deviation) / Math.sqrt(slopes.length));
});

test('the signs are drawn once, so an optimiser sees one function', () => {
  const { at, timescale } = probed(glass(9, 0.5, 4), 'random-scan', 8, 5);
  const model = glass(9, 0.5, 4);
  const route = createRoute(model, teacherLaw(model), {
    kernel: 'random-scan',
    probes: { count: 8, random: randomSource(5) },
  });
  expect(route.evaluate(model.theta, ['timescale']).value.timescale).toBe(timescale);
  expect(route.evaluate(model.theta, ['timescale']).value.timescale).toBe(timescale);
  expect(at.info.observables).toBeNull();
});

test('small tables and kernels without compiled loops stay exact', () => {
  for (const [model, kernel] of [
    [glass(4, 0.4, 1, true), 'random-scan'],
    [glass(8, 0.4, 1), 'metropolis'],
  ] as const) {
    const route = createRoute(model, teacherLaw(model), { kernel, probes: { count: 8, random: randomSource(1) } });
    const at = route.evaluate(model.theta, ['timescale']);
    expect(at.info.probes).toBeUndefined();
    expect(at.info.observables).not.toBeNull();
  }
});

test('probes come in panels of eight, and panels in equal groups', () => {
  expect([1, 8, 9, 64, 65, 130].map(probesFor)).toEqual([8, 8, 16, 64, 128, 192]);
  const model = glass(8, 0.4, 1);
  for (const count of [0, -1, 2.5, Number.NaN, 1e9]) {
    expect(() =>
      createRoute(model, teacherLaw(model), { kernel: 'random-scan', probes: { count, random: randomSource(1) } }),
    ).toThrow(/^probes\.count must be a whole number from 1 to 1024/);
  }
});
