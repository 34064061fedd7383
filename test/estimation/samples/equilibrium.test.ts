import { EquilibriumRun, InputError, ising, rbm, sampleEquilibrium } from 'htdml';
import { describe, expect, test } from 'vitest';
import { randomSource } from '../../../src/estimation/random.js';
import { equilibriumStarts, sweepOf } from '../../../src/estimation/samples/equilibrium.js';
import { sampleChains } from '../../../src/estimation/samples/sample-chains.js';
import { positiveLaw } from '../../support/fitted.js';

const layers = rbm({ visible: 3, hidden: 2, weights: [0.4, -0.2, 0.1, 0.5, -0.6, 0.3] });
const triangle = ising({
  spins: 3,
  edges: [
    [0, 1],
    [1, 2],
    [0, 2],
  ],
  couplings: [0.3, -0.2, 0.4],
  biases: [0.1, 0, -0.3],
  blocks: [[0, 1], [2]],
});
const data = positiveLaw(3, 4);

describe.each([
  ['layers', layers],
  ['a block with an edge inside', triangle],
])('%s', (_, model) => {
  const plan = { chains: 13, samples: 7, burnIn: 11, apart: 3, seed: 5 };
  const whole = sampleEquilibrium(model, data, plan);

  test('one run of all chains, from starts of every kind in turn', () => {
    const random = randomSource(plan.seed);
    const starts = equilibriumStarts(model, data, plan.chains, random);
    const seed = random.integer(2 ** 32);
    const { samples } = sampleChains(model, { ...plan, kernel: sweepOf(model), starts, seed });
    expect([...whole.pilot, ...whole.chains].map(({ words }) => [...words])).toEqual(
      samples.map(({ words }) => [...words]),
    );
    expect([whole.pilot.length, whole.chains.length, whole.startKinds]).toEqual([4, 13, 3]);
  });

  test('the same samples however the sweeps are cut, and from any saved state', () => {
    const random = randomSource(1);
    for (let trial = 0; trial < 10; trial++) {
      let run = new EquilibriumRun(model, data, plan);
      expect(run.total).toBe(11 + 7 * 3);
      while (run.sweeps < run.total) {
        const before = run.sweeps;
        run.advance(random.integer(8));
        expect(run.sweeps).toBeGreaterThan(before);
        if (random.uniform() < 0.5) run = new EquilibriumRun(model, data, plan, structuredClone(run.state()));
      }
      expect(run.result()).toEqual(whole);
      run.advance(5);
      expect(run.sweeps).toBe(run.total);
    }
  });

  test('the state of another plan is refused', () => {
    const run = new EquilibriumRun(model, data, plan);
    run.advance(17);
    const state = run.state();
    const refuse = (change: object, of: object = {}) =>
      expect(() => new EquilibriumRun(model, data, { ...plan, ...of }, { ...state, ...change })).toThrow(InputError);
    refuse({ sweeps: state.sweeps + 1 });
    refuse({ sweeps: 1e9 });
    refuse({ sweeps: Number.NaN });
    refuse({ samples: state.samples.slice(1) });
    refuse({}, { chains: 14 });
    refuse({}, { burnIn: 10 });
  });
});

test.each([
  { chains: 0 },
  { samples: 0 },
  { samples: Number.NaN },
  { burnIn: -1 },
  { apart: 0 },
  { apart: 2 ** 53 - 1, samples: 10 },
  { seed: 0.5 },
])('%j is refused before anything is sampled', (change) => {
  const plan = { chains: 12, samples: 4, burnIn: 0, apart: 1, seed: 1, ...change };
  expect(() => sampleEquilibrium(layers, data, plan)).toThrow(InputError);
  expect(() => sampleEquilibrium(layers, positiveLaw(4, 4), { ...plan, ...{ chains: 12 } })).toThrow(InputError);
});
