import type { z } from 'zod';
import { InputError, show } from '../errors.js';
import { type MeasureOptions, measureVisits } from '../estimation/measure.js';
import { KERNEL_NAMES, type KernelName, stepsPerSweep } from '../kernel/kernels.js';
import { oneLine } from '../model/atomic-file.js';
import { readData } from '../model/data-file.js';
import type { DataLaw } from '../model/data-law.js';
import { type Model, parameterName } from '../model/model.js';
import { checked } from '../model/schema.js';
import { secondsOf, teacherWorkload, workload } from '../trainability/cost.js';
import { evaluateModel, type ModelEvaluation } from '../trainability/evaluation.js';
import type { Claim, Gate } from '../trainability/gates.js';
import { checkOptions } from '../trainability/options.js';
import type { Predictor } from '../trainability/predictors.js';
import { type Start, startState } from '../trainability/start.js';
import { teacherLaw } from '../trainability/teacher.js';
import { gateSchema, referenceSchema } from '../trainability/thresholds.js';
import { num, textTable } from './format.js';
import { describeSnr, describeTimescale, type Measured, measure } from './measure.js';
import { readModelAt } from './model-path.js';
import { admit, type ResourceFlags } from './resources.js';
import { type Duration, isStart, parseDuration } from './spec.js';

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
  const asked = flags.measure === undefined ? null : measureOptions(options, flags.measure, flags.seed);
  const { bytes, report } = workload(model, options);
  const visits = report + source.visits + (asked === null ? 0 : measureVisits(model, asked));
  const estimate = admit('This evaluation', { bytes: bytes + source.bytes, seconds: secondsOf(visits) }, flags);
  const data = source.law();
  const evaluation = evaluateModel(model, data, options);
  const measured = asked && measure(model, data, asked);
  return {
    output: flags.json
      ? JSON.stringify({ ...evaluation, estimate, ...(measured && { measured }) })
      : describeEvaluation(model, evaluation, measured),
    code: evaluation.numerics.converged ? 0 : 3,
  };
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

/** Where data come from: how many visible spins, the law, and what making it needs. */
export interface Source {
  readonly spins: number;
  readonly bytes: number;
  readonly visits: number;
  law(): DataLaw;
}

/** The source behind `--data` or `--teacher`, exactly one of which must be given. A teacher's law is not tabulated before it is asked for. */
export function readSource(paths: { data?: string | undefined; teacher?: string | undefined }): Source {
  const { data, teacher } = paths;
  if (data !== undefined && teacher === undefined) {
    const law = readData(data);
    return { spins: law.spins, bytes: 0, visits: 0, law: () => law };
  }
  if (teacher !== undefined && data === undefined) {
    const model = readModelAt(teacher);
    return { spins: model.visible.length, ...teacherWorkload(model), law: () => teacherLaw(model) };
  }
  throw new InputError({
    field: '--data or --teacher',
    expected: 'given, exactly one of them',
    got: data === undefined ? 'neither' : 'both',
    remedy: 'name a data file with --data, or a model file with --teacher',
  });
}

/** Data and model must have the same visible spins; both files are named. */
export function checkSize(data: { readonly spins: number }, model: Model, dataPath: string, modelPath: string): void {
  if (data.spins === model.visible.length) return;
  throw new InputError({
    file: dataPath,
    field: 'the number of visible spins',
    expected: `${model.visible.length} as in ${modelPath}`,
    got: String(data.spins),
    remedy: 'use data and a model of the same size',
  });
}

export function inSteps(duration: Duration, model: Model, kernel: KernelName): number {
  return duration.amount * (duration.unit === 'sweeps' ? stepsPerSweep(model, kernel) : 1);
}

export function parseStart(text: string, model: Model, field = '--start'): Start {
  if (!isStart(text)) {
    throw new InputError({
      field,
      expected: '"uniform", "stationary", "data" or "state:<index>"',
      got: show(text),
      remedy: 'choose one of them',
    });
  }
  startState(model, text, field);
  return text;
}

export function oneOf<T extends string>(field: string, text: string, names: readonly T[]): T {
  const found = names.find((name) => name === text);
  if (found !== undefined) return found;
  const expected = names.map((name) => `"${name}"`).join(' or ');
  throw new InputError({ field, expected, got: show(text), remedy: 'choose one of them' });
}

export function numeric(field: string, text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isFinite(value)) return value;
  throw new InputError({ field, expected: 'a finite number', got: show(text), remedy: 'give a number' });
}

/** The values of a repeatable `name=number` option, complete; each name once. */
function assigned<T>(flag: string, example: string, schema: z.ZodType<T>, texts: readonly string[] = []): T {
  const values: Record<string, number> = Object.create(null);
  for (const text of texts) {
    const [, name, value] = text.match(/^([^=]+)=(.*)$/s) ?? [];
    if (name === undefined || name in values) {
      throw new InputError({
        field: flag,
        expected: name === undefined ? 'name=number' : 'given once for each name',
        got: oneLine(show(text)),
        remedy: name === undefined ? `write it as in ${flag} ${example}` : 'leave one of the two out',
      });
    }
    values[name] = numeric(`${flag} ${oneLine(name)}`, value);
  }
  try {
    return checked(schema, values, flag);
  } catch (error) {
    throw error instanceof InputError
      ? new InputError({ ...error.problem, field: `${flag} ${error.problem.field}` })
      : error;
  }
}

