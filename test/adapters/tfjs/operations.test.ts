import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import {
  ConvergenceError,
  createRoute,
  InputError,
  ising,
  type KernelName,
  type Objective,
  ReversibilityError,
  type RouteOptions,
  rbm,
  type StepEvent,
  scanModels,
  teacherLaw,
  withParameters,
} from 'htdml';
import * as objectives from 'htdml/objectives';
import {
  kl,
  logEffectiveGap,
  logRHat,
  logRHatSlowCluster,
  logRHatSoft,
  objective,
  type ThetaTensors,
} from 'htdml/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { modelOf } from '../../support/mode-cases.js';
import { type Case, gradientCases, random, randomData } from '../../support/models.js';
import { BACKENDS, float32, inFloat32, tensorsOf, tf } from '../../support/tfjs.js';

const CASES = gradientCases().map((one): Case => ({ ...one, model: inFloat32(one.model) }));
const SOFT = { center: 0.3, eta: 0.05 };
const SAMPLES = 2000;

interface Operation {
  readonly name: string;
  readonly reference: Objective;
  readonly route?: Partial<RouteOptions>;
  readonly apply: (theta: ThetaTensors, one: Case, kernel: KernelName) => Scalar;
}

const OPERATIONS: readonly Operation[] = [
  {
    name: 'logRHat',
    reference: objectives.logRhat({ samples: SAMPLES }),
    apply: (theta, { model, data }, kernel) => logRHat(tf, theta, model, { data, kernel, samples: SAMPLES }),
  },
  {
    name: 'logEffectiveGap',
    reference: objectives.logEffectiveGap,
    apply: (theta, { model, data }, kernel) => logEffectiveGap(tf, theta, model, { data, kernel }),
  },
  { name: 'kl', reference: objectives.kl, apply: (theta, { model, data }) => kl(tf, theta, model, { data }) },
  {
    name: 'logRHatSoft',
    reference: objectives.logRhatSoft({ samples: SAMPLES }),
    route: { soft: SOFT },
    apply: (theta, { model, data }, kernel) =>
      logRHatSoft(tf, theta, model, { data, kernel, samples: SAMPLES, soft: SOFT }),
  },
  {
    name: 'logRHatSlowCluster',
    reference: objectives.logRhatSlowCluster({ samples: SAMPLES }),
    route: { route: 'table' },
    apply: (theta, { model, data }, kernel) =>
      logRHatSlowCluster(tf, model, { data, kernel, samples: SAMPLES, onEvents: () => {} })(theta),
  },
  {
    name: 'objective with a held signal',
    reference: objectives.logRhat({ samples: 1, heldSignal: 0.3 }),
    apply: (theta, { model, data }, kernel) =>
      objective(tf, theta, model, { data, kernel, objective: objectives.logRhat({ samples: 1, heldSignal: 0.3 }) }),
  },
];

/** The value and the gradient in float64; null where there is none. */
function exact({ reference, route }: Operation, { model, data }: Case, kernel: KernelName) {
  // The divergence depends on no kernel; the operation takes this one's route.
  const chain = reference === objectives.kl ? 'random-block' : kernel;
  const { value, pullback } = createRoute(model, data, { kernel: chain, ...route }).evaluate(
    model.theta,
    reference.quantities,
  );
  const at = reference.evaluate(value);
  return at && { value: at.value, gradient: pullback(at.bar) };
}

const message = (body: () => unknown): [string, string] => {
  try {
    body();
  } catch (error) {
    return [(error as Error).name, (error as Error).message];
  }
  throw new Error('nothing was thrown');
};

