import { rbm } from 'htdml';
import { describe, expect, test } from 'vitest';
import { conditionalTable, layerTable, layerView, spin } from '../../src/kernel/rbm-layers.js';
import { addWeightedRows } from '../../src/kernel/weighted-rows.js';
import { distance, EPS, fullSpace, largest, lawError, spinOf, vector } from '../support/brute-force.js';
import { gradientCases, random } from '../support/models.js';

const machines = gradientCases().filter(({ model }) => model.layers !== null);

describe.each(machines)('$name', ({ model }) => {
  const { pi } = fullSpace(model);
  const m = model.visible.length;
  const n = model.spins - m;
  const error = 4 * lawError(model);

  test.each(['visible', 'hidden'] as const)('tables of the %s layer against sums over all states', (layer) => {
    const [size, other] = layer === 'visible' ? [m, n] : [n, m];
    const table = layerTable(layerView(model, layer), model.theta, model.beta);
    const given = conditionalTable(table);
    const joint = (x: number, y: number) => (layer === 'visible' ? pi[x + 2 ** m * y] : pi[y + 2 ** m * x]);
    expect([table.size, table.otherSize, table.states]).toEqual([size, other, 2 ** size]);
    for (let x = 0; x < 2 ** size; x++) {
      const row = vector(2 ** other, (y) => joint(x, y));
      const marginal = row.reduce((a, b) => a + b);
      expect(Math.abs(table.p[x] / marginal - 1)).toBeLessThan(error);
      expect(Math.abs(table.logP[x] - Math.log(marginal))).toBeLessThan(error + EPS * Math.abs(table.logP[x]));
      for (let y = 0; y < 2 ** other; y++) {
        expect(Math.abs((given[x * 2 ** other + y] * marginal) / row[y] - 1)).toBeLessThan(2 * error);
      }
      for (let j = 0; j < other; j++) {
        const mean = row.reduce((sum, p, y) => sum + p * spinOf(y, j), 0) / marginal;
        expect(Math.abs(table.means[x * other + j] - mean)).toBeLessThan(2 * error);
      }
    }
  });

  test('views name the parameters of the pair and of each spin', () => {
    const [v, h] = [layerView(model, 'visible'), layerView(model, 'hidden')];
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        expect(model.edges[v.weight(i, j)]).toEqual([i, m + j]);
        expect(h.weight(j, i)).toBe(v.weight(i, j));
      }
      expect(v.bias(i)).toBe(model.biased ? model.edges.length + i : -1);
      expect(h.otherBias(i)).toBe(v.bias(i));
    }
    for (let j = 0; j < n; j++) {
      expect(h.bias(j)).toBe(model.biased ? model.edges.length + m + j : -1);
      expect(v.otherBias(j)).toBe(h.bias(j));
    }
  });
});

test('conditional probabilities keep their relative accuracy far below eps', () => {
  // One pair with field 300: pi(y = -1 | x = +1) = 1 / (1 + exp(600)).
  const model = rbm({ visible: 1, hidden: 1, weights: [300] });
  const table = layerTable(layerView(model, 'visible'), model.theta, model.beta);
  const given = conditionalTable(table);
  // A relative error of exp(600) is one of 600 eps.
  expect(Math.abs(given[2] * Math.exp(600) - 1)).toBeLessThan(4 * 600 * EPS);
  expect(given[3]).toBe(1);
  // log p is the difference of two numbers of size 300.
  table.p.forEach((p) => expect(Math.abs(p / 0.5 - 1)).toBeLessThan(2 * 301 * EPS));
});

test('bits are spins', () => {
  for (let x = 0; x < 16; x++) for (let i = 0; i < 4; i++) expect(spin(x, i)).toBe(spinOf(x, i));
});

test.each([0, 1, 2, 3, 4, 5, 7, 8, 11])('weighted sum of %i rows', (rows) => {
  const { normal } = random(rows);
  const width = 5;
  const weights = vector(rows, normal);
  const table = vector(rows * width, normal);
  const start = vector(width, normal);
  const out = Float64Array.from(start);
  addWeightedRows(weights, table, out);
  const expected = vector(width, (k) => weights.reduce((sum, w, r) => sum + w * table[r * width + k], start[k]));
  // A sum of rows + 1 terms in two orders.
  const size = largest(start) + largest(weights) * largest(table) * rows;
  expect(distance(out, expected)).toBeLessThanOrEqual(2 * (rows + 1) * EPS * size);
});
