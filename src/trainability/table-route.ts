import { ConvergenceError, UnsupportedError } from '../errors.js';
import { createKernel, KERNELS, type KernelName, requireReversible } from '../kernel/kernels.js';
import type { KernelOperator } from '../kernel/operator.js';
import { type Boltzmann, boltzmann, linearCombination, observableSums, pullbackLogPi } from '../model/boltzmann.js';
import type { DataLaw } from '../model/data-law.js';
import type { Model } from '../model/model.js';
import { type StateSpace, stateSpace } from '../model/state-space.js';
import { generatorEigen, MAX_DENSE_STATES, transitionMatrix } from '../spectrum/dense-kernel.js';
import {
  type EigenvalueGroup,
  groupEigenvalues,
  joins,
  slowestOfSectors,
  type WeightedEigenvalue,
} from '../spectrum/groups.js';
import { type DenseModes, denseModes } from './dense-modes.js';
import { DEFAULT_THRESHOLDS, type ModeThresholds, modeSets } from './mode-sets.js';
import { type Evaluation, evaluated, type Quantities, type Quantity, type Relaxation, type Route } from './route.js';
import { clusterCotangent, clusterSums } from './slow-cluster.js';
import { type FoldedData, foldData, type TableSignal, tableSignal } from './table-signal.js';
import { quadratureMeasure, type TableTimescale, tableTimescale } from './table-timescale.js';

/** The route over a table of all states: any graph, any kernel, up to MAX_TABLE_BITS bits; modes up to MAX_DENSE_STATES states. */
export class TableRoute implements Route {
  readonly name = 'table';
  readonly differentiable: boolean;
  private readonly space: StateSpace;
  private readonly data: FoldedData;
  private kept: { readonly theta: Float64Array; readonly modes: DenseModes } | null = null;

  constructor(
    private readonly model: Model,
    data: DataLaw,
    private readonly kernelName: KernelName,
    private readonly thresholds: ModeThresholds = DEFAULT_THRESHOLDS,
  ) {
    this.differentiable = KERNELS[kernelName].differentiable;
    this.space = stateSpace(model);
    this.data = foldData(this.space, data);
  }

  /** The equilibrium law and the kernel at a parameter vector. */
  at(theta: Float64Array): { readonly law: Boltzmann; readonly kernel: KernelOperator } {
    const law = boltzmann(this.space, theta, this.model.beta);
    return { law, kernel: createKernel(law, this.model, this.kernelName) };
  }

  moments(theta: Float64Array) {
    const { law } = this.at(theta);
    const { joint } = tableSignal(law, this.data);
    return { data: observableSums(this.space, joint), model: observableSums(this.space, law.pi) };
  }

  evaluate(theta: Float64Array, quantities: readonly Quantity[]): Evaluation {
    const { law, kernel } = this.at(theta);
    const wants = new Set(quantities);
    const signal = wants.has('signal') || wants.has('kl') ? tableSignal(law, this.data) : null;
    const time =
      wants.has('timescale') || wants.has('variance') ? tableTimescale(law, kernel, this.differentiable) : null;
    const cluster = wants.has('slowClusterTimescale') || wants.has('slowClusterMass') ? this.slowCluster(theta) : null;
    const all: Quantities = {
      ...(signal && { signal: squaredNorm(signal.g), kl: signal.kl }),
      ...(time && { timescale: time.timescale, variance: time.variance }),
      ...(cluster && { slowClusterTimescale: cluster.timescale, slowClusterMass: cluster.mass }),
    };
    const info = time?.info ?? {
      converged: true,
      solver: null,
      iterations: 0,
      backwardError: 0,
      observables: null,
    };
    return {
      value: Object.fromEntries(quantities.map((q) => [q, all[q]])),
      info: { route: 'table', ...info },
      pullback: (bar) => pullback(law, kernel, bar, { signal, time, cluster }),
    };
  }

  /** All modes below the stationary one, at most MAX_DENSE_STATES states. Those of the last parameters are kept. */
  modes(theta: Float64Array): DenseModes {
    requireReversible(this.kernelName, 'The spectrum');
    if (this.kept?.theta.every((value, a) => value === theta[a])) return this.kept.modes;
    const { law, kernel } = this.at(theta);
    if (kernel.states > MAX_DENSE_STATES) {
      throw new UnsupportedError(
        'The full spectrum',
        `the table has ${kernel.states} states and eigendecomposition stops at ${MAX_DENSE_STATES}`,
        'use the full predictor, which needs no modes, or a smaller model',
      );
    }
    const modes = denseModes(law, kernel);
    this.kept = { theta: Float64Array.from(theta), modes };
    return modes;
  }

