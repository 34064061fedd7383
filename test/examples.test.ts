import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  annealedLogRatio,
  createRoute,
  dataFreeEnergy,
  dataLawFromRows,
  type Edge,
  ising,
  type KernelName,
  type Model,
  randomSource,
  rbm,
  readData,
  readLayer,
  readModel,
  sampleEquilibrium,
  teacherLaw,
} from 'htdml';
import { expect, test, vi } from 'vitest';
import { drawnImages } from '../examples/dtm-layer/images.js';
import { hopfield } from '../examples/support/hopfield.js';
import {
  dot,
  fullSpace,
  inner,
  jointLaw,
  matrixOf,
  poisson,
  type Vector,
  weightedGaps,
} from './support/brute-force.js';
import { htdml, ROOT, startNode } from './support/cli.js';

const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
// The examples take 30 s together on two free cores.
vi.setConfig({ testTimeout: 300_000 });

const out = (...parts: readonly string[]) => join(ROOT, 'examples', 'out', ...parts);

/** The numbers in the first match of a pattern in what an example prints in its quick form. */
async function printed(example: string, pattern: RegExp): Promise<number[]> {
  const { code, stdout, stderr } = await startNode([`dist/examples/${example}.js`, '--quick']).finished;
  expect(code, stderr).toBe(0);
  const found = stdout.match(pattern);
  expect(found, `${pattern} in\n${stdout}`).not.toBeNull();
  return (found ?? []).slice(1).map(Number);
}

/** `|g|^2`, `T`, `mu` and KL from sums and a dense solve over all states. */
function byBruteForce(model: Model, data: ReturnType<typeof teacherLaw>, kernel: KernelName) {
  const full = fullSpace(model);
  const { joint, visible } = jointLaw(full, data);
  const p = matrixOf(full, kernel);
  const variance = sum(full.centred.map((f) => inner(full.pi, f, f)));
  const timescale = sum(full.centred.map((f) => inner(full.pi, f, poisson(p, full.pi, f)))) - variance / 2;
  const signal = sum(full.observables.map((f) => (dot(joint, f) - dot(full.pi, f)) ** 2));
  const kl = sum([...data.probabilities].map((d, k) => d * Math.log(d / visible[data.patterns[k]])));
  return { signal, variance, timescale, kl, gap: variance / (timescale + variance / 2) };
}

/** `E_pi[f | spins outside the block]`, by sums over each setting of those. */
function expectation(pi: Vector, block: readonly number[]): (f: Vector) => Vector {
  const inside = block.reduce((mask, i) => mask | (1 << i), 0);
  return (f) => {
    const [mass, total] = [new Float64Array(f.length), new Float64Array(f.length)];
    f.forEach((value, s) => {
      mass[s & ~inside] += pi[s];
      total[s & ~inside] += pi[s] * value;
    });
    return f.map((_, s) => total[s & ~inside] / mass[s & ~inside]);
  };
}

/** Fourth-order central difference; at these steps its own error is below 1e-8 of functions as smooth as these. */
const slope = (f: (h: number) => number, h: number) => (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h);

/** The digits at 3 x 3 binary pixels: means of 2 x 2 of the middle 6 x 6, from 8 of 16 on. */
function coarseDigits() {
  const images = readFileSync(join(ROOT, 'examples', 'data', 'digits.csv'), 'utf8')
    .trim()
    .split('\n');
  return dataLawFromRows(
    images.map((line) => {
      const pixel = (y: number, x: number) => Number(line.split(',')[8 * y + x]);
      const cell = (y: number, x: number) => pixel(y, x) + pixel(y, x + 1) + pixel(y + 1, x) + pixel(y + 1, x + 1);
      return [1, 3, 5].flatMap((y) => [1, 3, 5].map((x) => (cell(y, x) >= 32 ? 1 : -1)));
    }),
  );
}

