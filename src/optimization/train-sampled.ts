import { ConvergenceError, UnsupportedError } from '../errors.js';
import { type SampledObjective, type SamplerState, samplerStart } from '../estimation/sampled-gradient.js';
import type { DataLaw } from '../model/data-law.js';
import { type Model, withParameters } from '../model/model.js';
import { addCouplingNorms, couplingNorms } from '../trainability/routes/coupling-norms.js';
import { type AdamMemory, adamStart, adamStep } from './adam.js';
import { clip, type Parametrization, parametrization as withoutConstraints } from './parametrization.js';
import { isSound, trainStart } from './train.js';
import type { Term } from './weighted-sum.js';

/** The steps of {@link trainSampled}. */
export interface SampledTrainSettings {
  /** Steps in all. */
  readonly steps: number;
  /** Adam's step size. */
  readonly learningRate: number;
  /** Objectives of the couplings alone, `l1` and `l2`, that count beside the likelihood: `weight * objective` is added to the loss. */
  readonly penalties: readonly Term[];
  /** What of theta moves, and how far; all of it by default. */
  readonly parametrization?: Parametrization | undefined;
}

/** Everything that the next step depends on; plain data, so that a run can be stopped and resumed exactly. */
export interface SampledTrainState {
  /** Steps taken. */
  readonly step: number;
  /** The parameters after them, as the model has them. */
  readonly theta: readonly number[];
  /** What Adam moves: the `u` of the parametrisation, of which `theta` is the image. */
  readonly free: readonly number[];
  /** What Adam keeps; null before the first step. */
  readonly adam: AdamMemory | null;
  /** The random source and the persistent chains. */
  readonly sampler: SamplerState;
  /** Why the run ended before its last step, at the last parameters that make a model. */
  readonly stopped?: string;
}

/** What training by sampling passes at every step. */
export interface SampledTrainRecord {
  /** Steps taken before this point was evaluated. */
  readonly step: number;
  /** The divergence, which is not known: only its gradient is sampled. */
  readonly kl: null;
  /** Length of the loss's sampled gradient in `u`. */
  readonly gradientNorm: number;
  /** Of the likelihood's sampled gradient `beta ghat` in theta, `beta^2 E|ghat - E ghat|^2` as the chains show it: without constraints the mean of its square is above the square of its mean by so much. Null for a single chain. */
  readonly variance: number | null;
  /** Values of the penalties' objectives. */
  readonly penalties: readonly number[];
}

/** What {@link trainSampled} yields: a step, and the state at which it was evaluated. */
export interface SampledTrainStep {
  /** What the step passed. */
  readonly record: SampledTrainRecord;
  /** From where a stopped run goes on. */
  readonly state: SampledTrainState;
}

/**
 * The state before the first step: the given parameters, in theta order, made to satisfy the constraints where there are any. Throws {@link InputError} for a seed that is not a
 * whole number of at least 0.
 */
export function sampledTrainStart(
  theta: ArrayLike<number>,
  seed: number,
  parametrization?: Parametrization,
): SampledTrainState {
  const { step, theta: start, free, adam } = trainStart(theta, parametrization);
  return { step, theta: start, free, adam, sampler: samplerStart(seed) };
}

/**
 * Maximum likelihood by Adam on a sampled gradient (2.3, 2.4), with penalties on the couplings: a model needs no exact quantity, so it may have any size that can be sampled.
 *
 * Yields one record per step with the state at which it was evaluated; the same state and settings give the same records. Where the parameters make no model any more, the run ends
 * at the last ones that did. Throws {@link ConvergenceError} where those of the start do not, {@link UnsupportedError} for a penalty on anything else than the couplings, and what
 * the likelihood throws.
 */
export function* trainSampled(
  model: Model,
  data: DataLaw,
  likelihood: SampledObjective,
  settings: SampledTrainSettings,
  start: SampledTrainState,
): Generator<SampledTrainStep, SampledTrainState> {
  checkPenalties(settings.penalties);
  if (start.stopped !== undefined) return start;
  const { steps, learningRate, penalties, parametrization = withoutConstraints(model) } = settings;
  if (!isSound(Float64Array.from(start.theta), model.beta)) {
    throw new ConvergenceError('The start of training', 'its energies are not finite');
  }
  let state = start;
  while (state.step < steps) {
    const theta = Float64Array.from(state.theta);
    const at = likelihood.estimate(withParameters(model, theta), data, state.sampler);
    const values = penalize(penalties, theta, model.edges.length, at.gradient);
    const u = Float64Array.from(state.free);
    const gradient = parametrization.pullback(at.gradient);
    const record = {
      step: state.step,
      kl: null,
      gradientNorm: Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0)),
      variance: at.variance === null ? null : model.beta ** 2 * at.variance,
      penalties: values,
    };
    yield { record, state };
    const { x, memory } = adamStep(state.adam ?? adamStart(u.length), u, gradient, learningRate);
    const free = clip(x, parametrization);
    const next = parametrization.theta(free);
    if (!isSound(next, model.beta)) {
      return { ...state, stopped: `the step from ${state.step} leads to energies that are not finite` };
    }
    state = { step: state.step + 1, theta: [...next], free: [...free], adam: memory, sampler: at.state };
  }
  return state;
}

/** Adds the penalties' derivatives to a gradient in theta, and returns their values. */
function penalize(penalties: readonly Term[], theta: Float64Array, couplings: number, gradient: Float64Array) {
  const norms = couplingNorms(theta, couplings);
  return penalties.map(({ objective, weight }) => {
    const at = objective.evaluate(norms);
    if (at === null) throw new ConvergenceError(objective.name, 'it has no finite value');
    const factor = objective.goal === 'lower' ? weight : -weight;
    const { l1 = 0, l2 = 0 } = at.bar;
    addCouplingNorms(gradient, theta, couplings, { l1: factor * l1, l2: factor * l2 });
    return at.value;
  });
}

function checkPenalties(penalties: readonly Term[]): void {
  const other = penalties.find(({ objective }) => !objective.quantities.every((q) => q === 'l1' || q === 'l2'));
  if (other === undefined) return;
  throw new UnsupportedError(
    `The penalty ${other.objective.name} of a sampled likelihood`,
    'it needs exact quantities',
    'use l1 or l2, or the exact likelihood',
  );
}
