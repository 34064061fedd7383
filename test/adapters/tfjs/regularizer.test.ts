import type { Tensor } from '@tensorflow/tfjs-core';
import { createRoute, InputError, ising, type Model, randomSource, rbm, withParameters } from 'htdml';
import * as objectives from 'htdml/objectives';
import { logEffectiveGap, REGULARIZER_OBJECTIVES, type RegularizerOptions, registerRegularizer } from 'htdml/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { complete, randomData } from '../../support/models.js';
import { BACKENDS, inFloat32, tf } from '../../support/tfjs.js';

const source = randomSource(3);
const normals = (n: number, size: number) => Array.from({ length: n }, () => size * source.normal());
/** What a dense layer from three visible to two hidden spins holds, with biases beside it. */
const machine = inFloat32(
  rbm({
    visible: 3,
    hidden: 2,
    weights: normals(6, 0.8),
    visibleBiases: normals(3, 0.2),
    hiddenBiases: normals(2, 0.2),
  }),
);
const data = randomData(3, 8);
const OPTIONS: RegularizerOptions = {
  model: machine,
  data,
  kernel: 'random-block',
  objective: 'logEffectiveGap',
  weight: 0.5,
};
const SOFT = { center: 0.4, eta: 0.05 };
const HtdmlRegularizer = registerRegularizer(tf);
type Regularizer = InstanceType<typeof HtdmlRegularizer>;

const weights = () => tf.tensor2d(Float32Array.from(machine.theta.subarray(0, 6)), [3, 2]);

/** A dense layer whose kernel is the couplings, compiled to fit zero at zero input, so that the regulariser is the whole loss. */
function network(kernelRegularizer: Regularizer, lr = 0.05) {
  const model = tf.sequential();
  model.add(
    tf.layers.dense({
      inputShape: [3],
      units: 2,
      useBias: false,
      kernelRegularizer,
      weights: [weights()],
      name: 'couplings',
    }),
  );
  model.compile({ optimizer: tf.train.sgd(lr), loss: 'meanSquaredError' });
  return model;
}

const trained = (model: ReturnType<typeof network>, epochs: number) =>
  model.fit(tf.zeros([4, 3]), tf.zeros([4, 2]), { epochs, batchSize: 4, verbose: 0 });

/** Value and gradient in float64 at the model's parameters. */
function exact(model: Model, objective: RegularizerOptions['objective'], samples = 1) {
  const wanted = {
    logRhat: objectives.logRhat({ samples }),
    logRhatSoft: objectives.logRhatSoft({ samples }),
    logEffectiveGap: objectives.logEffectiveGap,
  }[objective];
  const soft = objective === 'logRhatSoft' ? SOFT : undefined;
  const { value, pullback } = createRoute(model, data, { kernel: 'random-block', soft }).evaluate(
    model.theta,
    wanted.quantities,
  );
  const at = wanted.evaluate(value);
  if (at === null) throw new Error('no value');
  return { value: at.value, gradient: pullback(at.bar) };
}

describe.each(BACKENDS)('on %s', (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend);
  });

  test.each(REGULARIZER_OBJECTIVES)('%s: the loss and its gradient, rounded once', (objective) => {
    const soft = objective === 'logRhatSoft' ? SOFT : undefined;
    const regularizer = new HtdmlRegularizer({ ...OPTIONS, objective, samples: 300, soft });
    const at = exact(machine, objective, 300);
    const { value, grad } = tf.valueAndGrad((x: Tensor) => regularizer.apply(x))(weights());
    expect(value.dataSync()[0]).toBe(Math.fround(-0.5 * at.value));
    expect(grad.shape).toEqual([3, 2]);
    expect([...grad.dataSync()]).toEqual([...Float32Array.from(at.gradient.subarray(0, 6), (slope) => -0.5 * slope)]);
  });

  test('in a layer: fit minimises -lambda log gamma, step for step as by hand', async () => {
    const model = network(new HtdmlRegularizer(OPTIONS), 0.5);
    const { history } = await trained(model, 5);
    let theta = machine.theta;
    const losses = Array.from({ length: 5 }, () => {
      const { value, gradient } = exact(withParameters(machine, theta), 'logEffectiveGap');
      theta = theta.map((x, a) => (a < 6 ? x + 0.5 * 0.5 * gradient[a] : x));
      return -0.5 * value;
    });
    // Parameters of size 1 are rounded to eps32 / 2 at each of five steps, a loss of size 1 once.
    history.loss.forEach((loss, k) => expect(Math.abs(Number(loss) - losses[k])).toBeLessThan(10 * 2 ** -24));
    expect(losses[4]).toBeLessThan(losses[0]);
    const [kernel] = model.getWeights();
    kernel.dataSync().forEach((x, a) => expect(Math.abs(x - theta[a])).toBeLessThan(10 * 2 ** -24));
  });

  test('training leaves no tensor behind', async () => {
    const model = network(new HtdmlRegularizer(OPTIONS));
    await trained(model, 1);
    const before = tf.memory().numTensors;
    await trained(model, 3);
    // The two tensors that `fit` is handed here.
    expect(tf.memory().numTensors).toBe(before + 2);
  });
});

