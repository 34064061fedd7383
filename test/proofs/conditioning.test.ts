import { dataLawFromCounts, ising, type Model } from 'htdml';
import { expect, test } from 'vitest';
import { solve } from '../../proofs/system.js';
import { EPS } from '../support/brute-force.js';

/** `1 + phi(x) phi(y)`: what `E_pi` and the projection on one simple mode make of the indicator of `x` over `pi(x)`, at `y`. */
function density(model: Model, gap: number) {
  const { modes, groups, law } = solve({
    model,
    data: dataLawFromCounts(model.spins, [[0, 1]]),
    kernel: 'random-scan',
  });
  const group = groups.find((candidate) => Math.abs(candidate.gap - gap) < 1e-12);
  expect(group?.multiplicity).toBe(1);
  const j = group?.members[0] ?? 0;
  const phi = modes.functions.subarray(j * modes.states, (j + 1) * modes.states);
  return { law, at: (x: number, y: number) => 1 + phi[x] * phi[y] };
}

test('an irreducible chain whose projection is an average: a free spin with a rate of its own', () => {
  const model = ising({ spins: 3, edges: [[0, 1]], couplings: [0.7], biases: [0, 0, 0.4] });
  const { law, at } = density(model, 1 / 3);
  const up = law.pi.reduce((sum, p, s) => sum + (s & 4 ? p : 0), 0);
  for (let x = 0; x < 8; x++) {
    for (let y = 0; y < 8; y++) {
      // The average over the cell of the free spin: 1 / pi(cell) inside, 0 outside.
      const cell = x & 4 ? up : 1 - up;
      expect(Math.abs(at(x, y) - ((x & 4) === (y & 4) ? 1 / cell : 0))).toBeLessThan(64 * EPS);
    }
  }
});

test('a mode of more than two values is none: a positive function becomes negative', () => {
  const t = Math.tanh(0.7);
  // The slowest mode of a pair, x_0 + x_1, takes three values.
  const { at } = density(ising({ spins: 2, edges: [[0, 1]], couplings: [0.7], biases: [0, 0] }), (1 - t) / 2);
  expect(Math.abs(at(0, 3) - (1 - 2 / (1 + t)))).toBeLessThan(64 * EPS);
  expect(at(0, 3)).toBeLessThan(-0.2);
});
