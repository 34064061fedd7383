import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { HtdmlError, InputError } from '../errors.js';
import { FEATURE_NAMES } from '../estimation/bound/features.js';
import { estimateWorkload } from '../estimation/estimate-cost.js';
import type { EstimateReport, EstimateReportOptions } from '../estimation/estimate-report.js';
import { EquilibriumRun, type EquilibriumSamples } from '../estimation/samples/equilibrium.js';
import { KERNEL_NAMES } from '../kernel/kernels.js';
import type { DataLaw } from '../model/data-law.js';
import type { Model } from '../model/model.js';
import { secondsOf } from '../trainability/cost.js';
import { checkOptions } from '../trainability/options.js';
import { gateSchema, referenceSchema } from '../trainability/thresholds.js';
import { describeEstimate } from './describe-estimate.js';
import { Interrupted } from './drive.js';
import type { EstimateMessage, EstimateTask } from './estimate-worker.js';
import { readModelAt } from './model-path.js';
import { assigned, inSteps, numeric, oneOf, wholeNumber } from './options.js';
import { Progress } from './progress.js';
import { admit, type ResourceFlags } from './resources.js';
import { readSampleFile, samplingKey, writeSampleFile } from './sample-file.js';
import { checkSize, readSource } from './source.js';
import { parseDuration } from './spec-fields.js';

/** Options as the command line gives them. */
export interface EstimateFlags extends ResourceFlags {
  readonly data?: string;
  readonly teacher?: string;
  readonly kernel: string;
  readonly burnIn: string;
  readonly window: string;
  readonly chains: string;
  readonly features: string;
  readonly samples: string;
  readonly samplingChains: string;
  readonly samplingBurnIn: string;
  readonly apart: string;
  readonly probes: string;
  readonly seed: string;
  readonly gradient?: boolean;
  readonly gate?: readonly string[];
  readonly reference?: readonly string[];
  readonly tempering?: boolean;
  readonly checkpoint?: string;
  readonly json?: boolean;
}

/** Shares of the progress line are counted in so many parts. */
const PARTS = 1000;

/** `htdml estimate`: returns what to print and the exit code. An unresolved verdict is a result. */
export async function estimateCommand(
  modelPath: string,
  flags: EstimateFlags,
): Promise<{ output: string; code: number }> {
  const model = readModelAt(modelPath);
  const source = readSource(flags);
  checkSize(source, model, flags.data ?? flags.teacher ?? '', modelPath);
  const options = optionsOf(model, flags);
  const { checkpoint } = flags;
  const tempered = flags.tempering ?? false;
  if (tempered && checkpoint !== undefined) {
    throw new InputError({
      field: '--checkpoint',
      expected: 'given without --tempering',
      got: 'both',
      remedy: 'leave one of the two out: tempered samples are not kept',
    });
  }
  const { bytes, sampling, reading } = estimateWorkload(model, source.patterns, { ...options, tempering: tempered });
  const [before, after] = [secondsOf(source.visits + sampling), secondsOf(reading)];
  const estimate = admit('This estimate', { bytes: bytes + source.bytes, seconds: before + after }, flags);
  const data = source.law();
  const progress = new Progress('estimate', PARTS, 0, process.stderr, 'about');
  const sampled = before / (before + after);
  try {
    const show = (share: number, detail: string) => progress.update(Math.floor(PARTS * share), detail);
    const equilibrium = tempered
      ? undefined
      : await sample(model, data, options, checkpoint, (share, detail) => show(sampled * share, detail));
    const tempering = tempered ? { share: sampled } : null;
    const from = tempered ? 0 : sampled;
    const json = await read(
      { model, data, options: { ...options, equilibrium }, tempering },
      checkpoint,
      (share, detail) => show(from + (1 - from) * share, detail),
    );
    const report = JSON.parse(json) as EstimateReport;
    progress.finish();
    return {
      output: flags.json ? JSON.stringify({ ...report, estimate }) : describeEstimate(model, report),
      code: 0,
    };
  } finally {
    progress.finish();
  }
}

