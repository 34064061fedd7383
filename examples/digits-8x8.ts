/**
 * Beyond enumeration: an RBM 64 + 32 on the 8 x 8 digits. It is trained on a sampled likelihood, its `R_hat` is estimated from equilibrium samples, its couplings are designed for a larger effective gap within a
 * budget of divergence, and long independent chains measure `R` and the decorrelation of both models, which no estimate has seen.
 *
 *   node dist/examples/digits-8x8.js [--quick]
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  annealedLogRatio,
  dataFreeEnergy,
  designSampled,
  EstimatedRoute,
  estimateSnr,
  estimateTrainability,
  type Model,
  measureTimescales,
  parametrization,
  sampledDesignStart,
  sampledTrainStart,
  sampleEquilibrium,
  sampleMoments,
  trainSampled,
  withParameters,
  writeModel,
} from 'htdml';
import { kl, l2, logEffectiveGap, persistentChains } from 'htdml/objectives';
import { binaryDigits, freshRbm } from './support/digits.js';
import { stages } from './support/progress.js';
import { digits, table } from './support/table.js';

const quick = process.argv.includes('--quick');
const kernel = 'random-block';
const seed = 1;
const budget = 0.5;
const out = fileURLToPath(new URL('../../examples/out/digits-8x8/', import.meta.url));
mkdirSync(out, { recursive: true });
const stage = stages(quick ? 16 : 330);

const data = binaryDigits();
const fresh = freshRbm(64, 32, seed);
stage(quick ? 3 : 30, 'training on persistent chains');
const trained = last(
  trainSampled(
    fresh,
    data,
    persistentChains({ kernel: 'alternating-block', window: 1, chains: 64 }),
    { steps: quick ? 10 : 600, learningRate: 0.01, penalties: [{ objective: l2, weight: 0.002 }] },
    sampledTrainStart(fresh.theta, seed),
  ),
);
const start = withParameters(fresh, trained.theta);

stage(quick ? 5 : 150, `design within ${budget} nats`);
const plan = quick
  ? { chains: 12, samples: 10, burnIn: 50, apart: 2 }
  : { chains: 24, samples: 60, burnIn: 400, apart: 5 };
const space = parametrization(start, {});
const designed = last(
  designSampled(
    new EstimatedRoute(start, data, { ...plan, kernel, seed, probes: 16 }),
    logEffectiveGap,
    kl,
    { budget, steps: quick ? 2 : 60, learningRate: 0.003 },
    space,
    sampledDesignStart(space, start.theta),
  ),
);
const result = withParameters(start, space.theta(Float64Array.from(designed.average)));

const window = 2000;
const models = [
  ['trained', start],
  ['designed', result],
] as const;
const long = quick
  ? { chains: 12, samples: 20, burnIn: 100, apart: 2, seed: 101 }
  : { chains: 32, samples: 400, burnIn: 2000, apart: 10, seed: 101 };
const found = models.map(([name, model]) => {
  writeModel(`${out}${name}.json`, model);
  stage(quick ? 2 : 40, `estimating ${name}`);
  const estimate = estimateTrainability(model, data, {
    ...long,
    kernel,
    window,
    gradient: false,
    features: quick ? 'observables' : 'levels',
  });
  stage(quick ? 1 : 30, `measuring ${name}`);
  return { name, estimate, ...measured(model) };
});
const divergence = excess(start, result);

const pm = (value: number | null, error: number | null) =>
  value === null ? '-' : `${digits(value)} +- ${digits(error ?? Number.NaN, 2)}`;
process.stdout.write(`
UCI digits at 8 x 8 binary pixels: ${data.probabilities.length} patterns; RBM 64 + 32 under ${kernel}, ${start.theta.length} parameters, window ${window} steps.
The design may cost ${budget} nats; by annealed importance sampling it costs ${pm(divergence.value, divergence.standardError)}.

${table(
  [
    'model',
    'T, estimated from below',
    'T, measured',
    'R_hat, estimated',
    'R, measured',
    'tau_max, at least',
    'tau_max, measured',
    'verdict',
  ],
  found.map(({ name, estimate: e, snr, times }) => [
    name,
    pm(e.timescale.timescale, e.timescale.standardError),
    pm(times.T, times.standardError),
    e.Rhat === null ? '-' : pm(e.Rhat.value, e.Rhat.standardError),
    pm(snr.R, snr.standardError),
    digits(e.timescale.tauMax),
    digits(times.slowestObservable?.integratedTime ?? Number.NaN),
    `${e.timescale.verdict} / ${times.verdict}`,
  ]),
)}

Designed over trained: T ${ratio((f) => f.estimate.timescale.timescale)} predicted, ${ratio((f) => f.times.T)} measured; R ${ratio((f) => f.estimate.Rhat?.value ?? Number.NaN)} predicted, ${ratio((f) => f.snr.R ?? Number.NaN)} measured.
${found
  .flatMap(({ name, estimate, times }) => [
    ...estimate.timescale.missing.map((reason) => `${name}, estimate: ${reason}\n`),
    ...times.missing.map((reason) => `${name}, measurement: ${reason}\n`),
  ])
  .join('')}`);

function ratio(of: (one: (typeof found)[number]) => number): string {
  return digits(of(found[1]) / of(found[0]));
}

/** `R` from repetitions and times by Sokal's window, from chains of their own. */
function measured(model: Model) {
  const chains = quick ? 4 : 8;
  const samples = sampleEquilibrium(model, data, { ...long, chains: quick ? 12 : 48, seed: 202 });
  const snr = estimateSnr(
    model,
    data,
    { kernel, start: 'data', burnIn: quick ? 200 : 4000, window, chains: 1, repetitions: quick ? 10 : 100, seed: 303 },
    sampleMoments(model, samples.chains),
  );
  const times = measureTimescales(model, data, {
    kernel,
    start: 'data',
    burnIn: quick ? 200 : 4000,
    window: quick ? 500 : 20_000,
    chains,
    seed: 404,
  });
  return { snr, times };
}

/** `KL(b) - KL(a)` from samples that the design has not seen. */
function excess(a: Model, b: Model) {
  const samples = sampleEquilibrium(a, data, { ...long, samples: 4, chains: quick ? 24 : 256, apart: 50, seed: 505 });
  const starts = samples.chains.map(({ words }) => words.slice(0, 3));
  const ratioOf = annealedLogRatio(
    a,
    b,
    { spins: a.spins, count: starts.length, words: Uint32Array.from(starts.flatMap((row) => [...row])) },
    { rungs: quick ? 20 : 400, seed: 606 },
  );
  const [before, after] = [a, b].map((model) => dataFreeEnergy(model, data) ?? Number.NaN);
  return { value: after - before + ratioOf.value, standardError: ratioOf.standardError };
}

/** What a generator returns; its steps are said on standard error now and then. */
function last<S>(steps: Generator<unknown, S>): S {
  for (;;) {
    const next = steps.next();
    if (next.done) return next.value;
  }
}