/** `log sum_h exp(-E(v, h))` of a 9 + 6 RBM at beta 1, for every `v`. */
function freeEnergies(theta: ArrayLike<number>): number[] {
  return Array.from({ length: 2 ** 9 }, (_, s) => {
    const v = Array.from({ length: 9 }, (_, i) => 2 * ((s >> i) & 1) - 1);
    const fields = Array.from({ length: 6 }, (_, j) => theta[63 + j] + sum(v.map((x, i) => x * theta[6 * i + j])));
    return sum(v.map((x, i) => x * theta[54 + i])) + sum(fields.map((field) => Math.log(2 * Math.cosh(field))));
  });
}

// The library's arithmetic is double precision and its random numbers are its own, so an exact figure prints the same everywhere: a pin may be off by half a unit of its last
// digit, and so may what it is verified by. Figures behind an optimiser are looser, as said beside them.

test.concurrent('compare-kernels: the exact R of the hardware scan, against correlations step by step', async () => {
  const [R] = await printed('compare-kernels', /alternating-block, R = (\d+\.\d+)/);
  expect(R).toBe(3.6171);
  const edges: Edge[] = Array.from({ length: 9 }, (_, i): Edge[] => [
    ...(i % 3 < 2 ? [[i, i + 1] as const] : []),
    ...(i < 6 ? [[i, i + 3] as const] : []),
  ]).flat();
  const biases = Array.from({ length: 9 }, (_, i) => 0.05 * (i % 3));
  const lattice = (beta: number) => ising({ spins: 9, edges, beta, couplings: Array(12).fill(1), biases });
  const full = fullSpace(lattice(0.5));
  const { joint } = jointLaw(full, teacherLaw(lattice(0.4)));
  const [first, second] = full.model.blocks.map((block) => expectation(full.pi, block));
  const window = 1000;
  let error = 0;
  let moved = [...full.centred];
  // What is left when functions of size 1 have fallen below 1e-9 is below 1e-6 of the sum.
  for (let d = 0; moved.some((f) => f.some((x) => Math.abs(x) > 1e-9)); d++) {
    const covariance = sum(moved.map((f, a) => inner(full.pi, full.centred[a], f)));
    error += ((d === 0 ? 1 : 2) * (window - d) * covariance) / window ** 2;
    moved = moved.map((f) => first(second(f)));
  }
  const signal = sum(full.observables.map((f) => (dot(joint, f) - dot(full.pi, f)) ** 2));
  expect(Math.abs(signal / error - 3.6171)).toBeLessThan(5e-5);
});

test.concurrent('sweep-beta: where R_hat falls fastest, against differences of a dense solve', async () => {
  const [steepest] = await printed('sweep-beta', /steepest at beta 0\.75: (-\d+\.\d+)/);
  expect(steepest).toBe(-11.4197);
  const edges: Edge[] = Array.from({ length: 6 }, (_, i) => [i, (i + 1) % 6]);
  const at = (beta: number) =>
    ising({ spins: 6, edges, beta, couplings: [1, 1, 1, 1, 1, -0.5], biases: [0.1, 0, 0, 0.2, 0, -0.1] });
  const data = teacherLaw(at(1));
  const logRhat = (h: number) => {
    const { signal, timescale } = byBruteForce(at(0.75 + h), data, 'random-scan');
    return Math.log(signal / timescale);
  };
  expect(Math.abs(slope(logRhat, 1e-3) - -11.4197)).toBeLessThan(5e-5);
});

test.concurrent('evaluate: the exact R, against the closed form (D10) on modes of another eigensolver', async () => {
  const [R, low, high] = await printed('evaluate', /R = (\d+\.\d+), exact; .* from (\d\.\d+) to (\d\.\d+)/);
  expect(R).toBe(11.7646);
  const model = readModel(out('evaluate', 'model.json'));
  const { signal, timescale } = byBruteForce(model, readData(out('evaluate', 'samples.csv')), 'random-scan');
  const full = fullSpace(model);
  const modes = weightedGaps(full, matrixOf(full, 'random-scan'));
  const window = 20_000;
  const rest = sum(modes.map(({ gap, weight }) => (weight * (1 - gap) * (1 - (1 - gap) ** window)) / gap ** 2));
  // The 2,000 steps discarded are 19 relaxation times: what is left of the start is exp(-19).
  const exact = signal / ((2 / window) * (timescale - rest / window));
  expect(Math.abs(exact - 11.7646)).toBeLessThan(5e-5);
  const ratio = exact / ((window / 2) * (signal / timescale));
  expect(ratio).toBeGreaterThan(low - 5e-5);
  expect(ratio).toBeLessThan(high + 5e-5);
});

