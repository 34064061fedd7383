import type { Arbitrary } from 'fast-check';
import { type DataLaw, type KernelName, type Model, randomSource } from 'htdml';
import { centredObservable } from '../src/model/boltzmann.js';
import { TableRoute } from '../src/trainability/routes/table-route.js';
import { slowestGap } from '../src/trainability/tracking-bound.js';
import { gibbsKernels, isings, problems, rbms } from './arbitraries.js';
import { boundaries } from './boundaries.js';
import { knownModels } from './families.js';
import { fc } from './fast-check.js';
import { lawError } from './tolerance.js';

/** Models of every character: random, of the closed-form families, and at the edge of a membership rule. */
export const anyModel: Arbitrary<Model> = fc.oneof(
  isings,
  rbms,
  knownModels.map(({ model }) => model),
  boundaries.map(({ model }) => model),
);

/** A model, data and a kernel with a spectrum in [0, 1]. */
export interface Problem {
  readonly model: Model;
  readonly data: DataLaw;
  readonly kernel: KernelName;
}

export const problemsWith = (kernels: Arbitrary<KernelName> = gibbsKernels, models = anyModel): Arbitrary<Problem> =>
  fc.tuple(problems(models), kernels).map(([[model, data], kernel]) => ({ model, data, kernel }));

/**
 * A problem on the table of its states, with its modes and what they are known to. Leaves out, by `fc.pre`, chains that break A3: `metropolis` without couplings flips
 * at every proposal and has the eigenvalue -1.
 */
export function solve({ model, data, kernel: name }: Problem) {
  const route = new TableRoute(model, data, name);
  const { law, kernel } = route.at(model.theta);
  const modes = route.modes(model.theta);
  const spectrum = route.spectrum(model.theta);
  const groups = spectrum?.groups ?? [];
  // Sums over modes are taken mode by mode: the mean gap of a group is good to the width of a group only.
  const levels = (spectrum?.levels ?? []).map(({ gap, couplingsWeight, biasesWeight }) => ({
    gap,
    weight: couplingsWeight + biasesWeight,
  }));
  const observables = Array.from(model.theta, (_, a) => {
    const out = new Float64Array(law.space.states);
    centredObservable(law, a, out);
    return out;
  });
  // Entries of the operator are products of at most N probabilities; an eigensolver adds n eps.
  const rounding = law.space.states * (8 * Number.EPSILON + model.spins * lawError(model));
  const gap = slowestGap(levels);
  fc.pre(gap > 64 * rounding);
  return { route, law, kernel, modes, groups, levels, observables, rounding, gap };
}

export type Solved = ReturnType<typeof solve>;

/** `<x, y>` in `L2(pi)`. */
export const inner = (pi: Float64Array, x: Float64Array, y: Float64Array): number =>
  pi.reduce((sum, p, s) => sum + p * x[s] * y[s], 0);

export const norm = (pi: Float64Array, x: Float64Array): number => Math.sqrt(inner(pi, x, x));

export const minus = (x: Float64Array, y: Float64Array): Float64Array => x.map((value, s) => value - y[s]);

/** A function of the states with normal values. */
export function randomFunction(states: number, seed: number): Float64Array {
  const { normal } = randomSource(seed);
  return Float64Array.from({ length: states }, normal);
}

/** `sum_{j in C} <f, phi_j> phi_j`. */
export function project({ law, modes }: Solved, members: ReadonlySet<number>, f: Float64Array): Float64Array {
  const out = new Float64Array(f.length);
  for (const j of members) {
    const phi = modes.functions.subarray(j * modes.states, (j + 1) * modes.states);
    const overlap = inner(law.pi, f, phi);
    for (let s = 0; s < out.length; s++) out[s] += overlap * phi[s];
  }
  return out;
}

/** The members of some of the groups: those whose bit is set in a draw. Whole groups, since a part of an eigenspace means nothing. */
export const membersOf = ({ groups }: Solved, draw: number): ReadonlySet<number> =>
  new Set(groups.flatMap(({ members }, k) => (Math.floor(draw / 2 ** (k % 30)) % 2 === 1 ? members : [])));
