/**
 * A hypernetwork inside TensorFlow.js: from a condition u it emits the parameters of an RBM, which learns the law of a teacher at inverse temperature u by KL + lambda (-log R_hat). Everything is
 * trained end to end, so the gradient of htdml flows through the emitted parameters into the network's own, phi. It is checked against central differences: in float64, of the same
 * program written out, and of this program in its float32.
 *
 *   node dist/examples/hypernetwork.js [--quick]
 *
 * With the union package the first three imports are one, `import * as tf from '@tensorflow/tfjs'`.
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // registers the gradients of tfjs-core
import { createRoute, randomSource, rbm, teacherLaw, withParameters, writeModel } from 'htdml';
import { kl, logEffectiveGap, logRhat } from 'htdml/objectives';
import { kl as klOf, logRHat } from 'htdml/tfjs';
import { digits, table } from './support/table.js';

const quick = process.argv.includes('--quick');
const [visible, hidden, steps] = quick ? [3, 2, 150] : [5, 3, 600];
const conditions = [0.6, 1, 1.4];
const kernel = 'alternating-block';
const samples = 1000;
const lambda = 0.01;
const width = 6;

const random = randomSource(1);
const normals = (n: number, size: number) => Array.from({ length: n }, () => size * random.normal());
const teacher = rbm({
  visible,
  hidden,
  weights: normals(visible * hidden, 0.8),
  visibleBiases: normals(visible, 0.2),
  hiddenBiases: normals(hidden, 0.2),
});
/** The student's structure; the network emits its parameters. */
const student = withParameters(teacher, new Float64Array(teacher.theta.length));
const p = student.theta.length;
const laws = conditions.map((u) => teacherLaw({ ...teacher, beta: u }));

// phi: u -> tanh(u w + b) in `width` units -> theta.
const shapes = [[1, width], [width], [width, p], [p]];
const sizes = shapes.map((shape) => shape.reduce((product, n) => product * n, 1));
const start = [normals(sizes[0], 1), normals(sizes[1], 0.5), normals(sizes[2], 0.3), normals(sizes[3], 0.1)];

await tf.setBackend('cpu');
const phi = start.map((values, k) => tf.variable(tf.tensor(values, shapes[k])));

/** `theta = g_phi(u)`. */
function emitted(u: number): tf.Tensor {
  const [w, b, v, c] = phi;
  const layer = tf.tanh(tf.add(tf.mul(u, w), b));
  return tf.reshape(tf.add(tf.matMul(layer as tf.Tensor2D, v as tf.Tensor2D), c), [p]);
}

/** The mean of `KL - lambda log R_hat` over the conditions. */
function loss(weight: number): tf.Scalar {
  const terms = conditions.map((u, k) => {
    const theta = emitted(u);
    const divergence = klOf(tf, theta, student, { data: laws[k] });
    if (weight === 0) return divergence;
    return tf.sub(divergence, tf.mul(weight, logRHat(tf, theta, student, { data: laws[k], kernel, samples })));
  });
  return tf.mean(tf.stack(terms)) as tf.Scalar;
}

// The same in float64 without TensorFlow.js, for central differences that rounding to float32 does not spoil.
const routes = laws.map((data) => createRoute(student, data, { kernel }));
const rHat = logRhat({ samples });

/** Divergence, `log R_hat` and effective gap at parameters. */
function quality(theta: Float64Array, k: number) {
  const { value } = routes[k].evaluate(theta, ['kl', 'timescale', 'signal', 'variance']);
  return {
    kl: kl.evaluate(value)?.value ?? Number.NaN,
    logRhat: rHat.evaluate(value)?.value ?? Number.NaN,
    gap: Math.exp(logEffectiveGap.evaluate(value)?.value ?? Number.NaN),
  };
}

function loss64(flat: ArrayLike<number>): number {
  let offset = 0;
  const [w, b, v, c] = sizes.map((size) => {
    offset += size;
    return Array.from({ length: size }, (_, i) => flat[offset - size + i]);
  });
  const terms = conditions.map((u, k) => {
    const layer = w.map((x, i) => Math.tanh(u * x + b[i]));
    const theta = Float64Array.from(c, (x, a) => layer.reduce((total, y, i) => total + y * v[i * p + a], x));
    const at = quality(theta, k);
    return at.kl - lambda * at.logRhat;
  });
  return sum(terms) / terms.length;
}