describe.each(BACKENDS)('on %s', (backend) => {
  beforeAll(async () => {
    expect(await tf.setBackend(backend)).toBe(true);
  });

  describe.each(OPERATIONS)('$name', (operation) => {
    test.each(CASES)('$name: the float64 value and gradient, each rounded once', (one) => {
      for (const kernel of ['random-scan', 'random-block'] as const) {
        const at = exact(operation, one, kernel);
        for (const apart of [false, true]) {
          const tensors = tensorsOf(one.model, apart);
          const run = () => tf.valueAndGrads((...theta: Tensor[]) => operation.apply(theta, one, kernel))(tensors);
          // Where symmetry makes the signal vanish, there is no logarithm.
          if (at === null) {
            expect(message(run)[0]).toBe('UnsupportedError');
            continue;
          }
          const { value, grads } = run();
          expect(value.shape).toEqual([]);
          expect(value.dataSync()[0]).toBe(Math.fround(at.value));
          expect(grads.map(({ shape }) => shape)).toEqual(tensors.map(({ shape }) => shape));
          expect(grads.flatMap((grad) => [...grad.dataSync()])).toEqual([...Float32Array.from(at.gradient)]);
        }
      }
    });
  });

  const one = CASES[0];
  const options = { data: one.data, kernel: 'random-scan' } as const;
  const gap = (theta: ThetaTensors) => logEffectiveGap(tf, theta, one.model, options);
  const flat = () => tf.tensor1d(Float32Array.from(one.model.theta));

  test('the incoming cotangent is multiplied in float64 and rounded once with the gradient', () => {
    const [{ value, gradient }] = [exact(OPERATIONS[1], one, 'random-scan')].map((at) => {
      if (at === null) throw new Error('no value');
      return at;
    });
    const { grad } = tf.valueAndGrad((theta: Tensor) => tf.square(tf.mul(0.1, gap(theta))))(flat());
    // d (0.1 v)^2 = 2 (0.1 v) 0.1 in float32 as TensorFlow.js multiplies it.
    const dy = Math.fround(Math.fround(0.1) * Math.fround(2 * Math.fround(Math.fround(0.1) * Math.fround(value))));
    expect([...grad.dataSync()]).toEqual([...Float32Array.from(gradient, (slope) => dy * slope)]);
  });

  test('gradients against central differences of the operation itself', () => {
    // The value is rounded to eps32 / 2 of its size and the parameters move by a power of two, so a difference over 2h is known to eps32 |value| / (2h); h^2 / 6 of the third
    // derivative, of order 1, is the other part.
    const h = 2 ** -7;
    const eps32 = 2 ** -23;
    const { value, grad } = tf.valueAndGrad(gap)(flat());
    const tolerance = (eps32 * Math.abs(value.dataSync()[0])) / (2 * h) + h ** 2;
    const slopes = grad.dataSync();
    one.model.theta.forEach((_, a) => {
      const moved = (step: number) => {
        const theta = Float32Array.from(one.model.theta);
        theta[a] += step;
        return gap(tf.tensor1d(theta)).dataSync()[0];
      };
      expect(Math.abs((moved(h) - moved(-h)) / (2 * h) - slopes[a])).toBeLessThan(tolerance);
    });
  });

  test('couplings alone: the biases are those of the model and have no gradient', () => {
    const at = exact(OPERATIONS[1], one, 'random-scan');
    const couplings = tensorsOf(one.model, true)[0];
    const { value, grad } = tf.valueAndGrad(gap)(couplings);
    expect(value.dataSync()[0]).toBe(Math.fround(at?.value ?? Number.NaN));
    expect([...grad.dataSync()]).toEqual([...Float32Array.from(at?.gradient ?? []).subarray(0, couplings.size)]);
  });

  test('a variable and an optimiser of TensorFlow.js', () => {
    const theta = tf.variable(flat());
    const before = gap(theta).dataSync()[0];
    const optimizer = tf.train.sgd(0.125);
    const slopes = tf.grad(gap)(theta).dataSync();
    optimizer.minimize(() => tf.neg(gap(theta)), false, [theta]);
    const moved = Float32Array.from(one.model.theta, (x, a) => x + 0.125 * slopes[a]);
    theta.dataSync().forEach((x, a) => expect(Math.abs(x - moved[a])).toBeLessThan(2 ** -22));
    expect(gap(theta).dataSync()[0]).toBeGreaterThan(before);
    theta.dispose();
  });

  test('no tensor is left behind, by values, gradients or refusals', () => {
    const tensors = tensorsOf(one.model, true);
    const bad = tf.fill(tensors[0].shape, Number.NaN);
    const numbers = () => tf.memory().numTensors;
    const before = numbers();
    for (let k = 0; k < 3; k++) {
      const { value, grads } = tf.valueAndGrads((...theta: Tensor[]) => tf.square(gap(theta)))(tensors);
      expect(numbers()).toBe(before + 1 + tensors.length);
      tf.dispose([value, ...grads]);
      gap(tensors).dispose();
      expect(() => tf.valueAndGrads((...theta: Tensor[]) => gap(theta))([bad, tensors[1]])).toThrow(InputError);
      expect(numbers()).toBe(before);
    }
  });

  test('a second derivative is refused, not zero', () => {
    const twice = () => tf.grad((x: Tensor) => tf.sum(tf.square(tf.grad(gap)(x))))(flat());
    expect(message(twice)).toEqual([
      'UnsupportedError',
      'A second derivative of logEffectiveGap is not available: htdml has first derivatives only; differentiate once.',
    ]);
  });
});

