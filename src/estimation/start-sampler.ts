import { InputError, UnsupportedError } from '../errors.js';
import { conditionalTable, layerTable, layerView } from '../kernel/rbm-layers.js';
import { boltzmann } from '../model/boltzmann.js';
import { type DataLaw, patternIndices, readPattern } from '../model/data-law.js';
import type { Layers, Model } from '../model/model.js';
import { readSpins } from '../model/spin-words.js';
import { foldPattern, isTabulated, stateSpace } from '../model/state-space.js';
import { checkDataSize } from '../trainability/routes/create-route.js';
import { MAX_WIDE_SPINS } from '../trainability/routes/factored-route.js';
import { type Start, startState } from '../trainability/start.js';
import type { RandomSource } from './random.js';

/** Writes all spins, -1 or +1, drawn from a start law (3.4), independent draws each time. */
export type StartSampler = (random: RandomSource, out: Int8Array) => void;

/**
 * Of a model of any size, the starts `uniform` and `data`; hidden spins are drawn from their posterior, which an RBM has in closed form and another graph on its table. Throws
 * {@link InputError} for data of another size, and where the start `data` has none, and {@link UnsupportedError} where a table would have too many states.
 */
export function startSampler(model: Model, data: DataLaw | null, start: Start): StartSampler {
  if (data !== null) checkDataSize(model, data);
  const state = startState(model, start);
  if (state !== null) return (_, out) => readSpins([state], 0, model.spins, out);
  if (start === 'uniform') return uniformSampler(model.spins);
  if (start === 'data') return dataSampler(model, requireData(data));
  return model.layers === null ? tableSampler(model, null) : layeredSampler(model, model.layers);
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

/** Every spin a fair coin, 32 of them by one number. */
function uniformSampler(spins: number): StartSampler {
  const words: number[] = [];
  return (random, out) => {
    for (let at = 0, w = 0; at < spins; at += 32, w++) words[w] = random.integer(2 ** Math.min(32, spins - at));
    readSpins(words, 0, spins, out);
  };
}

function dataSampler(model: Model, data: DataLaw): StartSampler {
  if (model.layers !== null) return layeredDataSampler(model, data, model.layers);
  if (model.visible.length < model.spins) {
    if (!isTabulated(model)) {
      throw new UnsupportedError(
        `The start "data" for hidden spins on a graph of ${model.spins} spins`,
        'their posterior is drawn from a table of all states',
        'start at uniform, or use an RBM',
      );
    }
    return tableSampler(model, data);
  }
  const pick = discrete(data.probabilities);
  const pattern = new Int8Array(model.spins);
  return (random, out) => {
    readPattern(data, pick(random.uniform()), pattern);
    model.visible.forEach((i, k) => {
      out[i] = pattern[k];
    });
  };
}

/** A pattern of the data and an RBM's hidden spins given it, which are independent: no table, so that a start costs little. */
function layeredDataSampler({ theta, beta, biased }: Model, data: DataLaw, layers: Layers): StartSampler {
  const { visible, hidden } = layers;
  const biases = visible * hidden + visible;
  const pick = discrete(data.probabilities);
  return (random, out) => {
    readPattern(data, pick(random.uniform()), out);
    for (let j = 0; j < hidden; j++) {
      let field = biased ? theta[biases + j] : 0;
      for (let i = 0; i < visible; i++) field += theta[i * hidden + j] * out[i];
      out[visible + j] = random.uniform() * (1 + Math.exp(-2 * beta * field)) < 1 ? 1 : -1;
    }
  };
}

/** Spins of an RBM that starts in equilibrium, at most: the table of pairs of layers takes half a GiB. */
const MAX_JOINT_SPINS = 26;

/** An RBM in equilibrium: the visible spins from their marginal, then the hidden ones given them. */
function layeredSampler(model: Model, layers: Layers): StartSampler {
  if (model.spins > MAX_JOINT_SPINS || layers.visible > MAX_WIDE_SPINS) {
    throw new UnsupportedError(
      `The start "stationary" for ${layers.visible} visible and ${layers.hidden} hidden spins`,
      `it is drawn from tables, for up to ${MAX_WIDE_SPINS} visible spins and ${MAX_JOINT_SPINS} in all`,
      'start at data or uniform and give a burn-in',
    );
  }
  const visible = layerTable(layerView(model, 'visible'), model.theta, model.beta);
  const width = 2 ** visible.otherSize;
  const given = conditionalTable(visible);
  const pick = discrete(visible.p);
  return (random, out) => {
    const v = pick(random.uniform());
    const h = discrete(given.subarray(v * width, (v + 1) * width))(random.uniform());
    readSpins([v + h * visible.states], 0, model.spins, out);
  };
}

/** Any model on its table: data with the posterior of the hidden spins, or without data equilibrium; a folded state is unfolded by a fair coin. */
function tableSampler(model: Model, data: DataLaw | null): StartSampler {
  const space = stateSpace(model);
  const { pi, logPi } = boltzmann(space, model.theta, model.beta);
  const unfold = (s: number, random: RandomSource, out: Int8Array) => {
    const state = space.folded && random.uniform() < 0.5 ? 2 * space.states - 1 - s : s;
    readSpins([state], 0, model.spins, out);
  };
  if (data === null) {
    const pick = discrete(pi);
    return (random, out) => unfold(pick(random.uniform()), random, out);
  }
  const members: number[][] = Array.from({ length: space.visibleStates }, () => []);
  space.visibleOf.forEach((v, s) => {
    members[v].push(s);
  });
  const indices = patternIndices(data);
  const pickPattern = discrete(data.probabilities);
  return (random, out) => {
    const pattern = indices[pickPattern(random.uniform())];
    const states = members[foldPattern(pattern, data.spins, space.folded)];
    const top = states.reduce((most, s) => Math.max(most, logPi[s]), Number.NEGATIVE_INFINITY);
    const pick = discrete(Float64Array.from(states, (s) => Math.exp(logPi[s] - top)));
    unfold(states[pick(random.uniform())], random, out);
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
