import { createRoute, dataLawFromCounts, ising, rbm } from 'htdml';
import { describe, expect, test } from 'vitest';
import { groundedSolver } from '../../src/spectrum/grounded.js';
import { EPS, inner, vector } from '../support/brute-force.js';
import { MIXTURES } from '../support/models.js';

/**
 * A birth-death chain on `0 ... n-1` is in detailed balance: with `c_k = pi_k P(k, k+1) = pi_{k+1} P(k+1, k)`, the equation `(I - P) u = b` says that
 * the flow out of `{0..k}` is `c_k (u_k - u_{k+1}) = F_k := sum_{j <= k} pi_j b_j`. Hence `u_k - u_{k+1} = F_k / c_k` and, by summation by parts,
 * `<b, u> = sum_k F_k^2 / c_k`. With `b = 1_0 / pi_0 - 1_{n-1} / pi_{n-1}`, `F_k = 1`: resistors in series.
 */
function chain(pi: readonly number[], up: readonly number[]) {
  const n = pi.length;
  const law = Float64Array.from(pi);
  const flows = up.map((rate, k) => pi[k] * rate);
  const rates = new Float64Array(n * n);
  flows.forEach((flow, k) => {
    rates[k * n + k + 1] = up[k];
    rates[(k + 1) * n + k] = flow / pi[k + 1];
  });
  const solve = (b: Float64Array) => groundedSolver(rates, law).solve(b);
  return { n, law, flows, rates, solve };
}

/** Each flow of a chain is a product and a quotient of given numbers, and elimination adds one operation per state: all relative. */
const RELATIVE = 1e-13;

const gaps = [1e-10, 1e-14, 1e-100];

describe.each(gaps)('gap %d', (gap) => {
  test('two states: u = b / gap', () => {
    // (I - P) u = b with E u = 0 has one mode, of gap up + down.
    for (const share of [0.5, 0.9, 1e-3]) {
      const { law, solve } = chain([share, 1 - share], [gap * (1 - share)]);
      const b = Float64Array.of(1 - share, -share);
      solve(b).forEach((u, s) => expect(Math.abs((u * gap) / b[s] - 1)).toBeLessThan(RELATIVE));
      expect(Math.abs((inner(law, b, solve(b)) * gap) / (share * (1 - share)) - 1)).toBeLessThan(RELATIVE);
    }
  });

  test('three states: an improbable middle between two wells', () => {
    // Rates `gap` up from each well and 1/4 back: pi = (1, 4 gap, 1) / (2 + 4 gap). (1, 0, -1) is an eigenvector with eigenvalue `gap` exactly.
    const z = 2 + 4 * gap;
    const { law, solve } = chain([1 / z, (4 * gap) / z, 1 / z], [gap, 0.25]);
    const u = solve(Float64Array.of(1, 0, -1));
    expect(Math.abs(u[0] * gap - 1)).toBeLessThan(RELATIVE);
    expect(Math.abs(u[2] * gap + 1)).toBeLessThan(RELATIVE);
    // The middle is at zero by symmetry, to the accuracy of its neighbours.
    expect(Math.abs(u[1] * gap)).toBeLessThan(RELATIVE);
    expect(Math.abs((inner(law, Float64Array.of(1, 0, -1), u) * gap * z) / 2 - 1)).toBeLessThan(RELATIVE);
  });

  test.each([
    { name: 'three states, uneven wells', pi: [0.7, gap, 0.3], up: [gap / 2, 0.4] },
    { name: 'four states, two wells', pi: [0.25, gap / 4, gap / 16, 0.75], up: [gap / 8, 0.3, 0.5] },
    { name: 'four states, three wells', pi: [0.6, 0.1, gap, 0.3], up: [gap, gap / 3, 0.2] },
    { name: 'four states, the most probable inside', pi: [0.2, 0.5, gap / 8, 0.3], up: [0.5, gap / 16, 0.25] },
  ])('$name: resistors in series', ({ pi, up }) => {
    const { n, law, flows, solve } = chain(pi, up);
    const b = vector(n, (k) => (k === 0 ? 1 / pi[0] : k === n - 1 ? -1 / pi[n - 1] : 0));
    const u = solve(b);
    const total = flows.reduce((sum, flow) => sum + 1 / flow, 0);
    expect(Math.abs(inner(law, b, u) / total - 1)).toBeLessThan(RELATIVE);
    // A difference of two values of u is as accurate as the larger one.
    flows.forEach((flow, k) => expect(Math.abs((u[k] - u[k + 1] - 1 / flow) / total)).toBeLessThan(RELATIVE));
  });

  test('general right-hand side on four states', () => {
    const pi = [0.25, gap / 4, gap / 16, 0.75];
    const { law, flows, solve } = chain(pi, [gap / 8, 0.3, 0.5]);
    // Outer wells at 3 and -1 balance, the states between carry values of their own: F = (3/4, 3/4 + gap/2, 3/4 + gap/2 - gap/4).
    const b = Float64Array.of(3, 2, -4, -1);
    const shift = gap / 2 - gap / 4;
    const totals = [0.75, 0.75 + gap / 2, 0.75 + shift];
    // E b = shift, which the well at the end must absorb for the equation to have a solution.
    b[3] -= shift / 0.75;
    const exact = totals.reduce((sum, f, k) => sum + (f * f) / flows[k], 0);
    expect(Math.abs(inner(law, b, solve(b)) / exact - 1)).toBeLessThan(RELATIVE);
  });
});

