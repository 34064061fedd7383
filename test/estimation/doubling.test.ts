import { createRoute, InputError, ising, KERNEL_NAMES, type KernelName, type Model, randomSource } from 'htdml';
import { describe, expect, test } from 'vitest';
import { type DoublingOptions, doublingTimescales } from '../../src/estimation/doubling.js';
import { positiveLaw } from '../support/fitted.js';
import { gradientCases, ring } from '../support/models.js';

function exact(model: Model, kernel: KernelName) {
  const route = createRoute(model, positiveLaw(model.visible.length, 1), { kernel });
  const { value, info } = route.evaluate(model.theta, ['timescale']);
  const { timescale, variance } = info.observables ?? { timescale: [], variance: [] };
  return { T: value.timescale ?? Number.NaN, tauMax: Math.max(...timescale.map((t, a) => (2 * t) / variance[a])) };
}

const options = (kernel: KernelName, change: Partial<DoublingOptions> = {}): DoublingOptions => ({
  kernel,
  start: 'uniform',
  burnIn: 200,
  window: 32,
  chains: 16,
  seed: 3,
  budget: 200_000,
  ...change,
});

const names = ['random Ising, biased', 'blocks with inside edges', 'RBM 3 + 2'];
const cases = gradientCases().filter(({ name }) => names.includes(name));

test.each(cases.flatMap((one) => KERNEL_NAMES.map((kernel) => ({ ...one, kernel }))))(
  '$name, $kernel: doubled until stable, the times are the exact ones',
  ({ model, kernel }) => {
    const { T, tauMax } = exact(model, kernel);
    const measured = doublingTimescales(model, null, options(kernel));
    expect(measured).toMatchObject({ verdict: 'resolved', missing: [], stopped: 'stable' });
    // 18 cases of two numbers with nearly normal errors from 16 groups: one of them beyond 4.5 has a chance of 1 %.
    expect(Math.abs(measured.T - T)).toBeLessThan(4.5 * (measured.standardError ?? 0));
    const last = measured.sequence[measured.sequence.length - 1];
    expect(last).toMatchObject({ window: measured.window, T: measured.T, verdict: 'resolved' });
    // The largest of the measured times is that of the slowest observable or a little above it.
    expect(Math.abs((last.tauMax ?? 0) - tauMax)).toBeLessThan(4.5 * (last.tauMaxStandardError ?? 0));
    expect(measured.steps).toBe(16 * measured.window);
  },
);

test('stopping at the first stable length leaves the error bars at their rate over random models', () => {
  const random = randomSource(5);
  const models = 150;
  let [one, two] = [0, 0];
  for (let k = 0; k < models; k++) {
    const normals = (scale: number) => Array.from({ length: 3 }, () => scale * random.normal());
    const model = ising({ spins: 3, edges: ring(3), couplings: normals(0.5), biases: normals(0.3) });
    const kernel = KERNEL_NAMES[k % KERNEL_NAMES.length];
    const measured = doublingTimescales(model, null, options(kernel, { burnIn: 50, seed: k }));
    expect(measured.verdict).toBe('resolved');
    const distance = Math.abs(measured.T - exact(model, kernel).T) / (measured.standardError ?? 0);
    if (distance < 1) one++;
    if (distance < 2) two++;
  }
  // 68 % and 95 % with three standard deviations of the binomial law of 150 models.
  expect(one / models).toBeGreaterThan(0.56);
  expect(one / models).toBeLessThan(0.8);
  expect(two / models).toBeGreaterThan(0.89);
});

