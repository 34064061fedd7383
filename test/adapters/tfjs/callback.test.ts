import { createRoute, type EvaluateOptions, evaluateModel, type StepEvent, scanModels, withParameters } from 'htdml';
import { registerRegularizer, type TrainabilityRecord, trainabilityCallback } from 'htdml/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { modelOf } from '../../support/mode-cases.js';
import { gradientCases, random, randomData } from '../../support/models.js';
import { BACKENDS, float32, inFloat32, tf } from '../../support/tfjs.js';

const CHAIN: Omit<EvaluateOptions, 'gradient'> = {
  kernel: 'random-block',
  burnIn: 100,
  window: 4000,
  chains: 1,
  start: 'uniform',
  epsilon: 1e-3,
  kappa: 2.5,
};
const machine = inFloat32(gradientCases().filter(({ name }) => name === 'RBM 3 + 2')[0].model);
const data = randomData(3, 8);
const HtdmlRegularizer = registerRegularizer(tf);

/** A dense layer that holds the machine's weights and learns by the regulariser alone. */
function network() {
  const weights = tf.tensor2d(Float32Array.from(machine.theta.subarray(0, 6)), [3, 2]);
  const options = { model: machine, data, kernel: 'random-block', objective: 'logEffectiveGap', weight: 1 } as const;
  const kernelRegularizer = new HtdmlRegularizer(options);
  const layer = tf.layers.dense({ inputShape: [3], units: 2, useBias: false, kernelRegularizer, weights: [weights] });
  const model = tf.sequential({ layers: [layer] });
  model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
  return { model, layer };
}

describe.each(BACKENDS)('on %s', (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend);
  });

  test('fit reports what evaluateModel says of the weights, epoch by epoch, and keeps it in its history', async () => {
    const { model, layer } = network();
    const at: Float64Array[] = [];
    const records: TrainabilityRecord[] = [];
    const callback = trainabilityCallback({
      evaluate: CHAIN,
      model: machine,
      data,
      theta: () => layer.getWeights()[0],
      watch: 'window',
      report: (record) => {
        at.push(Float64Array.from(layer.getWeights()[0].dataSync()));
        records.push(record);
      },
    });
    const tensors = tf.memory().numTensors;
    const [x, y] = [tf.zeros([8, 3]), tf.zeros([8, 2])];
    const { history } = await model.fit(x, y, { epochs: 3, batchSize: 4, verbose: 0, callbacks: callback });
    expect(records.map(({ epoch }) => epoch)).toEqual([-1, 0, 1, 2]);
    records.forEach(({ evaluation, R, Rhat, gates, claim, events }, k) => {
      const model = withParameters(machine, [...at[k], ...machine.theta.subarray(6)]);
      const expected = evaluateModel(model, data, { ...CHAIN, gradient: false });
      expect(evaluation).toEqual(expected);
      expect([R, Rhat]).toEqual([expected.operational?.R, expected.predictors.full.Rhat]);
      expect([gates, claim]).toEqual([expected.gates, expected.claim]);
      expect(Array.isArray(events)).toBe(true);
    });
    expect(at[0]).toEqual(machine.theta.subarray(0, 6));
    expect(at[3]).not.toEqual(at[2]);
    expect(history.R).toEqual(records.slice(1).map(({ R }) => R));
    expect(history.Rhat).toEqual(records.slice(1).map(({ Rhat }) => Rhat));
    expect(history.membershipEvents).toEqual(records.slice(1).map(({ events }) => events?.length));
    // Only the two tensors made here, and the optimiser's count of steps.
    expect(tf.memory().numTensors - tensors).toBeLessThanOrEqual(3);
  });
});

