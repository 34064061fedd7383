import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { ROOT, scratch } from '../../support/cli.js';

/** A package to install beside the packed htdml, such as `@tensorflow/tfjs@4.22.0`, `@tensorflow/tfjs-node` or `@tensorflow/tfjs-node-gpu`. */
const PACKAGE = process.env.HTDML_TFJS;

// A TensorFlow of a gigabyte is removed in the end.
vi.setConfig({ hookTimeout: 300_000 });
const { path, write } = scratch();

const SNIPPET = (name: string) => `
  import * as tf from '${name}';
  import { createRoute, dataLawFromRows, rbm } from 'htdml';
  import { logRhat } from 'htdml/objectives';
  import { kl, logEffectiveGap, logRHat, logRHatSlowCluster, logRHatSoft, registerRegularizer, trainabilityCallback } from 'htdml/tfjs';

  const parts = { weights: [0.5, -0.25, 0.75, 0.125, -0.5, 1], visibleBiases: [0, 0.125, 0], hiddenBiases: [0.25, 0] };
  const model = rbm({ visible: 3, hidden: 2, ...parts });
  const data = dataLawFromRows([[1, 1, -1], [1, -1, 1], [-1, -1, -1], [1, 1, 1]]);
  const options = { data, kernel: 'random-block', samples: 1000 } as const;
  await tf.ready();
  const theta = tf.tensor1d(Float32Array.from(model.theta));
  const { value, grad } = tf.valueAndGrad((x: tf.Tensor1D) => tf.square(logRHat(tf, x, model, options)))(theta);
  const at = createRoute(model, data, options).evaluate(model.theta, ['timescale', 'signal']);
  const exact = logRhat({ samples: 1000 }).evaluate(at.value);
  const gradient = exact && [...at.pullback(exact.bar)].map((slope) => 2 * exact.value * slope);
  const scalars: tf.Scalar[] = [
    kl(tf, theta, model, { data }),
    logEffectiveGap(tf, theta, model, options),
    logRHatSoft(tf, theta, model, { ...options, soft: { center: 0.3, eta: 0.05 } }),
    logRHatSlowCluster(tf, model, { ...options, onEvents: () => {} })(theta),
  ];
  const HtdmlRegularizer = registerRegularizer(tf);
  const kernelRegularizer = new HtdmlRegularizer({ ...options, model, objective: 'logEffectiveGap', weight: 0.5 });
  const weights = [tf.tensor2d(Float32Array.from(parts.weights), [3, 2])];
  const layer = tf.layers.dense({ inputShape: [3], units: 2, useBias: false, kernelRegularizer, weights });
  const network = tf.sequential({ layers: [layer] });
  network.compile({ optimizer: tf.train.adam(0.05), loss: 'meanSquaredError' });
  const evaluate = { kernel: 'random-block', burnIn: 100, window: 2000, chains: 1, start: 'uniform', epsilon: 1e-3, kappa: 2.5 } as const;
  const gaps: (number | null)[] = [];
  const callbacks = trainabilityCallback({
    model, data, evaluate, watch: 'window', theta: () => layer.getWeights()[0],
    report: ({ evaluation }) => gaps.push(evaluation.predictors.full.effectiveGap),
  });
  const { history } = await network.fit(tf.zeros([4, 3]), tf.zeros([4, 2]), { epochs: 3, verbose: 0, callbacks });
  console.log(JSON.stringify({
    backend: tf.getBackend(),
    value: value.dataSync()[0],
    exact: exact && exact.value ** 2,
    grad: [...grad.dataSync()],
    gradient,
    scalars: scalars.map((scalar) => scalar.dataSync()[0]),
    gaps,
    R: history['R'],
  }));
`;

test.skipIf(PACKAGE === undefined)(
  `packed and installed beside ${PACKAGE}, the adapter type checks and runs`,
  () => {
    const run = (command: string, args: readonly string[], cwd: string) =>
      execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
    const folder = path('.');
    const tarball = run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], ROOT).trim();
    const name = (PACKAGE ?? '').replace(/(?<=.)@[^/]*$/, '');
    write('package.json', '{"private":true,"type":"module"}');
    run('npm', ['install', '--no-audit', '--no-fund', `./${tarball}`, PACKAGE ?? ''], folder);
    const source = write('snippet.ts', SNIPPET(name));
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const strict = ['--strict', '--exactOptionalPropertyTypes', '--module', 'nodenext', '--target', 'es2023'];
    run(process.execPath, [tsc, ...strict, '--skipLibCheck', source], folder);
    const out = run(process.execPath, ['snippet.js'], folder);
    const { backend, value, exact, grad, gradient, scalars, gaps, R } = JSON.parse(out.trim().split('\n').at(-1) ?? '');
    expect(backend).toBe(name.includes('node') ? 'tensorflow' : 'cpu');
    // A square of a rounded number, and a gradient rounded after a product with another rounded one.
    const eps32 = 2 ** -23;
    expect(Math.abs(value / exact - 1)).toBeLessThan(2 * eps32);
    grad.forEach((x: number, a: number) => expect(Math.abs(x / gradient[a] - 1)).toBeLessThan(2 * eps32));
    expect(scalars).toHaveLength(4);
    expect(scalars.every(Number.isFinite)).toBe(true);
    expect(gaps).toHaveLength(4);
    expect(gaps.at(-1)).toBeGreaterThan(gaps[0]);
    expect(R).toHaveLength(3);
  },
  600_000,
);
