import { createRoute, ising, KERNEL_NAMES, type KernelName, type Model, randomSource, rbm } from 'htdml';
import { describe, expect, test } from 'vitest';
import { type Chain, chain } from '../../src/estimation/chain.js';
import { runChains } from '../../src/estimation/run-chains.js';
import { startSampler } from '../../src/estimation/start-sampler.js';
import { fold, fullSpace, jointLaw, matrixOf, spinOf, vector } from '../support/brute-force.js';
import { positiveLaw } from '../support/fitted.js';
import { complete, gradientCases, REVERSIBLE } from '../support/models.js';
import { chiSquareSigmas } from '../support/statistics.js';

const spinsOf = (model: Model, s: number) => Int8Array.from({ length: model.spins }, (_, i) => spinOf(s, i));

const stateOf = ({ spins }: Pick<Chain, 'spins'>) => spins.reduce((s, x, i) => s + (x > 0 ? 2 ** i : 0), 0);

const wide = ising({
  spins: 4,
  edges: complete(4),
  couplings: [0.5, -0.4, 0.3, 0.6, -0.2, 0.1],
  biases: [0.2, -0.3, 0, 0.4],
  blocks: [[3, 0, 1], [2]],
});
const cases: { name: string; model: Model }[] = [
  ...gradientCases(),
  { name: 'a block with three inside edges', model: wide },
  { name: 'one block of everything', model: { ...wide, blocks: [[2, 0, 3, 1]] } },
];

describe.each(cases)('$name', ({ model }) => {
  test.each(KERNEL_NAMES)('%s: one step from every state against the rows of the kernel', (kernel) => {
    const full = fullSpace(model);
    const p = matrixOf(full, kernel);
    const random = randomSource(17);
    for (let s = 0; s < full.states; s++) {
      const counts = new Float64Array(full.states);
      for (let k = 0; k < 1000; k++) {
        const one = chain(model, kernel, random, spinsOf(model, s));
        one.step();
        counts[stateOf(one)]++;
      }
      expect(Math.abs(chiSquareSigmas(counts, p[s]))).toBeLessThan(5);
      counts.forEach((count, t) => {
        if (p[s][t] === 0) expect(count).toBe(0);
      });
    }
  });
});

describe('a long chain visits states as often as they are probable', () => {
  const names = [
    'random Ising, biased',
    'J = 0, no biases',
    'blocks with inside edges',
    'RBM 3 + 2',
    'beta 0.3, hidden',
  ];
  const some = cases.filter(({ name }) => names.includes(name));
  test.each(some.flatMap((one) => REVERSIBLE.map((kernel) => ({ ...one, kernel }))))('$name, $kernel', (one) => {
    const { model, kernel } = one;
    const { slowest } = createRoute(model, positiveLaw(model.visible.length, 1), { kernel, route: 'table' }).relaxation(
      model.theta,
    );
    // Between samples every correlation falls below 1e-4, which changes a variance by 2e-4 of itself.
    const apart = Math.ceil(Math.log(1e4) / (slowest?.gap ?? 0));
    expect(apart).toBeLessThan(400);
    const run = chain(model, kernel, randomSource(23), spinsOf(model, 0));
    const samples = 4000;
    const counts = new Float64Array(2 ** model.spins);
    for (let k = 0; k < samples; k++) {
      for (let t = 0; t < apart; t++) run.step();
      counts[stateOf(run)]++;
    }
    const { pi } = fullSpace(model);
    expect(Math.abs(chiSquareSigmas(counts, pi))).toBeLessThan(5);
    pi.forEach((p, s) => {
      // One count more where a state is too rare for its number to be normal.
      expect(Math.abs(counts[s] - samples * p)).toBeLessThan(5 * Math.sqrt(samples * p * (1 - p)) + 1);
    });
  });
});

test('a chain repeats with its seed and works on the spins that it was given', () => {
  const walk = (seed: number, kernel: KernelName) => {
    const run = chain(wide, kernel, randomSource(seed), Int8Array.of(1, 1, -1, -1));
    return Array.from({ length: 100 }, () => {
      run.step();
      return stateOf(run);
    });
  };
  for (const kernel of KERNEL_NAMES) {
    expect(walk(4, kernel)).toEqual(walk(4, kernel));
    expect(walk(4, kernel)).not.toEqual(walk(5, kernel));
  }
  const spins = Int8Array.of(1, 1, -1, -1);
  const run = chain(wide, 'random-scan', randomSource(1), spins);
  for (let k = 0; k < 50; k++) run.step();
  expect(run.spins).toBe(spins);
  expect(spins.every((x) => x === 1 || x === -1)).toBe(true);
});

test('a coupling of any size neither overflows nor leaves the two aligned states', () => {
  for (const blocks of [undefined, [[0, 1]]]) {
    const model = ising({ spins: 2, edges: [[0, 1]], couplings: [1e300], biases: [0, 0], blocks });
    for (const kernel of KERNEL_NAMES) {
      const run = chain(model, kernel, randomSource(2), Int8Array.of(1, 1));
      for (let k = 0; k < 200; k++) {
        run.step();
        expect(run.spins[0]).toBe(run.spins[1]);
      }
    }
  }
});

describe('draws from the start laws', () => {
  test.each(cases)('$name', ({ model }) => {
    const full = fullSpace(model);
    const data = positiveLaw(model.visible.length, 5);
    const laws = {
      uniform: vector(full.states, () => 1 / full.states),
      stationary: full.pi,
      data: jointLaw(full, data).joint,
      'state:2': vector(full.states, (s) => (s === 2 ? 1 : 0)),
    };
    for (const start of ['uniform', 'stationary', 'data', 'state:2'] as const) {
      const draw = startSampler(model, data, start);
      const random = randomSource(31);
      const counts = new Float64Array(full.states);
      const spins = new Int8Array(model.spins);
      for (let k = 0; k < 10_000; k++) {
        draw(random, spins);
        counts[stateOf({ spins })]++;
      }
      // Without biases only pairs under the global flip count: a table's states are such pairs, which draws unfold by a fair coin.
      expect(Math.abs(chiSquareSigmas(fold(model, counts), fold(model, laws[start])))).toBeLessThan(5);
      if (start === 'state:2') expect(counts[2]).toBe(10_000);
    }
  });
});

test('32 spins: every bit of a state is its spin, the topmost too', () => {
  const model = rbm({ visible: 16, hidden: 16, weights: new Float64Array(256) });
  for (const i of [0, 30, 31]) {
    const draw = startSampler(model, null, `state:${2 ** i}`);
    runChains(model, { kernel: 'random-scan', burnIn: 0, window: 1, chains: 4 }, draw, randomSource(i), (spins) => {
      // One step changes at most one spin.
      const wrong = spins.filter((x, k) => x !== (k === i ? 1 : -1)).length;
      expect(wrong).toBeLessThanOrEqual(1);
    });
  }
});
