import { InputError, randomSource } from 'htdml';
import { describe, expect, test } from 'vitest';
import {
  type ForwardProcess,
  flipProbability,
  forwardLayers,
  forwardTimes,
  inputCoupling,
  noised,
} from '../../../src/model/grid/forward-process.js';

/** Published values have three decimals. */
const rounded = (values: readonly number[]) => values.map((value) => Math.round(1000 * value) / 1000);

describe('times', () => {
  test('log: equal shares of what is left, the last infinite', () => {
    const times = forwardTimes(8);
    expect(times[0]).toBe(0);
    expect(Object.is(times[0], 0)).toBe(true);
    times.forEach((t, k) => {
      expect(Math.exp(-t)).toBeCloseTo(1 - k / 8, 15);
    });
    expect(times[8]).toBe(Infinity);
  });

  test('linear', () => {
    expect(forwardTimes(4, 'linear')).toEqual([0, 0.25, 0.5, 0.75, 1]);
  });
});

describe('couplings', () => {
  test('of the published runs: 8 and 4 layers, rates 0.9 and 0.2', () => {
    const of = (layers: number, key: 'image' | 'label') =>
      rounded(forwardLayers({ layers }).map(({ inputCouplings }) => inputCouplings[key]));
    expect(of(8, 'image')).toEqual([1.407, 1.335, 1.251, 1.151, 1.025, 0.856, 0.598, 0]);
    expect(of(4, 'image')).toEqual([1.025, 0.856, 0.598, 0]);
    const label = of(8, 'label');
    expect([label[0], label[6], label[7]]).toEqual([2.158, 1.335, 0]);
  });

  test('one layer on the log schedule is a Boltzmann machine without an input', () => {
    const [{ inputCouplings, model }] = forwardLayers({ layers: 1 });
    expect(inputCouplings).toEqual({ image: 0, label: 0 });
    expect(model).toEqual({ start: 0, end: Infinity });
  });

  test.each([1e-8, 1e-3, 0.13, 1, 7, 30])('are those of the flip probability after rate times time %d', (z) => {
    const [w, p] = [inputCoupling(0.9, z / 0.9), flipProbability(0.9, z / 0.9)];
    // Relative: w loses as many digits as coth - 1 has, which is all at large z but for the absolute error.
    expect(Math.abs(Math.exp(2 * w) * Math.tanh(z / 2) - 1)).toBeLessThan(1e-14 * (1 + 2 * w));
    expect(Math.abs(Math.exp(2 * w) * (p / (1 - p)) - 1)).toBeLessThan(1e-14 * (1 + 2 * w));
    // The chance that an output is its input, by the coupling and by the process.
    expect(1 / (1 + Math.exp(-2 * w))).toBeCloseTo(1 - p, 14);
  });

  test('keep their digits where the tangent has none left', () => {
    // -ln(tanh(z/2))/2 = e^-z + O(e^-3z), while tanh(30) rounds to 1.
    expect(inputCoupling(1, 60) / Math.exp(-60)).toBeCloseTo(1, 14);
    expect(-Math.log(Math.tanh(30)) / 2).toBe(-0);
  });
});

test('flips compose: one time after another is their sum', () => {
  const [p, q, both] = [0.3, 1.1, 1.4].map((t) => flipProbability(0.7, t));
  expect(p * (1 - q) + q * (1 - p)).toBeCloseTo(both, 15);
  expect(flipProbability(0.7, 0)).toBeCloseTo(0, 15);
  expect(flipProbability(0.7, Infinity)).toBe(0.5);
});

test('training data are noised over wider times than the model', () => {
  const layers = forwardLayers({ layers: 8 });
  const t = forwardTimes(8);
  layers.forEach(({ model, training }, k) => {
    expect(model).toEqual({ start: t[k], end: t[k + 1] });
    expect(training).toEqual({ start: t[k] * 0.85, end: t[k + 1] * 1.15 });
  });
  const [{ model, training, rates }] = layers;
  // 5.7 per cent of the image flips in the model of the first layer, 6.5 in its data.
  expect(Math.round(1000 * flipProbability(rates.image, model.end - model.start))).toBe(57);
  expect(Math.round(1000 * flipProbability(rates.image, training.end - training.start))).toBe(65);
});