test.concurrent('differentiate: the largest derivative, against differences of a dense solve', async () => {
  const [largest] = await printed('differentiate', /largest derivative: (\d+\.\d+)/);
  expect(largest).toBe(3.71849231);
  const machine = (seed: number) => {
    const random = randomSource(seed);
    const normals = (n: number, size: number) => Array.from({ length: n }, () => size * random.normal());
    return { weights: normals(6, 0.6), visibleBiases: normals(3, 0.2), hiddenBiases: normals(2, 0.2) };
  };
  const [parts, teacher] = [machine(1), machine(2)];
  const data = teacherLaw(rbm({ visible: 3, hidden: 2, ...teacher }));
  const logRhat = (h: number) => {
    const [a, b, c] = parts.visibleBiases;
    const model = rbm({ visible: 3, hidden: 2, ...parts, visibleBiases: [a, b, c + h] });
    const { signal, timescale } = byBruteForce(model, data, 'alternating-block');
    return Math.log(signal / timescale);
  };
  // Eight digits of a derivative of size 4: the difference's own error is the larger part.
  expect(Math.abs(slope(logRhat, 1e-3) - 3.71849231)).toBeLessThan(2e-8);
});

test.concurrent('design: the gain at equal KL, and the designed model against sums and a dense solve', async () => {
  const [gap, shrunk, gain] = await printed('design', /KL: (\d\.\d+) designed, (\d\.\d+) shrunk, (\d\.\d+) x/);
  // A run ends where objective and divergence change by less than 1e-5, so the gain is known to a few of those.
  expect(Math.abs(gain - 1.038)).toBeLessThan(1.1e-3);
  expect(Math.abs(gap / shrunk - gain)).toBeLessThan(1e-4 / shrunk);
  const ring: Edge[] = Array.from({ length: 5 }, (_, i) => [i, (i + 1) % 5]);
  const teacher = { spins: 5, edges: ring, couplings: [1.2, 0.9, 1.1, 0.8, 1], biases: [0.2, 0, -0.1, 0, 0.1] };
  const data = teacherLaw(ising(teacher));
  const exact = byBruteForce(readModel(out('design', 'designed.json')), data, 'random-scan');
  expect(Math.abs(exact.gap - gap)).toBeLessThan(5e-5);
  expect(exact.kl).toBeLessThan(0.05 + 1e-12);
  expect(exact.kl).toBeGreaterThan(0.05 - 1e-4);
});

test.concurrent('digits-3x3: the gain over the best baseline, its gap against modes and its KL against free energies', async () => {
  const [kl, decay, gap, gain] = await printed(
    'digits-3x3',
    /seed 1, \+0\.02 +(\d\.\d+) +\d\.\d+ +(\d\.\d+) +\S+ +(\d\.\d+) +(\d\.\d+) x/,
  );
  // Training and design are deterministic. Where another libm rounds differently, the optimum moves by no more than the tolerance of 1e-4 to which it is sought.
  expect(Math.abs(gain - 1.113)).toBeLessThan(1.1e-3);
  expect(Math.abs(gap / decay - gain)).toBeLessThan(1e-3);
  const model = readModel(out('digits-3x3-quick', 'seed-1-designed-0.02.json'));
  const data = coarseDigits();
  const route = createRoute(model, data, { kernel: 'random-block' });
  const groups = route.relaxation(model.theta).groups ?? [];
  const mass = sum(groups.map(({ weight }) => weight));
  expect(Math.abs(mass / sum(groups.map(({ weight, gap: g }) => weight / g)) - gap)).toBeLessThan(5e-5);
  const logZ = freeEnergies(model.theta);
  const all = Math.log(sum(logZ.map((x) => Math.exp(x - logZ[0])))) + logZ[0];
  const divergence = sum([...data.probabilities].map((d, k) => d * (Math.log(d) - logZ[data.patterns[k]] + all)));
  expect(Math.abs(divergence - kl)).toBeLessThan(5e-5);
});

