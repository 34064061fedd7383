import { ConvergenceError, UnsupportedError } from '../../errors.js';
import type { FactoredKernel } from '../../kernel/kernels.js';
import { gaugeToGround, layerTable, layerView } from '../../kernel/rbm-layers.js';
import type { DataLaw } from '../../model/data-law.js';
import type { Model } from '../../model/model.js';
import { addCouplingNorms, couplingNorms } from './coupling-norms.js';
import { alternatingBlock } from './factored-alternating.js';
import { factoredGradient } from './factored-gradient.js';
import { palindromeBlock } from './factored-palindrome.js';
import { type NarrowProblem, narrowProblem, narrowSolver } from './factored-problem.js';
import { randomBlock } from './factored-random-block.js';
import type { FactoredRule } from './factored-rule.js';
import { factoredSignal, modelCovariance, posteriorVariance } from './factored-signal.js';
import {
  type Evaluation,
  evaluated,
  type Quantities,
  type Quantity,
  type Relaxation,
  type Route,
  type Spectrum,
} from './route.js';
import { factoredCorrelation } from './total-correlation.js';

/** Largest narrow layer, and largest layer at all, that the factored route takes. */
export const MAX_NARROW_SPINS = 12;
export const MAX_WIDE_SPINS = 20;

const RULES: { readonly [K in FactoredKernel]: FactoredRule } = {
  'random-block': randomBlock,
  'palindrome-block': palindromeBlock,
  'alternating-block': alternatingBlock,
};

/** Spins of the larger and the smaller layer of a model that the factored route takes; throws {@link UnsupportedError} for others. */
export function layerSpins(model: Model): { readonly wide: number; readonly narrow: number } {
  if (model.layers === null) {
    throw new UnsupportedError('The factored route', 'the model is not an RBM', 'use the table route');
  }
  const { visible, hidden } = model.layers;
  const [wide, narrow] = [Math.max(visible, hidden), Math.min(visible, hidden)];
  if (narrow > MAX_NARROW_SPINS || wide > MAX_WIDE_SPINS) {
    throw new UnsupportedError(
      `The factored route for ${visible} visible and ${hidden} hidden spins`,
      `its smaller layer takes up to ${MAX_NARROW_SPINS} spins and its larger up to ${MAX_WIDE_SPINS}`,
      'use a smaller model, or sampling (htdml estimate, or train.likelihood of a SPEC)',
    );
  }
  return { wide, narrow };
}

/** The route over an RBM's layers (D4): solves on the smaller layer only, never forms the table of joint states. */
export class FactoredRoute implements Route {
  readonly name = 'factored';
  readonly differentiable = true;

  constructor(
    private readonly model: Model,
    private readonly data: DataLaw,
    private readonly kernel: FactoredKernel,
  ) {
    layerSpins(model);
  }

  moments(theta: Float64Array) {
    const { data, model } = this.signal(theta);
    return { data, model };
  }

  posteriorVariance(theta: Float64Array): number {
    const view = layerView(this.model, 'visible');
    return posteriorVariance(view, layerTable(view, theta, this.model.beta), this.data);
  }

