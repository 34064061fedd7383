import { InputError, UnsupportedError } from '../errors.js';
import type { KernelName } from '../kernel/kernels.js';
import type { DataLaw } from '../model/data-law.js';
import { type Model, withParameters } from '../model/model.js';
import { addCouplingNorms, couplingNorms } from '../trainability/routes/coupling-norms.js';
import type { Evaluation, Moments, Quantities, Quantity, Relaxation, Route } from '../trainability/routes/route.js';
import { evaluated } from '../trainability/routes/route.js';
import { jackknifeVariance, plainJackknife } from './bound/cross-fit.js';
import type { FeatureName } from './bound/features.js';
import { type BoundedTimescale, boundFromSamples, LEAST_CHAINS, type SampledBound } from './bound/timescale-bound.js';
import { signalDerivative } from './estimate.js';
import { annealedLogRatio, dataFreeEnergy } from './free-energy.js';
import { observableMeans } from './observable-means.js';
import { type PositiveMoments, positivePhase } from './positive-phase.js';
import { type EquilibriumPlan, type EquilibriumSamples, sampleEquilibrium } from './samples/equilibrium.js';
import { emptySamples, type PackedSamples, wordsPerSample } from './samples/packed-samples.js';
import { sampledSignal } from './signal.js';

/** How an estimated route samples at every evaluation. */
export interface EstimatedRouteOptions extends EquilibriumPlan {
  /** Of which `T` is bounded: `random-scan`, `random-block`, or `alternating-block` with two blocks. */
  readonly kernel: KernelName;
  /** How far the sequence of features goes; `observables` by default, which costs least. */
  readonly features?: FeatureName | undefined;
  /** Random signs where there are many observables; 24 by default. */
  readonly probes?: number | undefined;
  /** Steps of annealed importance sampling from the anchor; 50 by default. */
  readonly rungs?: number | undefined;
}

/** Standard errors of what an estimated route computed, and the verdict on its timescale. */
export interface EstimateErrors {
  /** Of each quantity that is not exact. */
  readonly standardErrors: Quantities;
  /** The bound; null where no quantity needed it. */
  readonly timescale: BoundedTimescale | null;
}

/** An evaluation with errors. */
export interface EstimatedEvaluation extends Evaluation {
  /** Standard errors of the values, and the bound with its verdict. */
  readonly errors: EstimateErrors;
}

/** What an evaluation has made, and a pullback needs. */
interface Sampled {
  readonly samples: EquilibriumSamples | null;
  readonly bound: SampledBound | null;
  readonly positive: PositiveMoments | null;
}

/** The quantities that equilibrium samples give. */
const SAMPLED = ['timescale', 'variance', 'signal', 'kl', 'l1', 'l2'] as const;
const RUNGS = 50;

/**
 * The estimated route: `T` by the bound (6.1), `|g|^2` from independent groups of chains, derivatives by D8 and D5, for a model of any size. `kl` is `KL(theta) - KL(anchor)`, by annealed importance sampling from the
 * anchor, the parameters that the route was made with; its derivative is `beta g`. Every evaluation samples anew from the same seed, so it is a function of theta, rough at the size of its standard errors.
 * An unresolved timescale is in the errors, and `info.converged` says whether everything is finite.
 */
export class EstimatedRoute implements Route {
  readonly name = 'estimated';
  readonly differentiable = true;
  private readonly anchor: { starts: PackedSamples; freeEnergy: number | null };

  /** Throws InputError for options out of range or data of another size. */
  constructor(
    private readonly model: Model,
    private readonly data: DataLaw,
    private readonly options: EstimatedRouteOptions,
  ) {
    if (!(options.chains >= LEAST_CHAINS)) {
      throw new InputError({
        field: 'chains',
        expected: `at least ${LEAST_CHAINS}`,
        got: String(options.chains),
        remedy: 'sample more chains',
      });
    }
    const samples = sampleEquilibrium(model, data, { ...options, samples: Math.max(4, options.samples) });
    this.anchor = { starts: someOf(samples, model.spins), freeEnergy: dataFreeEnergy(model, data) };
  }

  evaluate(theta: Float64Array, quantities: readonly Quantity[]): EstimatedEvaluation {
    for (const quantity of quantities) this.require(quantity);
    const model = withParameters(this.model, theta);
    const needs = (...names: Quantity[]) => names.some((name) => quantities.includes(name));
    // The bound costs most, and the divergence asks for means alone.
    const timed = needs('timescale', 'variance', 'signal');
    const samples = timed || needs('kl') ? this.sample(model) : null;
    const bound = timed && samples !== null ? this.bound(model, samples) : null;
    const positive = samples && this.positive(model);
    const value: { [q in Quantity]?: number } = {};
    const standardErrors: { [q in Quantity]?: number } = {};
    if (bound && needs('timescale')) {
      value.timescale = bound.bound.timescale;
      standardErrors.timescale = bound.bound.standardError;
    }
    if (bound && needs('variance')) value.variance = bound.bound.variance;
    if (bound && positive && needs('signal')) {
      const signal = sampledSignal(positive, bound.means);
      value.signal = signal.value;
      standardErrors.signal = Math.sqrt(jackknifeVariance(signal.withoutModel) + plainJackknife(signal.withoutData));
    }
    if (needs('kl')) [value.kl, standardErrors.kl] = this.excess(model);
    const norms = couplingNorms(theta, this.model.edges.length);
    if (needs('l1')) value.l1 = norms.l1;
    if (needs('l2')) value.l2 = norms.l2;
    const finite = Object.values(value).every(Number.isFinite);
    return {
      value,
      info: {
        route: 'estimated',
        converged: finite,
        solver: null,
        iterations: 0,
        backwardError: 0,
        observables: null,
      },
      errors: { standardErrors, timescale: bound?.bound ?? null },
      pullback: (bar) => this.pullback(model, bar, { samples, bound, positive }),
    };
  }

