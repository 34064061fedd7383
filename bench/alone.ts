/** One evaluation in a process of its own, so that its peak memory is its own: `node alone.js JSON`, answered by a line of JSON. */
import { createRoute, randomSource, rbm, teacherLaw } from 'htdml';
import { logRhat } from 'htdml/objectives';
import { glass } from './gradient.js';

/** What to evaluate: a fully connected model, or an RBM with biases under `random-block`; with probes or exactly. */
export interface Task {
  readonly spins?: number;
  readonly layers?: readonly [number, number];
  readonly probes?: number;
}

/** How it went. */
export interface Outcome {
  readonly seconds: number;
  readonly peakBytes: number;
  readonly converged: boolean;
  readonly observables: number;
  readonly timescale: number;
  readonly standardError: number | null;
}

function machine([visible, hidden]: readonly [number, number]) {
  const random = randomSource(7);
  const normals = (count: number, scale: number) => Array.from({ length: count }, () => scale * random.normal());
  return rbm({
    visible,
    hidden,
    weights: normals(visible * hidden, 0.3),
    visibleBiases: normals(visible, 0.1),
    hiddenBiases: normals(hidden, 0.1),
  });
}

function run({ spins = 8, layers, probes }: Task): Outcome {
  const model = layers ? machine(layers) : glass(spins);
  const route = createRoute(model, teacherLaw(layers ? machine(layers) : glass(spins, 1000 + spins)), {
    kernel: layers ? 'random-block' : 'random-scan',
    probes: probes === undefined ? undefined : { count: probes, random: randomSource(1) },
  });
  const objective = logRhat({ samples: 2 });
  const theta = layers ? model.theta.map((value) => 0.9 * value) : model.theta;
  const began = performance.now();
  const evaluation = route.evaluate(theta, objective.quantities);
  const at = objective.evaluate(evaluation.value);
  if (at === null) throw new Error('no value');
  evaluation.pullback(at.bar);
  return {
    seconds: (performance.now() - began) / 1000,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    converged: evaluation.info.converged,
    observables: model.theta.length,
    timescale: evaluation.value.timescale ?? Number.NaN,
    standardError: evaluation.info.probes?.timescale ?? null,
  };
}

process.stdout.write(`${JSON.stringify(run(JSON.parse(process.argv[2])))}\n`);
