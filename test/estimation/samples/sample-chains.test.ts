import { createRoute, InputError, ising, type Model, randomSource, rbm, teacherLaw, UnsupportedError } from 'htdml';
import { describe, expect, test } from 'vitest';
import { emptySamples, type PackedSamples, readSample } from '../../../src/estimation/samples/packed-samples.js';
import { type SampleOptions, sampleChains } from '../../../src/estimation/samples/sample-chains.js';
import { drawStarts } from '../../../src/estimation/samples/starts.js';
import { stepsPerSweep } from '../../../src/kernel/kernels.js';
import { energyOf, fullSpace } from '../../support/brute-force.js';
import { startNode } from '../../support/cli.js';
import { complete, glass, normals } from '../../support/models.js';
import { chiSquareSigmas } from '../../support/statistics.js';

const KERNELS = ['random-scan', 'random-block', 'palindrome', 'palindrome-block', 'alternating-block'] as const;

const uniform = (model: Model, chains: number, seed = 1) =>
  drawStarts(model, null, Array(chains).fill('random'), randomSource(seed));

const machine = rbm({
  visible: 20,
  hidden: 15,
  weights: normals(300, 0.3, 1),
  visibleBiases: normals(20, 0.3, 2),
  hiddenBiases: normals(15, 0.3, 3),
  beta: 0.7,
});

const plan = { samples: 3, burnIn: 2, apart: 4, seed: 5 };

test.each(KERNELS)('%s: independent chains end at pi', (kernel) => {
  const model = glass(5, 0.4, 1, true);
  const count = 40_000;
  if (kernel !== 'alternating-block') {
    // What is left of the start; the palindrome stands for the one there whose modes are not defined.
    const { slowest } = createRoute(model, teacherLaw(model), { kernel, route: 'table' }).relaxation(model.theta);
    expect((1 - (slowest?.gap ?? 0)) ** (60 * stepsPerSweep(model, kernel))).toBeLessThan(1e-7);
  }
  const { last, sweeps } = sampleChains(model, {
    ...plan,
    kernel,
    samples: 0,
    burnIn: 60,
    starts: uniform(model, count),
  });
  expect(sweeps).toBe(60);
  const counts = new Float64Array(32);
  for (const s of last.words) counts[s]++;
  // A false alarm has a chance of 6e-7.
  expect(Math.abs(chiSquareSigmas(counts, fullSpace(model).pi))).toBeLessThan(5);
});

test('every chain at its own inverse temperature', () => {
  const model = glass(4, 0.5, 8, true);
  const betas = [0, 0.5, 1, 2];
  const each = 10_000;
  const { last } = sampleChains(model, {
    ...plan,
    kernel: 'palindrome',
    samples: 0,
    burnIn: 80,
    starts: uniform(model, betas.length * each),
    betas: Array.from({ length: betas.length * each }, (_, chain) => betas[chain % betas.length]),
  });
  betas.forEach((beta, k) => {
    const weights = Float64Array.from({ length: 16 }, (_, s) => Math.exp(-beta * energyOf(model, s)));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const counts = new Float64Array(16);
    last.words.forEach((s, chain) => {
      if (chain % betas.length === k) counts[s]++;
    });
    const law = weights.map((weight) => weight / total);
    expect(Math.abs(chiSquareSigmas(counts, law))).toBeLessThan(5);
  });
});

test.each(KERNELS)('%s: clamped spins stay, the free ones end at their law given them', (kernel) => {
  const model = ising({ spins: 5, edges: complete(5), couplings: normals(10, 0.5, 3), biases: normals(5, 0.3, 4) });
  const clamped = [3, 0];
  const chains = 20_000;
  const starts = uniform(model, chains);
  const { last } = sampleChains(model, { ...plan, kernel, samples: 0, burnIn: 60, starts, clamped });
  const { pi } = fullSpace(model);
  const mask = 0b01001;
  for (const held of [0, 1, 8, 9]) {
    const counts = new Float64Array(32);
    last.words.forEach((s, chain) => {
      expect((s ^ starts.words[chain]) & mask).toBe(0);
      if ((s & mask) === held) counts[s]++;
    });
    const states = Array.from(pi, (_, s) => s).filter((s) => (s & mask) === held);
    const total = states.reduce((sum, s) => sum + pi[s], 0);
    const sigmas = chiSquareSigmas(
      states.map((s) => counts[s]),
      states.map((s) => pi[s] / total),
    );
    expect(Math.abs(sigmas)).toBeLessThan(5);
  }
});

test('a block with an inside edge runs once one of its spins is clamped', () => {
  const model = ising({
    spins: 3,
    edges: complete(3),
    couplings: [0.5, 0.4, -0.3],
    blocks: [[0, 1], [2]],
  });
  const options = { ...plan, kernel: 'alternating-block', starts: uniform(model, 4) } as const;
  expect(() => sampleChains(model, options)).toThrow(UnsupportedError);
  expect(sampleChains(model, { ...options, clamped: [1] }).sweeps).toBe(14);
});

