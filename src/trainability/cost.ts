import { jobBytes } from '../kernel/compiled/job.js';
import { isCompiled, LANES } from '../kernel/compiled/table.js';
import { KERNELS, type KernelName, type Schedule, schedule, stepsPerSweep } from '../kernel/kernels.js';
import type { Model } from '../model/model.js';
import { isTabulated, tableBits } from '../model/state-space.js';
import { walshHadamard } from '../model/walsh-hadamard.js';
import { MAX_DENSE_STATES } from '../spectrum/dense-kernel.js';
import { hasLayeredError } from './layered-error.js';
import { isFactorable, type ProbeOptions } from './routes/create-route.js';
import { layerSpins } from './routes/factored-route.js';
import { DIRECT_STATES } from './routes/table-timescale.js';
import type { Start } from './start.js';
import { checkTeacher } from './teacher.js';

/**
 * What an evaluation needs, known from sizes alone before anything is allocated. Work is counted in *visits*: one state read and written in one loop over
 * a table. Iterative solvers are counted for a chain that relaxes in a sweep; a chain with the gap `gamma` per sweep takes about `1 / sqrt(gamma)` times
 * as long in them, at most 5,000 iterations for each observable. The search for slow modes is counted for a cluster of about twelve; one of dozens takes several times as long.
 */
export interface Workload {
  /** Peak memory, with what is garbage before it is collected. */
  readonly bytes: number;
  /** Visits of one whole report. */
  readonly report: number;
  /** Visits of `T` (3.3) with its derivative at one point of a run. */
  readonly timescale: number;
  /** Visits of signal and divergence (2.3) with their derivatives at one point of a run. */
  readonly signal: number;
}

/** What of {@link EvaluateOptions} the work depends on. */
export interface WorkloadOptions {
  /** The chain that estimates the gradient. */
  readonly kernel: KernelName;
  /** `B` (2.4) in kernel steps. */
  readonly burnIn: number;
  /** `K` (2.4) in kernel steps. */
  readonly window: number;
  /** Law of the first state. */
  readonly start: Start;
  /** Whether gradients in theta are asked for. */
  readonly gradient: boolean;
  /** Random probes, where `T` is estimated from them. */
  readonly probes?: Pick<ProbeOptions, 'count'> | undefined;
}

/** The {@link Workload} of `evaluateModel`. Throws {@link UnsupportedError} for a model that no route takes. */
export function workload(model: Model, options: WorkloadOptions): Workload {
  return options.probes === undefined && isFactorable(model, options.kernel)
    ? factoredWorkload(model, options)
    : tableWorkload(model, options);
}

/** Bytes and visits of tabulating a teacher's visible law, most of it in the list of patterns. Throws {@link UnsupportedError} where it cannot be. */
export function teacherWorkload(teacher: Model): { readonly bytes: number; readonly visits: number } {
  checkTeacher(teacher);
  const patterns = 2 ** teacher.visible.length;
  const states = teacher.layers === null ? 2 ** tableBits(teacher) : patterns * (1 + teacher.layers.hidden);
  return { bytes: GARBAGE * 40 * states + 300 * patterns, visits: 20 * states + 200 * patterns };
}

const NUMBER = 8;
/** What a process takes beside its tables, and how far tables may outlive their use before they are collected. */
const BASE_BYTES = 12e6;
const GARBAGE = 2;
/** Start of a report: code is compiled while it first runs. */
const BASE_VISITS = 6e7;
/** An eigendecomposition takes so many visits per cube of its order. */
const EIGEN = 2.5;
/** Conjugate gradients gain `log(1 / eps)` at a rate of two square roots of the gap; without slow modes the law is stationary to 1e-13 after 30 gaps. */
const CG_ITERATIONS = Math.log(1 / Number.EPSILON) / 2;
const MIXING_SWEEPS = 30;
/** A visit of the compiled loops takes so many times less. */
const COMPILED_SPEED = 10;

/** Of a search for slow modes: panels of its basis, of what it locks, and spare ones; and applications, from a few hundred for twelve modes to a few thousand. */
const SLOW_END_PANELS = 88;
const SLOW_END_APPLICATIONS = 1500;

