import { mkdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { writeFileAtomic } from 'htdml';
import { ARMS, type Arm } from './arms.js';
import { type Finished, type Job, runJobs } from './jobs.js';
import { DATA_NAMES, type DataName } from './problems.js';
import { resultsText } from './results.js';
import { FULL, QUICK, type Settings } from './settings.js';
import { median } from './statistics.js';
import type { Configuration } from './train.js';

/**
 * Does `R_hat` help training by sampling? Nine visible and six hidden spins learn two data sets with sampled gradients, every arm with the same number of Gibbs
 * sweeps. `npx htdml` is not needed: after `npm run build`,
 *
 *   node dist/examples/training-comparison/run.js --tune   picks every arm's values on the tuning seeds, into tuned.json
 *   node dist/examples/training-comparison/run.js          compares the arms as tuned, into RESULTS.md
 *   node dist/examples/training-comparison/run.js --quick  shows in seconds that it runs
 *
 * Finished runs stand as lines of JSON in examples/out/training-comparison; with `--resume` the same command goes on where it was stopped. With `--data` only one
 * data set is run.
 */
const {
  quick,
  tune,
  resume = false,
  data: only,
} = parseArgs({
  options: {
    quick: { type: 'boolean' },
    tune: { type: 'boolean' },
    resume: { type: 'boolean' },
    data: { type: 'string' },
  },
}).values;
const source = (name: string) => new URL(`../../../examples/training-comparison/${name}`, import.meta.url);
const out = new URL('../../../examples/out/training-comparison/', import.meta.url).pathname;
mkdirSync(out, { recursive: true });

export type Tuned = Readonly<Record<DataName, Readonly<Record<string, Configuration>>>>;

const settings = quick ? QUICK : FULL;
const names = DATA_NAMES.filter((name) => only === undefined || name === only);
if (names.length === 0) throw new Error(`--data must be one of ${DATA_NAMES.join(', ')}`);

if (tune) tuneArms(settings);
else compare(settings);

/** Every configuration of every arm on the tuning seeds; keeps the one of the least median divergence at the end. */
function tuneArms({ common, tuningSeeds }: Settings): void {
  const tuned: Record<string, Record<string, Configuration>> = {};
  for (const data of names) {
    const jobs = ARMS.flatMap((arm) =>
      configurations(arm).flatMap((configuration) =>
        tuningSeeds.map((seed): Job => ({ data, arm, configuration, seed, common: { ...common, exactR: 0 } })),
      ),
    );
    const lines = runJobs(jobs, `${out}tune-${data}.jsonl`, resume);
    tuned[data] = Object.fromEntries(ARMS.map((arm) => [arm.name, best(arm, lines)]));
  }
  const complete = names.length === DATA_NAMES.length;
  const text = `${JSON.stringify(tuned, null, 2)}\n`;
  if (complete) writeFileAtomic(source('tuned.json').pathname, text);
  process.stdout.write(text);
}

function configurations({ grid }: Arm): Configuration[] {
  return grid.learningRates.flatMap((learningRate) => grid.values.map((value) => ({ learningRate, value })));
}

function best(arm: Arm, lines: readonly Finished[]): Configuration {
  const scores = configurations(arm).map((configuration) => {
    const runs = lines.filter(
      (line) => line.arm === arm.name && JSON.stringify(line.configuration) === JSON.stringify(configuration),
    );
    return { configuration, score: median(runs.map(({ kl }) => kl)) };
  });
  return scores.reduce((a, b) => (b.score < a.score ? b : a)).configuration;
}

/** All arms as tuned, on seeds that tuning has not seen; those led by `R_hat` also with half of the budget. */
function compare({ common, seeds, targets, arms: chosen }: Settings): void {
  const arms = ARMS.filter(({ name }) => chosen === undefined || chosen.includes(name));
  const tuned = JSON.parse(readFileSync(source('tuned.json'), 'utf8')) as Tuned;
  const half = { ...common, budget: common.budget / 2 };
  const lines = names.flatMap((data) => {
    const jobs = [common, half].flatMap((limits) =>
      arms
        .filter((arm) => limits === common || arm.led)
        .flatMap((arm) =>
          seeds.map((seed): Job => ({ data, arm, configuration: tuned[data][arm.name], seed, common: limits })),
        ),
    );
    return runJobs(jobs, `${out}${quick ? 'quick-' : ''}${data}.jsonl`, resume);
  });
  const text = resultsText(lines, arms, names, { common, seeds, targets });
  if (!quick && names.length === DATA_NAMES.length) writeFileAtomic(source('RESULTS.md').pathname, text);
  process.stdout.write(text);
}