/** The evaluation as text for a terminal. */
export function describeEvaluation(model: Model, e: ModelEvaluation, measured: Measured | null): string {
  const kind =
    model.layers === null
      ? `Ising, ${model.spins} spins (${model.visible.length} visible)`
      : `RBM, ${model.layers.visible} visible and ${model.layers.hidden} hidden spins`;
  const sweeps = (steps: number) => `${num(steps, 7)} steps (${num(steps / e.stepsPerSweep)} sweeps)`;
  const chains = e.chains === 1 ? '1 chain' : `${e.chains} chains`;
  const head = [
    `${kind}, ${model.biased ? 'with' : 'without'} biases, beta ${num(model.beta)}`,
    `${e.kernel}, ${e.start} start, burn-in ${sweeps(e.burnIn)}, window ${sweeps(e.window)}, ${chains}`,
  ];
  const { operational: o } = e;
  const facts: string[][] = [
    ['signal |g|^2', num(e.signal)],
    ['KL(data || model)', `${num(e.kl)} nats`],
    ['R, exact', o === null ? '-' : `${num(o.R)}${e.plateau ? '  (on the plateau, R < 1)' : ''}`],
  ];
  if (measured !== null) facts.push(describeSnr(measured));
  if (o !== null) {
    for (const [name, group] of Object.entries(o.groups)) facts.push([`  R of the ${name}`, num(group.R)]);
    facts.push(['squared error of the gradient', `${num(o.mse)}  (squared bias ${num(o.biasSquared)})`]);
  }
  if (e.positivePhase.share !== null && e.positivePhase.variance > 0) {
    const { variance, share } = e.positivePhase;
    facts.push(['  a sampled positive phase adds', `${num(variance)}  (${num(100 * share, 3)}% of both)`]);
  }
  facts.push(['spectral gap 1 - s_2', num(e.spectralGap)]);
  if (e.slowestObservable !== null) {
    const { parameter, integratedTime } = e.slowestObservable;
    facts.push([
      'slowest observable',
      `${parameterName(model, parameter)}, integrated time ${sweeps(Number(integratedTime.toPrecision(4)))}`,
    ]);
  }
  if (measured !== null) facts.push(...describeTimescale(model, e, measured));
  facts.push(['limiting factor', e.limitingFactor ?? '-']);
  if (e.certificate !== null) {
    const { radius, limitedBy } = e.certificate;
    facts.push(['slow cluster, certified', `up to ${num(radius)} in the 1-norm of theta  (limited by ${limitedBy})`]);
  }
  facts.push(['R / full R_hat, proven', e.trackingBound?.map((x) => num(x, 6)).join(' to ') ?? '-']);
  const named = Object.entries(e.gates);
  facts.push(['gates', `${named.flatMap(([name, { met }]) => (met ? [name] : [])).join(' ')} met`]);
  for (const [name, gate] of named) {
    if (!gate.met && name !== 'A9')
      facts.push([`  ${name} ${gate.met === null ? 'unchecked' : 'unmet'}`, gateText(gate)]);
  }
  facts.push(['claim', `conditional ${conditional(e.claim)}, operational ${e.claim.operational}`]);
  if (!e.numerics.converged) facts.push(['numerics', `NOT CONVERGED (${e.numerics.solver})`]);
  const width = Math.max(...facts.map(([name]) => name.length));
  // Those of the gates stand with the gates.
  const notes = e.notes.filter(({ path }) => !path.startsWith('gates.'));
  const predictors = Object.entries(e.predictors).map(([name, predictor]) => predictorRow(name, predictor));
  return [
    ...head,
    '',
    ...facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`),
    '',
    textTable(['predictor', 'R_hat', 'T [steps]', 'mass', 'effective gap', 'groups'], predictors),
    ...(e.gradient ? ['', gradientTable(model, e.gradient)] : []),
    ...(notes.length > 0 ? ['', ...notes.map((note) => `note: ${note.path}: ${note.reason}`)] : []),
  ].join('\n');
}

/** The conditional tier with the gates in its way. */
export function conditional({ conditional: tier, gates }: Claim): string {
  return gates.length === 0 ? tier : `${tier} (${gates.join(' ')})`;
}

/** The numbers of a gate, `value` first, and the reason for what is missing. */
function gateText({ met: _, reason, ...numbers }: Gate): string {
  const one = (x: unknown) => (typeof x === 'number' ? num(x) : String(x));
  const known = Object.entries(numbers).flatMap(([name, x]) =>
    x === null ? [] : [`${name === 'value' ? '' : `${name} `}${Array.isArray(x) ? x.map(one).join(' to ') : one(x)}`],
  );
  return [...known, ...(reason === undefined ? [] : [reason])].join(', ');
}

function predictorRow(name: string, predictor: Predictor | 'symmetry-zero' | null): string[] {
  if (predictor === null) return [name, '-', '-', '-', '-', ''];
  if (predictor === 'symmetry-zero') return [name, predictor, '', '', '', ''];
  const { Rhat, timescale, slowMass, effectiveGap, groups } = predictor;
  return [name, num(Rhat), num(timescale), num(slowMass), num(effectiveGap), groups ? String(groups.length) : ''];
}

function gradientTable(model: Model, gradient: NonNullable<ModelEvaluation['gradient']>): string {
  const { kl, logRhatFull, logRhatSlowCluster, logRhatSoft, logEffectiveGap } = gradient;
  const columns = [
    ['d KL', kl],
    ['d log R_hat', logRhatFull],
    ['d log R_hat (slow cluster)', logRhatSlowCluster],
    ...(logRhatSoft === undefined ? [] : [['d log R_hat (soft)', logRhatSoft] as const]),
    ['d log effective gap', logEffectiveGap],
  ] as const;
  return textTable(
    ['parameter', 'value', ...columns.map(([name]) => name)],
    [...model.theta].map((value, a) => [
      parameterName(model, a),
      num(value),
      ...columns.map(([, column]) => num(column?.[a])),
    ]),
  );
}