  relaxation(theta: Float64Array): Relaxation {
    const { law, kernel } = this.at(theta);
    const couplings = this.model.edges.length;
    if (!KERNELS[this.kernelName].reversible) return { groups: null, slowest: null, measure: null };
    if (kernel.states > MAX_DENSE_STATES) {
      return { groups: null, slowest: null, measure: quadratureMeasure(law, kernel, couplings) };
    }
    const measure = weightedModes(this.modes(theta), couplings);
    const groups = groupEigenvalues(measure);
    return { groups, slowest: this.slowest(law, groups), measure };
  }

  /** The group of `s_2` over both symmetry sectors. */
  private slowest(law: Boltzmann, groups: readonly EigenvalueGroup[]) {
    if (!this.space.folded) return groups[0] ?? null;
    const odd = generatorEigen(
      transitionMatrix(createKernel(law, this.model, this.kernelName, -1)),
      this.space.states,
      null,
    ).values;
    let multiplicity = 1;
    while (multiplicity < odd.length && joins(odd[multiplicity - 1], odd[multiplicity])) multiplicity++;
    return slowestOfSectors(groups[0], { gap: odd[0], multiplicity });
  }

  private slowCluster(theta: Float64Array) {
    const modes = this.modes(theta);
    const groups = groupEigenvalues(weightedModes(modes, this.model.edges.length));
    const inside = modeSets(groups, this.thresholds).slowCluster.flatMap((k) => groups[k].members);
    const members = new Set(inside);
    return { modes, members, ...clusterSums(modes, members) };
  }
}

function weightedModes(modes: DenseModes, couplings: number): WeightedEigenvalue[] {
  const observables = modes.coefficients.length / modes.count;
  return Array.from(modes.gaps, (gap, j) => {
    let couplingsWeight = 0;
    let biasesWeight = 0;
    for (let a = 0; a < observables; a++) {
      const w = modes.coefficients[a * modes.count + j] ** 2;
      if (a < couplings) couplingsWeight += w;
      else biasesWeight += w;
    }
    return { gap, multiplicity: 1, couplingsWeight, biasesWeight };
  });
}

interface Parts {
  readonly signal: TableSignal | null;
  readonly time: TableTimescale | null;
  readonly cluster: { readonly modes: DenseModes; readonly members: ReadonlySet<number> } | null;
}

function pullback(law: Boltzmann, kernel: KernelOperator, bar: Quantities, parts: Parts): Float64Array {
  const out = new Float64Array(law.space.masks.length);
  const lbar = new Float64Array(law.space.states);
  if (bar.timescale) {
    const time = evaluated(parts.time, 'timescale');
    if (!time.info.converged) throw new ConvergenceError('The derivative of the timescale', 'the chain is too slow');
    const timeBar = time.lbar;
    if (timeBar === null) {
      throw new UnsupportedError(
        'The derivative of the timescale',
        'the acceptance of metropolis has kinks where two energies tie',
        'use random-scan',
      );
    }
    for (let s = 0; s < lbar.length; s++) lbar[s] += bar.timescale * timeBar[s];
  }
  if (bar.variance) {
    // mu = sum_a (1 - m_a^2), d m_a = sum_s f_a(s) pi(s) l(s).
    const means = observableSums(law.space, law.pi);
    const table = linearCombination(law.space, means);
    for (let s = 0; s < lbar.length; s++) lbar[s] -= 2 * bar.variance * law.pi[s] * table[s];
  }
  if (bar.slowClusterTimescale || bar.slowClusterMass) {
    const { modes, members } = evaluated(parts.cluster, 'slowClusterTimescale');
    const [t, m] = [bar.slowClusterTimescale ?? 0, bar.slowClusterMass ?? 0];
    const density = clusterCotangent(law, kernel, modes, members, t, m);
    for (let s = 0; s < lbar.length; s++) lbar[s] += law.pi[s] * density[s];
  }
  add(out, 1, pullbackLogPi(law, lbar));
  if (bar.signal) add(out, bar.signal, evaluated(parts.signal, 'signal').signalGradient());
  if (bar.kl) add(out, bar.kl * law.beta, evaluated(parts.signal, 'kl').g);
  return out;
}

function add(out: Float64Array, factor: number, x: Float64Array): void {
  for (let a = 0; a < out.length; a++) out[a] += factor * x[a];
}

function squaredNorm(x: Float64Array): number {
  return x.reduce((sum, value) => sum + value * value, 0);
}
