import { randomSource } from 'htdml';
import { describe, expect, test } from 'vitest';
import { denoisingGradient } from '../../src/estimation/correlation-penalty.js';
import { observableMeans } from '../../src/estimation/observable-means.js';
import { emptySamples, type PackedSamples, writeSample } from '../../src/estimation/samples/packed-samples.js';
import { sampleChains } from '../../src/estimation/samples/sample-chains.js';
import { forwardLayers, noised } from '../../src/model/grid/forward-process.js';
import {
  type GridLayer,
  gridLayer,
  layerModel,
  layerWithInputs,
  withLayerParameters,
  withoutInputs,
} from '../../src/model/grid/grid-layer.js';
import { dot, fullSpace, spinOf } from '../support/brute-force.js';
import { meanAndError } from '../support/statistics.js';

const NODES = [4, 0, 8];
const noise = forwardLayers({ layers: 3, imageRate: 1.5, labelRate: 0.5 })[1];
const random = randomSource(31);
const start = gridLayer({
  graph: { side: 3, degree: 4, torus: false },
  image: NODES.slice(0, 2),
  label: NODES.slice(2),
  couplings: Array.from({ length: 12 }, () => 0.3 * random.normal()),
  biases: Array.from({ length: 9 }, () => 0.3 * random.normal()),
  inputCouplings: noise.inputCouplings,
});
const INPUTS = [9, 10, 11];

/** Random rows, but for some spins. */
function starts(rows: readonly ArrayLike<number>[], spins: number, at: readonly number[]): PackedSamples {
  const out = emptySamples(spins, rows.length);
  rows.forEach((row, r) => {
    const x = Int8Array.from({ length: spins }, () => (random.uniform() < 0.5 ? 1 : -1));
    at.forEach((spin, k) => {
      x[spin] = row[k];
    });
    writeSample(out, r, x);
  });
  return out;
}

const SCHEDULE = { kernel: 'alternating-block', samples: 40, burnIn: 20, apart: 2 } as const;

/** Averages of each chain, its inputs clamped. */
function negative(layer: GridLayer, inputs: readonly ArrayLike<number>[], seed: number) {
  const model = layerWithInputs(layer);
  const options = { ...SCHEDULE, starts: starts(inputs, model.spins, INPUTS), clamped: INPUTS, seed };
  return sampleChains(model, options).samples.map((chain) => observableMeans(layerModel(withoutInputs(layer)), chain));
}

/** Averages of each chain, its outputs clamped. */
function positive(layer: GridLayer, outputs: readonly ArrayLike<number>[], seed: number) {
  const model = layerModel(withoutInputs(layer));
  const options = { ...SCHEDULE, starts: starts(outputs, model.spins, NODES), clamped: NODES, seed };
  return sampleChains(model, options).samples.map((chain) => observableMeans(model, chain));
}

test('chains clamped to an input have the averages of the layer given it', () => {
  for (const input of [
    [1, 1, -1],
    [-1, 1, 1],
  ]) {
    const { pi, observables } = fullSpace(layerModel(start, input));
    const chains = negative(
      start,
      Array.from({ length: 200 }, () => input),
      77,
    );
    observables.forEach((f, a) => {
      const { mean, error } = meanAndError(chains.map((chain) => chain[a]));
      // 42 comparisons at 4.5 standard errors of 200 chains: a right sampler fails once in 2,000 times. After 20 sweeps nothing is left of the start.
      expect(Math.abs(mean - dot(pi, f))).toBeLessThan(4.5 * error);
    });
  }
});