  evaluate(theta: Float64Array, quantities: readonly Quantity[]): Evaluation {
    const wants = new Set(quantities);
    const modal = ['slowClusterTimescale', 'slowClusterMass', 'softTimescale', 'softMass'] as const;
    if (modal.some((quantity) => wants.has(quantity))) {
      throw new UnsupportedError(
        'The slow cluster and its derivative',
        'the factored route forms no joint modes',
        'use the table route, or the full predictor',
      );
    }
    const { beta } = this.model;
    const signal = wants.has('signal') || wants.has('kl') ? this.signal(theta) : null;
    const problem = wants.has('timescale') || wants.has('variance') ? this.problem(theta) : null;
    const time = problem !== null && wants.has('timescale') ? this.timescale(problem) : null;
    const correlation = wants.has('totalCorrelation') ? this.totalCorrelation(theta) : null;
    const couplings = this.model.edges.length;
    const all: Quantities = {
      ...couplingNorms(theta, couplings),
      ...(signal && { signal: sum(signal.g.map((x) => x * x)), kl: signal.kl }),
      ...(problem && { variance: sum(problem.variance) }),
      ...(time && { timescale: sum(time.timescale) }),
      ...(correlation && { totalCorrelation: correlation.value }),
    };
    return {
      value: Object.fromEntries(quantities.map((q) => [q, all[q]])),
      info: {
        route: 'factored',
        converged: time?.converged ?? true,
        solver: time === null ? null : 'grounded elimination',
        iterations: 0,
        backwardError: 0,
        observables: time && problem && { timescale: time.timescale, variance: problem.variance },
      },
      pullback: (bar) => {
        const out = new Float64Array(theta.length);
        const add = (factor: number, x: Float64Array) => x.forEach((value, a) => (out[a] += factor * value));
        if (bar.timescale) {
          const { gradient } = evaluated(time, 'timescale');
          if (!gradient) throw new ConvergenceError('The derivative of the timescale', 'the chain is too slow');
          add(bar.timescale, gradient());
        }
        if (bar.variance) add(2 * beta * bar.variance, varianceCovariance(evaluated(problem, 'variance')));
        problem?.signs.forEach((sign, a) => {
          out[a] *= sign;
        });
        if (bar.signal) add(bar.signal, evaluated(signal, 'signal').signalGradient());
        if (bar.kl) add(bar.kl * beta, evaluated(signal, 'kl').g);
        if (bar.totalCorrelation) {
          add(bar.totalCorrelation, evaluated(correlation, 'totalCorrelation').gradient());
        }
        addCouplingNorms(out, theta, couplings, bar);
        return out;
      },
    };
  }

  spectrum(theta: Float64Array): Spectrum | null {
    const { groups, measure } = this.relaxation(theta);
    return groups === null || measure === null ? null : { levels: measure, groups };
  }

  relaxation(theta: Float64Array): Relaxation {
    return RULES[this.kernel].relaxation(this.problem(theta), this.model.edges.length);
  }

  /** `T` per observable and, on demand, its derivative in the problem's gauge. */
  private timescale(problem: NarrowProblem) {
    const { irreducible, solve } = narrowSolver(problem);
    if (!irreducible) {
      return { converged: false, timescale: new Float64Array(problem.parameters).fill(Number.POSITIVE_INFINITY) };
    }
    const { timescale, density } = RULES[this.kernel].timescale(problem, solve);
    if (!timescale.every(Number.isFinite)) return { converged: false, timescale };
    return { converged: true, timescale, gradient: () => factoredGradient(problem, density(), this.model.beta) };
  }

  private signal(theta: Float64Array) {
    const view = layerView(this.model, 'visible');
    return factoredSignal(view, layerTable(view, theta, this.model.beta), this.data, theta.length, this.model.beta);
  }

  private totalCorrelation(theta: Float64Array) {
    const view = layerView(this.model, 'visible');
    return factoredCorrelation(view, layerTable(view, theta, this.model.beta), theta, this.model.beta);
  }

  private problem(theta: Float64Array): NarrowProblem & { readonly signs: Int8Array } {
    const [m, n] = [this.model.visible.length, this.model.spins - this.model.visible.length];
    const [wide, narrow] = m >= n ? (['visible', 'hidden'] as const) : (['hidden', 'visible'] as const);
    const view = layerView(this.model, wide);
    const gauge = gaugeToGround(this.model, theta);
    const { beta } = this.model;
    const narrowTable = layerTable(layerView(this.model, narrow), gauge.theta, beta);
    const problem = narrowProblem(wide, view, layerTable(view, gauge.theta, beta), narrowTable, theta.length);
    return { ...problem, signs: gauge.signs };
  }
}

/** `Cov_pi(f, sum_a m_a f_a)` with `m = E f`; the derivative of `mu = sum_a (1 - m_a^2)` is `2 beta` times this. */
function varianceCovariance({ view, wide, means }: NarrowProblem): Float64Array {
  return modelCovariance(
    view,
    wide,
    means.map((mean) => mean - 1),
  );
}

function sum(x: Float64Array): number {
  return x.reduce((total, value) => total + value, 0);
}
