import { evaluateModel } from 'htdml';
import { describe, expect, test } from 'vitest';
import { TableRoute } from '../../src/trainability/routes/table-route.js';
import { gradientCases, REVERSIBLE } from '../support/models.js';

const cases = gradientCases().filter(({ model }) => model.spins <= 5);

/** `R / R_hat - 1` from equilibrium with a window of `K` steps. */
function excess({ model, data }: (typeof cases)[number], kernel: (typeof REVERSIBLE)[number], window: number) {
  const { operational, predictors } = evaluateModel(model, data, {
    kernel,
    start: 'stationary',
    burnIn: 0,
    window,
    chains: 1,
    epsilon: 1e-3,
    kappa: 2.5,
    gradient: false,
  });
  return operational?.R && predictors.full.Rhat ? operational.R / predictors.full.Rhat - 1 : null;
}

// (D11) from equilibrium: R / R_hat = 1 / (1 - delta1), delta1 = (1 / (K T)) sum_j mu_j s_j (1 - s_j^K) / (1 - s_j)^2.
describe.each(REVERSIBLE)('%s: R / R_hat goes to 1 like 1 / (gamma K)', (kernel) => {
  test.each(cases)('$name', (one) => {
    const { model, data } = one;
    const route = new TableRoute(model, data, kernel);
    const groups = route.spectrum(model.theta)?.groups ?? [];
    const gap = groups.reduce((least, group) => Math.min(least, group.gap, 2 - group.gap), 2);
    // A chain that is periodic, or slow beyond the windows here, has no such limit to see.
    if (gap < 1e-4) return expect(gap).toBeLessThan(1e-4);
    const timescale = groups.reduce((sum, group) => sum + group.weight * (1 / group.gap - 0.5), 0);
    const constant =
      groups.reduce((sum, group) => sum + (group.weight * (1 - group.gap)) / group.gap ** 2, 0) / timescale;
    for (const periods of [30, 300, 3000]) {
      const window = Math.ceil(periods / gap);
      const found = excess(one, kernel, window);
      // No signal, no R.
      if (found === null) return expect(route.evaluate(model.theta, ['signal']).value.signal).toBeLessThan(1e-25);
      // The next order is delta1^2, and s^K is below e^-30; 64 eps / gap is what the modes know.
      const next = (constant / window) ** 2 * 1.1 + 64 * Number.EPSILON * (1 + 1 / gap);
      expect(Math.abs(found - constant / window)).toBeLessThan(next + 1e-8 * Math.abs(constant / window));
      expect(Math.abs(found)).toBeLessThan(1.1 / (gap * window) + next);
    }
  });
});