test.concurrent('digits-4x4: a derivative of the factored route at 2^20 joint states, against central differences', async () => {
  const [rule, differences] = await printed(
    'digits-4x4',
    /(\d+\.\d+) by the factored rule, (\d+\.\d+) by central differences/,
  );
  // Of the differences, 1e-11 is rounding of T over the step; of the pin, what sixty steps of Adam may make of another libm's last bit.
  expect(Math.abs(rule / differences - 1)).toBeLessThan(1e-9);
  expect(Math.abs(rule / 45.43216938 - 1)).toBeLessThan(1e-7);
});

test.concurrent('digits-8x8: what the design costs, against annealed importance sampling the other way round', async () => {
  const [cost, error] = await printed('digits-8x8', /it costs (-?\d[\d.e-]*) \+- (\d[\d.e-]*)\./);
  const [trained, designed] = ['trained', 'designed'].map((name) => readModel(out('digits-8x8', `${name}.json`)));
  const rows = readFileSync(join(ROOT, 'examples', 'data', 'digits.csv'), 'utf8')
    .trim()
    .split('\n');
  const data = dataLawFromRows(rows.map((line) => line.split(',', 64).map((value) => (Number(value) >= 8 ? 1 : -1))));
  const { chains } = sampleEquilibrium(designed, data, { chains: 64, samples: 1, burnIn: 300, apart: 1, seed: 9 });
  const words = Uint32Array.from(chains.flatMap((one) => [...one.words]));
  const back = annealedLogRatio(designed, trained, { spins: 96, count: 64, words }, { rungs: 40, seed: 10 });
  const [before, after] = [trained, designed].map((model) => dataFreeEnergy(model, data) ?? Number.NaN);
  expect(Math.abs(after - before - back.value - cost)).toBeLessThan(5 * Math.hypot(error, back.standardError));
});

test.concurrent('training-comparison: the divergences against free energies, equal budgets, and a run that was cut off', async () => {
  const [median] = await printed('training-comparison/run', /UCI digits[\s\S]*?\| plain \| 0\.\d+ \| (\d\.\d+) /);
  const file = out('training-comparison', 'quick-digits.jsonl');
  const text = readFileSync(file, 'utf8');
  const runs = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  // Five arms and two seeds; the two that are led by R_hat also with half of the budget.
  expect(runs.map(({ spent }) => spent)).toEqual([...Array(10).fill(8000), ...Array(4).fill(4000)]);
  const data = coarseDigits();
  for (const { kl, theta, path } of runs) {
    const logZ = freeEnergies(theta);
    const all = Math.log(sum(logZ.map((x) => Math.exp(x - logZ[0])))) + logZ[0];
    const divergence = sum([...data.probabilities].map((d, k) => d * (Math.log(d) - logZ[data.patterns[k]] + all)));
    expect(Math.abs(divergence / kl - 1)).toBeLessThan(1e-10);
    expect(path.at(-1).kl).toBe(kl);
  }
  expect(Math.abs(sum(runs.slice(0, 2).map(({ kl }) => kl / 2)) - median)).toBeLessThan(5e-3);
  // What is left of a process that died in the middle of its sixth line gives the same file.
  const lines = text.split('\n');
  writeFileSync(file, [...lines.slice(0, 5), lines[5].slice(0, 40)].join('\n'));
  const args = ['dist/examples/training-comparison/run.js', '--quick', '--resume'];
  const { code, stderr } = await startNode(args).finished;
  expect(code, stderr).toBe(0);
  expect(stderr).toContain('[8/9');
  expect(readFileSync(file, 'utf8')).toBe(text);
});

