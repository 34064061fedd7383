/**
 * The gradient of log R_hat in the parameters of an RBM, three ways: on a table of all states, factored over the layers, and by central differences.
 * The rules need no eigenvectors: one solve per observable gives the value and all derivatives.
 *
 *   node dist/examples/differentiate.js [--quick]
 */
import { createRoute, parameterName, type Route, randomSource, rbm, teacherLaw } from 'htdml';
import { logRhat } from 'htdml/objectives';
import { digits, table } from './support/table.js';

// The quick form has 2^5 states instead of 2^9.
const [visible, hidden] = process.argv.includes('--quick') ? [3, 2] : [6, 3];
const machine = (seed: number) => {
  const random = randomSource(seed);
  const normals = (n: number, size: number) => Array.from({ length: n }, () => size * random.normal());
  return rbm({
    visible,
    hidden,
    weights: normals(visible * hidden, 0.6),
    visibleBiases: normals(visible, 0.2),
    hiddenBiases: normals(hidden, 0.2),
  });
};
const model = machine(1);
const data = teacherLaw(machine(2));
const kernel = 'alternating-block';
const objective = logRhat({ samples: 1000 });

/** The objective and its gradient at a parameter vector. */
function at(route: Route, theta: Float64Array) {
  const { value, pullback, info } = route.evaluate(theta, objective.quantities);
  const result = objective.evaluate(value);
  if (result === null || !info.converged) throw new Error('log R_hat has no finite value here');
  return { value: result.value, gradient: () => pullback(result.bar) };
}

const [onTable, factored] = (['table', 'factored'] as const).map((route) =>
  createRoute(model, data, { kernel, route }),
);
const here = at(factored, model.theta);
const gradient = here.gradient();
const other = at(onTable, model.theta).gradient();
const h = 1e-3;
const differences = model.theta.map((_, a) => {
  const value = (steps: number) =>
    at(
      factored,
      model.theta.map((x, b) => (b === a ? x + steps * h : x)),
    ).value;
  return (8 * (value(1) - value(-1)) - (value(2) - value(-2))) / (12 * h);
});

const largest = (x: Float64Array) => x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const apart = (x: Float64Array) => largest(x.map((value, a) => value - gradient[a])) / largest(gradient);
process.stdout.write(`
RBM ${visible} + ${hidden} under ${kernel}: R_hat of 1,000 sweeps is ${digits(Math.exp(here.value))}

${table(
  ['parameter', 'value', 'd log R_hat', 'on the table', 'differences'],
  [...model.theta].map((value, a) => [
    parameterName(model, a),
    digits(value),
    ...[gradient, other, differences].map((g) => g[a].toFixed(8)),
  ]),
)}

largest derivative: ${largest(gradient).toFixed(8)}
relative to it, the table is off by ${apart(other).toExponential(0)} and the differences by ${apart(differences).toExponential(0)}
`);