describe('what is refused', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  const model = rbm({
    visible: 3,
    hidden: 2,
    weights: Array(6).fill(0.3),
    visibleBiases: [0, 0.1, 0],
    hiddenBiases: [0, 0],
  });
  const data = randomData(3, 5);
  const options = { data, kernel: 'random-block', samples: 100 } as const;
  const ask = (theta: unknown) => logRHat(tf, theta as Tensor, model, options);

  test.each<[string, () => unknown, string]>([
    [
      'another shape',
      () => tf.zeros([2, 3]),
      'theta must be of shape [11] or [3,2] or [3,2] with [3] with [2], got [2,3]; give the couplings, or the couplings and then the biases.',
    ],
    [
      'a missing part',
      () => [tf.zeros([3, 2]), tf.zeros([3])],
      'theta must be of shape [11] or [3,2] or [3,2] with [3] with [2], got [3,2] with [3]; give the couplings, or the couplings and then the biases.',
    ],
    [
      'nothing in a list',
      () => [],
      'theta must be of shape [11] or [3,2] or [3,2] with [3] with [2], got no tensor; give the couplings, or the couplings and then the biases.',
    ],
    [
      'integers',
      () => tf.zeros([3, 2], 'int32'),
      'theta.dtype must be float32, got "int32"; convert it with tf.cast first.',
    ],
    [
      'booleans in a part',
      () => [tf.zeros([3, 2]), tf.zeros([3], 'bool'), tf.zeros([2])],
      'theta[1].dtype must be float32, got "bool"; convert it with tf.cast first.',
    ],
    [
      'complex numbers',
      () => tf.complex(tf.zeros([11]), tf.zeros([11])),
      'theta.dtype must be float32, got "complex64"; convert it with tf.cast first.',
    ],
    [
      'NaN',
      () => tf.tensor2d([0, 0, 0, Number.NaN, 0, 0], [3, 2]),
      'theta[3] must be a finite number, got NaN; replace it by a number.',
    ],
    [
      'infinity in a part',
      () => [tf.zeros([3, 2]), tf.tensor1d([0, Number.POSITIVE_INFINITY, 0]), tf.zeros([2])],
      'theta[7] must be a finite number, got Infinity; replace it by a number.',
    ],
    [
      'an array',
      () => new Float32Array(11),
      'theta must be a tensor, got Float32Array(11); make one with tf.tensor, tf.variable or an operation.',
    ],
    [
      'nothing',
      () => undefined,
      'theta must be a tensor, got nothing; make one with tf.tensor, tf.variable or an operation.',
    ],
  ])('theta: %s', (_, make, expected) => {
    const theta = make();
    expect(message(() => ask(theta))).toEqual(['InputError', expected]);
  });

  test.each<[string, () => unknown, RegExp]>([
    [
      'no TensorFlow.js',
      () => logRHat({} as typeof tf, tf.zeros([11]), model, options),
      /^tf must be the TensorFlow\.js module, .* got "undefined"; pass/,
    ],
    [
      'nothing at all',
      () => logRHat(null as unknown as typeof tf, tf.zeros([11]), model, options),
      /^tf must be .*, got "undefined"; pass/,
    ],
    [
      'an unknown kernel',
      () => logEffectiveGap(tf, tf.zeros([11]), model, { data, kernel: 'gibbs' as KernelName }),
      /^kernel must be one of .*, got "gibbs"; name/,
    ],
    [
      'data of another size',
      () => kl(tf, tf.zeros([11]), model, { data: randomData(2, 1) }),
      /^data must be a law of 3 visible spins/,
    ],
    [
      'no samples',
      () => logRHat(tf, tf.zeros([11]), model, { ...options, samples: 0 }),
      /^samples must be a positive finite number, got 0; give/,
    ],
    [
      'no listener',
      () => logRHatSlowCluster(tf, model, { ...options, onEvents: undefined as never }),
      /^onEvents must be a function .* logRHatSoft/,
    ],
    [
      'a window without width',
      () => logRHatSoft(tf, tf.zeros([11]), model, { ...options, soft: { center: 0.1, eta: 0 } }),
      /^soft\.eta must be a positive finite number/,
    ],
  ])('%s', (_, body, pattern) => {
    const [name, text] = message(body);
    expect([name, text]).toEqual(['InputError', expect.stringMatching(pattern)]);
    expect(text).not.toContain('\n');
  });

  test('where there is no number, an error and never NaN', () => {
    const theta = tf.tensor1d(Float32Array.from(model.theta));
    const own = inFloat32(model);
    // Its own teacher: no signal, or one of the size of rounding.
    const fitted = () => logRHat(tf, theta, own, { ...options, data: teacherLaw(own) });
    expect(message(fitted)).toEqual([
      'UnsupportedError',
      expect.stringMatching(
        /^logRhat is not available: it has no finite value where the model has timescale .* and signal /,
      ),
    ]);
    // A pair that needs longer than double precision tells; and a divergence that float32 cannot hold.
    const pair = ising({ spins: 2, edges: [[0, 1]], couplings: [0], biases: [0, 0] });
    const cold = tf.tensor1d([400, 0, 0]);
    const frozen = () => logEffectiveGap(tf, cold, pair, { data: randomData(2, 1), kernel: 'random-scan' });
    expect(frozen).toThrow(ConvergenceError);
    const far = ising({ spins: 1, edges: [], couplings: [], biases: [0], beta: 1e30 });
    const huge = () => kl(tf, tf.tensor1d([1e10]), far, { data: randomData(1, 2) });
    expect(message(huge)).toEqual([
      'UnsupportedError',
      expect.stringMatching(/^kl is not available: it is \d\.\d+e\+40, which float32 cannot hold/),
    ]);
    // The value fits, the gradient does not.
    const steep = () =>
      tf.grad((x: Tensor) => kl(tf, x, { ...far, beta: 1e42 }, { data: randomData(1, 2) }))(tf.tensor1d([0]));
    expect(message(steep)).toEqual(['UnsupportedError', expect.stringMatching(/^The gradient of kl is not available/)]);
  });

  test('metropolis has values and no gradient, and a kernel that is not reversible no slow cluster', () => {
    const theta = tf.tensor1d(Float32Array.from(model.theta));
    const metropolis = (x: Tensor) => logEffectiveGap(tf, x, model, { data, kernel: 'metropolis' });
    expect(Number.isFinite(metropolis(theta).dataSync()[0])).toBe(true);
    expect(() => tf.grad(metropolis)(theta)).toThrow(/metropolis has kinks/);
    const hardware = logRHatSlowCluster(tf, model, { ...options, kernel: 'alternating-block', onEvents: () => {} });
    expect(() => hardware(theta)).toThrow(ReversibilityError);
  });
});