function tableWorkload(model: Model, options: WorkloadOptions): Workload {
  const n = 2 ** tableBits(model);
  const p = model.theta.length;
  const { kernel } = options;
  const { reversible, differentiable } = KERNELS[kernel];
  const plan = schedule(model, kernel);
  const step = stepVisits(plan);
  const sweep = stepsPerSweep(model, kernel);
  const dense = n <= MAX_DENSE_STATES;
  // Energies, law, flip probabilities of every spin and two work tables.
  const setUp = n * (30 + 6 * model.spins);
  const observable = n * (differentiable ? 3 * step + 12 : 6);
  const direct = n <= DIRECT_STATES || !reversible;
  const compiled = !direct && isCompiled(model, kernel);
  const probes = compiled ? options.probes?.count : undefined;
  const iterated = n * CG_ITERATIONS * Math.sqrt(sweep) * (step + 6);
  const solve = direct
    ? n ** 3 + p * n * n * (reversible ? 3 : 6) * 2
    : probes === undefined
      ? p * iterated
      : Math.max(LANES, probes) * iterated + p * n * (2 * step + 20) + COMPILED_SPEED * model.spins * n * (step + 10);
  const speed = compiled ? COMPILED_SPEED : 1;
  const timescale = setUp + (solve + p * observable * (direct ? (reversible ? 6 : 9) : 1)) / speed;
  const signal = setUp + 40 * n;
  let report = BASE_VISITS + timescale + 2 * signal + 3 * p * n;
  if (dense) report += denseVisits(model, options, step);
  else if (reversible && probes === undefined)
    report +=
      setUp +
      solve / speed +
      p * EIGEN * (CG_ITERATIONS * Math.sqrt(sweep)) ** 3 +
      slowEndVisits(model, n, step) / speed;
  const job = compiled ? jobBytes(n, p, plan.kind === 'product', model.spins) : 0;
  const slowEnd = !dense && reversible && probes === undefined ? SLOW_END_PANELS * 2 * n * NUMBER : 0;
  const kernelBytes = n * NUMBER * (3 + model.spins + 2);
  const denseBytes = dense ? 3 * n * n * NUMBER : 0;
  return {
    // The plain loops keep a kernel while relaxation uses another, and the compiled ones may have to give way to them; solvers and signal have ten tables more.
    bytes: BASE_BYTES + Math.max(job, slowEnd) + GARBAGE * (2 * kernelBytes + 10 * n * NUMBER + denseBytes),
    report,
    timescale,
    signal,
  };
}

/** The slow end in every sector: applications to panels of two functions, and what orthogonalising adds to each. */
function slowEndVisits(model: Model, n: number, step: number): number {
  return (model.biased ? 1 : 2) * SLOW_END_APPLICATIONS * 2 * n * (step + 10);
}

/** Modes, slow cluster and propagation of a report on a table of at most MAX_DENSE_STATES states. */
function denseVisits(model: Model, options: WorkloadOptions, step: number): number {
  const n = 2 ** tableBits(model);
  const p = model.theta.length;
  const { reversible } = KERNELS[options.kernel];
  const sweep = stepsPerSweep(model, options.kernel);
  const sectors = model.biased ? 1 : 2;
  let visits = 3 * n * n * (step + 2);
  if (reversible) visits += sectors * EIGEN * n ** 3 + 2 * p * n * n;
  if (reversible && options.gradient) visits += (n * n * (n + p)) / 2;
  if (options.start !== 'stationary') {
    const mixing = reversible ? MIXING_SWEEPS * sweep : Number.POSITIVE_INFINITY;
    const burnIn = Math.min(options.burnIn, mixing);
    const window = Math.min(options.window, Math.max(0, mixing - options.burnIn));
    // Propagation forms no differences. (Half is for products, the only kernels that it is long for.)
    visits += n * (burnIn + window * p) * (step / 2 + 3);
  }
  return visits;
}

