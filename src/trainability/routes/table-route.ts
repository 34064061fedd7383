import { ConvergenceError, UnsupportedError } from '../../errors.js';
import { programOf } from '../../kernel/compiled/table.js';
import { createKernel, KERNELS, type KernelName, requireReversible } from '../../kernel/kernels.js';
import type { KernelOperator } from '../../kernel/operator.js';
import {
  type Boltzmann,
  boltzmann,
  centredSides,
  linearCombination,
  observableSums,
  pullbackLogPi,
} from '../../model/boltzmann.js';
import type { DataLaw } from '../../model/data-law.js';
import type { Model } from '../../model/model.js';
import { type StateSpace, stateSpace } from '../../model/state-space.js';
import { centre } from '../../spectrum/conjugate-gradient.js';
import { generatorEigen, MAX_DENSE_STATES, transitionMatrix } from '../../spectrum/dense-kernel.js';
import { type EigenvalueGroup, groupEigenvalues, joins, slowestOfSectors } from '../../spectrum/groups.js';
import { sectorOperator } from '../../spectrum/sector-operator.js';
import type { SpectralFunction } from '../../spectrum/spectral-function.js';
import { type LevelMotion, STATIONARY_LEVEL } from '../membership/level-motion.js';
import { DEFAULT_THRESHOLDS, levelsInside, type ModeThresholds, modeSet, modeSets } from '../membership/mode-sets.js';
import type { Rates } from '../membership/rates.js';
import { hardMembership, type SoftWindow, softMembership, type TimeAndMass } from '../membership/soft-window.js';
import { addCouplingNorms, couplingNorms } from './coupling-norms.js';
import { type DenseModes, denseModes, weightedModes } from './dense-modes.js';
import {
  type Evaluation,
  evaluated,
  type Quantities,
  type Quantity,
  type Relaxation,
  type Route,
  type Spectrum,
} from './route.js';
import { clusterCotangent, pickModes } from './slow-cluster.js';
import { isWindowKnown } from './slow-end.js';
import { MAX_SLOW_MODES, type SlowSpectrum, slowSpectrum } from './slow-modes.js';
import { modeWeight, spectralForm, spectralFormCotangent } from './spectral-form.js';
import { type FoldedData, foldData, posteriorVariance, type TableSignal, tableSignal } from './table-signal.js';
import { quadratureMeasure, type TableTimescale, tableTimescale } from './table-timescale.js';
import { type TableCorrelation, tableCorrelation } from './total-correlation.js';

/** The route over a table of all states: any graph, any kernel, up to MAX_TABLE_BITS bits; all modes up to MAX_DENSE_STATES states, the slow ones beyond. */
export class TableRoute implements Route {
  readonly name = 'table';
  readonly differentiable: boolean;
  private readonly space: StateSpace;
  private readonly data: FoldedData;
  private kept: { readonly theta: Float64Array; readonly modes: DenseModes } | null = null;
  private keptSlow: { readonly theta: Float64Array; readonly slow: SlowSpectrum | null } | null = null;

  constructor(
    private readonly model: Model,
    data: DataLaw,
    private readonly kernelName: KernelName,
    private readonly thresholds: ModeThresholds = DEFAULT_THRESHOLDS,
    private readonly soft: SoftWindow | null = null,
    private readonly signs: readonly Float64Array[] | null = null,
  ) {
    this.differentiable = KERNELS[kernelName].differentiable;
    this.space = stateSpace(model);
    this.data = foldData(this.space, data);
  }

  /** The equilibrium law and the kernel at a parameter vector. */
  at(theta: Float64Array): { readonly law: Boltzmann; readonly kernel: KernelOperator } {
    const law = this.law(theta);
    return { law, kernel: createKernel(law, this.model, this.kernelName) };
  }

  private law(theta: Float64Array): Boltzmann {
    return boltzmann(this.space, theta, this.model.beta);
  }

  moments(theta: Float64Array) {
    const law = this.law(theta);
    const { joint } = tableSignal(law, this.data);
    return { data: observableSums(this.space, joint), model: observableSums(this.space, law.pi) };
  }

  posteriorVariance(theta: Float64Array): number {
    if (this.model.visible.length === this.model.spins) return 0;
    return posteriorVariance(this.law(theta), this.data);
  }