function optionsOf(model: Model, flags: EstimateFlags): EstimateReportOptions {
  const kernel = oneOf('--kernel', flags.kernel, KERNEL_NAMES);
  const options = {
    kernel,
    estimatorBurnIn: inSteps(parseDuration('--burn-in', flags.burnIn), model, kernel),
    window: inSteps(parseDuration('--window', flags.window, 1), model, kernel),
    estimatorChains: numeric('--chains', flags.chains),
    features: oneOf('--features', flags.features, FEATURE_NAMES),
    samples: wholeNumber('--samples', flags.samples, 4),
    chains: wholeNumber('--sampling-chains', flags.samplingChains, 12),
    burnIn: wholeNumber('--sampling-burn-in', flags.samplingBurnIn, 0),
    apart: wholeNumber('--apart', flags.apart, 1),
    probes: wholeNumber('--probes', flags.probes, 2),
    seed: numeric('--seed', flags.seed),
    gradient: flags.gradient ?? false,
    gateThresholds: assigned('--gate', 'windowTimes=20', gateSchema, flags.gate),
    references: assigned('--reference', 'gap=1', referenceSchema, flags.reference),
  };
  checkOptions(
    { chains: options.estimatorChains, seed: options.seed, probes: options.probes },
    ['chains', 'seed', 'probes'],
    { chains: '--chains', seed: '--seed', probes: '--probes' },
  );
  return options;
}

/** Sweeps are taken in slices of about so long, between which signals are heard. */
const SLICE_MS = 300;
/** State is saved every so often, and so that saving takes at most this share of the time. */
const SAVE_EVERY_MS = 5000;
const SAVE_SHARE = 0.05;

/** Samples in equilibrium, in slices; kept in `file` where there is one, from which an interrupted run goes on. */
async function sample(
  model: Model,
  data: DataLaw,
  plan: EstimateReportOptions,
  file: string | undefined,
  progress: (share: number, detail: string) => void,
): Promise<EquilibriumSamples> {
  const key = file === undefined ? '' : samplingKey(model, data, plan);
  const saved = file === undefined ? null : readSampleFile(file, key, model, plan);
  const run = new EquilibriumRun(model, data, plan, saved ?? undefined);
  const signals = new Signals();
  let slice = 1;
  let savedAt = performance.now();
  let pause = file === undefined ? Number.POSITIVE_INFINITY : SAVE_EVERY_MS;
  const save = () => {
    if (file === undefined) return;
    const began = performance.now();
    writeSampleFile(file, key, run.state());
    savedAt = performance.now();
    pause = Math.max(SAVE_EVERY_MS, (savedAt - began) / SAVE_SHARE);
  };
  try {
    // A folder that cannot be written to is found out before the work.
    if (saved === null) save();
    while (run.sweeps < run.total) {
      const began = performance.now();
      run.advance(slice);
      const elapsed = Math.max(1, performance.now() - began);
      slice = Math.max(1, Math.round(slice * Math.min(4, Math.max(0.25, SLICE_MS / elapsed))));
      progress(run.sweeps / run.total, `sampling, ${run.sweeps} of ${run.total} sweeps of each chain`);
      await setImmediate(); // lets signals in
      if (signals.heard || run.sweeps >= run.total || performance.now() - savedAt > pause) save();
      if (signals.heard) throw interruption(file);
    }
  } finally {
    signals.close();
  }
  return run.result();
}

/** The report as JSON, computed in a thread; an interruption ends it. */
async function read(
  task: EstimateTask,
  file: string | undefined,
  progress: (share: number, detail: string) => void,
): Promise<string> {
  const worker = new Worker(new URL('./estimate-worker.js', import.meta.url), { workerData: task });
  const signals = new Signals();
  try {
    return await new Promise<string>((resolve, reject) => {
      signals.onHeard = () => reject(interruption(file));
      worker.on('error', reject);
      worker.on('message', (message: EstimateMessage) => {
        if ('share' in message) progress(message.share, message.detail);
        else if ('json' in message) resolve(message.json);
        else reject(new HtdmlError(message.code, message.message));
      });
    });
  } finally {
    signals.close();
    await worker.terminate();
  }
}

/** Whether SIGINT or SIGTERM came. */
class Signals {
  heard = false;
  onHeard = () => {};
  private readonly listener = () => {
    this.heard = true;
    this.onHeard();
  };

  constructor() {
    process.on('SIGINT', this.listener).on('SIGTERM', this.listener);
  }

  close(): void {
    process.off('SIGINT', this.listener).off('SIGTERM', this.listener);
  }
}

function interruption(file: string | undefined): Interrupted {
  return new Interrupted(file === undefined ? null : 'the same command');
}
