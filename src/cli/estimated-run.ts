import { kl, l1, l2, logEffectiveGap, logRhat } from 'htdml/objectives';
import { InputError, UnsupportedError } from '../errors.js';
import { estimateWorkload } from '../estimation/estimate-cost.js';
import { estimateReport } from '../estimation/estimate-report.js';
import { EstimatedRoute } from '../estimation/estimated-route.js';
import { namingFile, writeFileAtomic } from '../model/atomic-file.js';
import type { DataLaw } from '../model/data-law.js';
import { withParameters } from '../model/model.js';
import { modelToJson } from '../model/model-file.js';
import {
  designSampled,
  type SampledDesignState,
  type SampledDesignStep,
  sampledDesignStart,
} from '../optimization/design-sampled.js';
import { type TrainState, type TrainStep, train, trainStart } from '../optimization/train.js';
import type { Term } from '../optimization/weighted-sum.js';
import { secondsOf } from '../trainability/cost.js';
import type { Objective } from '../trainability/routes/log-quantities.js';
import { version } from '../version.js';
import { drive } from './drive.js';
import { type Divergence, estimatedText, renderEstimatedRun } from './estimated-run-report.js';
import { num } from './format.js';
import { Progress } from './progress.js';
import { admit } from './resources.js';
import { RunFolder } from './run-folder.js';
import { checkpointEvery, constraints, type RunFlags, type RunInput } from './run-setup.js';
import { specToJson } from './spec.js';
import { checkEstimatedRun } from './spec-route.js';
import type { PenaltyName } from './spec-training.js';

/** Seeds of what must be independent of the samples of the run. */
const INDEPENDENT = 1_000_003;

type Outcome = { output: string; code: number };

/** `htdml design` on the estimated route. */
export async function estimatedDesign(input: RunInput, flags: RunFlags): Promise<Outcome> {
  const { specPath, spec, model } = input;
  const { route, data, everyCheckpoint } = begin(input, flags, spec.design.steps);
  const within = constraints(specPath, 'design', model, spec.design);
  const { objective: name, steps: total, budget, learningRate } = spec.design;
  const objective = namingFile(specPath, () => objectiveOf('design.objective', name, input.options.window));
  const folder = openFolder<SampledDesignState>(input, flags, 'design');
  const from = folder.resumed ?? sampledDesignStart(within, model.theta);
  const final = await drive(
    designSampled(route(), objective, kl, { budget, steps: total, learningRate }, within, from),
    folder,
    new Progress('design', total, from.step),
    (record: SampledDesignStep['record']) => ({
      step: record.step + 1,
      detail: `${name} ${num(record.objective)}, KL ${num(record.kl)} above the start`,
      traced: record,
    }),
    everyCheckpoint,
  );
  const theta = within.theta(Float64Array.from(final.average));
  return finish(input, data, flags, folder, 'design', theta, final.stopped, { allowed: budget });
}

/** `htdml train` on the estimated route: the divergence is that above the start, its gradient and those of the penalties are sampled. */
export async function estimatedTraining(input: RunInput, flags: RunFlags): Promise<Outcome> {
  const { specPath, spec, model } = input;
  const { route, data, everyCheckpoint } = begin(input, flags, spec.train.steps);
  const { steps: total, optimizer, learningRate } = spec.train;
  if (optimizer !== 'adam' || spec.train.likelihood !== 'exact') {
    throw new InputError({
      file: specPath,
      field: optimizer !== 'adam' ? 'train.optimizer' : 'train.likelihood',
      expected: optimizer !== 'adam' ? '"adam" on the estimated route' : 'left out on the estimated route',
      got: optimizer !== 'adam' ? `"${optimizer}"` : 'another',
      remedy: 'leave it out',
    });
  }
  const parametrization = constraints(specPath, 'train', model, spec.train);
  const penalties = namingFile(specPath, () => penaltiesOf(input));
  const folder = openFolder<TrainState>(input, flags, 'train');
  const from = folder.resumed ?? trainStart(model.theta, parametrization);
  const final = await drive(
    train(route(), kl, { steps: total, optimizer, learningRate, penalties, parametrization }, from),
    folder,
    new Progress('train', total, from.step),
    (record: TrainStep['record']) => ({
      step: record.step + 1,
      detail: `KL ${num(record.kl)} above the start`,
      traced: { ...record, effectiveGap: null },
    }),
    everyCheckpoint,
  );
  return finish(input, data, flags, folder, 'train', Float64Array.from(final.theta), final.stopped, {});
}

