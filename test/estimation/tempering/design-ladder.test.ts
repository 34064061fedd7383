import { InputError, ising, type Model, ReversibilityError, randomSource, rbm } from 'htdml';
import { describe, expect, test } from 'vitest';
import { designLadder, LADDER_THRESHOLDS } from '../../../src/estimation/tempering/design-ladder.js';
import { energyLaw, equalLadder, nextBeta } from '../../../src/estimation/tempering/energy-law.js';
import { temperedSamples } from '../../../src/estimation/tempering/tempered-samples.js';
import { fullSpace, vector } from '../../support/brute-force.js';
import { complete, glass, normals } from '../../support/models.js';
import { stateAt } from '../../support/statistics.js';

/** Expected acceptance of a swap from the laws of all states. */
function exactAcceptance(model: Model, hot: number, cold: number): number {
  const { energies, pi: q } = fullSpace({ ...model, beta: cold });
  const weights = energies.map((energy) => Math.exp(-hot * energy));
  const total = weights.reduce((a, b) => a + b);
  let sum = 0;
  energies.forEach((e, s) => {
    energies.forEach((f, t) => {
      sum += (weights[s] / total) * q[t] * Math.min(1, Math.exp((hot - cold) * (e - f)));
    });
  });
  return sum;
}

describe('the law of energies', () => {
  test('from samples of one beta: every pair of them by its weight', () => {
    const random = randomSource(4);
    const samples = vector(300, () => Math.round(8 * random.normal()) / 4 + (random.uniform() < 0.3 ? 1e-3 : 0));
    const law = energyLaw([0.3], [samples]);
    const weights = (beta: number) => {
      const raw = samples.map((energy) => Math.exp(-(beta - 0.3) * energy));
      const total = raw.reduce((a, b) => a + b);
      return raw.map((weight) => weight / total);
    };
    for (const [hot, cold] of [
      [0, 0.2],
      [0.3, 1.1],
      [0.7, 0.7],
    ]) {
      const [p, q] = [weights(hot), weights(cold)];
      let expected = 0;
      samples.forEach((e, s) => {
        samples.forEach((f, t) => (expected += p[s] * q[t] * Math.min(1, Math.exp((hot - cold) * (e - f)))));
      });
      expect(Math.abs(law.acceptanceFrom(hot)(cold) - expected)).toBeLessThan(300 ** 2 * Number.EPSILON);
    }
  });

  test('from samples of several betas: the exact acceptance, between them too', () => {
    const model = glass(8, 0.7, 6, true);
    const betas = [0, 0.4, 1];
    const random = randomSource(2);
    const { energies } = fullSpace(model);
    const draw = (beta: number) => {
      const { pi } = fullSpace({ ...model, beta: beta === 0 ? Number.MIN_VALUE : beta });
      return vector(4000, () => energies[stateAt(pi, random.uniform())]);
    };
    const law = energyLaw(betas, betas.map(draw));
    for (const [hot, cold] of [
      [0, 0.4],
      [0.2, 0.6],
      [0.4, 1],
      [0.7, 1.1],
    ]) {
      // An acceptance is a mean of numbers in [0, 1] over at least 4000 independent draws each of two laws, reweighted by at most a few.
      expect(Math.abs(law.acceptanceFrom(hot)(cold) - exactAcceptance(model, hot, cold))).toBeLessThan(
        5 * Math.sqrt(2 / 4000) * Math.sqrt(3 / 12),
      );
    }
  });

  test('betas of equal acceptance: as few as the least one permits', () => {
    const random = randomSource(8);
    const law = energyLaw([0], [vector(2000, () => 10 * random.normal())]);
    for (const least of [0.2, 0.5, 0.8]) {
      const betas = equalLadder(law, 0, 0.2, least, 100);
      const acceptances = betas.slice(1).map((beta, k) => law.acceptanceFrom(betas[k])(beta));
      expect(Math.min(...acceptances)).toBeGreaterThan(least - 1e-5);
      expect(Math.max(...acceptances) - Math.min(...acceptances)).toBeLessThan(1e-3);
      let count = 1;
      for (let beta: number | null = 0; beta !== null; beta = nextBeta(law, beta, 0.2, least)) count++;
      expect(betas.length).toBe(count);
    }
    expect(equalLadder(law, 0, 0.2, 0.8, 2).length).toBeGreaterThan(3);
  });
});

const options = { kernel: 'random-block', ensembles: 16, steps: 400, seed: 1 } as const;

