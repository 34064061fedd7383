import { contrastiveDivergence, l1, l2, persistentChains } from 'htdml/objectives';
import { InputError, UnsupportedError } from '../errors.js';
import { measureVisits } from '../estimation/measure.js';
import { randomSource } from '../estimation/random.js';
import type { SampledObjective } from '../estimation/sampled-gradient.js';
import type { KernelName } from '../kernel/kernels.js';
import { writeFileAtomic } from '../model/atomic-file.js';
import type { DataLaw } from '../model/data-law.js';
import { type Model, withParameters } from '../model/model.js';
import { modelToJson } from '../model/model-file.js';
import { wordsOf } from '../model/spin-words.js';
import {
  type SampledTrainRecord,
  type SampledTrainState,
  sampledTrainStart,
  trainSampled,
} from '../optimization/train-sampled.js';
import type { Term } from '../optimization/weighted-sum.js';
import { secondsOf, workload } from '../trainability/cost.js';
import { evaluateModel, type ModelEvaluation } from '../trainability/evaluation.js';
import { version } from '../version.js';
import { drive } from './drive.js';
import { num } from './format.js';
import { inSteps } from './options.js';
import { Progress } from './progress.js';
import { admit } from './resources.js';
import { RunFolder } from './run-folder.js';
import { checkpointEvery, constraints, type RunFlags, type RunInput } from './run-setup.js';
import { renderSampledRun, sampledText } from './sampled-report.js';
import { specToJson } from './spec.js';
import type { LikelihoodSpec } from './spec-likelihood.js';
import type { TrainSpec } from './spec-training.js';

/** Training on a sampled likelihood: nothing exact is needed, and what is not known is null with a note. */
export async function sampledTraining(
  input: RunInput,
  how: Exclude<LikelihoodSpec, 'exact'>,
  flags: RunFlags,
): Promise<{ output: string; code: number }> {
  const { specPath, spec, model, source } = input;
  checkUnwatched(input);
  const parametrization = constraints(specPath, 'train', model, spec.train);
  const likelihood = sampledLikelihood(how, model, spec.kernel);
  const { steps: total, learningRate } = spec.train;
  const data = source.law();
  admit('This run', sampledWorkload(model, data, likelihood, total, source), flags);
  const everyCheckpoint = checkpointEvery(flags);
  const folder = new RunFolder<SampledTrainState>(flags.out, 'train', specToJson(spec), {
    resume: flags.resume ?? false,
    force: flags.force ?? false,
  });
  const start = sampledTrainStart(model.theta, spec.seed, parametrization);
  // The numbers of the seed itself have made the weights of a fresh model.
  const sampler = { ...start.sampler, random: randomSource(spec.seed).split().state() };
  const from = folder.resumed ?? { ...start, sampler };
  const settings = { steps: total, learningRate, penalties: penaltiesOf(spec.train), parametrization };
  const final = await drive(
    trainSampled(model, data, likelihood, settings, from),
    folder,
    new Progress('train', total, from.step),
    (record) => ({
      step: record.step + 1,
      detail: `|gradient| ${num(record.gradientNorm)}`,
      traced: { ...record, effectiveGap: null },
    }),
    everyCheckpoint,
  );
  const before = exactEvaluation(input, data, model, flags);
  const after = exactEvaluation(input, data, withParameters(model, final.theta), flags);
  const notes = [
    { path: 'trace.kl', reason: 'the likelihood is sampled: its gradient is estimated, its value is not' },
    { path: 'trace.effectiveGap', reason: 'it is exact, and nothing exact is computed on the way' },
    ...Object.entries({ before, after }).flatMap(([name, end]) =>
      'reason' in end
        ? [
            { path: `results.${name}`, reason: end.reason },
            { path: `claims.${name}`, reason: end.reason },
          ]
        : [],
    ),
  ];
  const versions = { htdml: version, node: process.versions.node };
  const [initial, trained] = [before, after].map((end) => ('reason' in end ? null : end));
  const record = {
    schemaVersion: 1,
    command: 'train',
    spec: specToJson(spec),
    versions,
    seed: spec.seed,
    results: {
      before: initial,
      after: trained,
      membership: { watched: false, reason: 'the likelihood is sampled' },
      likelihood: { name: likelihood.name, plan: likelihood.plan, A1: likelihood.A1, biased: likelihood.biased },
      steps: final.step,
      ...(final.stopped !== undefined && { stopped: final.stopped }),
    },
    claims: { before: initial?.claim ?? null, after: trained?.claim ?? null },
    notes,
  };
  const report = {
    subtitle: `${spec.kernel}, ${likelihood.name}, ${total} steps, seed ${spec.seed}`,
    evaluations: [initial && (['start', initial] as const), trained && (['trained', trained] as const)].filter(
      (column) => column !== null,
    ),
    trace: folder.readTrace<SampledTrainRecord>(),
    notes,
    footer: `htdml ${versions.htdml}, Node ${versions.node}`,
  };
  folder.write('model.json', modelToJson(withParameters(model, final.theta)));
  writeFileAtomic(folder.file('report.html'), await renderSampledRun(report));
  // Last, since a folder with a record counts as finished.
  folder.write('record.json', record);
  return {
    output: flags.json ? JSON.stringify(record) : `${sampledText(report)}\n\nwritten to ${flags.out}`,
    code: final.stopped === undefined && trained?.numerics.converged !== false ? 0 : 3,
  };
}