/** Visits per state of one application of a kernel. */
function stepVisits(plan: Schedule): number {
  switch (plan.kind) {
    case 'mixture':
      return plan.blocks.reduce((sum, { length }) => sum + (length === 1 ? 1 : length + 2), 0);
    case 'product':
      return plan.blocks.reduce((sum, { length }) => sum + 2 * length + 1, 0);
    case 'metropolis':
      return 2 * plan.spins;
  }
  return plan satisfies never;
}

const NOTHING = { bytes: 0, visits: 0 };

/** The slow cluster's gradient of an RBM that is too large for all modes: it is on the table, where that exists. */
function clusterOnTable(model: Model, { kernel, gradient }: WorkloadOptions): typeof NOTHING {
  const { reversible, differentiable } = KERNELS[kernel];
  if (!gradient || !reversible || !differentiable || !isTabulated(model)) return NOTHING;
  const n = 2 ** tableBits(model);
  const step = stepVisits(schedule(model, kernel));
  const kernelBytes = n * NUMBER * (3 + model.spins + 2);
  return {
    bytes: SLOW_END_PANELS * 2 * n * NUMBER + GARBAGE * kernelBytes,
    visits: n * (30 + 6 * model.spins) + slowEndVisits(model, n, step) / COMPILED_SPEED,
  };
}

function factoredWorkload(model: Model, options: WorkloadOptions): Workload {
  const { wide, narrow } = layerSpins(model);
  const [w, h] = [2 ** wide, 2 ** narrow];
  const p = model.theta.length;
  const visible = 2 ** model.visible.length;
  const hidden = model.spins - model.visible.length;
  // The chain on the narrow layer, its right-hand sides, and the tables of the wide layer.
  const problem = w * h * (h / 2 + 6 * narrow) + w * (10 * narrow + 3 * p);
  const solve = h ** 3 / 3 + 4 * p * h * h;
  const gradient = w * h * (h / 2 + 3 * narrow) + p * h * h;
  const modes = EIGEN * h ** 3 + w * h * h + 2 * p * h * h;
  const signal = visible * (10 * hidden + 2 * p);
  const timescale = problem + solve + gradient;
  const small = model.spins - (model.biased ? 0 : 1) <= Math.log2(MAX_DENSE_STATES);
  const table = small ? tableWorkload(model, options) : null;
  const cluster = small ? NOTHING : clusterOnTable(model, options);
  const propagated = !small && options.start !== 'stationary' && hasLayeredError(model, options.kernel);
  const [rows, columns] = [2 ** hidden, 2 ** model.spins];
  const propagation =
    (options.burnIn + options.window) * 2 * columns + options.window * (columns * model.visible.length + p * rows ** 2);
  return {
    // The evaluation keeps its conditional table while relaxation makes two.
    bytes:
      BASE_BYTES +
      GARBAGE * NUMBER * (3 * w * h + 12 * w * (narrow + 1) + 6 * h * (h + p)) +
      (table === null ? 0 : table.bytes - BASE_BYTES) +
      cluster.bytes,
    report:
      timescale +
      cluster.visits +
      problem +
      modes +
      3 * signal +
      (propagated ? columns * p + propagation : 0) +
      (table?.report ?? BASE_VISITS),
    timescale,
    signal,
  };
}

let measured: number | undefined;

/** Seconds that so many visits take on this machine, from a transform that is timed once, for a few milliseconds. */
export function secondsOf(visits: number): number {
  measured ??= VISIT_TRANSFORMS * transformVisit();
  return visits * measured;
}

/** A visit of the loops that are counted costs as much as so many visits of a Walsh-Hadamard transform, whose loop is leaner. */
const VISIT_TRANSFORMS = 4;

/** Seconds per visit of a Walsh-Hadamard transform: the best of some, since others may use the machine. */
function transformVisit(): number {
  const table = new Float64Array(2 ** 12);
  let best = Number.POSITIVE_INFINITY;
  for (let k = 0; k < 60; k++) {
    const began = performance.now();
    walshHadamard(table);
    best = Math.min(best, performance.now() - began);
  }
  return best / 1000 / (table.length * Math.log2(table.length));
}
