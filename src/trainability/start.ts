import { InputError } from '../errors.js';
import type { Boltzmann } from '../model/boltzmann.js';
import type { DataLaw } from '../model/data-law.js';
import { MAX_INDEXED_SPINS, type Model } from '../model/model.js';
import { foldData, tableSignal } from './routes/table-signal.js';

/** Start laws of the estimator (3.4). `data` draws hidden spins from the model's posterior; `state:<index>` is one state of all spins, of which there are at most 32. */
export type Start = 'uniform' | 'stationary' | 'data' | `state:${number}`;

/** The state index of a `state:<index>` start; null for the others. */
export function startState(model: Model, start: Start, field = 'start'): number | null {
  if (start === 'uniform' || start === 'stationary' || start === 'data') return null;
  if (model.spins > MAX_INDEXED_SPINS) {
    throw new InputError({
      field,
      expected: `"uniform", "stationary" or "data" for a model of ${model.spins} spins`,
      got: start,
      remedy: `a state index has ${MAX_INDEXED_SPINS} bits`,
    });
  }
  const digits = start.slice('state:'.length);
  const index = Number(digits);
  if (!/^\d+$/.test(digits) || index >= 2 ** model.spins) {
    throw new InputError({
      field,
      expected: `a state index from 0 to ${2 ** model.spins - 1}`,
      got: start,
      remedy: 'bit i of the index set means that spin i is +1',
    });
  }
  return index;
}

/** The start law on the table's states. In a folded space the two mirror images of a state are one. */
export function startLaw(model: Model, data: DataLaw, law: Boltzmann, start: Start): Float64Array {
  const { space } = law;
  const state = startState(model, start);
  if (state !== null) {
    const mu = new Float64Array(space.states);
    mu[space.folded && state >= space.states ? 2 * space.states - 1 - state : state] = 1;
    return mu;
  }
  switch (start) {
    case 'stationary':
      return Float64Array.from(law.pi);
    case 'data':
      return tableSignal(law, foldData(space, data)).joint;
    default:
      return new Float64Array(space.states).fill(1 / space.states);
  }
}