function sampledLikelihood(how: Exclude<LikelihoodSpec, 'exact'>, model: Model, kernel: KernelName): SampledObjective {
  if ('persistentChains' in how) {
    const { chains, window } = how.persistentChains;
    return persistentChains({ kernel, chains, window: inSteps(window, model, kernel) });
  }
  const { chains, k } = how.contrastiveDivergence;
  return contrastiveDivergence({ kernel, chains, k: inSteps(k, model, kernel) });
}

/** The SPEC allows no others where the likelihood is sampled. */
function penaltiesOf({ penalties, weightDecay }: TrainSpec): Term[] {
  const terms = penalties.map(({ objective, weight }) => ({
    objective: objective === 'l1' ? l1 : l2,
    weight: weight as number,
  }));
  return weightDecay > 0 ? [...terms, { objective: l2, weight: weightDecay }] : terms;
}

/** What a run needs without its evaluations; a parameter is kept some dozen times over, as a number and as text. */
function sampledWorkload(
  model: Model,
  data: DataLaw,
  { plan }: SampledObjective,
  steps: number,
  source: { readonly bytes: number; readonly visits: number },
) {
  const { burnIn, window, chains, kernel } = plan;
  const patterns = data.probabilities.length;
  const visits =
    source.visits +
    measureVisits(model, { kernel, burnIn, window, chains, repetitions: steps }) +
    2 * steps * patterns * model.theta.length;
  const bytes =
    12e6 +
    source.bytes +
    400 * (model.theta.length + model.spins) +
    40 * chains * wordsOf(model.spins) +
    200 * patterns;
  return { bytes, seconds: secondsOf(visits) };
}

/** The exact evaluation, or why there is none: no route, or one that does not fit. */
function exactEvaluation(
  { options }: RunInput,
  data: DataLaw,
  model: Model,
  flags: RunFlags,
): ModelEvaluation | { readonly reason: string } {
  try {
    const { bytes, report } = workload(model, options);
    admit('The exact evaluation', { bytes, seconds: secondsOf(report) }, flags);
    return evaluateModel(model, data, options);
  } catch (error) {
    if (error instanceof UnsupportedError) return { reason: error.message };
    throw error;
  }
}

/** Changes of the slow cluster are seen on exact spectra. */
function checkUnwatched({ specPath, spec }: RunInput): void {
  if (spec.membership.onEvent === null) return;
  throw new InputError({
    file: specPath,
    field: 'membership.onEvent',
    expected: 'null where the likelihood is sampled',
    got: `"${spec.membership.onEvent}"`,
    remedy: 'leave it out, and --on-event too',
  });
}
