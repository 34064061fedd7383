import { ising, type KernelName, type Model, randomSource } from 'htdml';
import { describe, expect, test } from 'vitest';
import { chainProgram } from '../../../src/kernel/chains/chain-program.js';
import type { ChainRun, Chains } from '../../../src/kernel/chains/chains.js';
import { CompiledChains } from '../../../src/kernel/chains/compiled-chains.js';
import { expMinus, PlainChains } from '../../../src/kernel/chains/plain-chains.js';
import { loops } from '../../../src/kernel/compiled/loops.js';
import { stepsPerSweep } from '../../../src/kernel/kernels.js';
import { fullSpace, matrixOf } from '../../support/brute-force.js';
import { glass, gradientCases, normals, ring } from '../../support/models.js';
import { chiSquareSigmas } from '../../support/statistics.js';

const KERNELS = ['random-scan', 'random-block', 'palindrome', 'palindrome-block', 'alternating-block'] as const;

/** Compiled chains at the model's own temperature, all spins -1. */
function open(model: Model, kernel: KernelName, chains: number): Chains {
  const compiled = loops();
  const rows = new Uint32Array(chains * Math.ceil(model.spins / 32));
  const betas = Array(chains).fill(model.beta);
  const found = compiled && CompiledChains.open(compiled, chainProgram(model, kernel), rows, betas);
  if (found == null) throw new Error('the loops do not run');
  return found;
}

const CASES = gradientCases().filter(({ name }) => name !== 'blocks with inside edges');

describe.each(CASES)('$name', ({ model }) => {
  test.each(KERNELS)('%s: one step from every state against the rows of the kernel', (kernel) => {
    const full = fullSpace(model);
    const p = matrixOf(full, kernel);
    const each = 1000;
    const chains = open(model, kernel, full.states * each);
    chains.setSpins(Uint32Array.from({ length: full.states * each }, (_, chain) => Math.floor(chain / each)));
    chains.run({ seed: 11, before: 0, lead: 1, interval: 1, samples: 0 });
    const after = chains.spins();
    for (let s = 0; s < full.states; s++) {
      const counts = new Float64Array(full.states);
      for (const t of after.subarray(s * each, (s + 1) * each)) counts[t]++;
      // Some 2,500 rows: a false alarm at five has a chance of 6e-7 each.
      expect(Math.abs(chiSquareSigmas(counts, p[s]))).toBeLessThan(5);
      counts.forEach((count, t) => {
        if (p[s][t] === 0) expect(count).toBe(0);
      });
    }
  });

  test.each(KERNELS)('%s: steps from pi keep it', (kernel) => {
    const { pi, states } = fullSpace(model);
    const count = 20_000;
    const random = randomSource(5);
    const rows = Uint32Array.from({ length: count }, () => {
      let left = random.uniform();
      let s = 0;
      while (s < states - 1 && left >= pi[s]) left -= pi[s++];
      return s;
    });
    const chains = open(model, kernel, count);
    chains.setSpins(rows);
    chains.run({ seed: 12, before: 0, lead: 3 * stepsPerSweep(model, kernel), interval: 1, samples: 0 });
    const counts = new Float64Array(states);
    for (const s of chains.spins()) counts[s]++;
    expect(Math.abs(chiSquareSigmas(counts, pi))).toBeLessThan(5);
  });
});

/** A torus of `side` x `side` spins with four neighbours each, and biases. */
function torus(side: number, scale: number): Model {
  const edges = Array.from({ length: side * side }, (_, k) => {
    const [i, j] = [Math.floor(k / side), k % side];
    return [
      [k, i * side + ((j + 1) % side)],
      [k, ((i + 1) % side) * side + j],
    ] as const;
  }).flat();
  return ising({
    spins: side * side,
    edges,
    couplings: normals(edges.length, scale, 1),
    biases: normals(side * side, scale, 2),
    beta: 0.8,
  });
}

const huge = ising({
  spins: 5,
  edges: ring(5),
  couplings: [1e300, -1e300, 3e38, 1e39, 1e-300],
  biases: [0.1, 1e10, 0, -2, 5e-7],
});
const weak = ising({ spins: 1, edges: [], couplings: [], biases: [5] });

