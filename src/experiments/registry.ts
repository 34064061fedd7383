import type { Experiment } from './experiment.js';

/** Every experiment, loaded when it is first asked for. */
const LOADERS = {
  exp1: async () => (await import('./exp1.js')).exp1,
  exp2: async () => (await import('./exp2.js')).exp2,
  exp7: async () => (await import('./exp7.js')).exp7,
  exp8: async () => (await import('./exp8.js')).exp8,
  exp9: async () => (await import('./steering.js')).steering,
  exp11: async () => (await import('./steering.js')).steering,
} satisfies Record<string, () => Promise<Experiment>>;

export type ExperimentName = keyof typeof LOADERS;
export const EXPERIMENT_NAMES = Object.keys(LOADERS) as readonly ExperimentName[];

export function isExperiment(name: string): name is ExperimentName {
  return Object.hasOwn(LOADERS, name);
}

export function loadExperiment(name: ExperimentName): Promise<Experiment> {
  return LOADERS[name]();
}