  evaluate(theta: Float64Array, quantities: readonly Quantity[]): Evaluation {
    const law = this.law(theta);
    // A kernel has a table per spin, which the compiled loops do without.
    let made: KernelOperator | undefined;
    const kernel = () => {
      made ??= createKernel(law, this.model, this.kernelName);
      return made;
    };
    const wants = new Set(quantities);
    const signal = wants.has('signal') || wants.has('kl') ? tableSignal(law, this.data) : null;
    const time =
      wants.has('timescale') || wants.has('variance')
        ? tableTimescale(law, kernel, programOf(law, this.model, this.kernelName), this.differentiable, this.signs)
        : null;
    const cluster = wants.has('slowClusterTimescale') || wants.has('slowClusterMass') ? this.slowCluster(theta) : null;
    const soft = wants.has('softTimescale') || wants.has('softMass') ? this.softCluster(theta) : null;
    const correlation = wants.has('totalCorrelation') ? tableCorrelation(law) : null;
    const couplings = this.model.edges.length;
    const all: Quantities = {
      ...couplingNorms(theta, couplings),
      ...(signal && { signal: squaredNorm(signal.g), kl: signal.kl }),
      ...(time && { timescale: time.timescale, variance: time.variance }),
      ...(cluster && { slowClusterTimescale: cluster.timescale, slowClusterMass: cluster.mass }),
      ...(soft && { softTimescale: soft.timescale, softMass: soft.mass }),
      ...(correlation && { totalCorrelation: correlation.value }),
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
      pullback: (bar) => {
        const out = pullback(law, kernel, bar, { signal, time, cluster, soft, correlation });
        addCouplingNorms(out, theta, couplings, bar);
        return out;
      },
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

  spectrum(theta: Float64Array): Spectrum | null {
    if (!KERNELS[this.kernelName].reversible || this.space.states > MAX_DENSE_STATES) return null;
    const levels = weightedModes(this.modes(theta), this.model.edges.length);
    return { levels, groups: groupEigenvalues(levels) };
  }

  relaxation(theta: Float64Array): Relaxation {
    const law = this.law(theta);
    if (!KERNELS[this.kernelName].reversible) return { groups: null, slowest: null, measure: null };
    const spectrum = this.spectrum(theta);
    if (spectrum === null) {
      const kernel = () => createKernel(law, this.model, this.kernelName);
      const program = programOf(law, this.model, this.kernelName);
      const slow = this.slow(theta);
      return {
        groups: null,
        slow,
        slowest: slow?.slowest ?? null,
        measure: quadratureMeasure(law, kernel, program, this.model.edges.length),
      };
    }
    const { groups, levels } = spectrum;
    return { groups, slowest: this.slowest(law, groups), measure: levels };
  }

  /** The slow end where there are too many states for all modes; that of the last parameters is kept. Null where it was not found. */
  private slow(theta: Float64Array): SlowSpectrum | null {
    if (this.keptSlow?.theta.every((value, a) => value === theta[a])) return this.keptSlow.slow;
    const law = this.law(theta);
    const total = this.model.theta.reduce((sum, _, a) => sum + centredSides(law, a).variance, 0);
    const slow = slowSpectrum(law, this.model, this.kernelName, this.thresholds, total);
    this.keptSlow = { theta: Float64Array.from(theta), slow };
    return slow;
  }

  /** How the slowest `rows` eigenvalues move along a direction; at most MAX_DENSE_STATES states. */
  levelMotion(theta: Float64Array, step: Float64Array, rates: Rates, rows: number): LevelMotion {
    const { law, kernel } = this.at(theta);
    const { gaps, functions, count, states } = this.modes(theta);
    // l = d log pi = -beta (dE - E dE).
    const l = linearCombination(this.space, step).map((value) => -law.beta * value);
    centre(law.pi, l);
    const wanted = Math.min(rows, count);
    const inner = new Float64Array(wanted * count);
    const stationary = new Float64Array(wanted);
    const image = new Float64Array(states);
    for (let j = 0; j < wanted; j++) {
      const phi = functions.subarray(j * states, (j + 1) * states);
      kernel.applyDerivative(phi, l, image);
      for (let s = 0; s < states; s++) {
        stationary[j] += 0.5 * (STATIONARY_LEVEL - gaps[j]) * law.pi[s] * phi[s] * l[s];
        image[s] *= -law.pi[s];
      }
      for (let k = 0; k < count; k++) {
        for (let s = 0; s < states; s++) inner[j * count + k] += functions[k * states + s] * image[s];
      }
    }
    return { gaps, inner, rows: wanted, stationary, rates, runs: new Map() };
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

  /** The slow cluster, its members frozen. */
  private slowCluster(theta: Float64Array): Cluster {
    requireReversible(this.kernelName, 'The spectrum');
    if (this.space.states > MAX_DENSE_STATES) return this.largeCluster(theta);
    const modes = this.modes(theta);
    const levels = weightedModes(modes, this.model.edges.length);
    const set = modeSet({ levels, groups: groupEigenvalues(levels) }, 'window', this.thresholds);
    const members = new Set(levelsInside(set));
    return clusterOf(modes, (part) => hardMembership(modes.gaps, members, part));
  }

  /** The same by modes of the slow end alone, and (5.3). */
  private largeCluster(theta: Float64Array): Cluster {
    const slow = this.slow(theta);
    const set = slow && modeSets(slow.groups, this.thresholds, slow.totalWeight);
    if (slow === null || set === null || !isWindowKnown(slow, set, this.thresholds)) {
      throw new UnsupportedError(
        'The slow cluster',
        slow === null ? 'its modes were not found' : `the modes up to its edge are more than ${MAX_SLOW_MODES}`,
        'use the full predictor, which needs no modes, or a smaller kappa',
      );
    }
    const cluster = pickModes(
      slow.modes,
      set.slowCluster.flatMap((k) => slow.groups[k].members),
    );
    const weights = Array.from(cluster.gaps, (_, j) => modeWeight(cluster, j));
    return {
      timescale: weights.reduce((sum, mu, j) => sum + mu * (1 / cluster.gaps[j] - 0.5), 0),
      mass: weights.reduce((sum, mu) => sum + mu, 0),
      cotangent: (law, kernel, part) => {
        const operator = sectorOperator(law, this.model, this.kernelName);
        const density = clusterCotangent(law, kernel, operator, cluster, part);
        if (density === null) {
          throw new ConvergenceError(
            'The derivative of the slow cluster',
            'a solve on its complement did not converge',
          );
        }
        return density;
      },
    };
  }

  private softCluster(theta: Float64Array): Cluster {
    const { soft } = this;
    if (soft === null) {
      throw new UnsupportedError('Soft membership', 'the route was made without a window', 'give createRoute { soft }');
    }
    const modes = this.modes(theta);
    return clusterOf(modes, (part) => softMembership(modes.gaps, soft, part));
  }
}

/** `T_C` and `mu_C` of a set of modes, hard or soft. */
interface Cluster {
  readonly timescale: number;
  readonly mass: number;
  /** `Lbar / pi` of `part.timescale T_C + part.mass mu_C`. */
  cotangent(law: Boltzmann, kernel: KernelOperator, part: TimeAndMass): Float64Array;
}

function clusterOf(modes: DenseModes, membership: (part: TimeAndMass) => SpectralFunction): Cluster {
  return {
    timescale: spectralForm(modes, membership({ timescale: 1, mass: 0 })),
    mass: spectralForm(modes, membership({ timescale: 0, mass: 1 })),
    cotangent: (law, kernel, part) => spectralFormCotangent(law, kernel, modes, membership(part)),
  };
}

interface Parts {
  readonly signal: TableSignal | null;
  readonly time: TableTimescale | null;
  readonly cluster: Cluster | null;
  readonly soft: Cluster | null;
  readonly correlation: TableCorrelation | null;
}

function pullback(law: Boltzmann, kernel: () => KernelOperator, bar: Quantities, parts: Parts): Float64Array {
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
    // mu = sum_a (1 - m_a^2), d m_a = E[f_a l] = E[fc_a l]. The centred sum of m_a f_a is taken relative to the most probable state, where in a plateau it is tiny.
    const table = linearCombination(law.space, observableSums(law.space, law.pi));
    const atGround = table[law.ground];
    let mean = 0;
    for (let s = 0; s < lbar.length; s++) mean += law.pi[s] * (table[s] - atGround);
    for (let s = 0; s < lbar.length; s++) lbar[s] -= 2 * bar.variance * law.pi[s] * (table[s] - atGround - mean);
  }
  const addCluster = (cluster: Cluster, timescale = 0, mass = 0) => {
    const density = cluster.cotangent(law, kernel(), { timescale, mass });
    for (let s = 0; s < lbar.length; s++) lbar[s] += law.pi[s] * density[s];
  };
  if (bar.slowClusterTimescale || bar.slowClusterMass) {
    addCluster(evaluated(parts.cluster, 'slowClusterTimescale'), bar.slowClusterTimescale, bar.slowClusterMass);
  }
  if (bar.softTimescale || bar.softMass) {
    addCluster(evaluated(parts.soft, 'softTimescale'), bar.softTimescale, bar.softMass);
  }
  if (bar.totalCorrelation) {
    const { ratio } = evaluated(parts.correlation, 'totalCorrelation');
    for (let s = 0; s < lbar.length; s++) lbar[s] += bar.totalCorrelation * law.pi[s] * ratio[s];
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
