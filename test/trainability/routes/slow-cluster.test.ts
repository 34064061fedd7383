import { createRoute, type KernelName, type Model } from 'htdml';
import { describe, expect, test } from 'vitest';
import { plainPairs } from '../../../src/kernel/pair-space.js';
import { pullbackLogPi } from '../../../src/model/boltzmann.js';
import { ising } from '../../../src/model/model.js';
import { sectorOperator } from '../../../src/spectrum/sector-operator.js';
import { ACCURACY } from '../../../src/trainability/accuracy.js';
import { levelsInside, modeSet } from '../../../src/trainability/membership/mode-sets.js';
import { hardMembership } from '../../../src/trainability/membership/soft-window.js';
import { weightedModes } from '../../../src/trainability/routes/dense-modes.js';
import { clusterCotangent, pickModes } from '../../../src/trainability/routes/slow-cluster.js';
import { isRelevanceKnown } from '../../../src/trainability/routes/slow-end.js';
import { slowSpectrum } from '../../../src/trainability/routes/slow-modes.js';
import { spectralFormCotangent } from '../../../src/trainability/routes/spectral-form.js';
import { TableRoute } from '../../../src/trainability/routes/table-route.js';
import { dot, EPS } from '../../support/brute-force.js';
import { CHARACTERS, modelOf } from '../../support/mode-cases.js';
import { complete, GIBBS, random, randomData } from '../../support/models.js';

const PART = { timescale: 1, mass: 0.4 };
const largest = (x: ArrayLike<number>) => Array.from(x).reduce((most, value) => Math.max(most, Math.abs(value)), 0);

function glass(spins: number, scale: number, seed: number, biased = false): Model {
  const { normal } = random(seed);
  const edges = complete(spins);
  const couplings = edges.map(() => scale * normal());
  return ising({
    spins,
    edges,
    couplings,
    ...(biased && { biases: Array.from({ length: spins }, () => scale * normal()) }),
  });
}

describe('(5.3) against (5.2) by all modes', () => {
  const cases = CHARACTERS.flatMap((character) => GIBBS.map((kernel) => ({ character, kernel })));
  test.each(cases)('$character, $kernel, given the same cluster', ({ character, kernel }) => {
    const model = modelOf(character, random(101));
    const route = new TableRoute(model, randomData(model.visible.length, 3), kernel);
    const { law, kernel: operator } = route.at(model.theta);
    const modes = route.modes(model.theta);
    const members = levelsInside(
      modeSet(
        { levels: weightedModes(modes, model.edges.length), groups: route.spectrum(model.theta)?.groups ?? [] },
        'window',
      ),
    );
    const dense = spectralFormCotangent(law, operator, modes, hardMembership(modes.gaps, new Set(members), PART));
    const plain = plainPairs(operator, true, 1);
    const found = clusterCotangent(law, operator, plain, pickModes(modes, members), PART);
    if (found === null) throw new Error('no solution');
    const gradient = (density: Float64Array) =>
      pullbackLogPi(
        law,
        density.map((x, s) => x * law.pi[s]),
      );
    const [exact, ours] = [gradient(dense), gradient(found)];
    // Vectors are known to n eps over the distance to the next level outside, and enter over the gap.
    const slow = modes.gaps[members[0]];
    const outside = modes.gaps.find((_, j) => !members.includes(j) && j > members[0]) ?? 1;
    const apart = outside - modes.gaps[members[members.length - 1]];
    const tolerance = (ACCURACY.modes * modes.states * EPS) / (slow * Math.max(slow, apart));
    expect(largest(exact.map((x, a) => x - ours[a]))).toBeLessThan(tolerance * (1 + largest(exact)));
  });
});

