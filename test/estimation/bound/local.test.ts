import { emptySamples, ising, type Model, rbm, UnsupportedError, writeSample } from 'htdml';
import { describe, expect, test } from 'vitest';
import { cliquePattern, diagonal, multiply } from '../../../src/estimation/bound/clique-matrix.js';
import { makeFeatures } from '../../../src/estimation/bound/features.js';
import { mixtureOf } from '../../../src/estimation/bound/kernel-form.js';
import { localView } from '../../../src/estimation/bound/local.js';
import { EPS, fullSpace, inner, matrixOf, poisson, spinOf, times, type Vector } from '../../support/brute-force.js';
import { complete, glass, gradientCases, MIXTURES, normals, random } from '../../support/models.js';

/** All states as a pilot, so that level functions are the same whatever the law. */
function everyState(model: Model) {
  const out = emptySamples(model.spins, 2 ** model.spins);
  for (let s = 0; s < out.count; s++) writeSample(out, s, spinsAt(model, s));
  return [out];
}

const spinsAt = (model: Model, s: number) => Int8Array.from({ length: model.spins }, (_, i) => spinOf(s, i));
const dot = (x: Float64Array, y: Float64Array) => x.reduce((sum, value, k) => sum + value * y[k], 0);

/** Expectation of what the local view says, over all states; and the features as functions of the state. */
function expected(model: Model, blocks: readonly (readonly number[])[]) {
  const full = fullSpace(model);
  const user = [(x: Int8Array) => x[0] * x[1] * (model.biased ? x[model.spins - 1] : x[2] * x[3])];
  const features = makeFeatures(model, everyState(model), 'levels', user);
  const view = localView(model, blocks, features);
  const pattern = cliquePattern(view.cliques, features.count);
  const dirichlet = new Float64Array(pattern.columns.length);
  const square = new Float64Array(pattern.columns.length);
  const chi = Array.from({ length: features.count }, () => new Float64Array(full.states));
  for (let s = 0; s < full.states; s++) {
    const x = spinsAt(model, s);
    view.load(x);
    view.chi.forEach((value, k) => {
      chi[k][s] = value;
    });
    view.visit((part, length, positions, difference, scale) => {
      const place = pattern.places[part];
      for (let i = 0; i < length; i++) {
        const row = (positions[i] * (positions[i] + 1)) / 2;
        for (let j = 0; j <= i; j++) {
          const value = full.pi[s] * view.weight * difference[i] * difference[j];
          dirichlet[place[row + positions[j]]] += scale * value;
          square[place[row + positions[j]]] += value;
        }
      }
    });
    // A visit leaves the spins as they were.
    expect([...x]).toEqual([...spinsAt(model, s)]);
  }
  return { full, chi, pattern, dirichlet, square };
}

describe.each(gradientCases())('$name', ({ model }) => {
  test.each(MIXTURES)('%s: in expectation the local quantities are <chi, (I - P) chi>', (kernel) => {
    const { blocks } = mixtureOf(model, kernel);
    const { full, chi, pattern, dirichlet, square } = expected(model, blocks);
    const p = matrixOf(full, kernel);
    const images: Vector[] = chi.map((one) => times(p, one).map((value, s) => one[s] - value));
    const scale = Math.max(...chi.map((one) => inner(full.pi, one, one)));
    const unit = new Float64Array(chi.length);
    const column = new Float64Array(chi.length);
    chi.forEach((_, k) => {
      unit.fill(0);
      unit[k] = 1;
      multiply(pattern, dirichlet, chi.length, unit, column);
      chi.forEach((other, l) => {
        const exact = inner(full.pi, other, images[k]);
        // Sums over all states, of terms of the size of the features.
        expect(Math.abs(column[l] - exact)).toBeLessThan(64 * full.states * EPS * scale);
      });
      expect(column[k]).toBe(diagonal(pattern, dirichlet)[k]);
    });
    // The squares of D8 are those of the projections: the same in expectation.
    square.forEach((value, e) => {
      expect(Math.abs(value - dirichlet[e])).toBeLessThan(64 * full.states * EPS * scale);
    });
  });
});

test('a large block without inside edges is split, and its form is no smaller', () => {
  const model = rbm({ visible: 7, hidden: 2, weights: normals(14, 0.6, 3) });
  const { full, chi, pattern, dirichlet } = expected(model, mixtureOf(model, 'random-block').blocks);
  const p = matrixOf(full, 'random-block');
  const { normal } = random(5);
  for (let trial = 0; trial < 20; trial++) {
    const alpha = Float64Array.from(chi, normal);
    const psi = chi[0].map((_, s) => chi.reduce((sum, one, k) => sum + alpha[k] * one[s], 0));
    const image = new Float64Array(chi.length);
    multiply(pattern, dirichlet, chi.length, alpha, image);
    const form = inner(
      full.pi,
      psi,
      times(p, psi).map((value, s) => psi[s] - value),
    );
    expect(dot(alpha, image)).toBeGreaterThan(form * (1 - 1e-12));
  }
});

test('a sweep over two blocks: T from that of the mixture, within the slack', () => {
  for (const model of [rbm({ visible: 3, hidden: 3, weights: normals(9, 0.8, 7) }), glass(2, 0.7, 1)]) {
    const full = fullSpace(model);
    const form = mixtureOf(model, 'alternating-block');
    const T = (kernel: 'random-block' | 'alternating-block') => {
      const p = matrixOf(full, kernel);
      return full.centred.reduce(
        (sum, f) => sum + inner(full.pi, f, poisson(p, full.pi, f)) - inner(full.pi, f, f) / 2,
        0,
      );
    };
    const mixture = matrixOf(full, 'random-block');
    const variance = full.centred.reduce((sum, f) => sum + inner(full.pi, f, f), 0);
    const rate = full.centred.slice(0, model.edges.length).reduce(
      (sum, f) =>
        sum +
        inner(
          full.pi,
          f,
          times(mixture, f).map((value, s) => f[s] - value),
        ),
      0,
    );
    const low = form.timescale(T('random-block'), variance);
    expect(T('alternating-block')).toBeGreaterThan(low * (1 - 1e-12));
    expect(T('alternating-block')).toBeLessThan(low + form.slack(rate) + 1e-12);
  }
});

test('a block with inside edges beyond what is enumerated is refused', () => {
  const spins = 13;
  const all = Array.from({ length: spins }, (_, i) => i);
  const model = ising({ spins, edges: complete(spins), couplings: normals(78, 0.1, 1), blocks: [all] });
  const features = makeFeatures(model, [emptySamples(spins, 4)], 'observables', []);
  expect(() => localView(model, model.blocks, features)).toThrow(UnsupportedError);
});