test.concurrent('pareto: gap and KL of its points by the table of all states, and its frontier by comparing all pairs', async () => {
  const spec = join('examples', 'pareto.json');
  const folder = out('pareto');
  const { code, stdout, stderr } = await htdml(['pareto', spec, '--out', folder, '--force']);
  expect([code, stderr]).toEqual([0, '']);
  const { results } = JSON.parse(readFileSync(join(folder, 'record.json'), 'utf8'));
  const data = readData(join(ROOT, 'examples', 'data', 'digits-3x3.csv'));
  expect(data).toEqual(coarseDigits());
  const sizes = { visible: 9, hidden: 4, weights: Array(36).fill(0) };
  const model = rbm({ ...sizes, visibleBiases: Array(9).fill(0), hiddenBiases: Array(4).fill(0) });
  const route = createRoute(model, data, { kernel: 'random-block', route: 'table' });
  type Point = { seed: number; arm: string; kl: number; effectiveGap: number; dominated: boolean; theta: number[] };
  const points: Point[] = results.points;
  expect(results.missing).toEqual([]);
  expect(points.length).toBe(2 * (41 + 16));
  for (const { kl, effectiveGap, theta } of points.filter((_, k) => k % 19 === 0)) {
    const { value } = route.evaluate(Float64Array.from(theta), ['kl', 'timescale', 'variance']);
    const { variance = 0, timescale = 0 } = value;
    expect(Math.abs((value.kl ?? 0) - kl)).toBeLessThan(1e-11);
    expect(Math.abs(variance / (timescale + variance / 2) / effectiveGap - 1)).toBeLessThan(1e-9);
  }
  for (const one of points) {
    const better = points.some(
      (two) =>
        two.seed === one.seed &&
        two.kl <= one.kl &&
        two.effectiveGap >= one.effectiveGap &&
        (two.kl < one.kl || two.effectiveGap > one.effectiveGap),
    );
    expect(better).toBe(one.dominated);
  }
  // Within the divergences of the arms, designs are better than weight decay. The medians have two digits that do not hang on the last bits of an optimiser.
  const median = (arm: string) => Number(stdout.match(new RegExp(`${arm} +\\d+ +\\d+ +(\\d\\.\\d+)`))?.[1]);
  expect(median('design logEffectiveGap')).toBeGreaterThan(median('weight decay'));
});

test.concurrent('hypernetwork: the gradient through TensorFlow.js against differences, and an emitted model against sums and a dense solve', async () => {
  const [kl, Rhat, gap, start, off, offTrained, length, along] = await printed(
    'hypernetwork',
    /^1 .* (\S+) +(\S+) +(\S+)$[\s\S]*at the start +(\S+) +(\S+)\nafter training +\S+ +(\S+)\n[\s\S]*: (\S+) by backpropagation, (\S+) by/m,
  );
  // A derivative passes through sums of six terms and of three conditions, each rounded to eps32 / 2 of what it adds up, which is of the size of the derivatives at the start.
  const eps32 = 2 ** -23;
  expect(off).toBeLessThan(8 * eps32 * start);
  expect(offTrained).toBeLessThan(8 * eps32 * start);
  // With h = eps32^(1/5) rounding of a loss of size 1 and h^4 of its fifth derivative are both eps32^(4/5).
  expect(Math.abs(along - length)).toBeLessThan(8 * eps32 ** 0.8);
  const data = teacherLaw(readModel(out('hypernetwork', 'teacher.json')));
  const exact = byBruteForce(readModel(out('hypernetwork', 'u-1.json')), data, 'alternating-block');
  expect(Math.abs(exact.kl - kl)).toBeLessThan(5.1e-6);
  expect(Math.abs((500 * exact.signal) / exact.timescale / Rhat - 1)).toBeLessThan(5.1e-4);
  expect(Math.abs(exact.gap / gap - 1)).toBeLessThan(5.1e-4);
});