  moments(theta: Float64Array): Moments {
    const model = withParameters(this.model, theta);
    return { data: this.positive(model).means, model: meanOf(model, this.sample(model)) };
  }

  spectrum(): null {
    return null;
  }

  relaxation(): Relaxation {
    return { groups: null, slowest: null, measure: null };
  }

  posteriorVariance(): number {
    if (this.model.visible.length === this.model.spins) return 0;
    throw new UnsupportedError('The variance of the positive phase', 'it is not estimated', 'use an exact route');
  }

  private require(quantity: Quantity): void {
    if ((SAMPLED as readonly Quantity[]).includes(quantity)) return;
    throw new UnsupportedError(
      `${quantity} on the estimated route`,
      'samples do not give it',
      `use an exact route, or one of ${new Intl.ListFormat('en', { type: 'disjunction' }).format(SAMPLED)}`,
    );
  }

  private sample(model: Model): EquilibriumSamples {
    return sampleEquilibrium(model, this.data, this.options);
  }

  private positive(model: Model): PositiveMoments {
    const { chains, burnIn, seed } = this.options;
    return positivePhase(model, this.data, { patterns: 8 * chains, samples: 8, burnIn, seed: seed + 1 });
  }

  private bound(model: Model, samples: EquilibriumSamples): SampledBound {
    // Without the residual, so that values are those that the derivatives belong to.
    const features = this.options.features ?? 'observables';
    return boundFromSamples(model, samples, { ...this.options, features, residual: false });
  }

  /** `KL(theta) - KL(anchor)` with its error. */
  private excess(model: Model): [number, number] {
    const { starts, freeEnergy } = this.anchor;
    const there = dataFreeEnergy(model, this.data);
    if (freeEnergy === null || there === null) {
      throw new UnsupportedError(
        'The divergence of a graph with hidden spins on the estimated route',
        'its free energy of the data has no closed form',
        'use an RBM or a model without hidden spins',
      );
    }
    const { rungs = RUNGS, seed } = this.options;
    const ratio = annealedLogRatio(this.model, model, starts, { rungs, seed: seed + 2, groups: this.options.chains });
    return [there - freeEnergy + ratio.value, ratio.standardError];
  }

  private pullback(model: Model, bar: Quantities, { samples, bound, positive }: Sampled): Float64Array {
    const out = new Float64Array(model.theta.length);
    const add = (weight: number, values: Float64Array) => {
      for (let b = 0; b < out.length; b++) out[b] += weight * values[b];
    };
    const { timescale = 0, variance = 0, signal = 0, kl = 0 } = bar;
    if (timescale !== 0 || variance !== 0 || signal !== 0) {
      const phase = evaluated(positive, 'signal');
      const of = evaluated(bound, 'timescale').derivatives(phase.means, false);
      if (timescale !== 0) add(timescale, of.timescale.value);
      if (variance !== 0) add(variance, of.variance.value);
      if (signal !== 0) add(signal, signalDerivative(model, of.signal, phase, of.signalDirection).value);
    }
    if (kl !== 0) {
      const phase = evaluated(positive, 'kl');
      const mean = meanOf(model, evaluated(samples, 'kl'));
      for (let b = 0; b < out.length; b++) out[b] += kl * model.beta * (phase.means[b] - mean[b]);
    }
    addCouplingNorms(out, model.theta, model.edges.length, bar);
    return out;
  }
}

/** Up to eight samples of every chain, the chains in turn. */
function someOf({ chains }: EquilibriumSamples, spins: number): PackedSamples {
  const each = Math.min(8, chains[0].count);
  const out = emptySamples(spins, each * chains.length);
  const row = wordsPerSample(spins);
  for (let k = 0; k < each; k++) {
    chains.forEach(({ words, count }, m) => {
      const s = Math.floor(((k + 1) * count) / each) - 1;
      out.words.set(words.subarray(s * row, (s + 1) * row), (k * chains.length + m) * row);
    });
  }
  return out;
}

/** `E_pi f` over all chains, which have equally many samples. */
function meanOf(model: Model, { chains }: EquilibriumSamples): Float64Array {
  const out = new Float64Array(model.theta.length);
  for (const chain of chains) {
    const means = observableMeans(model, chain);
    for (let a = 0; a < out.length; a++) out[a] += means[a] / chains.length;
  }
  return out;
}
