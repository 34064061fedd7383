import { ising, type Model } from '../model/model.js';
import { exactObject } from '../model/schema.js';
import { evaluateModel } from '../trainability/evaluation.js';
import type { Predictor } from '../trainability/predictors.js';
import { TableRoute } from '../trainability/routes/table-route.js';
import { teacherLaw } from '../trainability/teacher.js';
import { experiment } from './experiment.js';
import { count, factor, listOf, nonNegative, positive, share } from './fields.js';
import { sherringtonKirkpatrick, sourceFor } from './random-models.js';
import { largest, medianFigure, shareOf, withinFactor } from './statistics.js';

/** Fully connected models: which predictor tracks the exact `R`, and what the slowest mode is. */
export const exp1 = experiment({
  settings: exactObject(
    {
      spins: listOf(count),
      betas: listOf(positive),
      seeds: listOf(nonNegative),
      couplingScale: positive,
      burnInSweeps: nonNegative,
      windowSweeps: count,
      epsilon: share,
      kappa: positive,
      trackingFactor: factor,
      oddWithin: positive,
      weakFactor: share,
    },
    'settings',
    'write them between braces',
  ),

  cells: ({ spins, betas, seeds }) =>
    spins.flatMap((n) =>
      betas.flatMap((beta) =>
        seeds.map((seed) => ({
          key: `N=${n} beta=${beta} seed=${seed}`,
          cost: 8 ** n,
          parameters: { spins: n, beta, seed },
        })),
      ),
    ),

  run({ spins, beta, seed }: { spins: number; beta: number; seed: number }, settings) {
    const random = sourceFor(seed, spins);
    const { couplingScale, epsilon, kappa } = settings;
    const model = sherringtonKirkpatrick(spins, beta, couplingScale, random);
    const data = teacherLaw(sherringtonKirkpatrick(spins, beta, couplingScale, random));
    const window = settings.windowSweeps * spins;
    const { operational, predictors, signal } = evaluateModel(model, data, {
      kernel: 'random-scan',
      burnIn: settings.burnInSweeps * spins,
      window,
      chains: 1,
      start: 'uniform',
      epsilon,
      kappa,
      gradient: false,
    });
    const slowest = slowestMode(model);
    const rhat = (predictor: Predictor | null) => predictor?.Rhat ?? null;
    return {
      R: operational?.R ?? null,
      full: rhat(predictors.full),
      relevant: rhat(predictors.relevant),
      singleRelevantGap: rhat(predictors.singleRelevantGap),
      singleGap: ((window / 2) * signal) / (slowest.weight * (1 / slowest.gap - 0.5)),
      parity: slowest.parity,
      overlap: slowest.overlap,
      weak: weakLevels(model, settings.weakFactor),
    };
  },

  conclude(results, { trackingFactor, oddWithin }) {
    const all = results.map(({ result }) => result);
    const tracks = (name: 'full' | 'relevant' | 'singleRelevantGap') =>
      shareOf(all.map((result) => withinFactor(result.R, result[name], trackingFactor)));
    const orders = all.flatMap(({ R, singleGap }) =>
      R !== null && Number.isFinite(singleGap) ? [Math.log10(singleGap / R)] : [],
    );
    const overlap = largest(all.map((result) => result.overlap));
    return {
      relevantTracks: tracks('relevant'),
      fullTracks: tracks('full'),
      singleRelevantGapTracks: tracks('singleRelevantGap'),
      singleGapOrders: medianFigure(orders),
      slowestIsOdd: shareOf(all.map(({ parity: p }) => Math.abs(p + 1) <= oddWithin)),
      largestOverlap: { value: overlap },
      weakFold: shareOf(all.map(({ weak }) => weak.inside === weak.spins)),
    };
  },
});

/**
 * The mode of `s_2` over all states, without use of the symmetry: its parity `<phi, phi o flip>` under the global flip, and its overlap with the coupling observables as double
 * precision has it, where it is zero exactly.
 */
function slowestMode(model: Model) {
  const { modes, route } = fullSpace(model, 1);
  const { functions, coefficients, count: modesCount, states, gaps } = modes;
  const { pi } = route.law;
  let parityOfMode = 0;
  for (let s = 0; s < states; s++) parityOfMode += pi[s] * functions[s] * functions[states - 1 - s];
  let weight = 0;
  let overlap = 0;
  for (let a = 0; a < model.edges.length; a++) {
    const inner = coefficients[a * modesCount];
    weight += inner ** 2;
    overlap = Math.max(overlap, Math.abs(inner));
  }
  return { gap: gaps[0], parity: parityOfMode, weight, overlap };
}

/**
 * Couplings scaled by `factor`: how many eigenvalues lie around `1 - 1/N`, where uncoupled spins have an `N`-fold one, within the bound `(beta / N) sum |J|` on their motion (4.1).
 * Between these and the next level, `1 - 2/N`, the bound leaves room.
 */
function weakLevels(model: Model, weak: number) {
  const { modes } = fullSpace(model, weak);
  const n = model.spins;
  const bound = ((model.beta * weak) / n) * model.theta.reduce((sum, value) => sum + Math.abs(value), 0);
  const distances = Array.from(modes.gaps, (gap) => Math.abs(gap - 1 / n));
  const inside = distances.filter((distance) => distance <= bound + 64 * Number.EPSILON);
  return {
    spins: n,
    inside: inside.length,
    bound,
    furthest: inside.reduce((top, distance) => Math.max(top, distance), 0),
  };
}

/** All modes over all `2^N` states: a model with biases that are zero is not folded. */
function fullSpace({ spins, beta, edges, theta }: Model, scale: number) {
  const couplings = theta.map((value) => scale * value);
  const unfolded = ising({ spins, beta, edges, couplings, biases: new Float64Array(spins) });
  const route = new TableRoute(unfolded, teacherLaw(unfolded), 'random-scan');
  return { modes: route.modes(unfolded.theta), route: route.at(unfolded.theta) };
}
