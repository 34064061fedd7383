import { DEFAULT_GATE_THRESHOLDS, type EvaluateOptions, evaluateModel, ising, type Model, teacherLaw } from 'htdml';
import { describe, expect, test } from 'vitest';
import { claim, gateNotes } from '../../src/trainability/gates.js';
import { EPS } from '../support/brute-force.js';
import { complete, gradientCases } from '../support/models.js';

const options = (extra: Partial<EvaluateOptions> = {}): EvaluateOptions => ({
  kernel: 'random-scan',
  burnIn: 0,
  window: 1000,
  chains: 1,
  start: 'state:0',
  epsilon: 1e-3,
  kappa: 2.5,
  gradient: false,
  ...extra,
});

describe('four free spins, by hand', () => {
  // Random-scan on functions of k spins has 1 - s = k / 4: six pairs at 1/2 and four biases at 1/4, each of variance one.
  const flat = ising({ spins: 4, edges: complete(4), couplings: Array(6).fill(0), biases: Array(4).fill(0) });
  const data = teacherLaw(ising({ spins: 4, edges: [[0, 1]], couplings: [0.5], biases: [0.2, 0, 0, 0] }));
  const { gates, gateThresholds, trackingBound } = evaluateModel(flat, data, options());
  const close = (x: unknown, y: number) => expect(Math.abs((x as number) - y)).toBeLessThan(1e-12 * Math.max(1, y));

  test('the gates', () => {
    close(gates.A3.value, 0.25);
    close(gates.A3.onePlusLeast, 1);
    expect(gates.A3.needed).toBe(16 * EPS);
    close(gates.A4.value, 10);
    // One state of sixteen: chi^2 = 16 - 1.
    close(gates.A5.logChi, Math.log(15) / 2);
    close(gates.A5.needed, 4 * (3 + Math.log(15) / 2));
    expect(gates.A5.met).toBe(false);
    // The biases' integrated time is 2/(1/4) - 1 = 7, and T = 6 (2 - 1/2) + 4 (4 - 1/2) = 23.
    close(gates.A6.needed, 350);
    // sum_j mu_j s (1 - s^K)/(1 - s)^2 = 6 (1/2) 4 + 4 (3/4) 16 = 60.
    close(gates.A6.delta1, 60 / (1000 * 23));
    expect(gates.A7).toMatchObject({ value: null, met: true });
    const [low, high] = gates.A8.value as readonly [number, number];
    expect(low).toBeLessThan(1e-24);
    close(high, 0.4);
    expect(gates.A8.met).toBe(true);
    expect(gates.A9.value).toBe(0);
    expect(gateThresholds).toEqual(DEFAULT_GATE_THRESHOLDS);
  });

  test('a narrower cluster leaves the pairs outside: one half per step, four steps', () => {
    close(evaluateModel(flat, data, options({ kappa: 1.9 })).gates.A7.value, 2);
  });

  test('the bound', () => {
    // r^2 = 1 for each of the C(4, k) products of k spins, F^2 = 10, sum mu q^2 = 6 * 3^2 + 4 * 7^2 = 250.
    const sum = Array.from({ length: 1000 }, (_, t) =>
      Math.sqrt(4 * 0.75 ** (2 * t + 2) + 6 * 0.5 ** (2 * t + 2) + 4 * 0.25 ** (2 * t + 2)),
    ).reduce((a, b) => a + b, 0);
    const delta2 = (Math.sqrt(10) / (2 * 1000 * 23)) * Math.sqrt(250) * sum;
    const delta1 = 60 / 23_000;
    const [low, high] = trackingBound ?? [0, 0];
    expect(low / (1 / (1 - delta1 + delta2)) - 1).toBeLessThan(1e-12);
    expect(low / (1 / (1 - delta1 + delta2)) - 1).toBeGreaterThan(-2e-3 * delta2);
    expect(high / (1 / (1 - delta1 - delta2)) - 1).toBeGreaterThan(-1e-12);
    expect(high / (1 / (1 - delta1 - delta2)) - 1).toBeLessThan(2.1e-3 * delta2);
  });
});

test('Metropolis on free spins flips at every step: A3 and A5 are unmet, and nothing else', () => {
  const free = ising({ spins: 3, edges: complete(3), couplings: Array(3).fill(0), biases: Array(3).fill(0) });
  const data = teacherLaw(ising({ spins: 3, edges: [[0, 1]], couplings: [0.5], biases: [0.2, 0, 0] }));
  const { gates, claim: claimed } = evaluateModel(free, data, options({ kernel: 'metropolis', burnIn: 1e6 }));
  expect(Math.abs(gates.A3.onePlusLeast ?? 1)).toBeLessThan(8 * EPS);
  expect(gates.A5).toMatchObject({ needed: null, met: false });
  expect(claimed).toMatchObject({ conditional: 'unmet', gates: ['A3', 'A5'] });
});

test('two alternating blocks are not reversible and exempt; three are neither', () => {
  const chain = (spins: number, blocks?: number[][]) =>
    ising({
      spins,
      edges: Array.from({ length: spins - 1 }, (_, i) => [i, i + 1] as const),
      couplings: Array.from({ length: spins - 1 }, (_, i) => 0.3 + 0.1 * i),
      biases: Array(spins).fill(0.2),
      blocks,
    });
  const data = teacherLaw(chain(4));
  const two = evaluateModel(chain(4), data, options({ kernel: 'alternating-block' }));
  expect(two.gates.A2).toMatchObject({ met: true, exemption: 'two-block (5.6)' });
  expect(two.gates.A2.value).toBeGreaterThan(1e-3);
  const three = evaluateModel(chain(4, [[0, 2], [1], [3]]), data, options({ kernel: 'alternating-block' }));
  expect(three.gates.A2.met).toBe(false);
  for (const { gates, trackingBound, notes } of [two, three]) {
    for (const note of gateNotes(gates)) expect(notes).toContainEqual(note);
    expect([gates.A5.met, gates.A7.met, gates.A8.met, trackingBound]).toEqual([null, null, null, null]);
    expect(notes.find(({ path }) => path === 'trackingBound')?.reason).toMatch(/reversible/);
  }
});

describe('A9', () => {
  const data = teacherLaw(ising({ spins: 2, edges: [[0, 1]], couplings: [0.3] }));
  const of = (model: Model) => evaluateModel(model, data, options()).gates.A9;

  test('two spins in a field h: pi(-x)/pi(x) = exp(-2 beta h) for the likeliest x', () => {
    const model = (h: number) => ising({ spins: 2, edges: [[0, 1]], couplings: [0.4], biases: [h, 0], beta: 1.5 });
    for (const h of [0, 0.1, -0.8]) {
      const { value, met } = of(model(h));
      expect(Math.abs((value as number) + Math.expm1(-3 * Math.abs(h)))).toBeLessThan(8 * EPS);
      expect(met).toBeNull();
    }
  });

  test('a model without biases has the symmetry by construction', () => {
    expect(of(ising({ spins: 2, edges: [[0, 1]], couplings: [0.4] })).value).toBe(0);
  });
});

test.each(gradientCases())('$name: the kernels are reversible to rounding, and every null has its note', (one) => {
  const { gates, notes, claim: claimed } = evaluateModel(one.model, one.data, options());
  expect(gates.A2.value).toBeLessThan(64 * EPS);
  expect(gates.A2.met).toBe(true);
  expect(claimed).toEqual(claim(gates));
  for (const note of gateNotes(gates)) expect(notes).toContainEqual(note);
});
