import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readConfiguration, standardConfiguration } from '../../src/experiments/configuration.js';
import { type ExperimentName, loadExperiment } from '../../src/experiments/registry.js';
import { concludeExperiment } from '../../src/experiments/run-experiment.js';
import { scratch } from '../support/cli.js';

const { write } = scratch();

/** An experiment with some of its settings changed, its cells computed here. */
async function reduced(name: ExperimentName, change: object) {
  const standard = JSON.parse(readFileSync(standardConfiguration(name), 'utf8'));
  const settings = { ...standard.settings, ...change };
  const figures = Object.keys((await loadExperiment(name)).conclude([], settings));
  const rows = standard.rows.filter(({ figure }: { figure: string }) => figures.includes(figure));
  const path = write(`${name}-${Math.random()}.json`, { ...standard, settings, rows });
  const { configuration, experiment } = await readConfiguration(path, name);
  const results = experiment.cells(configuration.settings).map(({ key, parameters }) => ({
    key,
    parameters,
    // As it comes back from a file.
    result: JSON.parse(JSON.stringify(experiment.run(parameters, configuration.settings))),
  }));
  return {
    of: (key: string) => results.find((line) => line.key === key)?.result,
    figures: experiment.conclude(results, configuration.settings),
    table: concludeExperiment(
      experiment,
      configuration,
      results.map((line) => ({ seconds: 0, ...line })),
    ),
  };
}

const closeTo = (a: number, b: number, relative: number) => expect(Math.abs(a / b - 1)).toBeLessThan(relative);

test('exp1: every row of four spins has an outcome, and the slowest mode of each cell is odd', async () => {
  const { figures, table, of } = await reduced('exp1', { spins: [4], seeds: [1, 2] });
  expect(figures.slowestIsOdd).toEqual({ value: 1, text: '8 of 8' });
  expect(figures.weakFold.value).toBe(1);
  expect(figures.fullTracks.value).toBeGreaterThan(0.8);
  expect(figures.singleGapOrders.value).toBeGreaterThan(20);
  expect(table.every(({ outcome }) => outcome !== null)).toBe(true);
  const { weak, parity } = of('N=4 beta=1 seed=2');
  expect(Math.abs(parity + 1)).toBeLessThan(1e-12);
  expect(weak.furthest).toBeLessThanOrEqual(weak.bound);
});

describe('exp2', () => {
  const small = { sizes: [3], betas: [1], seeds: [1], comparedSizes: [3], comparedSeeds: [1], propagatedUpTo: 3 };

  test('exact cells: both kernels track, and sampled timescales agree with exact ones within their errors', async () => {
    const { of, figures } = await reduced('exp2', { ...small, chainSweeps: 400 });
    expect(figures['random-scan tracks'].value).toBe(1);
    expect(figures['random-block tracks'].value).toBe(1);
    expect(figures.slowestIsOdd.value).toBe(1);
    for (const kernel of ['random-scan', 'random-block']) {
      const { timescale, sampled } = of(`3+3 beta=1 seed=1 ${kernel}`);
      expect(sampled.resolved).toBe(true);
      expect(Math.abs(sampled.T - timescale)).toBeLessThan(4 * sampled.standardError);
    }
  });

  test('the same cells by sampling alone: R and R_hat within the errors of the exact ones', async () => {
    const exact = await reduced('exp2', { ...small, comparedSizes: [9] });
    const sampled = await reduced('exp2', {
      ...small,
      exactUpTo: 1,
      propagatedUpTo: 1,
      largeChainSweeps: 400,
      repetitions: 200,
    });
    for (const kernel of ['random-scan', 'random-block']) {
      const [a, b] = [exact, sampled].map(({ of }) => of(`3+3 beta=1 seed=1 ${kernel}`));
      expect(b.by).toBe('sampling');
      closeTo(a.signal, b.signal, 1e-12);
      expect(Math.abs(a.R - b.R)).toBeLessThan(4 * b.standardError);
      closeTo(a.Rhat, b.Rhat, (4 * b.sampled.standardError) / b.sampled.T);
    }
  });
});

test('exp7: mirror images are invisible to the gradient, and a stored pattern makes a barrier at low temperature', async () => {
  const { figures, of } = await reduced('exp7', { visible: [4, 5], betas: [0.5, 3] });
  expect(figures.mirrorRelevance.value).toBeLessThan(1e-20);
  // One pattern: it and its mirror image, and at high temperature no barrier of log 2.
  const { basins, pairs } = of('m=5 patterns=1 beta=3');
  expect(basins).toBe(2);
  expect(pairs).toHaveLength(1);
  expect(pairs[0].mirrored).toBe(true);
  // F = -log 2 cosh(beta w sum x_i v_i) + const, w = 1 / sqrt(5): from 5 aligned spins over 1 aligned spin.
  const level = (aligned: number) => -Math.log(Math.cosh((3 * aligned) / Math.sqrt(5)));
  expect(Math.abs(pairs[0].barrier - (level(1) - level(5)))).toBeLessThan(1e-12);
  closeTo(pairs[0].crossing[0], pairs[0].crossing[1], 1e-10);
});

test('exp8: values agree to rounding over the gap, derivatives to the error of differences', async () => {
  const { figures } = await reduced('exp8', { layers: [[3, 2]], seeds: [1, 2] });
  expect(figures.resolved.value).toBe(1);
  expect(figures.largestValueError.value).toBeLessThan(1e-11);
  expect(figures.largestDerivativeError.value).toBeLessThan(1e-8);
});

describe('exp9 and exp11', async () => {
  const settings = { layers: [[3, 2]], steps: 300, learningRate: 0.05, lambdas: [0, 0.5], designSteps: 60 };
  const { of, figures } = await reduced('exp11', settings);
  const [base, penalised] = [of('3+2 lambda=0'), of('3+2 lambda=0.5')];

  test('arms begin at one divergence and are compared at the same levels of it', () => {
    expect(base.start).toBe(penalised.start);
    expect(penalised.evaluations).toBe(300);
    expect(base.evaluations).toBe(0);
    expect(figures.evaluations.value).toBe(300);
    for (const [k, level] of [0.5, 0.25].entries()) closeTo(base.matched[k].kl, level * base.start, 1e-12);
  });

  test('a point is consistent: R_hat = (K/2) |g|^2 / T with T = mu (1/gamma - 1/2)', () => {
    for (const { Rhat, signal, mass, effectiveGap, R } of base.matched) {
      // Between two steps each number is interpolated for itself.
      closeTo(Rhat, ((1000 * 5) / 2) * (signal / (mass * (1 / effectiveGap - 0.5))), 1e-4);
      closeTo(R, Rhat, 0.05);
    }
  });

  test('a design keeps its budget and has a larger effective gap than the run at that divergence', () => {
    const designed = of('3+2 design logEffectiveGap').matched;
    designed.forEach((point: { kl: number; effectiveGap: number }, k: number) => {
      expect(point.kl).toBeLessThanOrEqual(base.matched[k].kl * (1 + 1e-9));
      expect(point.effectiveGap).toBeGreaterThan(base.matched[k].effectiveGap);
    });
  });

  test('an arm that does not reach the levels cannot steer', async () => {
    const { figures: stuck } = await reduced('exp11', { ...settings, steps: 3 });
    expect(stuck['lambda=0.5 R'].value).toBeNull();
    expect(stuck['lambda=0.5 steers'].value).toBe(0);
    expect(stuck['design logRhat reached'].value).toBe(0);
  });
});
