import { createRoute, evaluateModel, type Model, measureSnr, withParameters, writeModel } from 'htdml';
import { bestWithin, designArm, trainArm } from './arms.js';
import { coarseDigits, freshRbm } from './digits.js';

export interface DigitsSettings {
  readonly visible: number;
  readonly hidden: number;
  readonly kernel: 'random-block';
  readonly seeds: readonly number[];
  readonly trainSteps: number;
  readonly pathEvery: number;
  readonly weightDecays: readonly number[];
  readonly budgets: readonly number[];
  readonly design: { readonly restarts: number; readonly steps: number };
  readonly window: number;
  readonly repetitions: number;
}

/** Shares of a seed's work, measured: a training arm, a design, the sampling. */
const SHARES = { train: 2, design: 9, sample: 3 };

export function workPerSeed({ weightDecays, budgets }: DigitsSettings): number {
  return SHARES.train * (1 + weightDecays.length) + SHARES.design * budgets.length + SHARES.sample;
}

/** One seed of the main job: all training arms, the designs from the plain one, and what is reported of each model. */
export function runSeed(
  settings: DigitsSettings,
  seed: number,
  out: string,
  stage: (share: number, label: string) => void,
) {
  const data = coarseDigits(3);
  const { visible, hidden, kernel, window, budgets } = settings;
  const model = freshRbm(visible, hidden, seed);
  const route = createRoute(model, data, { kernel });
  const arm = (weightDecay: number) => {
    stage(SHARES.train, `seed ${seed}: training${weightDecay > 0 ? ` with weight decay ${weightDecay}` : ''}`);
    return trainArm(route, model, { steps: settings.trainSteps, weightDecay }, settings.pathEvery);
  };
  const plain = arm(0);
  const decayed = settings.weightDecays.map((weightDecay) => ({ weightDecay, path: arm(weightDecay).path }));
  const designs = budgets.map((budget) => {
    stage(SHARES.design, `seed ${seed}: design within ${budget} nats`);
    const limits = { ...settings.design, budget, seed };
    return { name: `designed +${budget}`, theta: designArm(route, model, plain.theta, limits) };
  });

  stage(SHARES.sample, `seed ${seed}: measuring R by sampling`);
  const estimator = { kernel, burnIn: 0, window, chains: 1, start: 'stationary' } as const;
  const assess = (at: Model) => ({
    evaluation: evaluateModel(at, data, { ...estimator, epsilon: 1e-3, kappa: 2.5, gradient: false }),
    measured: measureSnr(at, data, { ...estimator, repetitions: settings.repetitions, seed }),
  });
  const models = [{ name: 'trained', theta: plain.theta }, ...designs].map(({ name, theta }) => {
    const at = withParameters(model, theta);
    writeModel(`${out}seed-${seed}-${name.replace(' +', '-')}.json`, at);
    return { name, spectrum: route.relaxation(theta), ...assess(at) };
  });
  const comparisons = budgets.map((budget, k) => {
    const { kl, predictors } = models[k + 1].evaluation;
    const designed = predictors.full.effectiveGap ?? 0;
    const earlyStopping = bestWithin(plain.path, kl)?.effectiveGap ?? 0;
    const best = decayed
      .map(({ weightDecay, path }) => ({ weightDecay, gap: bestWithin(path, kl)?.effectiveGap ?? 0 }))
      .reduce((a, b) => (b.gap > a.gap ? b : a));
    const ratio = designed / Math.max(earlyStopping, best.gap);
    return { seed, budget, kl, earlyStopping, decayGap: best.gap, decay: best.weightDecay, designed, ratio };
  });
  return { seed, path: plain.path, decayed, models, comparisons };
}

export type SeedRun = ReturnType<typeof runSeed>;
