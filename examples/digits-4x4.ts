/**
 * The factored route at size: a 16 + 4 RBM, 2^20 joint states, trained by exact likelihood on digits of 4 x 4 binary pixels and then designed
 * within 0.05 nats. No table of joint states is formed: every solve is on the 16 states of the hidden layer.
 *
 *   node dist/examples/digits-4x4.js [--quick]
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createRoute, evaluateModel, measureSnr, withParameters, writeModel } from 'htdml';
import { bestWithin, designArm, trainArm } from './support/arms.js';
import { coarseDigits, freshRbm } from './support/digits.js';
import { stages } from './support/progress.js';
import { digits, MODEL_COLUMNS, modelRow, table } from './support/table.js';

const quick = process.argv.includes('--quick');
const [visible, hidden, seed, kernel] = [16, 4, 1, 'random-block'] as const;
const steps = quick ? 60 : 600;
const budget = 0.05;
const out = fileURLToPath(new URL('../../examples/out/digits-4x4/', import.meta.url));
mkdirSync(out, { recursive: true });

const data = coarseDigits(4);
const model = freshRbm(visible, hidden, seed);
const route = createRoute(model, data, { kernel });
const stage = stages(quick ? 12 : 70);
stage(quick ? 3 : 25, 'training');
const trained = trainArm(route, model, { steps, weightDecay: 0 }, 10);

stage(1, 'one value and gradient');
const began = performance.now();
const at = route.evaluate(trained.theta, ['timescale', 'variance', 'kl']);
const gradient = at.pullback({ timescale: 1, variance: 1, kl: 1 });
const seconds = (performance.now() - began) / 1000;
const [slope, difference] = alongGradient(gradient);

stage(quick ? 7 : 40, `design within ${budget} nats`);
const limits = { budget, restarts: 1, steps: quick ? 20 : 150, seed };
const designed = designArm(route, model, trained.theta, limits);

stage(1, 'evaluating and sampling');
const estimator = { kernel, burnIn: 0, window: 2000, chains: 1, start: 'stationary' } as const;
const rows = [
  { name: 'trained', theta: trained.theta },
  { name: `designed +${budget}`, theta: designed },
].map(({ name, theta }) => {
  const here = withParameters(model, theta);
  writeModel(`${out}${name.replace(' +', '-')}.json`, here);
  const e = evaluateModel(here, data, { ...estimator, epsilon: 1e-3, kappa: 2.5, gradient: false });
  const measured = measureSnr(here, data, { ...estimator, repetitions: quick ? 10 : 50, seed });
  return {
    kl: e.kl,
    cells: modelRow(name, e, measured),
  };
});
const baseline = bestWithin(trained.path, rows[1].kl);
process.stdout.write(`
UCI digits at 4 x 4 binary pixels: ${data.patterns.length} patterns; RBM 16 + 4 under random-block on the factored route.
T, mu and KL with their gradients in ${model.theta.length} parameters: ${seconds.toFixed(2)} s. Derivative of their sum along its gradient:
${slope.toPrecision(12)} by the factored rule, ${difference.toPrecision(12)} by central differences.

${table(
  MODEL_COLUMNS,
  rows.map((row) => row.cells),
)}

Best early stopping of the same run at most at the design's KL: effective gap ${digits(baseline?.effectiveGap)}. Written to ${out}
`);

/** The derivative of `T + mu + KL` along the unit gradient, from the gradient and from fourth-order central differences. */
function alongGradient(direction: Float64Array): [number, number] {
  const norm = Math.sqrt(direction.reduce((sum, g) => sum + g * g, 0));
  const h = 1e-3;
  const value = (step: number) => {
    const moved = trained.theta.map((t, a) => t + (step * direction[a]) / norm);
    const { timescale = 0, variance = 0, kl = 0 } = route.evaluate(moved, ['timescale', 'variance', 'kl']).value;
    return timescale + variance + kl;
  };
  return [norm, (8 * (value(h) - value(-h)) - (value(2 * h) - value(-2 * h))) / (12 * h)];
}
