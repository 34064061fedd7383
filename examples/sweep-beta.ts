/**
 * Cooling a frustrated ring of six under random-scan, taught by itself at beta 1: the timescale T grows all the way, while the signal vanishes at the teacher and
 * grows on both sides, so R_hat of 1,000 sweeps has its minimum there. Prints the derivative in beta too.
 *
 *   node dist/examples/sweep-beta.js
 */
import { createRoute, type Edge, ising, teacherLaw } from 'htdml';
import { logRhat } from 'htdml/objectives';
import { digits, table } from './support/table.js';

const edges: Edge[] = Array.from({ length: 6 }, (_, i) => [i, (i + 1) % 6]);
const base = [1, 1, 1, 1, 1, -0.5, 0.1, 0, 0, 0.2, 0, -0.1];
const model = ising({ spins: 6, edges, couplings: base.slice(0, 6), biases: base.slice(6) });
const data = teacherLaw(model);
const route = createRoute(model, data, { kernel: 'random-scan' });
const objective = logRhat({ samples: 6000 });

// Scaling all parameters is the same as scaling beta.
const rows = [0.25, 0.5, 0.75, 1.25, 1.5, 2, 2.5, 3].map((scale) => {
  const theta = Float64Array.from(base, (value) => scale * value);
  const { value, pullback, info } = route.evaluate(theta, [...objective.quantities, 'variance']);
  const at = objective.evaluate(value);
  if (at === null || !info.converged) throw new Error(`no finite R_hat at scale ${scale}`);
  // d log R_hat / d scale by the chain rule.
  const slope = pullback(at.bar).reduce((sum, g, a) => sum + g * base[a], 0);
  return { scale, slope, cells: [String(scale), digits(Math.exp(at.value)), digits(value.timescale), digits(slope)] };
});
const steepest = rows.reduce((a, b) => (Math.abs(b.slope) > Math.abs(a.slope) ? b : a));
process.stdout.write(`${table(
  ['beta', 'R_hat', 'T [steps]', 'd log R_hat / d beta'],
  rows.map((row) => row.cells),
)}

steepest at beta ${steepest.scale}: ${steepest.slope.toFixed(4)}
`);
