/**
 * The main job: train a 9 + 6 RBM on coarse handwritten digits by exact likelihood, then design its couplings for faster mixing within a small
 * budget of divergence, and hold the result against what early stopping and weight decay reach at the same divergence.
 *
 *   node dist/examples/digits-3x3.js [--quick]
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { version, writeFileAtomic } from 'htdml';
import { digitsReport } from './support/digits-report.js';
import { type DigitsSettings, workPerSeed } from './support/digits-seed.js';
import { stages } from './support/progress.js';
import { runSeeds } from './support/seed-pool.js';
import { digits, MODEL_COLUMNS, modelRow, table } from './support/table.js';

const quick = process.argv.includes('--quick');
const settings: DigitsSettings = {
  visible: 9,
  hidden: 6,
  kernel: 'random-block',
  seeds: quick ? [1] : [1, 2, 3],
  trainSteps: quick ? 400 : 3000,
  pathEvery: quick ? 20 : 10,
  // Spans the divergences of the designs: the best is inside the list at each of them.
  weightDecays: quick ? [0.008, 0.016] : [0.004, 0.008, 0.012, 0.016, 0.024, 0.032],
  budgets: [0.02, 0.05],
  design: quick ? { restarts: 1, steps: 240 } : { restarts: 2, steps: 400 },
  // The estimator whose R is reported: 1,000 sweeps of two block updates from equilibrium.
  window: 2000,
  repetitions: quick ? 20 : 200,
};
const out = fileURLToPath(new URL(`../../examples/out/digits-3x3${quick ? '-quick' : ''}/`, import.meta.url));
mkdirSync(out, { recursive: true });
const began = performance.now();
const runs = await runSeeds(settings, out, stages(settings.seeds.length * workPerSeed(settings)));
const seconds = (performance.now() - began) / 1000;

const rows = runs.flatMap(({ seed, models }) =>
  models.map(({ name, evaluation, measured }) => modelRow(`seed ${seed}, ${name}`, evaluation, measured)),
);
const baselineHeaders = ['at equal KL', 'KL [nats]', 'early stopping', 'weight decay', '(lambda)', 'designed', 'gain'];
const comparisons = runs.flatMap((run) => run.comparisons);
const baselineRows = comparisons.map((c) => [
  `seed ${c.seed}, +${c.budget}`,
  digits(c.kl),
  digits(c.earlyStopping),
  digits(c.decayGap),
  String(c.decay),
  digits(c.designed),
  `${c.ratio.toFixed(3)} x`,
]);
process.stdout.write(`
UCI digits at 3 x 3 binary pixels; RBM 9 + 6 under random-block; window ${settings.window} kernel steps (2 per sweep).
R is small where training has converged, since its signal |g|^2 vanishes there; error^2 is what mixing changes. Times and gaps are per kernel step.

${table(MODEL_COLUMNS, rows)}

Effective gap against honest baselines: the best point with at most the design's KL along plain training (early stopping), and along
training with each weight decay of ${settings.weightDecays.join(', ')}.

${table(baselineHeaders, baselineRows)}

gain over the best baseline: ${digits(Math.min(...comparisons.map((c) => c.ratio)))} to ${digits(Math.max(...comparisons.map((c) => c.ratio)))}
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
writeFileAtomic(
  `${out}report.html`,
  await digitsReport(runs, { headers: MODEL_COLUMNS, rows, baselineHeaders, baselineRows }),
);
