import { type MeasureOptions, measureVisits } from '../estimation/measure.js';
import { randomSource } from '../estimation/random.js';
import { KERNEL_NAMES } from '../kernel/kernels.js';
import { secondsOf, workload } from '../trainability/cost.js';
import { evaluateModel } from '../trainability/evaluation.js';
import { checkOptions } from '../trainability/options.js';
import type { ProbeOptions } from '../trainability/routes/create-route.js';
import { gateSchema, referenceSchema } from '../trainability/thresholds.js';
import { describeEvaluation } from './describe-evaluation.js';
import { measure } from './measure.js';
import { readModelAt } from './model-path.js';
import { assigned, inSteps, numeric, oneOf, parseStart } from './options.js';
import { admit, type ResourceFlags } from './resources.js';
import { checkSize, readSource } from './source.js';
import { parseDuration } from './spec-fields.js';

/** Options as the command line gives them. */
export interface EvaluateFlags extends ResourceFlags {
  readonly data?: string;
  readonly teacher?: string;
  readonly kernel: string;
  readonly burnIn: string;
  readonly window: string;
  readonly chains: string;
  readonly start: string;
  readonly epsilon: string;
  readonly kappa: string;
  readonly soft?: string;
  readonly probes?: string;
  readonly gradient?: boolean;
  readonly gate?: readonly string[];
  readonly reference?: readonly string[];
  readonly measure?: string;
  readonly seed: string;
  readonly json?: boolean;
}

/** `htdml evaluate`: returns what to print and the exit code. */
export function evaluateCommand(modelPath: string, flags: EvaluateFlags): { output: string; code: number } {
  const model = readModelAt(modelPath);
  const source = readSource(flags);
  checkSize(source, model, flags.data ?? flags.teacher ?? '', modelPath);
  const kernel = oneOf('--kernel', flags.kernel, KERNEL_NAMES);
  const options = {
    kernel,
    burnIn: inSteps(parseDuration('--burn-in', flags.burnIn), model, kernel),
    window: inSteps(parseDuration('--window', flags.window, 1), model, kernel),
    chains: numeric('--chains', flags.chains),
    start: parseStart(flags.start, model),
    epsilon: numeric('--epsilon', flags.epsilon),
    kappa: numeric('--kappa', flags.kappa),
    ...(flags.soft !== undefined && { soft: numeric('--soft', flags.soft) }),
    gradient: flags.gradient ?? false,
    gateThresholds: assigned('--gate', 'windowTimes=20', gateSchema, flags.gate),
    references: assigned('--reference', 'gap=1', referenceSchema, flags.reference),
  };
  checkOptions(options, ['chains', 'epsilon', 'kappa'], {
    chains: '--chains',
    epsilon: '--epsilon',
    kappa: '--kappa',
  });
  if (options.soft !== undefined) checkOptions({ eta: options.soft }, ['eta'], { eta: '--soft' });
  const probes = flags.probes === undefined ? undefined : probeOptions(flags.probes, flags.seed);
  const asked = flags.measure === undefined ? null : measureOptions(options, flags.measure, flags.seed);
  const { bytes, report } = workload(model, { ...options, probes });
  const visits = report + source.visits + (asked === null ? 0 : measureVisits(model, asked));
  const estimate = admit('This evaluation', { bytes: bytes + source.bytes, seconds: secondsOf(visits) }, flags);
  const data = source.law();
  const evaluation = evaluateModel(model, data, { ...options, probes });
  const measured = asked && measure(model, data, asked);
  return {
    output: flags.json
      ? JSON.stringify({ ...evaluation, estimate, ...(measured && { measured }) })
      : describeEvaluation(model, evaluation, measured),
    code: evaluation.numerics.converged ? 0 : 3,
  };
}

/** `--probes`: how many, with the signs that `--seed` gives. */
function probeOptions(text: string, seed: string): ProbeOptions {
  const asked = { probes: numeric('--probes', text), seed: numeric('--seed', seed) };
  checkOptions(asked, ['probes', 'seed'], { probes: '--probes', seed: '--seed' });
  return { count: asked.probes, random: randomSource(asked.seed) };
}

/** `--measure`: the estimator run again and again, from the same start and with the same schedule. */
function measureOptions(
  options: Omit<MeasureOptions, 'repetitions' | 'seed'>,
  repetitions: string,
  seed: string,
): MeasureOptions {
  const asked = { ...options, repetitions: numeric('--measure', repetitions), seed: numeric('--seed', seed) };
  checkOptions(asked, ['repetitions', 'seed'], { repetitions: '--measure', seed: '--seed' });
  return asked;
}
