/**
 * The main job: train a 9 + 6 RBM on coarse handwritten digits by exact likelihood, then design its couplings for faster mixing within a small
 * budget of divergence, and hold the result against what early stopping and weight decay reach at the same divergence.
 *
 *   node dist/examples/digits-3x3.js [--quick]
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  createRoute,
  evaluateModel,
  type Model,
  measureSnr,
  modelToJson,
  randomSource,
  rbm,
  version,
  withParameters,
  writeFileAtomic,
  writeModel,
} from 'htdml';
import { bestWithin, designArm, type TrainedArm, trainArm } from './support/arms.js';
import { coarseDigits } from './support/digits.js';
import { digitsReport } from './support/digits-report.js';
import { stages } from './support/progress.js';
import { digits, table } from './support/table.js';

const quick = process.argv.includes('--quick');
const settings = {
  visible: 9,
  hidden: 6,
  kernel: 'random-block',
  seeds: quick ? [1] : [1, 2, 3],
  trainSteps: quick ? 400 : 3000,
  pathEvery: quick ? 20 : 10,
  weightDecays: quick ? [0.004] : [0.001, 0.002, 0.004, 0.008],
  budgets: [0.02, 0.05],
  design: quick ? { restarts: 1, steps: 240 } : { restarts: 3, steps: 400 },
  // The estimator whose R is reported: 1,000 sweeps of two block updates from equilibrium.
  window: 2000,
  repetitions: quick ? 20 : 200,
} as const;
const out = fileURLToPath(new URL(`../../examples/out/digits-3x3${quick ? '-quick' : ''}/`, import.meta.url));
mkdirSync(out, { recursive: true });

const data = coarseDigits(3);
const { kernel, window, budgets } = settings;
const began = performance.now();
// Shares of the work, measured: training arms against designs against repeated sampling.
const stage = stages(settings.seeds.length * (2 * (1 + settings.weightDecays.length) + 10 * budgets.length + 3));
const runs = settings.seeds.map(runSeed);
process.stderr.write(`[100%] writing ${out}\n`);

const headers = ['', 'KL [nats]', 'R', 'R measured', 'R_hat', 'error^2', 'effective gap', 'slowest time'];
const rows = runs.flatMap(({ seed, models }) =>
  models.map(({ name, evaluation: e, measured }) => [
    `seed ${seed}, ${name}`,
    digits(e.kl),
    digits(e.operational?.R),
    `${digits(measured.R)} +- ${digits(measured.standardError)}`,
    digits(e.predictors.full.Rhat),
    digits(e.operational?.mse),
    digits(e.predictors.full.effectiveGap),
    digits(e.slowestObservable?.integratedTime),
  ]),
);
const baselineHeaders = ['at equal KL', 'KL [nats]', 'early stopping', 'weight decay', 'designed', 'designed / best'];
const comparisons = runs.flatMap((run) => run.comparisons);
const baselineRows = comparisons.map((c) => [
  `seed ${c.seed}, +${c.budget}`,
  digits(c.kl),
  digits(c.earlyStopping),
  digits(c.weightDecay),
  digits(c.designed),
  digits(c.ratio),
]);
const seconds = (performance.now() - began) / 1000;
process.stdout.write(`
UCI digits at 3 x 3 binary pixels: ${data.patterns.length} patterns; RBM 9 + 6 under random-block; window ${window} kernel steps (2 per sweep).
R is small where training has converged, since its signal |g|^2 vanishes there; error^2 is what mixing changes. Times and gaps are per kernel step.

${table(headers, rows)}

Effective gap against honest baselines: the best point with at most the design's KL along plain training (early stopping), and along
training with weight decay ${settings.weightDecays.join(', ')}.

${table(baselineHeaders, baselineRows)}

smallest ratio to the best baseline ${digits(Math.min(...comparisons.map((c) => c.ratio)))}, largest ${digits(Math.max(...comparisons.map((c) => c.ratio)))}
${seconds.toFixed(0)} s; written to ${out}
`);

const record = {
  schemaVersion: 1,
  example: 'digits-3x3',
  settings,
  versions: { htdml: version, node: process.versions.node },
  seconds,
  seeds: runs.map(({ seed, models, comparisons: atEqualKl }) => ({
    seed,
    models: models.map(({ name, evaluation, measured }) => ({ name, evaluation, measured })),
    comparisons: atEqualKl,
  })),
};
writeFileAtomic(`${out}record.json`, `${JSON.stringify(record, null, 1)}\n`);
writeFileAtomic(`${out}report.html`, await digitsReport(runs, { headers, rows, baselineHeaders, baselineRows }));

function runSeed(seed: number) {
  const { visible, hidden } = settings;
  const random = randomSource(seed);
  const model = rbm({
    visible,
    hidden,
    weights: Array.from({ length: visible * hidden }, () => 0.1 * random.normal()),
    visibleBiases: new Array(visible).fill(0),
    hiddenBiases: new Array(hidden).fill(0),
  });
  const route = createRoute(model, data, { kernel });
  const arm = (weightDecay: number): TrainedArm => {
    stage(2, `seed ${seed}: training${weightDecay > 0 ? ` with weight decay ${weightDecay}` : ''}`);
    return trainArm(route, model, { steps: settings.trainSteps, weightDecay }, settings.pathEvery);
  };
  const plain = arm(0);
  const decayed = settings.weightDecays.map((weightDecay) => ({ weightDecay, ...arm(weightDecay) }));
  const designs = budgets.map((budget) => {
    stage(10, `seed ${seed}: design within ${budget} nats`);
    const theta = designArm(route, model, plain.theta, {
      ...settings.design,
      budget,
      maxCoupling: null,
      frozen: [],
      seed,
    });
    return { budget, theta };
  });
  stage(3, `seed ${seed}: measuring R by sampling`);
  const models = [
    { name: 'trained', theta: plain.theta },
    ...designs.map(({ budget, theta }) => ({ name: `designed +${budget}`, theta })),
  ].map(({ name, theta }) => {
    const at = withParameters(model, theta);
    writeModel(`${out}seed-${seed}-${name.replace(' +', '-')}.json`, at);
    return { name, spectrum: route.relaxation(theta), ...assess(at, seed) };
  });
  const comparisons = designs.map(({ budget }, k) => {
    const { evaluation } = models[k + 1];
    const designed = evaluation.predictors.full.effectiveGap ?? 0;
    const earlyStopping = bestWithin(plain.path, evaluation.kl)?.effectiveGap ?? 0;
    const weightDecay = bestWithin(
      decayed.flatMap(({ path }) => path),
      evaluation.kl,
    )?.effectiveGap;
    return {
      seed,
      budget,
      kl: evaluation.kl,
      earlyStopping,
      weightDecay: weightDecay ?? null,
      designed,
      ratio: designed / Math.max(earlyStopping, weightDecay ?? 0),
    };
  });
  return { seed, plain, decayed, models, comparisons };
}

/** Everything that is reported of one model: exact, and measured by sampling. */
function assess(model: Model, seed: number) {
  const estimator = { kernel, burnIn: 0, window, chains: 1, start: 'stationary' } as const;
  return {
    model: modelToJson(model),
    evaluation: evaluateModel(model, data, { ...estimator, epsilon: 1e-3, kappa: 2.5, gradient: false }),
    measured: measureSnr(model, data, { ...estimator, repetitions: settings.repetitions, seed }),
  };
}

export type SeedRun = ReturnType<typeof runSeed>;
