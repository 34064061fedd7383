import { logEffectiveGap, logRhat, type Objective } from 'htdml';
import { adaptCorrelationPenalty, totalCorrelation, UNCONTROLLED } from 'htdml/objectives';
import type { Problem } from './problems.js';

/** What an arm decides when it looks at the model. */
export interface Control {
  /** Sweeps of every chain in an update; the first half is discarded. */
  readonly sweeps: number;
  /** Added to the sampled gradient until the next look. */
  readonly gradient: Float64Array | null;
}

/** What an arm is tuned over: all pairs of a learning rate and a value, or learning rates alone. */
export interface Grid {
  readonly learningRates: readonly number[];
  readonly values: readonly number[];
}

export interface Arm {
  readonly name: string;
  /** What its value means; empty where it has none. */
  readonly meaning: string;
  /** Whether it is led by `R_hat` or a factor of it. */
  readonly led: boolean;
  readonly persistent?: true;
  readonly weightDecay?: true;
  /** The value is the share of the budget after which it stops. */
  readonly stops?: true;
  readonly grid: Grid;
  /** The decisions for a value. Made anew for every run. Left out: every update is as long as the plain one. */
  readonly control?: (value: number, problem: Problem, plain: PlainUpdate) => (theta: Float64Array) => Control;
}

/** The update of the plain arm. */
export interface PlainUpdate {
  readonly sweeps: number;
  readonly chains: number;
}

/** No update of any arm is shorter or longer, in sweeps of a chain. */
const SHORTEST = 4;
const LONGEST = 400;
const RATES = [0.003, 0.01, 0.03];
/** For arms that have nothing else to tune: as many as the others have pairs. */
const MORE_RATES = [
  0.0005, 0.001, 0.0015, 0.002, 0.003, 0.004, 0.005, 0.007, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.07,
];

const clamp = (sweeps: number) => Math.min(LONGEST, Math.max(SHORTEST, Math.round(sweeps)));

/** An objective at a point with its gradient; null where it has no finite value. */
function at({ route }: Problem, objective: Pick<Objective, 'quantities' | 'evaluate'>, theta: Float64Array) {
  const { value, info, pullback } = route.evaluate(theta, objective.quantities);
  const part = info.converged ? objective.evaluate(value) : null;
  return part && { value: part.value, gradient: () => pullback(part.bar) };
}

const gap: Pick<Objective, 'quantities' | 'evaluate'> = {
  quantities: ['timescale', 'variance'],
  evaluate: logEffectiveGap,
};
/** `log R_hat` of an estimate that averages so many samples over all chains. */
const rhat = (samples: number): Pick<Objective, 'quantities' | 'evaluate'> => ({
  quantities: ['timescale', 'signal'],
  evaluate: (values) => logRhat(values, samples),
});

const window = (sweeps: number) => sweeps - Math.floor(sweeps / 2);