describe('chains', () => {
  const [{ model }] = cases;
  // So weak a verdict would stop at once; a budget stops where it says.
  const slow = ising({ spins: 4, edges: ring(4), couplings: [1.5, 1.5, 1.5, 1.5], biases: [0, 0.1, 0, 0] });

  test('go on as the run doubles: a longer budget begins with the same measurements', () => {
    const lengths = [20_000, 40_000, 80_000].map((budget) =>
      doublingTimescales(slow, null, options('random-scan', { budget, burnIn: 0, chains: 8 })),
    );
    lengths.forEach((measured, k) => {
      const { sequence, window, half } = measured;
      expect(measured).toMatchObject({ verdict: 'unresolved', stopped: 'budget' });
      expect(sequence.map((one) => one.window)).toEqual(sequence.map((_, at) => 32 * 2 ** at));
      expect(8 * window).toBeLessThanOrEqual(20_000 * 2 ** k);
      expect(16 * window).toBeGreaterThan(20_000 * 2 ** k);
      expect(half.T).toBe(sequence[sequence.length - 2].T);
      const before = lengths[k - 1]?.sequence ?? [];
      expect(sequence.slice(0, before.length)).toEqual(before);
    });
  });

  test('see every step once: at the last length they are those that are seen at that length only', () => {
    const { sequence, ...doubled } = doublingTimescales(slow, null, options('palindrome', { budget: 10_000 }));
    const { window } = doubled;
    expect(sequence.length).toBeGreaterThan(3);
    const once = doublingTimescales(slow, null, options('palindrome', { budget: 10_000, window }));
    expect({ ...once, sequence }).toEqual({ ...doubled, sequence });
    expect(once.sequence).toEqual(sequence.slice(-1));
  });

  test('repeat with their seed', () => {
    const once = doublingTimescales(model, null, options('random-scan'));
    expect(doublingTimescales(model, null, options('random-scan'))).toEqual(once);
    expect(doublingTimescales(model, null, options('random-scan', { seed: 4 })).T).not.toBe(once.T);
  });

  test('report each length as it is measured', () => {
    const seen: unknown[] = [];
    const { sequence } = doublingTimescales(model, null, options('palindrome', { progress: (one) => seen.push(one) }));
    expect(seen).toEqual(sequence);
  });
});

describe('a metastable model', () => {
  const model = ising({ spins: 5, edges: ring(5), couplings: Array(5).fill(2), biases: [0.1, 0, 0, 0, 0] });

  test('ends unresolved at its budget, its time growing with the length of the run', () => {
    const { T, tauMax } = exact(model, 'random-scan');
    const measured = doublingTimescales(model, null, options('random-scan', { window: 64, chains: 8, budget: 40_000 }));
    expect(tauMax).toBeGreaterThan(10_000);
    expect(measured).toMatchObject({ verdict: 'unresolved', stopped: 'budget' });
    expect(measured.missing.at(-1)).toBe('chains of twice the length are beyond the budget of 40000 steps');
    const [shortest, longest] = [measured.sequence[0], measured.sequence[measured.sequence.length - 1]];
    expect(measured.sequence.length).toBeGreaterThan(5);
    expect(longest.tauMax).toBeGreaterThan(4 * (shortest.tauMax ?? 0));
    expect(longest.T).toBeGreaterThan(4 * shortest.T);
    expect(longest.T).toBeLessThan(T);
    for (const one of measured.sequence) expect(one.verdict).toBe('unresolved');
  });

  test('of two states that are never left has no time at any length', () => {
    const frozen = ising({ spins: 3, edges: ring(3), couplings: [300, 300, 300] });
    const measured = doublingTimescales(frozen, null, options('random-scan', { budget: 10_000 }));
    expect(measured).toMatchObject({ verdict: 'unresolved', stopped: 'budget', T: 0 });
    for (const one of measured.sequence) expect(one).toMatchObject({ tauMax: null, tauMaxStandardError: null, T: 0 });
  });
});

test('more memory than there is ends the doubling', () => {
  // Two spins at 2^21 steps of 50 chains take 8 MiB for the transforms and 200 MiB for the spins.
  const frozen = ising({ spins: 2, edges: [[0, 1]], couplings: [300] });
  const measured = doublingTimescales(frozen, null, {
    ...options('palindrome'),
    window: 2 ** 20,
    chains: 2,
    burnIn: 0,
    budget: Number.MAX_SAFE_INTEGER,
  });
  expect(measured.stopped).toBe('memory');
  expect(measured.missing.at(-1)).toBe('chains of twice the length are beyond the memory of 536870912 bytes');
});

test.each([
  [{ window: 1 }, /^window must be a whole number of at least 2/],
  [{ window: 2.5 }, /^window must be/],
  [{ chains: 1 }, /^chains must be/],
  [{ budget: 3711 }, /^budget must be a whole number of at least 3712, got 3711/],
  [{ budget: Number.NaN }, /^budget must be/],
  [{ burnIn: -1 }, /^burnIn must be/],
  [{ seed: -1 }, /^seed must be/],
])('%o is refused', (change, message) => {
  const run = () => doublingTimescales(cases[0].model, null, options('random-scan', change));
  expect(run).toThrow(InputError);
  expect(run).toThrow(message);
});
