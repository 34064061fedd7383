import { createRoute, type DataLaw, ising, type Model, rbm, teacherLaw } from 'htdml';
import { describe, expect, test } from 'vitest';
import {
  dot,
  EPS,
  fullSpace,
  inner,
  jointLaw,
  lawError,
  matrixOf,
  poisson,
  weightedGaps,
} from '../../support/brute-force.js';
import {
  type Case,
  complete,
  FACTORED_GIBBS,
  gradientCases,
  MIXTURES,
  random,
  randomData,
  ring,
} from '../../support/models.js';

/** The usual cases on random data, and on teachers: one of the other kind, one with hidden spins at another beta, the model itself. */
function cases(): Case[] {
  const usual = gradientCases();
  const { normal } = random(97);
  const weights = (n: number) => Array.from({ length: n }, () => 0.7 * normal());
  const teacherOf = (visible: number): { name: string; law: DataLaw }[] => [
    {
      name: 'RBM teacher',
      law: teacherLaw(rbm({ visible, hidden: 2, beta: 0.8, weights: weights(2 * visible) })),
    },
    {
      name: 'Ising teacher with hidden spins',
      law: teacherLaw(
        ising({
          spins: visible + 1,
          edges: complete(visible + 1),
          couplings: weights((visible * (visible + 1)) / 2),
          biases: weights(visible + 1),
          beta: 1.3,
          visible: Array.from({ length: visible }, (_, k) => visible - k),
        }),
      ),
    },
  ];
  const taught = [
    'hidden spins',
    'hidden spins, no biases',
    'beta 0.3, hidden',
    'RBM 3 + 2',
    'RBM 2 + 3, no biases, beta 1.4',
  ];
  const students = usual.filter(({ name }) => taught.includes(name));
  return [
    ...usual,
    ...students.flatMap(({ name, model }) =>
      teacherOf(model.visible.length).map((teacher) => ({
        name: `${name}, ${teacher.name}`,
        model,
        data: teacher.law,
      })),
    ),
  ];
}

const routesOf = (model: Model, data: DataLaw) => [
  ...MIXTURES.map((kernel) => ({ kernel, route: createRoute(model, data, { kernel, route: 'table' }) })),
  ...(model.layers === null ? [] : FACTORED_GIBBS).map((kernel) => ({
    kernel,
    route: createRoute(model, data, { kernel, route: 'factored' }),
  })),
];

describe.each(cases())('$name', ({ model, data }) => {
  const full = fullSpace(model);
  const error = lawError(model);
  const { joint, visible } = jointLaw(full, data);
  const dataMoments = full.observables.map((f) => dot(joint, f));
  const modelMoments = full.observables.map((f) => dot(full.pi, f));
  const g = dataMoments.map((moment, a) => moment - modelMoments[a]);
  const signal = g.reduce((sum, x) => sum + x * x, 0);
  let kl = 0;
  data.patterns.forEach((v, k) => (kl += data.probabilities[k] * Math.log(data.probabilities[k] / visible[v])));
  const variance = full.centred.map((f) => inner(full.pi, f, f));
  const totalVariance = variance.reduce((a, b) => a + b);

  for (const { kernel, route } of routesOf(model, data)) {
    describe(`${route.name}, ${kernel}`, () => {
      const p = matrixOf(full, kernel);
      const modes = weightedGaps(full, p);
      const u = full.centred.map((f) => poisson(p, full.pi, f));
      const times = u.map((x, a) => inner(full.pi, full.centred[a], x) - variance[a] / 2);
      const time = times.reduce((a, b) => a + b);
      const lengths = u.reduce((sum, x, a) => sum + Math.sqrt(variance[a] * inner(full.pi, x, x)), 0);
      const evaluation = route.evaluate(model.theta, ['timescale', 'variance', 'signal', 'kl']);
      const { value, info } = evaluation;
      // Eigenvalues and weights from matrices of `states` rows whose entries are right to lawError.
      const spectral = 8 * full.states * error;

      test('moments and |g|^2 against sums over all states', () => {
        const moments = route.moments(model.theta);
        // Averages of +-1 over laws with relative error lawError.
        dataMoments.forEach((moment, a) => expect(Math.abs(moments.data[a] - moment)).toBeLessThan(2 * error));
        modelMoments.forEach((moment, a) => expect(Math.abs(moments.model[a] - moment)).toBeLessThan(2 * error));
        const slope = 2 * g.reduce((sum, x) => sum + Math.abs(x), 0);
        expect(Math.abs((value.signal ?? 0) - signal)).toBeLessThan(4 * error * (slope + error * g.length));
      });

      test('KL against its definition', () => {
        // log pi(v) has the absolute error lawError, log d(v) that of a rounding.
        const rounding = data.probabilities.reduce((sum, d) => sum + d * Math.abs(Math.log(d)), 0) * 8 * EPS;
        expect(Math.abs((value.kl ?? -1) - Math.max(0, kl))).toBeLessThan(4 * error + rounding);
      });

      test('T and the variance, in all and by observable, against a dense solve', () => {
        expect(info.converged).toBe(true);
        expect(Math.abs((value.variance ?? 0) - totalVariance)).toBeLessThan(4 * error * g.length);
        // A solve on all states has the error (states eps + lawError) / gap of its length.
        const tolerance = (full.states * EPS + 8 * error) / modes[0].gap;
        expect(Math.abs((value.timescale ?? 0) - time)).toBeLessThan(tolerance * lengths);
        const each = info.observables;
        times.forEach((t, a) => {
          expect(Math.abs((each?.timescale[a] ?? 0) - t)).toBeLessThan(tolerance * lengths);
          expect(Math.abs((each?.variance[a] ?? 0) - variance[a])).toBeLessThan(4 * error);
        });
      });

      test('groups: weights sum to the variance, mu tau to T, and each is what the full matrix has there', () => {
        const { groups, slowest, measure } = route.relaxation(model.theta);
        const list = groups ?? [];
        expect(list.length).toBeGreaterThan(0);
        const mass = list.reduce((sum, { weight }) => sum + weight, 0);
        const summed = list.reduce((sum, { weight, gap }) => sum + weight * (1 / gap - 0.5), 0);
        expect(Math.abs(mass / totalVariance - 1)).toBeLessThan(spectral);
        // A gap is known to `spectral`, so its inverse to that over the gap, relatively.
        const slow = list[0].gap;
        expect(Math.abs(summed / time - 1)).toBeLessThan((2 * spectral) / slow);
        expect(Math.abs((slowest?.gap ?? 0) - modes[0].gap)).toBeLessThan(spectral);
        const measured = (measure ?? []).reduce((sum, part) => sum + part.couplingsWeight + part.biasesWeight, 0);
        // The same positive numbers, added in another order.
        expect(Math.abs(measured / mass - 1)).toBeLessThan(2 * EPS * list.length);
        const dimension = list.reduce((sum, { multiplicity }) => sum + multiplicity, 0);
        expect(dimension).toBe((model.biased ? full.states : full.states / 2) - 1);
        list.forEach(({ gap, weight, couplingsWeight, biasesWeight }, k) => {
          const apart = Math.min(gap - (list[k - 1]?.gap ?? -1), (list[k + 1]?.gap ?? 2) - gap);
          const here = modes.filter((mode) => Math.abs(mode.gap - gap) < apart / 2);
          const expected = here.reduce((sum, mode) => sum + mode.weight, 0);
          // An eigenspace turns by the error of the matrix over its distance to the next; correlations of layers are known by their squares.
          const turn = (2 * Math.sqrt(totalVariance * Math.max(expected, spectral)) * spectral) / apart;
          expect(Math.abs(weight - expected)).toBeLessThan(turn + spectral * totalVariance);
          expect(couplingsWeight + biasesWeight).toBe(weight);
          expect(couplingsWeight).toBeGreaterThanOrEqual(0);
          expect(biasesWeight).toBeGreaterThanOrEqual(0);
        });
      });
    });
  }
});