describe('membership events', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  test('are told at the evaluation after them, and what the listener throws ends it', () => {
    const from = inFloat32(modelOf('random', random(5)));
    const to = withParameters(from, float32(from.theta.map((x) => 3 * x)));
    const data = randomData(from.spins, 4);
    const options = { data, kernel: 'random-scan', samples: SAMPLES } as const;
    const thresholds = { epsilon: 1e-3, kappa: 2.5 };
    const scan = scanModels(from, to, data, { ...options, ...thresholds, rule: 'window', steps: 2, window: 100 });
    const types = scan.events.map(({ type }) => type);
    expect(types).toEqual(['slows-down', 'slows-down']);

    const seen: (readonly StepEvent[])[] = [];
    const cluster = logRHatSlowCluster(tf, from, { ...options, onEvents: (events) => seen.push(events) });
    const [start, end] = [from, to].map(({ theta }) => tf.tensor1d(Float32Array.from(theta)));
    cluster(start);
    cluster(start);
    expect(seen).toEqual([]);
    cluster(end);
    expect(seen.map((events) => events.map(({ type }) => type))).toEqual([types]);
    cluster(end);
    expect(seen).toHaveLength(1);
    tf.grad(cluster)(start);
    expect(seen.map((events) => events.length)).toEqual([2, 2]);
    const strict = logRHatSlowCluster(tf, from, {
      ...options,
      onEvents: () => {
        throw new Error('stop here');
      },
    });
    strict(start);
    expect(() => strict(end)).toThrow('stop here');
  });
});