test.each(KERNELS)('%s: going on from the last states gives the numbers of one long run', (kernel) => {
  const starts = uniform(machine, 19);
  const whole = sampleChains(machine, { ...plan, kernel, starts, samples: 10 });
  const first = sampleChains(machine, { ...plan, kernel, starts, samples: 4 });
  const rest = sampleChains(machine, {
    ...plan,
    kernel,
    starts: first.last,
    from: first.sweeps,
    burnIn: 0,
    samples: 6,
  });
  expect(rest.last).toEqual(whole.last);
  expect(rest.sweeps).toBe(whole.sweeps);
  whole.samples.forEach((samples, chain) => {
    expect([...samples.words]).toEqual([...first.samples[chain].words, ...rest.samples[chain].words]);
  });
  // The last sample is the last state, and all of them are of the spins that there are.
  const [a, b] = [new Int8Array(35), new Int8Array(35)];
  whole.samples.forEach((samples, chain) => {
    readSample(samples, 9, a);
    readSample(whole.last, chain, b);
    expect(a).toEqual(b);
    samples.words.forEach((word, k) => {
      if (k % 2 === 1) expect(word >>> 3).toBe(0);
    });
  });
  expect(sampleChains(machine, { ...plan, kernel, starts, seed: 6 }).last).not.toEqual(
    sampleChains(machine, { ...plan, kernel, starts }).last,
  );
});

describe('threads', () => {
  // In processes of their own: how many threads there are is settled when the loops are loaded.
  const digits = async (threads: number) => {
    const code = `
      import { createHash } from 'node:crypto';
      import { ising, randomSource } from 'htdml';
      import { sampleChains } from ${JSON.stringify(new URL('../../../dist/src/estimation/samples/sample-chains.js', import.meta.url).href)};
      import { drawStarts } from ${JSON.stringify(new URL('../../../dist/src/estimation/samples/starts.js', import.meta.url).href)};
      process.env.HTDML_THREADS = '${threads}';
      const random = randomSource(5);
      const edges = [];
      for (let i = 0; i < 300; i++) for (const step of [1, 7, 40]) edges.push([i, (i + step) % 300]);
      const model = ising({ spins: 300, edges, couplings: edges.map(() => 0.3 * random.normal()) });
      const starts = drawStarts(model, null, Array(130).fill('random'), random);
      const evaluate = (seed) => {
        const hash = createHash('sha256');
        for (const kernel of ['random-scan', 'random-block', 'palindrome']) {
          const run = sampleChains(model, { kernel, starts, samples: 3, burnIn: 2, apart: 1, seed });
          for (const { words } of [...run.samples, run.last]) hash.update(words);
        }
        return hash.digest('hex');
      };
      // Long enough for the other threads to be there.
      const first = evaluate(1);
      for (const end = performance.now() + 600; performance.now() < end; ) {
        if (evaluate(1) !== first) throw new Error('other digits');
      }
      console.log(first);`;
    const { code: exit, stdout, stderr } = await startNode(['--input-type=module', '--eval', code]).finished;
    expect([exit, stderr]).toEqual([0, '']);
    return stdout;
  };
  test('the same digits with one, two and three', async () => {
    const alone = await digits(1);
    expect(alone).toMatch(/^[0-9a-f]{64}\n$/);
    expect(await digits(2)).toBe(alone);
    expect(await digits(3)).toBe(alone);
  });
});

describe('what is refused', () => {
  const starts = uniform(machine, 2);
  const good: SampleOptions = { ...plan, kernel: 'palindrome', starts };
  const refused: readonly (readonly [string, Partial<SampleOptions>, string])[] = [
    ['half a sample', { samples: 1.5 }, 'samples'],
    ['fewer than no samples', { samples: -1 }, 'samples'],
    ['a burn-in that is no number', { burnIn: Number.NaN }, 'burnIn'],
    ['samples at the same time', { apart: 0 }, 'apart'],
    ['an endless interval', { apart: 2 ** 40 }, 'apart times the kernel steps of a sweep'],
    ['more sweeps than can be counted', { from: Number.MAX_SAFE_INTEGER }, 'kernel steps of a chain'],
    ['a seed that is no whole number', { seed: 0.5 }, 'seed'],
    ['a beta short', { betas: [1] }, 'betas'],
    ['a negative beta', { betas: [1, -1] }, 'betas[1]'],
    ['a beta that is no number', { betas: [Number.POSITIVE_INFINITY, 1] }, 'betas[0]'],
    ['starts of another model', { starts: emptySamples(34, 2) }, 'starts'],
    ['no starts', { starts: emptySamples(35, 0) }, 'starts'],
    ['starts cut short', { starts: { ...starts, words: starts.words.subarray(1) } }, 'starts.words'],
    ['a clamped spin that is none', { clamped: [35] }, 'clamped[0]'],
    ['a spin clamped twice', { clamped: [3, 4, 3] }, 'clamped[2]'],
    ['no free spin', { clamped: Array.from({ length: 35 }, (_, i) => i) }, 'clamped'],
  ];
  test.each(refused)('%s', (_, wrong, field) => {
    expect(() => sampleChains(machine, good)).not.toThrow();
    try {
      sampleChains(machine, { ...good, ...wrong });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(InputError);
      expect((error as InputError).problem.field).toBe(field);
    }
  });
  test('fields that overflow where beta does not hold them', () => {
    const model = ising({ spins: 2, edges: [[0, 1]], couplings: [1.7e308], beta: 1e-300 });
    expect(() => sampleChains(model, { ...good, starts: uniform(model, 2) })).toThrow(InputError);
  });
  test('metropolis', () => {
    expect(() => sampleChains(machine, { ...good, kernel: 'metropolis' })).toThrow(UnsupportedError);
  });
});

test('starts are left as they were', () => {
  const starts: PackedSamples = uniform(machine, 5);
  const before = starts.words.slice();
  sampleChains(machine, { ...plan, kernel: 'random-scan', starts });
  expect(starts.words).toEqual(before);
});
