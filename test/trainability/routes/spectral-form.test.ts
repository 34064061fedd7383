import type { KernelName, Model } from 'htdml';
import { expect, test } from 'vitest';
import { pullbackLogPi } from '../../../src/model/boltzmann.js';
import { ACCURACY } from '../../../src/trainability/accuracy.js';
import { levelsInside } from '../../../src/trainability/membership/mode-sets.js';
import { hardMembership, softMembership } from '../../../src/trainability/membership/soft-window.js';
import { modeSetAt } from '../../../src/trainability/paths/path.js';
import type { DenseModes } from '../../../src/trainability/routes/dense-modes.js';
import { modeWeight, spectralForm, spectralFormCotangent } from '../../../src/trainability/routes/spectral-form.js';
import { TableRoute } from '../../../src/trainability/routes/table-route.js';
import { dot, EPS } from '../../support/brute-force.js';
import { CHARACTERS, direction, modelOf } from '../../support/mode-cases.js';
import { GIBBS, random, randomData } from '../../support/models.js';

const PART = { timescale: 1, mass: 0.4 };
type Membership = (modes: DenseModes) => ReturnType<typeof hardMembership>;

function gradient(route: TableRoute, theta: Float64Array, q: Membership): Float64Array {
  const { law, kernel } = route.at(theta);
  const modes = route.modes(theta);
  const density = spectralFormCotangent(law, kernel, modes, q(modes));
  return pullbackLogPi(
    law,
    density.map((x, s) => x * law.pi[s]),
  );
}

/** Fourth-order central differences along a direction, with what is known of their error: from half the step. */
function differences(route: TableRoute, model: Model, d: Float64Array, q: Membership, h: number) {
  const at = (t: number) => {
    const modes = route.modes(model.theta.map((x, a) => x + t * d[a]));
    return spectralForm(modes, q(modes));
  };
  const stencil = (step: number) => (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step);
  const [coarse, fine] = [stencil(h), stencil(h / 2)];
  // The coarse one is off by 16 times as much as the fine one; a value is right to n eps of itself over the distance of the levels it depends on, 1 / 50 at least.
  const value = at(0);
  return { numeric: fine, error: Math.abs(coarse - fine), rounding: (3 * 16 * 50 * 8 * EPS * Math.abs(value)) / h };
}

const cases = CHARACTERS.flatMap((character) => GIBBS.map((kernel) => ({ character, kernel })));

function prepared(character: (typeof CHARACTERS)[number], kernel: KernelName) {
  const r = random(101);
  const model = modelOf(character, r);
  const route = new TableRoute(model, randomData(model.visible.length, 3), kernel);
  return { model, route, d: direction(model.theta.length, r) };
}

test.each(cases)(
  'soft membership, $character, $kernel: the gradient is that of differences',
  ({ character, kernel }) => {
    const { model, route, d } = prepared(character, kernel);
    const { gaps } = route.modes(model.theta);
    // The centre on a level: a hard set would jump here.
    const center = gaps[Math.min(2, gaps.length - 1)];
    const q: Membership = (modes) => softMembership(modes.gaps, { center, eta: 0.3 * center }, PART);
    const { numeric, error, rounding } = differences(route, model, d, q, 2e-3);
    const exact = dot(gradient(route, model.theta, q), d);
    expect(Math.abs(exact - numeric)).toBeLessThan(error + rounding);
    // Not by way of a big error.
    const modes = route.modes(model.theta);
    const scale = spectralForm(modes, q(modes));
    expect(error + rounding).toBeLessThan(ACCURACY.spectralForms * scale);
  },
);

test.each(cases)(
  'hard membership, frozen, $character, $kernel: the gradient is that of differences',
  ({ character, kernel }) => {
    const { model, route, d } = prepared(character, kernel);
    const set = modeSetAt(route, model.theta, 'window', { epsilon: 1e-3, kappa: 2.5 });
    const members = new Set(levelsInside(set));
    const { gaps } = route.modes(model.theta);
    const apart = gaps.reduce(
      (least, gap, j) =>
        j + 1 < gaps.length && members.has(j) && !members.has(j + 1) ? Math.min(least, gaps[j + 1] - gap) : least,
      Number.POSITIVE_INFINITY,
    );
    // Frozen by rank, which is the continuous set while the gap to the others is open.
    const q: Membership = (modes) => hardMembership(modes.gaps, members, PART);
    const h = 2e-3 * Math.min(1, 5 * apart);
    const { numeric, error, rounding } = differences(route, model, d, q, h);
    expect(Math.abs(dot(gradient(route, model.theta, q), d) - numeric)).toBeLessThan(error + rounding);
  },
);

test('the form of everything is what the selection-free rule gives, and so is its gradient', () => {
  const { model, route, d } = prepared('random', 'palindrome');
  const everything: Membership = (modes) =>
    hardMembership(modes.gaps, new Set(Array.from(modes.gaps, (_, j) => j)), { timescale: 1, mass: 0 });
  const modes = route.modes(model.theta);
  const { value, pullback } = route.evaluate(model.theta, ['timescale', 'variance']);
  const tolerance = 64 * modes.states * EPS;
  expect(Math.abs(spectralForm(modes, everything(modes)) / (value.timescale ?? 0) - 1)).toBeLessThan(
    tolerance / modes.gaps[0],
  );
  const weights = Array.from(modes.gaps, (_, j) => modeWeight(modes, j)).reduce((a, b) => a + b, 0);
  expect(Math.abs(weights / (value.variance ?? 0) - 1)).toBeLessThan(tolerance);
  const expected = dot(pullback({ timescale: 1 }), d);
  const scale = (value.timescale ?? 0) / modes.gaps[0];
  expect(Math.abs(dot(gradient(route, model.theta, everything), d) - expected)).toBeLessThan(tolerance * scale);
});
