import {
  type ConstraintOptions,
  type DesignRecord,
  type DesignSettings,
  type DesignState,
  design,
  designStart,
  ising,
  type Model,
  type Objective,
  parametrization,
  type Route,
  rbm,
} from 'htdml';
import { kl, logEffectiveGap } from 'htdml/objectives';
import { exhaust, fitted, positiveLaw } from './fitted.js';
import { complete, random, ring } from './models.js';

export const SETTINGS: DesignSettings & ConstraintOptions = {
  budget: 0.02,
  restarts: 2,
  steps: 200,
  seed: 1,
};

export interface DesignCase {
  readonly name: string;
  readonly model: Model;
  readonly route: Route;
}

/** Small models of every structure, trained on random laws for 150 steps. */
export function designCases(): DesignCase[] {
  const { normal } = random(21);
  const normals = (n: number) => Array.from({ length: n }, () => 0.5 * normal());
  const machine = (visible: number, hidden: number, biased: boolean) =>
    rbm({
      visible,
      hidden,
      weights: normals(visible * hidden),
      visibleBiases: biased ? normals(visible) : undefined,
      hiddenBiases: biased ? normals(hidden) : undefined,
    });
  const glass = (spins: number, biased: boolean, extra: object = {}) =>
    ising({
      spins,
      edges: complete(spins),
      couplings: normals((spins * (spins - 1)) / 2),
      biases: biased ? normals(spins) : undefined,
      ...extra,
    });
  const models: [string, Model, 'random-scan' | 'random-block'][] = [
    ['RBM 3 + 2', machine(3, 2, true), 'random-block'],
    ['RBM 4 + 2', machine(4, 2, true), 'random-block'],
    ['RBM 3 + 2, sites', machine(3, 2, true), 'random-scan'],
    ['RBM 3 + 3, no biases', machine(3, 3, false), 'random-block'],
    ['Ising 4', glass(4, true), 'random-scan'],
    ['Ising 5', glass(5, true), 'random-scan'],
    ['Ising 5, no biases', glass(5, false), 'random-scan'],
    ['Ising 5, colours', glass(5, true), 'random-block'],
    ['Ising 5, hidden spins', glass(5, true, { visible: [0, 2, 3] }), 'random-scan'],
    ['ring of 6', ising({ spins: 6, edges: ring(6), couplings: normals(6), biases: normals(6) }), 'random-block'],
    ['beta 2', glass(4, true, { beta: 2 }), 'random-scan'],
    ['blocks with inside edges', glass(4, true, { blocks: [[0, 2], [1], [3]] }), 'random-block'],
  ];
  return models.map(([name, model, kernel], seed) => {
    return { name, ...fitted(model, positiveLaw(model.visible.length, 30 + seed), kernel, 150) };
  });
}

export interface DesignRun {
  readonly start: DesignState;
  readonly records: readonly DesignRecord[];
  readonly states: readonly DesignState[];
  readonly final: DesignState;
}

/** A whole run, from its start or from a state in it. */
export function run(
  { model, route }: Omit<DesignCase, 'name'>,
  change: Partial<DesignSettings & ConstraintOptions> = {},
  objective: Objective = logEffectiveGap,
  from?: DesignState,
): DesignRun {
  const settings = { ...SETTINGS, ...change };
  const within = parametrization(model, settings);
  const start = from ?? designStart(route, objective, kl, settings, within, model.theta);
  if (start === null) throw new Error('the start has no finite objective');
  const { yielded, result } = exhaust(design(route, objective, kl, settings, within, start));
  return {
    start,
    records: yielded.map(({ record }) => record),
    states: yielded.map(({ state }) => state),
    final: result,
  };
}

/** The best point of a run. */
export function best({ final }: DesignRun) {
  if (final.best === null) throw new Error('no feasible point');
  return final.best;
}
