import { kl, logEffectiveGap, logRhat } from 'htdml/objectives';
import { z } from 'zod';
import { stepsPerSweep } from '../kernel/kernels.js';
import type { DataLaw } from '../model/data-law.js';
import type { Model } from '../model/model.js';
import { exactObject, number, says } from '../model/schema.js';
import { design, designStart } from '../optimization/design.js';
import { parametrization } from '../optimization/parametrization.js';
import { train, trainStart } from '../optimization/train.js';
import type { EvaluateOptions } from '../trainability/evaluation.js';
import { createRoute } from '../trainability/routes/create-route.js';
import type { Objective } from '../trainability/routes/log-quantities.js';
import type { Route } from '../trainability/routes/route.js';
import { teacherLaw } from '../trainability/teacher.js';
import { type CellResult, experiment, type Figure } from './experiment.js';
import { count, kernel, listOf, nonNegative, positive, share } from './fields.js';
import { Crossings, interpolate, type MatchedPoint, pointAt } from './matched-kl.js';
import { normalRbm, sourceFor } from './random-models.js';
import { median, medianFigure, shareOf } from './statistics.js';

/** What a budgeted design may maximise; `samples` is `K`. */
const OBJECTIVES = {
  logEffectiveGap: (_samples: number): Objective => logEffectiveGap,
  logRhat: (samples: number) => logRhat({ samples }),
};

const layers = z.tuple([count, count], says('a pair of layer sizes', 'write it as [visible, hidden]'));

const settingsSchema = exactObject(
  {
    layers: listOf(layers),
    lambdas: listOf(nonNegative),
    seed: nonNegative,
    teacherBeta: positive,
    teacherScale: positive,
    initialScale: positive,
    kernel,
    steps: count,
    learningRate: positive,
    windowSweeps: count,
    levels: listOf(share),
    steerRatio: number((value) => value > 1, 'a number above 1', 'give the ratio of R from which an arm steers'),
    gapShare: share,
    convergedShare: share,
    designs: listOf(
      z.enum(['logEffectiveGap', 'logRhat'], says('"logEffectiveGap" or "logRhat"', 'name an objective')),
    ),
    designRestarts: count,
    designSteps: count,
  },
  'settings',
  'write them between braces',
);
type Settings = z.infer<typeof settingsSchema>;

/** The weight of the penalty in a run of training, or the objective of budgeted designs from where the run of lambda 0 ends. */
type Arm = number | keyof typeof OBJECTIVES;

interface Parameters {
  readonly layers: readonly [number, number];
  readonly arm: Arm;
}

interface Result {
  /** In-loop evaluations of `R_hat` with its gradient. */
  readonly evaluations: number;
  readonly start: number;
  readonly end: number;
  /** At each level, or null where the arm does not reach it. */
  readonly matched: readonly (MatchedPoint | null)[];
}

type Results = readonly CellResult<Parameters, Result>[];

/** Training with `KL - lambda log R_hat` at every step (exp9, exp11), and budgeted design, under one criterion: `R` at equal divergence, and through which factor. */
export const steering = experiment<Settings, Parameters, Result>({
  settings: settingsSchema,

  cells: ({ layers: sizes, lambdas, designs, steps, designRestarts, designSteps, levels }) =>
    sizes.flatMap(([m, n]) => {
      const evaluation = 2 ** (m + n) * m * n;
      const arms: readonly Arm[] = [...lambdas, ...designs];
      return arms.map((arm) => ({
        key: `${m}+${n} ${nameOf(arm)}`,
        cost:
          evaluation *
          (typeof arm === 'string' ? designRestarts * designSteps * levels.length : arm > 0 ? steps : steps / 10),
        parameters: { layers: [m, n] as const, arm },
      }));
    }),

  run({ layers: [m, n], arm }, settings) {
    const random = sourceFor(settings.seed, m, n);
    const data = teacherLaw(normalRbm(m, n, settings.teacherBeta, settings.teacherScale, random));
    const model = normalRbm(m, n, 1, settings.initialScale, random);
    const route = createRoute(model, data, { kernel: settings.kernel });
    const options = estimator(model, settings);
    const run = trainArm(route, model, data, settings, options, typeof arm === 'string' ? 0 : arm);
    const { evaluations, start, end, matched } = run;
    if (typeof arm === 'number') return { evaluations, start, end, matched };
    const designs = settings.levels.map((level) =>
      designAt(route, model, data, OBJECTIVES[arm](options.window), settings, options, run, level * start),
    );
    return { evaluations: 0, start, end, matched: designs };
  },

  conclude(results, settings) {
    const runs = results.filter(({ parameters }) => typeof parameters.arm === 'number');
    const penalised = settings.lambdas.filter((lambda) => lambda > 0);
    const steering = penalised.filter((lambda) => compare(results, lambda, settings).steers).length;
    const arms: readonly Arm[] = [...penalised, ...settings.designs];
    return {
      runs: { value: runs.length },
      evaluations: { value: runs.reduce((sum, { result }) => sum + result.evaluations, 0) },
      feasible: shareOf(runs.map(({ result }) => Number.isFinite(result.end))),
      armsThatSteer: { value: steering, text: `${steering} of ${penalised.length}` },
      ...Object.fromEntries(arms.flatMap((arm) => armFigures(arm, results, settings))),
    };
  },
});