describe('training', () => {
  const patterns = [
    [1, 1, 1],
    [1, -1, -1],
  ];
  const { inputs, outputs } = noised(
    Array.from({ length: 400 }, (_, r) => patterns[r % 2]),
    2,
    noise,
    random,
  );

  const sampled = (layer: GridLayer, t: number, weight: number) => {
    const mean = average(positive(layer, outputs, 2 * t));
    const model = layerModel(withoutInputs(layer));
    return denoisingGradient(model, mean, [negative(layer, inputs, 2 * t + 1)], { weight, products: 'pooled' });
  };
  const exact = (layer: GridLayer) => {
    const laws = lawsOf(layer);
    const means = inputs.map((x) => laws(x).means);
    const posterior = outputs.map((y, r) => laws(inputs[r]).given[indexOf(y)]);
    const model = layerModel(withoutInputs(layer));
    return denoisingGradient(model, average(posterior), [means], { weight: 0, products: 'pooled' });
  };
  /** `-log pi(y | x)` per pair, exactly. */
  const loss = (layer: GridLayer) => {
    const laws = lawsOf(layer);
    return inputs.reduce((sum, x, r) => sum - Math.log(laws(x).visible[indexOf(outputs[r])]) / inputs.length, 0);
  };
  /** Plain descent, since Adam turns what noise is left near a saddle into steps of full length. */
  const train = (gradient: (layer: GridLayer, t: number) => Float64Array) => {
    let layer = start;
    for (let t = 0; t < 80; t++) {
      const slope = gradient(layer, t);
      const theta = [...layer.couplings, ...layer.biases];
      layer = withLayerParameters(
        layer,
        theta.map((x, a) => x - 0.5 * slope[a]),
      );
    }
    return layer;
  };
  const plain = train((layer, t) => sampled(layer, t, 0));

  test('sampled gradients are those of the law, on average', () => {
    const drawn = Array.from({ length: 30 }, (_, t) => sampled(start, 1000 + t, 0));
    exact(start).forEach((slope, a) => {
      const { mean, error } = meanAndError(drawn.map((gradient) => gradient[a]));
      // 21 comparisons by Student's t of 29 degrees of freedom: a right sampler passes 5 once in 2,000 times.
      expect(Math.abs(mean - slope)).toBeLessThan(5 * error);
    });
  });

  test('by sampled gradients reaches what exact ones reach', () => {
    const [before, after, best] = [loss(start), loss(plain), loss(train(exact))];
    expect(before - best).toBeGreaterThan(0.3);
    // Noise at the start, near a saddle, moves where 80 steps end: over seeds with a standard deviation of 0.055 of what is gained.
    expect(Math.abs(after - best)).toBeLessThan(5 * 0.055 * (before - best));
  });

  test('with a penalty on correlations ends at smaller couplings, and fits less well', () => {
    const penalised = train((layer, t) => sampled(layer, t, 1));
    const size = ({ couplings }: GridLayer) => couplings.reduce((sum, w) => sum + w * w, 0);
    expect(size(penalised)).toBeLessThan(0.8 * size(plain));
    expect(loss(penalised)).toBeGreaterThan(loss(plain));
  });
});

const indexOf = (y: ArrayLike<number>) => NODES.reduce((index, _, k) => index + (y[k] === 1 ? 2 ** k : 0), 0);

const average = (rows: readonly Float64Array[]) =>
  rows[0].map((_, a) => rows.reduce((sum, row) => sum + row[a] / rows.length, 0));

interface Law {
  /** By index of the visible spins. */
  readonly visible: Float64Array;
  /** `E f`, and given the visible spins. */
  readonly means: Float64Array;
  readonly given: readonly Float64Array[];
}

/** The exact law given each input, made once. */
function lawsOf(layer: GridLayer): (input: ArrayLike<number>) => Law {
  const laws = new Map<number, Law>();
  return (input) => {
    const known = laws.get(indexOf(input));
    if (known !== undefined) return known;
    const { pi, observables } = fullSpace(layerModel(layer, input));
    const visible = new Float64Array(8);
    const given = Array.from({ length: 8 }, () => new Float64Array(observables.length));
    pi.forEach((p, s) => {
      const y = indexOf(NODES.map((node) => spinOf(s, node)));
      visible[y] += p;
      observables.forEach((f, a) => {
        given[y][a] += p * f[s];
      });
    });
    const law = {
      visible,
      means: Float64Array.from(observables, (f) => dot(pi, f)),
      given: given.map((sums, y) => sums.map((sum) => sum / visible[y])),
    };
    laws.set(indexOf(input), law);
    return law;
  };
}