describe('noised pairs', () => {
  const [image, label, count] = [6, 4, 4000];
  const rows = Array.from({ length: count }, (_, r) =>
    Array.from({ length: image + label }, (_, k) => ((r * 7 + k * k) % 3 === 0 ? 1 : -1)),
  );
  const layers = forwardLayers({ layers: 4 });
  /** Deviation of a count of flips from its mean, in standard deviations. */
  const deviation = (a: readonly ArrayLike<number>[], b: readonly ArrayLike<number>[], k: number, p: number) => {
    const flips = a.reduce((sum, row, r) => sum + Number(row[k] !== b[r][k]), 0);
    return Math.abs(flips - count * p) / Math.sqrt(count * p * (1 - p));
  };

  test.each([0, 1, 2, 3])('layer %d: each spin flips as often as it should, at each of the two steps', (m) => {
    const noise = layers[m];
    const { inputs, outputs } = noised(rows, image, noise, randomSource(100 + m));
    const { start, end } = noise.training;
    for (let k = 0; k < image + label; k++) {
      const rate = k < image ? noise.rates.image : noise.rates.label;
      // 30 comparisons a layer: a right sampler passes 4.5 deviations in one of 1,200 such tests.
      if (start > 0) expect(deviation(rows, outputs, k, flipProbability(rate, start))).toBeLessThan(4.5);
      expect(deviation(outputs, inputs, k, flipProbability(rate, end - start))).toBeLessThan(4.5);
      expect(deviation(rows, inputs, k, flipProbability(rate, end))).toBeLessThan(4.5);
    }
  });

  test('the first layer puts out the data', () => {
    const { outputs } = noised(rows, image, layers[0], randomSource(1));
    expect(outputs.map((row) => [...row])).toEqual(rows);
  });

  test('spins flip by themselves', () => {
    const { inputs, outputs } = noised(rows, image, layers[1], randomSource(5));
    const p = flipProbability(0.9, layers[1].training.end - layers[1].training.start);
    const both = inputs.filter((row, r) => row[0] !== outputs[r][0] && row[1] !== outputs[r][1]).length;
    // One comparison at 4 deviations: a right sampler fails it once in 16,000 times.
    expect(Math.abs(both - count * p * p)).toBeLessThan(4 * Math.sqrt(count * p * p * (1 - p * p)));
  });

  test('the same seed gives the same pairs, and no row is changed in place', () => {
    const before = JSON.stringify(rows);
    const draw = (seed: number) => noised(rows, image, layers[2], randomSource(seed));
    expect(draw(3)).toEqual(draw(3));
    expect(draw(4)).not.toEqual(draw(3));
    expect(JSON.stringify(rows)).toBe(before);
    expect(noised([], image, layers[2], randomSource(3))).toEqual({ inputs: [], outputs: [] });
  });

  test.each<[string, number[][], RegExp]>([
    ['a bit', [[1, 0]], /^row 1, column 2 must be -1 or 1, got 0; binarise/],
    ['a short row', [[1, 1], [1]], /^row 2 must be 2 spins, got 1/],
    ['no room for the image', [[1]], /^row 1 must be 2 spins, got 1/],
  ])('refused: %s', (_, bad, pattern) => {
    const draw = () => noised(bad, 2, layers[0], randomSource(1));
    expect(draw).toThrow(InputError);
    expect(draw).toThrow(pattern);
  });
});

test.each<[string, () => unknown, RegExp]>([
  ['no layers', () => forwardLayers({ layers: 0 }), /^layers must be a whole number of at least 1, got 0/],
  ['another schedule', () => forwardTimes(3, 'cosine' as 'log'), /^schedule must be "log" or "linear", got "cosine"/],
  ['a rate of zero', () => forwardLayers({ layers: 2, imageRate: 0 }), /^imageRate must be a positive finite number/],
  ['a negative rate', () => forwardLayers({ layers: 2, labelRate: -1 }), /^labelRate .* got -1/],
  ['an offset of one', () => forwardLayers({ layers: 2, offset: 1 }), /^offset must be a number from 0 to below 1/],
  ['no offset', () => forwardLayers({ layers: 2, offset: Number.NaN } as ForwardProcess), /^offset .* got NaN/],
  ['no time', () => inputCoupling(1, 0), /^duration must be a positive number, got 0/],
  ['time backwards', () => flipProbability(1, -1), /^duration must be a number of at least 0, got -1/],
  ['time that is none', () => flipProbability(1, Number.NaN), /^duration .* got NaN/],
])('refused: %s', (_, body, pattern) => {
  expect(body).toThrow(InputError);
  expect(body).toThrow(pattern);
});