test.each(gradientCases())('a model is its own teacher: $name', ({ model }) => {
  for (const { route } of routesOf(model, teacherLaw(model))) {
    const { value } = route.evaluate(model.theta, ['signal', 'kl']);
    const error = 4 * lawError(model);
    expect(value.signal).toBeLessThan(model.theta.length * error * error);
    expect(value.kl).toBeLessThan(error);
  }
});

describe('beyond the dense limit', () => {
  const { normal } = random(101);
  const model = ising({
    spins: 11,
    edges: ring(11),
    couplings: Array.from({ length: 11 }, () => 0.5 * normal()),
    biases: Array.from({ length: 11 }, () => 0.3 * normal()),
  });
  const route = createRoute(model, randomData(11, 7, 0.1), { kernel: 'random-scan' });

  test('quadrature keeps the sums: weights to the variance, mu tau to T', () => {
    const { groups, slowest, measure: known } = route.relaxation(model.theta);
    const measure = known ?? [];
    expect(groups).toBeNull();
    // The slow end has it, and quadrature's nodes lie within the spectrum.
    expect(slowest?.gap ?? Number.NaN).toBeLessThan(Math.min(...measure.map((k) => k.gap)) * (1 + 1e-9));
    const { value, info } = route.evaluate(model.theta, ['timescale', 'variance']);
    expect(info.solver).toBe('conjugate gradients');
    const weight = (k: (typeof measure)[number]) => k.couplingsWeight + k.biasesWeight;
    const mass = measure.reduce((sum, k) => sum + weight(k), 0);
    const time = measure.reduce((sum, k) => sum + weight(k) * (1 / k.gap - 0.5), 0);
    const slow = Math.min(...measure.map((k) => k.gap));
    // The iteration's own measure of convergence, 64 eps sqrt(n), over the gap.
    const tolerance = 64 * EPS * Math.sqrt(2 ** 11);
    expect(Math.abs(mass / (value.variance ?? 0) - 1)).toBeLessThan(tolerance);
    expect(Math.abs(time / (value.timescale ?? 0) - 1)).toBeLessThan(tolerance / slow);
  });

  test('every measure splits by parameter group', () => {
    const measure = route.relaxation(model.theta).measure ?? [];
    const { info } = route.evaluate(model.theta, ['timescale']);
    const parts = [0, 0];
    info.observables?.variance.forEach((v, a) => (parts[a < 11 ? 0 : 1] += v));
    const sums = [
      measure.reduce((sum, k) => sum + k.couplingsWeight, 0),
      measure.reduce((sum, k) => sum + k.biasesWeight, 0),
    ];
    sums.forEach((sum, k) => expect(Math.abs(sum / parts[k] - 1)).toBeLessThan(64 * EPS * Math.sqrt(2 ** 11)));
  });
});