describe('beyond the dense limit', () => {
  // Under a palindrome modes lie close: a narrower window holds as many.
  const kernels: readonly (readonly [KernelName, number])[] = [
    ['random-scan', 2.5],
    ['palindrome', 1.4],
  ];
  test.each(kernels)('%s: the derivative of the slow cluster by central differences', (kernel, kappa) => {
    const model = glass(12, 0.3, 4);
    const route = createRoute(model, randomData(12, 3), { kernel, thresholds: { epsilon: 1e-3, kappa } });
    const quantities = ['slowClusterTimescale', 'slowClusterMass'] as const;
    const evaluation = route.evaluate(model.theta, quantities);
    const { normal } = random(8);
    const d = model.theta.map(() => normal() / 8);
    const value = (t: number) => {
      const at = route.evaluate(
        model.theta.map((x, a) => x + t * d[a]),
        quantities,
      ).value;
      return (at.slowClusterTimescale ?? Number.NaN) + PART.mass * (at.slowClusterMass ?? Number.NaN);
    };
    const stencil = (h: number) => (8 * (value(h) - value(-h)) - (value(2 * h) - value(-2 * h))) / (12 * h);
    const [coarse, fine] = [stencil(4e-3), stencil(2e-3)];
    const exact = dot(evaluation.pullback({ slowClusterTimescale: 1, slowClusterMass: PART.mass }), d);
    // The difference of two steps is the error of the coarser one; rounding is that of residuals of 1e-12 over a distance of 1e-3, over the step.
    expect(Math.abs(exact - fine)).toBeLessThan(Math.abs(coarse - fine) + (1e-9 * value(0)) / 2e-3);
    expect(Math.abs(coarse - fine)).toBeLessThan(ACCURACY.spectralForms * Math.abs(exact));
  });

  test('a cluster of everything: the derivative is that of the full timescale', () => {
    // Independent spins with biases: random-scan has the levels k/N, and all weight lies on those of one spin and of pairs.
    const spins = 11;
    const model = ising({
      spins,
      edges: [
        [0, 1],
        [2, 3],
      ],
      couplings: [0.3, -0.2],
      biases: Array.from({ length: spins }, (_, i) => 0.1 + 0.02 * i),
    });
    const thresholds = { epsilon: 1e-3, kappa: 3.5 };
    const route = createRoute(model, randomData(spins, 3), { kernel: 'random-scan', thresholds });
    const all = route.evaluate(model.theta, ['timescale', 'variance']);
    const cluster = route.evaluate(model.theta, ['slowClusterTimescale', 'slowClusterMass']);
    expect(Math.abs((cluster.value.slowClusterMass ?? 0) / (all.value.variance ?? 0) - 1)).toBeLessThan(1e-10);
    expect(Math.abs((cluster.value.slowClusterTimescale ?? 0) / (all.value.timescale ?? 0) - 1)).toBeLessThan(1e-10);
    const [whole, part] = [all.pullback({ timescale: 1 }), cluster.pullback({ slowClusterTimescale: 1 })];
    expect(largest(whole.map((x, a) => x - part[a]))).toBeLessThan(1e-8 * largest(whole));
  });

  test('exchangeable spins: one derivative for all pairs', () => {
    const edges = complete(12);
    const model = ising({ spins: 12, edges, couplings: edges.map(() => 0.05) });
    const route = createRoute(model, randomData(12, 3), { kernel: 'random-scan' });
    const evaluation = route.evaluate(model.theta, ['slowClusterTimescale']);
    const gradient = evaluation.pullback({ slowClusterTimescale: 1 });
    expect(Math.max(...gradient) - Math.min(...gradient)).toBeLessThan(1e-9 * largest(gradient));
  });
});

test('the slow end of a model small enough for all modes: the same groups and weights', () => {
  const model = glass(10, 0.4, 21);
  const route = new TableRoute(model, randomData(10, 3), 'random-scan');
  const { law } = route.at(model.theta);
  const spectrum = route.spectrum(model.theta);
  if (spectrum === null) throw new Error('no spectrum');
  const { groups } = spectrum;
  const total = groups.reduce((sum, { weight }) => sum + weight, 0);
  const thresholds = { epsilon: 1e-3, kappa: 2.5 };
  const slow = slowSpectrum(law, model, 'random-scan', thresholds, total);
  if (slow === null) throw new Error('no slow end');
  expect(slow.groups.length).toBeGreaterThan(2);
  slow.groups.forEach(({ gap, weight, multiplicity }, k) => {
    expect(Math.abs(gap - groups[k].gap)).toBeLessThan(1e-12);
    expect(Math.abs(weight - groups[k].weight)).toBeLessThan(1e-8 * total);
    expect(multiplicity).toBe(groups[k].multiplicity);
  });
  expect(groups.filter(({ gap }) => gap < slow.clear)).toHaveLength(slow.groups.length);
  expect(slow.slowest?.gap).toBeCloseTo(route.relaxation(model.theta).slowest?.gap ?? Number.NaN, 12);
  expect(isRelevanceKnown(slow, { epsilon: 0.999999, kappa: 2 })).toBe(true);
  expect(sectorOperator(law, model, 'random-scan').states).toBe(512);
});
