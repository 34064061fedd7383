import { evaluateModel, type Model, sampledObjective, samplerStart, withParameters } from 'htdml';
import type { Arm, Control, PlainUpdate } from './arms.js';
import { type DataName, KERNEL, type Problem, problem } from './problems.js';

/** What all arms have in common. */
export interface Common {
  readonly plain: PlainUpdate;
  /** Sweeps of all chains that a run may spend. */
  readonly budget: number;
  /** Sweeps of all chains between two looks of an arm at the model. */
  readonly lookEvery: number;
  /** Points at which the divergence is noted, and how many of them have the exact R besides; 0 for none. */
  readonly checkpoints: number;
  readonly exactR: number;
}

export interface Configuration {
  readonly learningRate: number;
  readonly value: number;
}

/** A point of a run; everything but `spent` and `sweeps` exact, by the library's own routes. */
export interface Checkpoint {
  readonly spent: number;
  readonly kl: number;
  /** Of an update at this point: `R` with its share of squared bias, `R_hat`, effective gap per sweep and length in sweeps of a chain. */
  readonly R?: number | null;
  readonly biasShare?: number | null;
  readonly Rhat?: number | null;
  readonly effectiveGap?: number | null;
  readonly sweeps?: number;
}

export interface RunResult {
  readonly spent: number;
  readonly updates: number;
  readonly kl: number;
  readonly theta: readonly number[];
  readonly path: readonly Checkpoint[];
}

/** One run by sampled gradients and Adam, its learning rate falling to zero along half a cosine over the budget. */
export function trainBySampling(
  data: DataName,
  arm: Arm,
  { learningRate, value }: Configuration,
  seed: number,
  common: Common,
): RunResult {
  const task = problem(data, seed);
  const { model, route } = task;
  const couplings = model.edges.length;
  const budget = arm.stops ? value * common.budget : common.budget;
  const constant = (): Control => ({ sweeps: common.plain.sweeps, gradient: null });
  const control = arm.control?.(value, task, common.plain) ?? constant;
  const theta = Float64Array.from(model.theta);
  const first = new Float64Array(theta.length);
  const second = new Float64Array(theta.length);
  const kl = () => route.evaluate(theta, ['kl']).value.kl ?? Number.NaN;
  const path: Checkpoint[] = [];
  let state = samplerStart(seed + 1_000_000);
  let [spent, updates, looked] = [0, 0, Number.NEGATIVE_INFINITY];
  let decision = constant();
  while (spent < budget) {
    if (spent - looked >= common.lookEvery) {
      decision = control(Float64Array.from(theta));
      looked = spent;
    }
    if (spent >= (path.length * common.budget) / common.checkpoints) {
      const exact = common.exactR > 0 && path.length % Math.round(common.checkpoints / common.exactR) === 0;
      const now = withParameters(model, theta);
      path.push({ spent, kl: kl(), ...(exact && snr(task, now, arm, decision.sweeps, common.plain.chains)) });
    }
    // The last update is cut to what is left, so that all arms spend the same.
    const sweeps = Math.min(decision.sweeps, Math.ceil((budget - spent) / common.plain.chains));
    const estimate = estimator(arm, sweeps, common.plain.chains).estimate(
      withParameters(model, theta),
      task.data,
      state,
    );
    state = estimate.state;
    const rate = (learningRate * (1 + Math.cos(Math.PI * (spent / budget)))) / 2;
    spent += estimate.steps;
    updates++;
    for (let a = 0; a < theta.length; a++) {
      let gradient = estimate.gradient[a] + (decision.gradient?.[a] ?? 0);
      if (arm.weightDecay && a < couplings) gradient += value * theta[a];
      first[a] = 0.9 * first[a] + 0.1 * gradient;
      second[a] = 0.999 * second[a] + 0.001 * gradient ** 2;
      theta[a] -= (rate * (first[a] / (1 - 0.9 ** updates))) / (Math.sqrt(second[a] / (1 - 0.999 ** updates)) + 1e-8);
    }
  }
  const end = withParameters(model, theta);
  path.push({ spent, kl: kl(), ...(common.exactR > 0 && snr(task, end, arm, decision.sweeps, common.plain.chains)) });
  return { spent, updates, kl: kl(), theta: [...theta], path };
}

/** The chains of an update: from uniform states, the first half of the sweeps discarded; persistent ones average all. */
function estimator(arm: Arm, sweeps: number, chains: number) {
  const burnIn = arm.persistent ? 0 : Math.floor(sweeps / 2);
  return sampledObjective(arm.name, {
    kernel: KERNEL,
    start: 'uniform',
    persistent: arm.persistent ?? false,
    burnIn,
    window: sweeps - burnIn,
    chains,
  });
}

/** The exact `R` of an update. Of persistent chains, which A1 leaves out, as if they were in equilibrium. */
function snr({ data }: Problem, model: Model, arm: Arm, sweeps: number, chains: number) {
  const { plan } = estimator(arm, sweeps, chains);
  const start = arm.persistent ? ('stationary' as const) : plan.start;
  const { operational, predictors } = evaluateModel(model, data, {
    kernel: KERNEL,
    burnIn: plan.burnIn,
    window: plan.window,
    chains,
    start,
    epsilon: 1e-3,
    kappa: 2.5,
    gradient: false,
  });
  return {
    R: operational?.R ?? null,
    biasShare: operational === null ? null : operational.biasSquared / operational.mse,
    Rhat: predictors.full.Rhat,
    effectiveGap: predictors.full.effectiveGap,
    sweeps,
  };
}
