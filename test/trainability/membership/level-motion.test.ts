import type { KernelName, Model } from 'htdml';
import { describe, expect, test } from 'vitest';
import { transitionMatrix } from '../../../src/spectrum/dense-kernel.js';
import { levelBounds, STATIONARY_LEVEL } from '../../../src/trainability/membership/level-motion.js';
import { ratesAlong } from '../../../src/trainability/paths/path.js';
import { TableRoute } from '../../../src/trainability/routes/table-route.js';
import { CASES, CHARACTERS, direction, modelOf, TIMEOUT } from '../../support/mode-cases.js';
import { GIBBS, random, randomData } from '../../support/models.js';

// Eigenvalues of a matrix of norm 3 and order 16 at two points.
const ROUNDING = 4 * 16 * 3 * 8 * Number.EPSILON;

function motionOf(model: Model, name: KernelName, step: Float64Array) {
  const route = new TableRoute(model, randomData(model.visible.length, 3), name);
  const rates = ratesAlong(model, name, step);
  const { gaps } = route.modes(model.theta);
  return { route, rates, gaps, motion: route.levelMotion(model.theta, step, rates, gaps.length) };
}

describe.each(GIBBS)('%s', (name) => {
  test(
    'no eigenvalue leaves its bounds, forwards or backwards',
    () => {
      const r = random(47);
      let tightest = 0;
      for (let k = 0; k < CASES; k++) {
        const model = modelOf(CHARACTERS[k % CHARACTERS.length], r);
        const step = direction(model.theta.length, r);
        const { route, motion, gaps } = motionOf(model, name, step);
        const t = 10 ** (-4 * r.uniform());
        for (const sense of [1, -1] as const) {
          const moved = route.modes(model.theta.map((x, a) => x + sense * t * step[a])).gaps;
          for (let j = 0; j < gaps.length; j++) {
            const { low, high } = levelBounds(motion, j, sense)(t);
            expect(moved[j], `${name} case ${k} level ${j} at ${sense * t}`).toBeGreaterThan(low - ROUNDING);
            expect(moved[j], `${name} case ${k} level ${j} at ${sense * t}`).toBeLessThan(high + ROUNDING);
            // How far up to the bound it moves, where it moves by more than rounding.
            if (Math.abs(moved[j] - gaps[j]) > 1e-6) {
              tightest = Math.max(tightest, (moved[j] - gaps[j]) / (high - gaps[j]));
            }
          }
        }
      }
      // Second order knows the slope, so small steps come close.
      expect(tightest).toBeGreaterThan(0.95);
    },
    TIMEOUT,
  );
});

test('for a level by itself the width falls as t^2, where that of Weyl falls as t', () => {
  const r = random(53);
  let shown = 0;
  for (let k = 0; k < 20; k++) {
    const model = modelOf('random', r);
    const step = direction(model.theta.length, r);
    const { motion, rates, gaps } = motionOf(model, 'random-scan', step);
    for (let j = 0; j < 3; j++) {
      const apart = Math.min(j > 0 ? gaps[j] - gaps[j - 1] : gaps[j], gaps[j + 1] - gaps[j]);
      if (apart < 1e-2) continue;
      shown++;
      const width = (t: number) => {
        const { low, high } = levelBounds(motion, j, 1)(t);
        return high - low;
      };
      const t = 1e-3 * apart;
      expect(width(t)).toBeLessThan(0.1 * 2 * rates.matrix * t);
      // To the next order, which is t relative to the distance.
      expect(width(t) / width(t / 2)).toBeGreaterThan(3.9);
      expect(width(0)).toBeLessThan(1e-15);
      // Never worse than Weyl, near or far.
      for (const far of [0.01, 0.1, 1]) expect(width(far)).toBeLessThanOrEqual(2 * rates.matrix * far * (1 + 1e-12));
    }
  }
  expect(shown).toBeGreaterThan(20);
});

test('the slopes are those of central differences where levels are simple, and bracket them where they cross', () => {
  const r = random(59);
  for (const character of CHARACTERS) {
    const model = modelOf(character, r);
    const step = direction(model.theta.length, r);
    const { route, motion, gaps } = motionOf(model, 'random-scan', step);
    const h = 1e-5;
    const at = (t: number) => route.modes(model.theta.map((x, a) => x + t * step[a])).gaps;
    const [p, m] = [at(h), at(-h)];
    for (let j = 0; j < gaps.length; j++) {
      const beside = [gaps[j - 1] ?? -1, gaps[j + 1] ?? 3].map((x) => Math.abs(x - gaps[j]));
      if (Math.min(...beside) < 1e-3) continue;
      // Third derivatives below (1 / distance)^2; rounding over h.
      expect(Math.abs((p[j] - m[j]) / (2 * h) - motion.inner[j * gaps.length + j])).toBeLessThan(
        1e6 * h * h + ROUNDING / h,
      );
    }
  }
});

test('the elements of the derivative are those of differences of I - A + 2 psi psi^T, those to the stationary mode too', () => {
  const r = random(89);
  for (const name of GIBBS) {
    for (const character of CHARACTERS) {
      const model = modelOf(character, r);
      const step = direction(model.theta.length, r);
      const { route, motion, gaps } = motionOf(model, name, step);
      const matrix = (t: number) => {
        const { law, kernel } = route.at(model.theta.map((x, a) => x + t * step[a]));
        const n = law.space.states;
        const p = transitionMatrix(kernel);
        return p.map((value, k) => {
          const [x, y] = [Math.floor(k / n), k % n];
          const root = Math.sqrt(law.pi[x] * law.pi[y]);
          return (x === y ? 1 : 0) - value * Math.sqrt(law.pi[x] / law.pi[y]) + STATIONARY_LEVEL * root;
        });
      };
      const h = 1e-3;
      const [p1, m1, p2, m2] = [matrix(h), matrix(-h), matrix(2 * h), matrix(-2 * h)];
      const derivative = p1.map((x, k) => (8 * (x - m1[k]) - (p2[k] - m2[k])) / (12 * h));
      const { law } = route.at(model.theta);
      const { functions, states: n } = route.modes(model.theta);
      const psi = law.pi.map(Math.sqrt);
      const mode = (j: number) => psi.map((x, s) => x * functions[j * n + s]);
      const element = (v: Float64Array, w: Float64Array) =>
        v.reduce((sum, x, s) => sum + x * w.reduce((inner, y, t) => inner + derivative[s * n + t] * y, 0), 0);
      // |d|_1 = 1 and beta < 1.5: analytic in a disc of radius 1/3, with entries of a few there; h^4 / 30 of 5! 3^5 of them, and rounding over h.
      const tolerance = (4 * 120 * 3 ** 5 * h ** 4) / 30 + (16 * ROUNDING) / h;
      for (let j = 0; j < gaps.length; j++) {
        expect(Math.abs(element(mode(j), psi) - motion.stationary[j])).toBeLessThan(tolerance);
        for (let k = 0; k < gaps.length; k += 3) {
          expect(Math.abs(element(mode(j), mode(k)) - motion.inner[j * gaps.length + k])).toBeLessThan(tolerance);
        }
      }
    }
  }
});