/** The estimator at whose window `R` and `R_hat` are compared; started in equilibrium, so that its error is that of the window alone. */
function estimator(model: Model, settings: Settings): EvaluateOptions {
  const window = settings.windowSweeps * stepsPerSweep(model, settings.kernel);
  const base = { burnIn: 0, chains: 1, start: 'stationary', epsilon: 1e-3, kappa: 2.5, gradient: false } as const;
  return { kernel: settings.kernel, window, ...base };
}

function trainArm(
  route: Route,
  model: Model,
  data: DataLaw,
  settings: Settings,
  options: EvaluateOptions,
  lambda: number,
) {
  const penalties = lambda === 0 ? [] : [{ objective: logRhat({ samples: options.window }), weight: lambda }];
  const { steps, learningRate } = settings;
  const run = train(route, kl, { steps, learningRate, penalties }, trainStart(model.theta));
  let crossings: Crossings | null = null;
  let [start, end, evaluations] = [Number.NaN, Number.NaN, 0];
  let last: readonly number[] = [];
  for (let next = run.next(); ; next = run.next()) {
    if (next.done) {
      last = next.value.theta;
      break;
    }
    const { record, state } = next.value;
    if (crossings === null) {
      start = record.kl;
      crossings = new Crossings(settings.levels.map((level) => level * start));
    }
    crossings.see({ step: record.step, kl: record.kl, theta: state.theta });
    end = record.kl;
    if (lambda > 0) evaluations++;
  }
  const matched = (crossings?.found ?? []).map((found, k) => {
    const above = found && pointAt(model, found.above.theta, data, options, found.above.step);
    const below = found && pointAt(model, found.below.theta, data, options, found.below.step);
    return above && below && interpolate(above, below, settings.levels[k] * start);
  });
  return { evaluations, start, end, matched, last };
}

/** The model of largest objective with at most the divergence `level`, sought from where training ended; null where training did not get there. */
function designAt(
  route: Route,
  model: Model,
  data: DataLaw,
  objective: Objective,
  settings: Settings,
  options: EvaluateOptions,
  run: { readonly last: readonly number[]; readonly end: number },
  level: number,
): MatchedPoint | null {
  const reached = route.evaluate(Float64Array.from(run.last), ['kl']).value.kl ?? Number.POSITIVE_INFINITY;
  if (!(reached < level)) return null;
  const designSettings = {
    budget: level - reached,
    restarts: settings.designRestarts,
    steps: settings.designSteps,
    seed: settings.seed,
  };
  const everything = parametrization(model);
  const start = designStart(route, objective, kl, designSettings, everything, run.last);
  if (start === null) return null;
  const steps = design(route, objective, kl, designSettings, everything, start);
  let next = steps.next();
  while (!next.done) next = steps.next();
  return next.value.best && pointAt(model, next.value.best.theta, data, options, null);
}

/** An arm against the run of lambda 0 at equal divergence, over all sizes and levels. */
function compare(results: Results, arm: Arm, settings: Settings) {
  const of = (which: Arm, [m, n]: readonly [number, number]) =>
    results.find(({ parameters: p }) => p.arm === which && p.layers[0] === m && p.layers[1] === n)?.result;
  const pairs = settings.layers.flatMap((sizes) =>
    settings.levels.map((_, k) => {
      const [base, other] = [of(0, sizes)?.matched[k] ?? null, of(arm, sizes)?.matched[k] ?? null];
      if (base === null || other === null) return null;
      const ratio = other.R / base.R;
      return {
        ratio,
        gapRatio: other.effectiveGap / base.effectiveGap,
        // `R_hat = (K/2) (|g|^2 / mu) / (1/gamma - 1/2)`: what of its change the gap makes, and what the signal in units of the fluctuation.
        massRatio: other.mass / base.mass,
        signalRatio: other.signal / base.signal,
      };
    }),
  );
  const found = pairs.filter((pair) => pair !== null);
  const ratio = median(found.map((pair) => pair.ratio));
  const gapRatio = median(found.map((pair) => pair.gapRatio));
  const converged = found.length / pairs.length;
  const byGap = ratio !== null && gapRatio !== null && Math.log(gapRatio) >= settings.gapShare * Math.log(ratio);
  const steers = ratio !== null && ratio >= settings.steerRatio && byGap && converged >= settings.convergedShare;
  return { found, pairs: pairs.length, ratio, gapRatio, converged, steers };
}

function armFigures(arm: Arm, results: Results, settings: Settings): [string, Figure][] {
  const { found, pairs, steers } = compare(results, arm, settings);
  const name = nameOf(arm);
  return [
    [`${name} R`, medianFigure(found.map(({ ratio }) => ratio))],
    [`${name} gap`, medianFigure(found.map(({ gapRatio }) => gapRatio))],
    [`${name} signal`, medianFigure(found.map(({ signalRatio }) => signalRatio))],
    [`${name} mass`, medianFigure(found.map(({ massRatio }) => massRatio))],
    [`${name} reached`, { value: pairs === 0 ? null : found.length / pairs, text: `${found.length} of ${pairs}` }],
    [`${name} steers`, { value: Number(steers), text: steers ? 'yes' : 'no' }],
  ];
}

/** What an arm is called in keys of cells and names of figures: `lambda=0.1`, `design logRhat`. */
function nameOf(arm: Arm): string {
  return typeof arm === 'number' ? `lambda=${arm}` : `design ${arm}`;
}