const BOTH: readonly (readonly [string, Model, readonly number[]])[] = [
  ['glass', glass(9, 0.4, 3, true), []],
  ['glass without biases, some clamped', glass(9, 0.6, 3), [8, 2, 0]],
  ['torus of 400', torus(20, 0.5), []],
  ['torus of 400, hard, a block clamped', torus(20, 6), Array.from({ length: 200 }, (_, k) => k)],
  ['couplings beyond single precision', huge, []],
  ['one spin', weak, []],
];

describe.each(BOTH)('%s: compiled and plain, bit by bit', (_, model, clamped) => {
  test.each(KERNELS)('%s', (kernel) => {
    const chains = 21;
    const program = chainProgram(model, kernel, clamped);
    const random = randomSource(7);
    const words = Math.ceil(model.spins / 32);
    const last = 2 ** (((model.spins - 1) % 32) + 1);
    const rows = Uint32Array.from({ length: chains * words }, (_, k) =>
      random.integer(k % words === words - 1 ? last : 2 ** 32),
    );
    const betas = Array.from({ length: chains }, (_, chain) => model.beta * (chain === 0 ? 0 : 0.5 + 0.05 * chain));
    const perSample = Math.max(1, Math.floor(program.stepsPerSweep / 4));
    // Steps across a power of 2^32, where counters carry.
    const run: ChainRun = { seed: -1e15 - 7, before: 2 ** 32 - 40, lead: 35, interval: perSample, samples: 60 };
    const compiled = loops();
    const fast = compiled && CompiledChains.open(compiled, program, rows, betas);
    const [a, b] = [fast, new PlainChains(program, rows, betas)].map((one) => {
      if (one === null) throw new Error('the loops do not run');
      return { samples: one.run(run), last: one.spins() };
    });
    // Other spins and temperatures of the same chains.
    const again = [open(model, kernel, chains), new PlainChains(program, new Uint32Array(rows.length), betas)];
    if (clamped.length === 0) {
      const [c, d] = again.map((one) => {
        one.setSpins(rows);
        one.setBetas(betas);
        one.run(run);
        return one.spins();
      });
      expect(c).toEqual(a.last);
      expect(d).toEqual(a.last);
    }
    expect(a.samples.some((word) => word !== a.samples[0])).toBe(true);
    expect(Buffer.compare(Buffer.from(a.samples.buffer), Buffer.from(b.samples.buffer))).toBe(0);
    expect(a.last).toEqual(b.last);
    // What is clamped has not moved.
    for (const i of clamped) {
      for (let chain = 0; chain < chains; chain++) {
        const at = chain * words + (i >> 5);
        expect(((a.last[at] ^ rows[at]) >>> (i & 31)) & 1).toBe(0);
      }
    }
  });
});

test('the exponential, to two units of the last place', () => {
  const { uniform } = randomSource(2);
  for (let k = 0; k < 20_000; k++) {
    const x = k < 50 ? k / 7 : -20 * Math.log(uniform() || 1);
    expect(Math.abs(expMinus(x) / Math.exp(-x) - 1)).toBeLessThan(3 * Number.EPSILON);
  }
  expect(expMinus(0)).toBe(1);
  expect(expMinus(1e300)).toBe(expMinus(700));
});

test('an improbable value comes as often as it should', () => {
  // P(-1) = 1 / (1 + exp(10)) = 4.5e-5, three of the 65,536 parts that 16 bits tell apart.
  const chains = open(weak, 'palindrome', 1600);
  const samples = chains.run({ seed: 3, before: 0, lead: 0, interval: 1, samples: 10_000 });
  const draws = 1600 * 10_000;
  const p = 1 / (1 + Math.exp(10));
  const down = samples.reduce((sum, word) => sum + (1 - word), 0);
  expect(Math.abs(down - draws * p)).toBeLessThan(5 * Math.sqrt(draws * p));
});

test('samples beyond what is kept in memory at once, and chains whose numbers do not depend on how many there are', () => {
  const model = torus(20, 0.5);
  const run: ChainRun = { seed: 9, before: 5, lead: 1, interval: 1, samples: 1500 };
  const many = open(model, 'alternating-block', 512).run(run);
  const few = open(model, 'alternating-block', 17).run(run);
  expect(few.length).toBeLessThan(many.length);
  expect(Buffer.compare(Buffer.from(few.buffer), Buffer.from(many.buffer, 0, few.byteLength))).toBe(0);
});
