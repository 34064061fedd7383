/**
 * Budgeted design of a small model: the couplings of largest effective gap within a budget of divergence. What the budget alone buys is shown beside it: the same model with all parameters
 * shrunk until it is as far from the data, so the two are compared at equal KL.
 *
 *   node dist/examples/design.js [--quick]
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  createRoute,
  type DesignState,
  design,
  designStart,
  type Edge,
  ising,
  parametrization,
  teacherLaw,
  withParameters,
  writeModel,
} from 'htdml';
import { kl, logEffectiveGap } from 'htdml/objectives';
import { digits, table } from './support/table.js';

const quick = process.argv.includes('--quick');
const spins = 5;
const budget = 0.05;
const edges: Edge[] = Array.from({ length: spins }, (_, i) => [i, (i + 1) % spins]);
// A cold ring that has learnt its own law: fitted perfectly, and slow.
const couplings = [1.2, 0.9, 1.1, 0.8, 1];
const model = ising({ spins, edges, couplings, biases: [0.2, 0, -0.1, 0, 0.1] });
const data = teacherLaw(model);
const route = createRoute(model, data, { kernel: 'random-scan' });

const settings = {
  budget,
  restarts: quick ? 1 : 4,
  steps: quick ? 200 : 400,
  seed: 1,
};
const free = parametrization(model);
const start = designStart(route, logEffectiveGap, kl, settings, free, model.theta);
if (start === null) throw new Error('the model has no finite effective gap');
const run = design(route, logEffectiveGap, kl, settings, free, start);
let evaluations = 0;
let result = run.next();
for (; !result.done; result = run.next()) evaluations++;
const { best }: DesignState = result.value;
if (best === null) throw new Error('no design lies within the bounds');

/** Divergence in nats, and effective gap per step. */
function measure(theta: ArrayLike<number>) {
  const { value } = route.evaluate(Float64Array.from(theta), ['kl', 'timescale', 'variance']);
  return { kl: value.kl ?? Number.NaN, gap: Math.exp(logEffectiveGap.evaluate(value)?.value ?? Number.NaN) };
}

// Bisection for the scale at which the shrunk model is as far from the data as the design.
let [low, high] = [0, 1];
const shrunk = (scale: number) => model.theta.map((x) => scale * x);
while (high - low > 1e-12) {
  const middle = (low + high) / 2;
  if (measure(shrunk(middle)).kl > best.kl) low = middle;
  else high = middle;
}
const designed = withParameters(model, best.theta);
const out = fileURLToPath(new URL('../../examples/out/design/', import.meta.url));
mkdirSync(out, { recursive: true });
writeModel(`${out}designed.json`, designed);
const points = [
  { name: 'before', theta: model.theta },
  { name: `shrunk to ${digits(high, 3)}`, theta: shrunk(high) },
  { name: 'designed', theta: designed.theta },
].map(({ name, theta }) => ({ name, theta, ...measure(theta) }));
process.stdout.write(`
A ring of ${spins} under random-scan, its own teacher; budget ${budget} nats, ${evaluations} evaluations.

${table(
  ['', 'KL [nats]', 'effective gap', ...edges.map(([i, j]) => `J[${i},${j}]`)],
  points.map((p) => [p.name, digits(p.kl), digits(p.gap), ...[...p.theta.slice(0, spins)].map((x) => digits(x, 3))]),
)}

effective gap at equal KL: ${points[2].gap.toFixed(4)} designed, ${points[1].gap.toFixed(4)} shrunk, ${(points[2].gap / points[1].gap).toFixed(3)} x
`);