describe('a layer that is saved', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  test.each<[string, Partial<RegularizerOptions>]>([
    ['log gamma', {}],
    ['log R_hat, with samples', { objective: 'logRhat', samples: 1500 }],
    ['soft', { objective: 'logRhatSoft', soft: SOFT, kernel: 'palindrome-block' }],
  ])('and loaded has the same regulariser: %s', async (_, changes) => {
    const model = network(new HtdmlRegularizer({ ...OPTIONS, ...changes }));
    let saved: Parameters<Parameters<typeof tf.io.withSaveHandler>[0]>[0] | undefined;
    await model.save(
      tf.io.withSaveHandler(async (artifacts) => {
        // Through text, as a file would.
        saved = { ...artifacts, modelTopology: JSON.parse(JSON.stringify(artifacts.modelTopology)) };
        return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
      }),
    );
    if (saved === undefined) throw new Error('nothing was saved');
    const loaded = await tf.loadLayersModel(tf.io.fromMemory(saved));
    const [before, after] = [model, loaded].map(
      (network) => (network.getLayer('couplings') as unknown as { kernelRegularizer: Regularizer }).kernelRegularizer,
    );
    expect(after).toBeInstanceOf(HtdmlRegularizer);
    expect(after.getClassName()).toBe('HtdmlRegularizer');
    const [old, kept] = [before.getConfig(), after.getConfig()];
    expect({ ...kept, data: null }).toEqual({ ...old, data: null });
    // Probabilities are normalised again.
    const probabilities = ({ data: law }: typeof old) => (law as { probabilities: number[] }).probabilities;
    probabilities(kept).forEach((p, k) =>
      expect(Math.abs(p / probabilities(old)[k] - 1)).toBeLessThan(4 * Number.EPSILON),
    );
    const loss = (regularizer: Regularizer) => regularizer.apply(weights()).dataSync()[0];
    expect(Math.abs(loss(after) / loss(before) - 1)).toBeLessThan(2 ** -22);
  });

  test('the coupling vector of an Ising model, and all of theta', () => {
    const model = inFloat32(
      ising({ spins: 4, edges: complete(4), couplings: normals(6, 0.4), biases: normals(4, 0.2) }),
    );
    const options = { data: randomData(4, 9), kernel: 'random-scan' } as const;
    const regularizer = new HtdmlRegularizer({ ...options, model, objective: 'logEffectiveGap', weight: 1 });
    const theta = tf.tensor1d(Float32Array.from(model.theta));
    const expected = -logEffectiveGap(tf, theta, model, options).dataSync()[0];
    expect(regularizer.apply(theta).dataSync()[0]).toBe(expected);
    expect(regularizer.apply(tf.slice(theta, [0], [6])).dataSync()[0]).toBe(expected);
    expect(registerRegularizer(tf)).toBe(HtdmlRegularizer);
  });
});

describe('what is refused', () => {
  const message = (body: () => unknown) => {
    try {
      body();
    } catch (error) {
      return [(error as Error).name, (error as Error).message];
    }
    throw new Error('nothing was thrown');
  };
  const create = (changes: object) => () => new HtdmlRegularizer({ ...OPTIONS, ...changes });
  const load = (changes: object) => () =>
    HtdmlRegularizer.fromConfig(HtdmlRegularizer, { ...new HtdmlRegularizer(OPTIONS).getConfig(), ...changes });

  test.each<[string, () => unknown, RegExp]>([
    [
      'objective',
      create({ objective: 'kl' }),
      /^objective must be one of logRhat, logRhatSoft, logEffectiveGap, got "kl"; name/,
    ],
    ['weight', create({ weight: Number.NaN }), /^weight must be a finite number, got NaN; give/],
    ['kernel', create({ kernel: 'gibbs' }), /^kernel must be one of .*, got "gibbs"; name/],
    [
      'samples',
      create({ objective: 'logRhat', samples: -1 }),
      /^samples must be a positive finite number, got -1; give/,
    ],
    ['data', create({ data: randomData(2, 1) }), /^data must be a law of 3 visible spins/],
    ['window', create({ objective: 'logRhatSoft', soft: { center: 0.1, eta: -1 } }), /^soft\.eta must be a positive/],
    ['saved: kernel', load({ kernel: 'gibbs' }), /^kernel must be one of/],
    ['saved: objective', load({ objective: null }), /^objective must be one of .*, got null/],
    [
      'saved: data',
      load({ data: { spins: 3, patterns: [1], probabilities: [] } }),
      /^data must be a law with spins, .* getConfig gave\.$/,
    ],
    ['saved: no data', load({ data: undefined }), /^data must be a law .*, got nothing;/],
    ['saved: model', load({ model: { kind: 'rbm', visible: 3 } }), /^the model|^hidden must be/],
  ])('%s', (_, body, pattern) => {
    const [name, text] = message(body);
    expect([name, text]).toEqual(['InputError', expect.stringMatching(pattern)]);
    expect(text).not.toContain('\n');
  });

  test('a soft objective without a window, and a TensorFlow.js without layers', () => {
    expect(message(create({ objective: 'logRhatSoft' }))).toEqual([
      'InputError',
      'soft must be a window { center, eta } of gaps per kernel step, got nothing; give numbers, or use an objective without one.',
    ]);
    expect(message(() => registerRegularizer({ ...tf, regularizers: undefined as never }))).toEqual([
      'UnsupportedError',
      expect.stringMatching(/^A regulariser is not available: .* spread into one object\.$/),
    ]);
  });

  test('a weight of another shape, at the first step', async () => {
    const model = tf.sequential();
    model.add(tf.layers.dense({ inputShape: [2], units: 2, kernelRegularizer: new HtdmlRegularizer(OPTIONS) }));
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    await expect(model.fit(tf.zeros([1, 2]), tf.zeros([1, 2]), { verbose: 0 })).rejects.toThrow(InputError);
  });
});