export const ARMS: readonly Arm[] = [
  { name: 'plain', meaning: '', led: false, grid: { learningRates: MORE_RATES, values: [0] } },
  {
    name: 'longer updates',
    meaning: 'sweeps per chain and update',
    led: false,
    grid: { learningRates: RATES, values: [20, 40, 80, 160, 320] },
    control: (sweeps) => () => ({ sweeps, gradient: null }),
  },
  {
    name: 'early stopping',
    meaning: 'share of the budget spent',
    led: false,
    stops: true,
    grid: { learningRates: RATES, values: [0.05, 0.1, 0.2, 0.35, 0.5] },
  },
  {
    name: 'weight decay',
    meaning: 'lambda',
    led: false,
    weightDecay: true,
    grid: { learningRates: RATES, values: [0.001, 0.003, 0.01, 0.03, 0.1] },
  },
  {
    name: 'adaptive correlation penalty',
    meaning: 'threshold',
    led: false,
    grid: { learningRates: RATES, values: [0.01, 0.03, 0.1, 0.3, 0.6] },
    control: (threshold, problem, { sweeps }) => {
      let state = UNCONTROLLED;
      return (theta) => {
        state = adaptCorrelationPenalty(state, autocorrelation(problem, theta, 2 * sweeps), { threshold });
        const penalty = state.weight > 0 ? at(problem, totalCorrelation, theta) : null;
        // Its authors penalise the couplings alone.
        const couplings = problem.model.edges.length;
        const gradient = penalty?.gradient().map((x, a) => (a < couplings ? state.weight * x : 0));
        return { sweeps, gradient: gradient ?? null };
      };
    },
  },
  {
    name: 'persistent chains',
    meaning: '',
    led: false,
    persistent: true,
    grid: { learningRates: MORE_RATES, values: [0] },
  },
  {
    name: '-log R_hat penalty',
    meaning: 'lambda',
    led: true,
    grid: { learningRates: RATES, values: [0.001, 0.003, 0.01, 0.03, 0.1] },
    control: (lambda, problem, { sweeps, chains }) => {
      const objective = rhat(chains * window(sweeps));
      return (theta) => {
        const gradient = at(problem, objective, theta)?.gradient() ?? null;
        return { sweeps, gradient: gradient?.map((x) => -lambda * x) ?? null };
      };
    },
  },
  {
    name: 'gap floor',
    meaning: 'least effective gap per sweep',
    led: true,
    grid: { learningRates: RATES, values: [0.01, 0.03, 0.1, 0.2, 0.4] },
    // The augmented Lagrangian of `log gamma >= log floor`: the multiplier moves by a tenth of what is added for a violation now.
    control: (floor, problem, { sweeps }) => {
      let multiplier = 0;
      return (theta) => {
        const now = at(problem, gap, theta);
        if (now === null) return { sweeps, gradient: null };
        const violation = Math.log(floor) - now.value;
        const weight = Math.max(0, multiplier + 0.5 * violation);
        multiplier = Math.max(0, multiplier + 0.05 * violation);
        return { sweeps, gradient: weight > 0 ? now.gradient().map((x) => -weight * x) : null };
      };
    },
  },
  {
    name: 'budget by R_hat',
    meaning: 'R_hat that an update is long enough for',
    led: true,
    grid: { learningRates: RATES, values: [0.01, 0.03, 0.1, 0.3, 1] },
    control: (target, problem, { chains }) => {
      const objective = rhat(chains);
      return (theta) => {
        // R_hat is proportional to the window, which is half of the update.
        const perSweep = at(problem, objective, theta);
        return { sweeps: clamp(perSweep === null ? LONGEST : 2 * (target / Math.exp(perSweep.value))), gradient: null };
      };
    },
  },
  {
    name: 'budget by gap of R_hat',
    meaning: 'effective gap times window',
    led: true,
    grid: { learningRates: RATES, values: [0.5, 1, 2, 4, 8] },
    // The factor gamma K of R_hat (3.2) alone: how often the chain forgets what the gradient sees, whatever is left of the signal.
    control: (product, problem) => (theta) => {
      const now = at(problem, gap, theta);
      return { sweeps: clamp(now === null ? LONGEST : 2 * (product / Math.exp(now.value))), gradient: null };
    },
  },
  {
    name: 'persistent, budget by gap',
    meaning: 'effective gap times window',
    led: true,
    persistent: true,
    grid: { learningRates: RATES, values: [0.03, 0.1, 0.3, 1, 3] },
    control: (product, problem) => (theta) => {
      const now = at(problem, gap, theta);
      return { sweeps: clamp(now === null ? LONGEST : product / Math.exp(now.value)), gradient: null };
    },
  },
];

/** The exact autocorrelation of the gradient observables after so many sweeps, each by its share of the variance (2.6). */
function autocorrelation({ route }: Problem, theta: Float64Array, lag: number): number {
  const measure = route.relaxation(theta).measure ?? [];
  let variance = 0;
  let covariance = 0;
  for (const { gap: x, couplingsWeight, biasesWeight } of measure) {
    variance += couplingsWeight + biasesWeight;
    covariance += (couplingsWeight + biasesWeight) * (1 - x) ** lag;
  }
  return covariance / variance;
}