/** Fourth-order central difference in a step `h` of what is called with the distance. */
const slope = (f: (distance: number) => number, h: number) => (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h);

/** Reads tensors and disposes of them. */
function read(make: () => readonly tf.Tensor[]): Float64Array {
  let values: number[] = [];
  tf.tidy(() => {
    values = make().flatMap((tensor) => [...tensor.dataSync()]);
  });
  return Float64Array.from(values);
}

function assign(flat: Float64Array) {
  let offset = 0;
  phi.forEach((variable, k) => {
    const part = flat.slice(offset, offset + sizes[k]);
    offset += sizes[k];
    tf.tidy(() => variable.assign(tf.tensor(Float32Array.from(part), shapes[k])));
  });
}

const sum = (x: readonly number[]) => x.reduce((total, value) => total + value, 0);
const largest = (x: ArrayLike<number>) => Array.from(x).reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** The gradient in phi, and how far it is from differences in float64, whose own error is about h^4 = 1e-12 of a fifth derivative: what is left is rounding to float32. */
function gradientCheck(name: string) {
  const here = read(() => phi);
  const gradient = read(() => {
    const { grads } = tf.variableGrads(() => loss(lambda), phi);
    return phi.map((variable) => grads[variable.name]);
  });
  const differences = here.map((_, i) => slope((d) => loss64(here.map((x, j) => (j === i ? x + d : x))), 1e-3));
  const deviation = largest(gradient.map((x, i) => x - differences[i]));
  return { row: [name, largest(differences).toFixed(6), deviation.toExponential(1)], here, gradient };
}

/** The length of a gradient, and the difference along it of this program in float32: `h = eps32^(1/5)` balances rounding, `eps32 / h`, against `h^4`. */
function alongGradient({ here, gradient }: ReturnType<typeof gradientCheck>) {
  const length = Math.hypot(...gradient);
  const along = slope(
    (d) => {
      assign(here.map((x, i) => x + (d * gradient[i]) / length));
      return read(() => [loss(lambda)])[0];
    },
    2 ** (-23 / 5),
  );
  assign(here);
  return [length, along];
}

function train(weight: number) {
  assign(Float64Array.from(start.flat()));
  const optimizer = tf.train.adam(0.02);
  for (let step = 0; step < steps; step++) optimizer.minimize(() => loss(weight), false, phi);
  optimizer.dispose();
  return conditions.map((u) => read(() => [emitted(u)]));
}

const untrained = gradientCheck('at the start');
const [length, along] = alongGradient(untrained);
const plain = train(0);
const aware = train(lambda);
const trained = gradientCheck('after training');

const out = fileURLToPath(new URL('../../examples/out/hypernetwork/', import.meta.url));
mkdirSync(out, { recursive: true });
writeModel(`${out}teacher.json`, teacher);
const rows = conditions.map((u, k) => {
  writeModel(`${out}u-${u}.json`, withParameters(student, aware[k]));
  const [before, after] = [plain, aware].map((thetas) => quality(thetas[k], k));
  return [String(u), ...[before, after].flatMap((q) => [q.kl.toFixed(5), digits(Math.exp(q.logRhat)), digits(q.gap)])];
});
process.stdout.write(`
A network of ${sum(sizes)} parameters emits the ${p} of an RBM ${visible} + ${hidden}; R_hat of ${samples} sweeps of ${kernel}; ${steps} steps of Adam.

${table(['u', 'KL alone', 'R_hat', 'gap', `with lambda ${lambda}: KL`, 'R_hat', 'gap'], rows)}

R_hat is the larger the worse the fit, whose misfit is its signal; the effective gap is what the chain itself gains.

${table(['gradient in phi', 'largest derivative', 'off from differences in float64'], [untrained.row, trained.row])}

its length at the start: ${length.toFixed(6)} by backpropagation, ${along.toFixed(6)} by differences in float32
`);