/** Refuses what the route cannot do or what does not fit; the route is made where it is needed, since making it samples. */
function begin(input: RunInput, flags: RunFlags, steps: number) {
  const { specPath, spec, model, source } = input;
  namingFile(specPath, () => checkEstimatedRun(spec));
  const { sampling, kernel, seed } = spec;
  const each = estimateWorkload(model, source.patterns, { ...sampling, kernel, gradient: true });
  const ends = estimateWorkload(model, source.patterns, endsOf(input, seed));
  const seconds = secondsOf(
    source.visits + steps * (each.sampling + each.reading) + 2 * (ends.sampling + ends.reading),
  );
  admit('This run', { bytes: Math.max(each.bytes, ends.bytes) + source.bytes, seconds }, flags);
  const data = source.law();
  return {
    data,
    everyCheckpoint: checkpointEvery(flags),
    route: () => new EstimatedRoute(model, data, { ...sampling, kernel, seed }),
  };
}

/** The estimates at both ends: all features, four times the samples, a seed of their own. */
function endsOf({ spec, options }: RunInput, seed: number) {
  const { sampling, kernel } = spec;
  return {
    kernel,
    chains: sampling.chains,
    samples: 4 * sampling.samples,
    burnIn: 2 * sampling.burnIn,
    apart: sampling.apart,
    probes: sampling.probes,
    features: 'levels' as const,
    seed: seed + INDEPENDENT,
    window: options.window,
    estimatorBurnIn: options.burnIn,
    gradient: false,
    gateThresholds: spec.gates,
    references: spec.references,
  };
}

function openFolder<State>({ spec }: RunInput, flags: RunFlags, name: 'train' | 'design') {
  return new RunFolder<State>(flags.out, name, specToJson(spec), {
    resume: flags.resume ?? false,
    force: flags.force ?? false,
  });
}

function penaltiesOf({ spec, options }: RunInput): Term[] {
  const { penalties, weightDecay } = spec.train;
  const terms = penalties.map(({ objective, weight }, k) => {
    if (weight === 'adaptive') throw refusal(`train.penalties[${k}].weight`, 'a number', '"adaptive"');
    return { weight, objective: objectiveOf(`train.penalties[${k}].objective`, objective, options.window) };
  });
  return weightDecay > 0 ? [...terms, { weight: weightDecay, objective: l2 }] : terms;
}

function objectiveOf(field: string, name: PenaltyName, window: number): Objective {
  switch (name) {
    case 'logEffectiveGap':
      return logEffectiveGap;
    case 'logRhat':
      return logRhat({ samples: window });
    case 'l1':
      return l1;
    case 'l2':
      return l2;
    default:
      throw refusal(field, '"logEffectiveGap", "logRhat", "l1" or "l2"', `"${name}"`);
  }
}

function refusal(field: string, expected: string, got: string): InputError {
  return new InputError({ field, expected: `${expected} on the estimated route`, got, remedy: 'choose one of them' });
}

/** Estimates at both ends from samples of their own, the divergence between them, and what is written and printed. */
async function finish(
  input: RunInput,
  data: DataLaw,
  flags: RunFlags,
  folder: RunFolder<unknown>,
  command: 'train' | 'design',
  theta: Float64Array,
  stopped: string | undefined,
  budget: { readonly allowed?: number },
): Promise<Outcome> {
  const { spec, model } = input;
  const result = withParameters(model, theta);
  const options = endsOf(input, spec.seed);
  const [before, after] = [model, result].map((one) => estimateReport(one, data, options));
  const divergence = divergenceOf(input, data, options.seed, theta);
  const record = {
    schemaVersion: 1,
    command,
    spec: specToJson(spec),
    versions: { htdml: version, node: process.versions.node },
    seed: spec.seed,
    results: { before, after, divergence: { ...divergence, ...budget }, ...(stopped !== undefined && { stopped }) },
    claims: { before: before.claim, after: after.claim },
    notes: [
      { path: 'trace.kl', reason: 'it is the divergence above that of the start, by annealed importance sampling' },
      { path: 'results', reason: 'both ends are estimated from samples that the run did not use' },
    ],
  };
  const ended = { before, after, divergence };
  folder.write('model.json', modelToJson(result));
  writeFileAtomic(folder.file('report.html'), await renderEstimatedRun(command, record.versions.htdml, ended));
  // Last, since a folder with a record counts as finished.
  folder.write('record.json', record);
  return {
    output: flags.json ? JSON.stringify(record) : `${estimatedText(ended)}\n\nwritten to ${flags.out}`,
    code: stopped === undefined ? 0 : 3,
  };
}

function divergenceOf({ spec, model }: RunInput, data: DataLaw, seed: number, theta: Float64Array): Divergence {
  const { sampling, kernel } = spec;
  const plan = { ...sampling, kernel, seed, chains: 4 * sampling.chains, rungs: 4 * sampling.rungs };
  try {
    const { value, errors } = new EstimatedRoute(model, data, plan).evaluate(theta, ['kl']);
    return { value: value.kl ?? null, standardError: errors.standardErrors.kl ?? null };
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    return { value: null, standardError: null, reason: error.message };
  }
}
