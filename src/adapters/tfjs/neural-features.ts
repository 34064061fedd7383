import { InputError, show } from '../../errors.js';
import { mixtureOf } from '../../estimation/bound/kernel-form.js';
import { makeProbes } from '../../estimation/bound/probes.js';
import { type RandomSource, randomSource } from '../../estimation/random.js';
import { type PackedSamples, readSample } from '../../estimation/samples/packed-samples.js';
import type { KernelName } from '../../kernel/kernels.js';
import type { Model } from '../../model/model.js';
import { adamStart, adamStep } from '../../optimization/adam.js';
import { type NetworkShape, type NeuralFeatures, networkFeatures, weightCount } from './network.js';
import { objectiveGradient, type TfTraining } from './neural-objective.js';
import { checkKernel } from './operations.js';
import { checkTf, type TensorLike } from './tf-like.js';
import { PilotProblem } from './trial-solutions.js';

/** How {@link neuralFeatures} are made. */
export interface NeuralOptions {
  /** Of the bound: `random-scan`, `random-block`, or `alternating-block` with two blocks. */
  readonly kernel: KernelName;
  /** Units of each hidden layer. */
  readonly width: number;
  /** Hidden layers; 1 by default. */
  readonly depth?: number | undefined;
  /** Features of each of the two networks. */
  readonly features: number;
  /** Steps of Adam for each. */
  readonly steps: number;
  /** Of the first step; it falls linearly to zero. */
  readonly learningRate: number;
  /** Samples per step. */
  readonly batch: number;
  /** Of {@link randomSource}: the same features for the same seed, on the same backend. */
  readonly seed: number;
  /** Called after each step. */
  readonly progress?: ((done: number, of: number) => void) | undefined;
}

/** The second shows whether the first suffices. */
const NAMES = ['neural', 'more neural'] as const;
/** Random signs where there are many observables. */
const PROBES = 24;
/** Steps between fits of the trial solutions. */
const FIT_EVERY = 20;

/**
 * Features for the bound (6.1) that are trained to raise it. A network `chi` of the spins joins the observables, and of
 *
 *     max_alpha sum_z w_z (2 c_z . alpha_z - alpha_z . L alpha_z),   c_z = Cov(F_z, chi),   L = E sum_c w_c Cov_c(chi, chi),
 *
 * `alpha` is solved for in float64 and then held while Adam moves the weights: the gradient at the best `alpha` is that of the bound. A second network does the same with the features of the first at hand, so that the growth of the
 * bound from the first to the second shows whether it is saturated. Give both, in this order, as `functions`.
 *
 * `pilot` must be samples that the bound is not computed from, `pilot` of the equilibrium samples: then the features are fixed functions and the bound stays one. Training is in float32, what is returned has its weights and is
 * evaluated in float64. Without biases the features are even. Throws {@link InputError} for an option out of range or samples of another model, and UnsupportedError for a kernel without the bound.
 */
export function neuralFeatures<T extends TensorLike, S extends T>(
  tf: TfTraining<T, S>,
  model: Model,
  pilot: readonly PackedSamples[],
  options: NeuralOptions,
): readonly NeuralFeatures[] {
  checkTf(tf, ['tensor', 'matMul', 'tile', 'tidy', 'valueAndGrads']);
  checkNeural(model, pilot, options);
  const { width, depth = 1, features: count, steps, batch, learningRate, seed, progress } = options;
  const { blocks } = mixtureOf(model, options.kernel);
  const random = randomSource(seed);
  const probes = makeProbes(model.theta.length, PROBES, random);
  const shape: NetworkShape = { spins: model.spins, width, depth, count, even: !model.biased };
  const trained: NeuralFeatures[] = [];
  NAMES.forEach((name, n) => {
    const problem = new PilotProblem(model, pilot, blocks, probes, trained, count);
    let weights = startWeights(shape, pilot, random);
    let memory = adamStart(weights.length);
    const at = () => networkFeatures({ ...shape, weights: Array.from(Float32Array.from(weights)) }, name);
    let trials = problem.fit(at(), random);
    for (let step = 0; step < steps; step++) {
      if (step > 0 && step % FIT_EVERY === 0) trials = problem.fit(at(), random);
      const { gradient } = objectiveGradient(tf, shape, weights, problem.batch(batch, count, trials, random));
      const rate = learningRate * (1 - step / steps);
      const next = adamStep(
        memory,
        weights,
        gradient.map((slope) => -slope),
        rate,
      );
      weights = next.x;
      memory = next.memory;
      progress?.(n * steps + step + 1, NAMES.length * steps);
    }
    trained.push(at());
  });
  return trained;
}

/** Units that tell how near the spins are to a sample of the pilot, each at a distance of its own: basins are where samples are. The other layers start at random. */
function startWeights(shape: NetworkShape, pilot: readonly PackedSamples[], random: RandomSource): Float64Array {
  const { spins, width } = shape;
  const weights = new Float64Array(weightCount(shape));
  const x = new Int8Array(spins);
  for (let k = 0; k < width; k++) {
    const chain = pilot[random.integer(pilot.length)];
    readSample(chain, random.integer(chain.count), x);
    for (let i = 0; i < spins; i++) weights[i * width + k] = (STEEPNESS * x[i]) / spins;
    weights[spins * width + k] = -STEEPNESS * random.uniform();
  }
  for (let k = (spins + 1) * width; k < weights.length; k++) weights[k] = random.normal() / Math.sqrt(width);
  return weights;
}

/** Weighted sum of a unit's first layer at its own sample. */
const STEEPNESS = 4;

function checkNeural(model: Model, pilot: readonly PackedSamples[], options: NeuralOptions): void {
  const refuse = (field: string, expected: string, got: unknown, remedy: string) => {
    throw new InputError({ field, expected, got: show(got), remedy });
  };
  checkKernel(options.kernel);
  for (const field of ['width', 'depth', 'features', 'steps', 'batch'] as const) {
    const value = options[field] ?? (field === 'depth' ? 1 : undefined);
    if (!Number.isSafeInteger(value) || Number(value) < 1) {
      refuse(field, 'a whole number of at least 1', value, 'see NeuralOptions for what it counts');
    }
  }
  if (!(options.learningRate > 0) || !Number.isFinite(options.learningRate)) {
    refuse('learningRate', 'a positive finite number', options.learningRate, 'try 0.01');
  }
  if (!Number.isSafeInteger(options.seed)) refuse('seed', 'a whole number', options.seed, 'give any');
  if (pilot.length < 2) refuse('pilot', 'at least 2 chains', pilot.length, 'sample more');
  pilot.forEach(({ spins, count }, m) => {
    if (spins !== model.spins) {
      refuse(`pilot[${m}].spins`, `${model.spins}, as the model has`, spins, 'give samples of this model');
    }
    if (count < 1) refuse(`pilot[${m}].count`, 'at least 1 sample', count, 'sample more');
  });
}