describe('a designed ladder', () => {
  const machine = rbm({
    visible: 6,
    hidden: 4,
    weights: normals(24, 0.8, 3),
    visibleBiases: normals(6, 0.3, 4),
    hiddenBiases: normals(4, 0.3, 5),
    beta: 1.5,
  });
  const wells = ising({
    spins: 8,
    edges: complete(8),
    couplings: Array(28).fill(0.35),
    biases: Array(8).fill(0.02),
    beta: 2,
  });
  test.each([
    { name: 'glass without biases', model: glass(9, 0.6, 6), wanted: 0.4 },
    { name: 'RBM', model: machine, wanted: 0.3 },
    { name: 'ferromagnet', model: wells, wanted: 0.5 },
  ])('$name: equal acceptances, which are the exact ones', ({ model, wanted }) => {
    const designed = designLadder(model, { ...options, acceptance: wanted });
    const { ladder, swaps, missing } = designed;
    expect(designed).toMatchObject({ equal: true, verdict: 'resolved' });
    expect(missing).toEqual([]);
    expect(ladder.betas[0]).toBe(0);
    expect(ladder.betas[ladder.betas.length - 1]).toBe(model.beta);
    const exact = swaps.map((_, k) => exactAcceptance(model, ladder.betas[k], ladder.betas[k + 1]));
    swaps.forEach(({ acceptance, standardError }, k) => {
      expect(standardError).toBeLessThan(LADDER_THRESHOLDS.standardError);
      // Errors over 16 ensembles: beyond 6 of them with a chance of 2e-5.
      expect(Math.abs(acceptance - exact[k])).toBeLessThan(6 * (standardError ?? 0));
    });
    // Placed from pilots that know acceptances to one or two hundredths.
    expect(Math.max(...exact) - Math.min(...exact)).toBeLessThan(0.06);
    expect(Math.min(...exact)).toBeGreaterThan(wanted - 0.03);
    expect(Math.min(...designed.roundTrips)).toBeGreaterThan(0);
  });

  test('is the same for the same seed, and its ensembles go on', () => {
    const once = designLadder(wells, options);
    const again = designLadder(wells, options);
    expect([...again.ladder.betas]).toEqual([...once.ladder.betas]);
    expect(again.state).toEqual(once.state);
    expect(again.swaps).toEqual(once.swaps);
    expect([...designLadder(wells, { ...options, seed: 2 }).ladder.betas]).not.toEqual([...once.ladder.betas]);
    const run = temperedSamples(once.ladder, once.state, { burnIn: 0, samples: 5 });
    expect(run.samples.length).toBe(16);
    expect(once.moves).toBeGreaterThan(16 * 400 * once.ladder.betas.length);
  });

  test('that is measured too little says so', () => {
    const designed = designLadder(machine, { ...options, ensembles: 4, steps: 32, rounds: 1 });
    expect(designed).toMatchObject({ equal: false, verdict: 'unresolved', rounds: 1, steps: 24 });
    expect(designed.missing.join()).toMatch(/is known to [\d.]+ only: more steps are needed|where the mean of all is/);
  });

  test('of a model whose energy never varies has two replicas that always swap', () => {
    const still = ising({ spins: 3, edges: complete(3), couplings: [0, 0, 0], beta: 2 });
    const { ladder, swaps, verdict } = designLadder(still, { ...options, steps: 40 });
    expect([...ladder.betas]).toEqual([0, 2]);
    expect(swaps).toEqual([{ acceptance: 1, standardError: 0, tried: 16 * 30, made: 16 * 30 }]);
    expect(verdict).toBe('resolved');
  });

  test('from a hotter end of the caller starts there', () => {
    const { ladder, equal } = designLadder(wells, { ...options, hottest: 0.3 });
    expect(ladder.betas[0]).toBe(0.3);
    expect(equal).toBe(true);
  });

  test.each([
    [{ hottest: -0.1 }, /^hottest must be a number of at least 0 and below the model's beta 2/],
    [{ hottest: 2 }, /^hottest must be/],
    [{ hottest: Number.NaN }, /^hottest must be/],
    [{ acceptance: 1 }, /^acceptance must be a number from 0.1 to 0.9, got 1;/],
    [{ ensembles: 3 }, /^ensembles must be a whole number of at least 4/],
    [{ steps: 31 }, /^steps must be a whole number of at least 32/],
    [{ rounds: 0 }, /^rounds must be a whole number of at least 1/],
    [{ seed: -1 }, /^seed must be/],
    [{ sweeps: 0.5 }, /^sweeps must be/],
  ])('%o is refused', (change, message) => {
    expect(() => designLadder(wells, { ...options, ...change })).toThrow(InputError);
    expect(() => designLadder(wells, { ...options, ...change })).toThrow(message);
  });

  test('so is a kernel that is not reversible', () => {
    expect(() => designLadder(wells, { ...options, kernel: 'alternating-block' })).toThrow(ReversibilityError);
  });
});
