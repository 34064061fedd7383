import {
  createRoute,
  type DataLaw,
  dataLawFromCounts,
  type KernelName,
  type Model,
  type Route,
  train,
  trainStart,
  withParameters,
} from 'htdml';
import { kl } from 'htdml/objectives';
import { random } from './models.js';

/** A law on all patterns with independent random weights, each pattern listed once. */
export function positiveLaw(spins: number, seed: number): DataLaw {
  const { uniform } = random(seed);
  // The first numbers of near seeds are alike.
  for (let k = 0; k < 8; k++) uniform();
  return dataLawFromCounts(
    spins,
    Array.from({ length: 2 ** spins }, (_, v) => [v, -Math.log(1 - uniform())] as const),
  );
}

/** The last value of a generator, and everything that it yielded before. */
export function exhaust<T, R>(generator: Generator<T, R>): { readonly yielded: readonly T[]; readonly result: R } {
  const yielded: T[] = [];
  for (;;) {
    const next = generator.next();
    if (next.done) return { yielded, result: next.value };
    yielded.push(next.value);
  }
}

/** A model after some steps of maximum likelihood, with the route that it was trained on. */
export function fitted(model: Model, data: DataLaw, kernel: KernelName, steps: number): { model: Model; route: Route } {
  const route = createRoute(model, data, { kernel });
  const settings = { steps, learningRate: 0.05, penalties: [] };
  const { result } = exhaust(train(route, kl, settings, trainStart(model.theta)));
  return { model: withParameters(model, result.theta), route };
}
