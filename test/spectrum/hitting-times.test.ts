import { describe, expect, test } from 'vitest';
import { randomSource } from '../../src/estimation/random.js';
import { hittingTimes } from '../../src/spectrum/hitting-times.js';

const { EPSILON } = Number;

/** A birth-death chain: up with rate `up(s)`, down with `down(s)`, and its stationary law. */
function ladder(states: number, up: (s: number) => number, down: (s: number) => number) {
  const p = new Float64Array(states * states);
  const pi = new Float64Array(states).fill(1);
  for (let s = 0; s < states; s++) {
    if (s + 1 < states) p[s * states + s + 1] = up(s);
    if (s > 0) p[s * states + s - 1] = down(s);
    p[s * states + s] = 1 - p.slice(s * states, (s + 1) * states).reduce((a, b) => a + b, 0);
    if (s > 0) pi[s] = (pi[s - 1] * up(s - 1)) / down(s);
  }
  const total = pi.reduce((a, b) => a + b);
  return { p, pi: pi.map((x) => x / total) };
}

describe('of a ladder, in closed form', () => {
  test('an even one: n (n + 1) from the far end, at rates of a half', () => {
    const n = 12;
    const { p, pi } = ladder(
      n + 1,
      () => 0.5,
      () => 0.5,
    );
    const times = hittingTimes(p, pi, (s) => s === n);
    // From s the time to the next rung is 2 (s + 1) with reflection at 0, and the sum of these to the top is n (n + 1) - s (s + 1).
    for (let s = 0; s <= n; s++)
      expect(Math.abs(times[s] - (n * (n + 1) - s * (s + 1)))).toBeLessThan(1e3 * EPSILON * n ** 2);
  });

  test('a steep one: 1e13 steps to the top, to a few roundings', () => {
    const [states, up, down] = [9, 0.01, 0.7];
    const { p, pi } = ladder(
      states,
      () => up,
      () => down,
    );
    const times = hittingTimes(p, pi, (s) => s === states - 1);
    // h_s = 1 / up + (down / up) h_{s-1} is the time from s to s + 1: sums of positive terms.
    let [h, sum] = [0, 0];
    for (let s = 0; s < states - 1; s++) {
      h = 1 / up + (s === 0 ? 0 : (down / up) * h);
      sum += h;
    }
    expect(sum).toBeGreaterThan(1e13);
    expect(Math.abs(times[0] / sum - 1)).toBeLessThan(8 * states * EPSILON);
  });
});

/** A reversible chain of random flows. */
function randomChain(n: number, seed: number) {
  const random = randomSource(seed);
  const flow = new Float64Array(n * n);
  for (let s = 0; s < n; s++) for (let t = 0; t <= s; t++) flow[s * n + t] = flow[t * n + s] = random.uniform() ** 4;
  const total = flow.reduce((a, b) => a + b);
  const pi = Float64Array.from({ length: n }, (_, s) => flow.slice(s * n, (s + 1) * n).reduce((a, b) => a + b) / total);
  return { p: flow.map((x, k) => x / total / pi[Math.floor(k / n)]), pi };
}

test('against the sum over time of the probability to be still outside', () => {
  const n = 14;
  const { p, pi } = randomChain(n, 5);
  const target = (s: number) => s === 3 || s === 9;
  const times = hittingTimes(p, pi, target);
  let outside = Float64Array.from({ length: n }, (_, s) => (target(s) ? 0 : 1));
  const sums = new Float64Array(n);
  for (let step = 0; step < 20_000 && outside.some((x) => x > 1e-18); step++) {
    outside.forEach((x, s) => {
      sums[s] += x;
    });
    outside = outside.map((_, s) =>
      target(s) ? 0 : p.slice(s * n, (s + 1) * n).reduce((a, q, t) => a + q * outside[t], 0),
    );
  }
  for (let s = 0; s < n; s++) expect(Math.abs(times[s] - sums[s])).toBeLessThan(1e-11 * (1 + sums[s]));
});

test("Kac's formula: the mean time of return to a set is one over its probability", () => {
  const n = 10;
  const { p, pi } = randomChain(n, 6);
  const target = (s: number) => s < 3;
  const times = hittingTimes(p, pi, target);
  const mass = pi[0] + pi[1] + pi[2];
  let mean = 0;
  for (let s = 0; s < 3; s++) for (let t = 0; t < n; t++) mean += (pi[s] / mass) * p[s * n + t] * (1 + times[t]);
  expect(Math.abs(mean * mass - 1)).toBeLessThan(1e3 * EPSILON);
});

test('a target out of reach is refused', () => {
  const p = Float64Array.from([1, 0, 0, 1]);
  expect(() => hittingTimes(p, Float64Array.of(0.5, 0.5), (s) => s === 1)).toThrow(/out of reach in double precision/);
});