test('a chain in two pieces is called reducible', () => {
  const rates = Float64Array.of(0, 0.5, 0, 0, 0.5, 0, 0, 0, 0, 0, 0, 0.5, 0, 0, 0.5, 0);
  expect(groundedSolver(rates, Float64Array.of(0.25, 0.25, 0.25, 0.25)).irreducible).toBe(false);
  rates[1 * 4 + 2] = rates[2 * 4 + 1] = 1e-300;
  expect(groundedSolver(rates, Float64Array.of(0.25, 0.25, 0.25, 0.25)).irreducible).toBe(true);
});

/**
 * Two spins, coupling J, biases 0, random-scan, `t = tanh J`, `w = exp(2J)`: `P_i x_i = t x_j`, so `x_0 +- x_1` are eigenvectors with gaps `(1 -+ t) / 2` and
 * `x_0 x_1 - t` has gap 1. Weights of the biases: `1 +- t`; of the coupling `1 - t^2`. With `1 - t = 2/(1+w)` and `1 + t = 2w/(1+w)`:
 * `T = (1+t) (1+w - 1/2) + (1-t) ((1+w)/w - 1/2) + (1-t^2)/2 = 2w + 2/w - 1 + 2w/(1+w)^2`, and `dT/dJ = 2w dT/dw`.
 */
describe.each([1e-2, 1e-6, 1e-10, 1e-14])('two spins with gap %d, to full accuracy', (gap) => {
  const coupling = 0.5 * Math.log(1 / gap);
  const w = Math.exp(2 * coupling);
  const time = 2 * w + 2 / w - 1 + (2 * w) / (1 + w) ** 2;
  const slope = 2 * w * (2 - 2 / w ** 2 + 2 / (1 + w) ** 2 - (4 * w) / (1 + w) ** 3);
  const data = (spins: number) =>
    dataLawFromCounts(spins, [
      [0, 0.3],
      [1, 0.7],
    ]);
  const pair = ising({ spins: 2, edges: [[0, 1]], couplings: [coupling], biases: [0, 0] });
  const machine = rbm({ visible: 1, hidden: 1, weights: [coupling], visibleBiases: [0], hiddenBiases: [0] });
  const routes = [
    ...MIXTURES.map((kernel) => ({
      name: `table, ${kernel}`,
      model: pair,
      route: createRoute(pair, data(2), { kernel, route: 'table' }),
    })),
    {
      name: 'factored',
      model: machine,
      route: createRoute(machine, data(1), { kernel: 'random-block', route: 'factored' }),
    },
  ];
  // w = exp(2J) is as accurate as its argument, 2J eps; everything else is a few operations per state.
  const tolerance = (64 + 4 * coupling) * EPS;

  test.each(routes)('$name: T, its derivative and the spectrum', ({ model, route }) => {
    const { value, pullback, info } = route.evaluate(model.theta, ['timescale', 'variance']);
    expect(info.converged).toBe(true);
    expect(Math.abs((value.timescale ?? 0) / time - 1)).toBeLessThan(tolerance);
    expect(Math.abs((value.variance ?? 0) / (2 + (4 * w) / (1 + w) ** 2) - 1)).toBeLessThan(tolerance);
    const gradient = pullback({ timescale: 1 });
    expect(Math.abs(gradient[0] / slope - 1)).toBeLessThan(2 * tolerance);
    // T is even in each bias, so these vanish up to the rounding of the slope.
    expect(Math.abs(gradient[1] / slope)).toBeLessThan(2 * tolerance);
    expect(Math.abs(gradient[2] / slope)).toBeLessThan(2 * tolerance);
    const { slowest } = route.relaxation(model.theta);
    // An eigensolver resolves gaps to a few eps of the matrix.
    expect(Math.abs((slowest?.gap ?? 0) - 1 / (1 + w))).toBeLessThan(16 * EPS);
  });
});
