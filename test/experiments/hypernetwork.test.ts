import { expect, test } from 'vitest';
import { randomSource } from '../../src/estimation/random.js';
import { hypernetwork, randomWeights } from '../../src/experiments/hypernetwork.js';

test('the pullback of a hypernetwork, against central differences in every weight', () => {
  const random = randomSource(11);
  const [latent, width, couplings] = [3, 4, 5];
  const { size, emit } = hypernetwork(latent, width, couplings);
  const weights = randomWeights(latent, width, couplings, 1, random).map((x) => x + 0.1 * random.normal());
  const z = Float64Array.from({ length: latent }, () => random.normal());
  const bar = Float64Array.from({ length: couplings }, () => random.normal());
  const value = (w: Float64Array) => emit(w, z).couplings.reduce((sum, x, a) => sum + bar[a] * x, 0);
  const gradient = emit(weights, z).pullback(bar);
  expect(gradient).toHaveLength(size);
  const h = 1e-3;
  for (let k = 0; k < size; k++) {
    const at = (t: number) => value(weights.map((x, i) => (i === k ? x + t : x)));
    const difference = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
    // h^4 / 30 of a fifth derivative of tanh, at most 16 per unit of weight, and rounding over h.
    expect(Math.abs(gradient[k] - difference)).toBeLessThan(1e-10);
  }
});