describe('on cpu', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  test('every other epoch, and the last one in any case; without a watch there are no events to know of', async () => {
    const { model, layer } = network();
    const records: TrainabilityRecord[] = [];
    const theta = () => layer.getWeights()[0];
    const options = {
      evaluate: CHAIN,
      model: machine,
      data,
      theta,
      every: 2,
      report: (r: TrainabilityRecord) => records.push(r),
    };
    const fit = { epochs: 3, verbose: 0, callbacks: trainabilityCallback(options) } as const;
    const { history } = await model.fit(tf.zeros([2, 3]), tf.zeros([2, 2]), fit);
    expect(records.map(({ epoch, events }) => [epoch, events])).toEqual([
      [-1, null],
      [1, null],
      [2, null],
    ]);
    expect(history.membershipEvents).toBeUndefined();
    // A second training with the same callback starts over.
    records.length = 0;
    await model.fit(tf.zeros([2, 3]), tf.zeros([2, 2]), { ...fit, epochs: 2 });
    expect(records.map(({ epoch }) => epoch)).toEqual([-1, 1]);
  });

  test('events on the way of the batches, though the epoch ends where it began', async () => {
    const from = inFloat32(modelOf('random', random(5)));
    const to = withParameters(from, float32(from.theta.map((x) => 3 * x)));
    const law = randomData(from.spins, 4);
    const scan = scanModels(from, to, law, { ...CHAIN, kernel: 'random-scan', rule: 'window', steps: 2 });
    expect(scan.events.length).toBeGreaterThan(0);
    const theta = tf.variable(tf.tensor1d(Float32Array.from(from.theta)));
    const seen: (readonly StepEvent[] | null)[] = [];
    const callback = trainabilityCallback({
      evaluate: { ...CHAIN, kernel: 'random-scan' },
      model: from,
      data: law,
      theta: () => theta,
      watch: 'window',
      report: ({ events }) => seen.push(events),
    });
    const step = async (point: Float64Array) => {
      theta.assign(tf.tensor1d(Float32Array.from(point)));
      await callback.onBatchEnd();
    };
    await callback.onTrainBegin();
    await step(to.theta);
    await step(from.theta);
    await callback.onEpochEnd(0);
    await callback.onEpochEnd(1);
    const types = scan.events.map(({ type }) => type);
    expect(seen.map((events) => events?.length)).toEqual([0, 2 * types.length, 0]);
    expect(seen[1]?.slice(0, types.length).map(({ type }) => type)).toEqual(types);
  });

  test('weights that training has made NaN end it with a sentence', async () => {
    const { model, layer } = network();
    const report = () => {};
    const callback = trainabilityCallback({
      evaluate: CHAIN,
      model: machine,
      data,
      theta: () => layer.getWeights()[0],
      report,
    });
    const broken = {
      onEpochBegin: () => layer.setWeights([tf.fill([3, 2], Number.NaN)]),
    };
    const y = tf.zeros([2, 2]);
    await expect(model.fit(tf.zeros([2, 3]), y, { verbose: 0, callbacks: [callback, broken] })).rejects.toThrow(
      'theta[0] must be a finite number, got NaN; replace it by a number.',
    );
  });

  test.each<[string, object, RegExp]>([
    ['theta', { theta: [0] }, /^theta must be a function that returns tensors, got \[0\]; write/],
    ['report', { report: undefined }, /^report must be a function, got nothing;/],
    ['every', { every: 0 }, /^every must be a whole number of at least 1, got 0;/],
    ['watch', { watch: 'all' }, /^watch must be one of relevance, window, got "all";/],
    ['data', { data: randomData(2, 1) }, /^data must be a law of 3 visible spins/],
    ['window', { evaluate: { ...CHAIN, window: 0.5 } }, /^window must be a whole number of at least 1, got 0\.5;/],
    ['kernel', { evaluate: { ...CHAIN, kernel: 'gibbs' } }, /^kernel must be one of .*, got "gibbs";/],
  ])('an option that is wrong: %s', (_, changes, pattern) => {
    const theta = () => tf.zeros([3, 2]);
    const make = () =>
      trainabilityCallback({ evaluate: CHAIN, model: machine, data, theta, report: () => {}, ...changes });
    expect(make).toThrow(expect.objectContaining({ name: 'InputError', message: expect.stringMatching(pattern) }));
  });

  test('a route that is not differentiable is evaluated all the same', async () => {
    const seen: TrainabilityRecord[] = [];
    const theta = () => tf.tensor1d(Float32Array.from(machine.theta));
    const report = (record: TrainabilityRecord) => seen.push(record);
    await trainabilityCallback({
      evaluate: { ...CHAIN, kernel: 'metropolis' },
      model: machine,
      data,
      theta,
      report,
    }).onTrainBegin();
    const { value } = createRoute(machine, data, { kernel: 'metropolis' }).evaluate(machine.theta, ['timescale']);
    expect(seen[0].evaluation.predictors.full.timescale).toBe(value.timescale);
  });
});
