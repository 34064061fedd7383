import { InputError } from '../errors.js';
import { conditionalTable, type LayerView, layerTable, layerView, spin } from '../kernel/rbm-layers.js';
import { boltzmann } from '../model/boltzmann.js';
import type { DataLaw } from '../model/data-law.js';
import type { Model } from '../model/model.js';
import { foldPattern, stateSpace } from '../model/state-space.js';
import { checkDataSize } from '../trainability/routes/create-route.js';
import { type Start, startState } from '../trainability/start.js';
import type { RandomSource } from './random.js';

/** Draws states of all spins (bit `i` set: spin `i` is +1) from a start law (3.4), independent draws each time. */
export type StateSampler = (random: RandomSource) => number;

/** Throws {@link InputError} for data of another size, and where the start `data` has none. */
export function startSampler(model: Model, data: DataLaw | null, start: Start): StateSampler {
  if (data !== null) checkDataSize(model, data);
  const state = startState(model, start);
  if (state !== null) return () => state;
  if (start === 'uniform') return (random) => random.integer(2 ** model.spins);
  const law = start === 'data' ? requireData(data) : null;
  return model.layers !== null ? layeredSampler(model, law) : tableSampler(model, law);
}

function requireData(data: DataLaw | null): DataLaw {
  if (data !== null) return data;
  throw new InputError({
    field: 'data',
    expected: 'a data law for the start "data"',
    got: 'null',
    remedy: 'give data, or start elsewhere',
  });
}

/** An RBM: the visible spins from the data, or without them from their marginal; then the hidden ones given them. */
function layeredSampler(model: Model, data: DataLaw | null): StateSampler {
  if (data !== null) return dataSampler(model, data, layerView(model, 'visible'));
  const visible = layerTable(layerView(model, 'visible'), model.theta, model.beta);
  const width = 2 ** visible.otherSize;
  const given = conditionalTable(visible);
  const pick = discrete(visible.p);
  return (random) => {
    const v = pick(random.uniform());
    const h = discrete(given.subarray(v * width, (v + 1) * width))(random.uniform());
    return v + h * visible.states;
  };
}

/** A pattern of the data and an RBM's hidden spins given it, which are independent: no table, so that a start costs little. */
function dataSampler({ theta, beta }: Model, data: DataLaw, view: LayerView): StateSampler {
  const pick = discrete(data.probabilities);
  return (random) => {
    const v = data.patterns[pick(random.uniform())];
    let state = v;
    for (let j = 0; j < view.otherSize; j++) {
      let field = view.otherBias(j) < 0 ? 0 : theta[view.otherBias(j)];
      for (let i = 0; i < view.size; i++) field += theta[view.weight(i, j)] * spin(v, i);
      if (random.uniform() * (1 + Math.exp(-2 * beta * field)) < 1) state += 2 ** (view.size + j);
    }
    return state;
  };
}

/** Any model on its table: data with the posterior of the hidden spins, or without data equilibrium; a folded state is unfolded by a fair coin. */
function tableSampler(model: Model, data: DataLaw | null): StateSampler {
  const space = stateSpace(model);
  const { pi, logPi } = boltzmann(space, model.theta, model.beta);
  const unfold = (s: number, random: RandomSource) =>
    space.folded && random.uniform() < 0.5 ? 2 * space.states - 1 - s : s;
  if (data === null) {
    const pick = discrete(pi);
    return (random) => unfold(pick(random.uniform()), random);
  }
  const members: number[][] = Array.from({ length: space.visibleStates }, () => []);
  space.visibleOf.forEach((v, s) => {
    members[v].push(s);
  });
  const pickPattern = discrete(data.probabilities);
  return (random) => {
    const pattern = data.patterns[pickPattern(random.uniform())];
    const states = members[foldPattern(pattern, data.spins, space.folded)];
    const top = Math.max(...states.map((s) => logPi[s]));
    const pick = discrete(Float64Array.from(states, (s) => Math.exp(logPi[s] - top)));
    return unfold(states[pick(random.uniform())], random);
  };
}

/** Inverse transform sampling from non-negative weights: maps a uniform number to an index. */
function discrete(weights: Float64Array): (u: number) => number {
  const cumulative = new Float64Array(weights.length);
  let total = 0;
  weights.forEach((weight, k) => {
    total += weight;
    cumulative[k] = total;
  });
  return (u) => {
    const target = u * total;
    let low = 0;
    let high = weights.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cumulative[middle] > target) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