test.concurrent('dtm-layer: T and signal of independent spins by hand, and a run that was cut off', async () => {
  const [T, error] = await printed('dtm-layer/run', /\| random-block \| 0 \| (\S+) \+- (\S+) \| \[/);
  // Without couplings a spin has eigenvalue 1/2 under random-block and a pair of spins of both colours 0: tau is 3/2 and 1/2. Under the sweep both are 1/2.
  const exact = { 'random-block': 1.5 * 3600 + 0.5 * 21600, 'alternating-block': 0.5 * 25200 };
  expect(Math.abs(T - exact['random-block'])).toBeLessThan(4.5 * error);
  const images = drawnImages(600, 1);
  const signal = sum(Array.from(images[0], (_, p) => (sum(images.map((x) => x[p])) / images.length) ** 2));
  const folder = (name: string) => out('dtm-layer-quick', name);
  const look = (kernel: string, step = '000') =>
    JSON.parse(readFileSync(folder(`layer-${step}-${kernel}.json`), 'utf8')).look;
  for (const kernel of ['random-block', 'alternating-block'] as const) {
    const { estimate, series } = look(kernel);
    const { timescale, standardError, slack } = estimate.timescale;
    expect(timescale - exact[kernel]).toBeLessThan(4.5 * standardError);
    expect(exact[kernel] - timescale - slack).toBeLessThan(4.5 * standardError);
    // Six chains: Student's t of 5 degrees of freedom passes 7 once in 1,000 times.
    expect(Math.abs(series.timescale.value - exact[kernel])).toBeLessThan(7 * series.timescale.standardError);
    expect(Math.abs(estimate.signal.value - signal)).toBeLessThan(4.5 * estimate.signal.standardError);
  }
  const { couplings } = readLayer(folder('layer-002.json'));
  // Adam's first step is one learning rate long and by Cauchy and Schwarz the second at most 1.0014 of them.
  expect(Math.max(...couplings.map(Math.abs))).toBeLessThan(0.016 * 2.0014);
  // A gradient of a hundred products of signs may vanish, but seldom.
  expect(couplings.filter((w) => w === 0).length).toBeLessThan(0.1 * couplings.length);
  // What is left of a process that died in the last look gives the same numbers.
  const last = look('alternating-block', '002');
  rmSync(folder('layer-002-alternating-block.json'));
  const { code, stderr } = await startNode(['dist/examples/dtm-layer/run.js', '--quick', '--resume']).finished;
  expect(code, stderr).toBe(0);
  expect(stderr).not.toContain('training step');
  expect({ ...look('alternating-block', '002'), seconds: 0 }).toEqual({ ...last, seconds: 0 });
});

test.concurrent('neural-features: closer to T than hand-made features on the same samples, and not above it', async () => {
  const [T, handMade, neural, error] = await printed(
    'neural-features',
    /hand-made +(\d+) +\S+ +\S+ +(\d\.\d+) .*\n.* neural +\d+ +\S+ +\S+ +(\d\.\d+) +(\d\.\d+) /,
  );
  const model = hopfield({ spins: 10, patterns: 4, beta: 2, field: 0.1, seed: 1 });
  const exact = createRoute(model, teacherLaw(model), { kernel: 'random-scan' }).evaluate(model.theta, ['timescale']);
  expect(Math.abs((exact.value.timescale ?? 0) / T - 1)).toBeLessThan(5.1e-3);
  expect(neural).toBeGreaterThan(handMade);
  expect(neural).toBeLessThan(1 + 3 * error);
});

test('every example is run by a test above', () => {
  const source = readFileSync(new URL(import.meta.url), 'utf8');
  const run = new Set([...source.matchAll(/await printed\(\s*'([^']+)'/g)].map(([, name]) => `${name}.ts`));
  const entries = readdirSync(join(ROOT, 'examples')).filter((name) => name.endsWith('.ts'));
  expect([...entries, 'training-comparison/run.ts', 'dtm-layer/run.ts'].filter((name) => !run.has(name))).toEqual([]);
  const specs = readdirSync(join(ROOT, 'examples')).filter((name) => name.endsWith('.json'));
  expect(specs.filter((name) => !source.includes(`join('examples', '${name}')`))).toEqual([]);
  expect(specs).toContain('pareto.json');
});
