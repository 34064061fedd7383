/**
 * The timescale T of models among whose basins hand-made features do not suffice: the bound (6.1) by observables, pairs and level functions, and by two networks that are trained in TensorFlow.js to raise it; on the same
 * samples, beside the exact T.
 *
 *   node dist/examples/neural-features.js [--quick]
 *
 * With the union package the first three imports are one, `import * as tf from '@tensorflow/tfjs'`.
 */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // registers the gradients of tfjs-core
import { createRoute, estimateTrainability, type Model, sampleEquilibrium, teacherLaw } from 'htdml';
import { neuralFeatures } from 'htdml/tfjs';
import { hopfield } from './support/hopfield.js';
import { digits, table } from './support/table.js';

const quick = process.argv.includes('--quick');
const kernel = 'random-scan';

const memory = (patterns: number, field: number, seed: number) =>
  hopfield({ spins: 10, patterns, beta: 2, field, seed });
const cases: [string, Model][] = [
  ['4 patterns, biases 0.1', memory(4, 0.1, 1)],
  ['4 patterns, biases 0.2', memory(4, 0.2, 1)],
  ['5 patterns, biases 0.1', memory(5, 0.1, 8)],
];
await tf.setBackend('cpu');
const rows: string[][] = [];
for (const [name, model] of quick ? cases.slice(0, 1) : cases) {
  const data = teacherLaw(model);
  const { timescale: T = Number.NaN } = createRoute(model, data, { kernel }).evaluate(model.theta, ['timescale']).value;
  const plan = { chains: 24, samples: quick ? 500 : 2500, burnIn: 100_000, apart: 200, seed: 1 };
  const equilibrium = sampleEquilibrium(model, data, plan);
  const functions = neuralFeatures(tf, model, equilibrium.pilot, {
    kernel,
    width: 48,
    features: 16,
    steps: quick ? 100 : 300,
    learningRate: 0.02,
    batch: 64,
    seed: 1,
  });
  const bound = (features: 'observables' | 'levels', trained: typeof functions) =>
    estimateTrainability(model, data, {
      ...plan,
      kernel,
      window: 1,
      gradient: false,
      equilibrium,
      features,
      functions: trained,
    }).timescale;
  for (const [label, { sequence, standardError, verdict }] of [
    ['hand-made', bound('levels', [])],
    ['neural', bound('observables', functions)],
  ] as const) {
    const last = sequence[sequence.length - 1];
    const share = (set: string) => digits((sequence.find((step) => step.name === set)?.timescale ?? Number.NaN) / T, 3);
    const sets = label === 'neural' ? ['neural', 'more neural'] : ['levels', 'fine levels'];
    rows.push([
      name,
      label,
      digits(T, 3),
      share('observables'),
      ...sets.map(share),
      digits(standardError / T, 2),
      String(last.features),
      verdict,
    ]);
  }
}
const header = ['', 'features', 'T [steps]', 'observables / T', 'first / T', 'last / T', '+-', 'functions', 'verdict'];
process.stdout.write(`${table(header, rows)}\n`);
