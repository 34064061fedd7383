import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readConfiguration, standardConfiguration } from '../../src/experiments/configuration.js';
import { EXPERIMENT_NAMES } from '../../src/experiments/registry.js';
import { scratch } from '../support/cli.js';

const { write } = scratch();
const standard = JSON.parse(readFileSync(standardConfiguration('exp7'), 'utf8'));

/** Cells per experiment: what the source had, and for the steering experiments two designs for each of four models beside its runs. */
const CELLS = { exp1: 48, exp2: 240, exp7: 64, exp8: 192, exp9: 12 + 8, exp11: 20 + 8 };

test.each(EXPERIMENT_NAMES)('%s comes with a configuration for as many cells as the source had', async (name) => {
  const path = standardConfiguration(name);
  const { configuration, experiment } = await readConfiguration(path, name);
  const cells = experiment.cells(configuration.settings);
  expect(cells).toHaveLength(CELLS[name]);
  expect(new Set(cells.map(({ key }) => key)).size).toBe(cells.length);
  expect(cells.every(({ cost }) => cost > 0)).toBe(true);
  expect(configuration.sha256).toBe(createHash('sha256').update(readFileSync(path)).digest('hex'));
  expect(configuration.ours.length).toBeGreaterThan(0);
  // An outcome is named in advance, and something is compared.
  expect(configuration.rows.some(({ passes }) => passes !== undefined)).toBe(true);
  expect(configuration.rows.some(({ source }) => source !== null)).toBe(true);
});

test.each<[string, object, RegExp]>([
  ['another experiment', { experiment: 'exp8' }, /experiment must be "exp7", .* got "exp8"/],
  ['an unknown experiment', { experiment: 'exp5' }, /experiment must be exp1, /],
  ['a misspelt key', { row: [] }, /row must be a known key/],
  [
    'a setting that is not there',
    { settings: { ...standard.settings, bta: [1] } },
    /settings\.bta must be a known key/,
  ],
  [
    'a setting out of range',
    { settings: { ...standard.settings, relevance: 2 } },
    /settings\.relevance must be .* got 2/,
  ],
  ['a missing setting', { settings: { ...standard.settings, seed: undefined } }, /settings\.seed must be /],
  ['ours that is no setting', { ours: ['seeds'] }, /ours\[0\] must be a path into settings, got seeds/],
  [
    'a row of no figure',
    { rows: [{ figure: 'barriers', what: 'x', source: null }] },
    /rows\[0\]\.figure must be one of cells, .*, got barriers/,
  ],
  ['no rows', { rows: [] }, /rows must be a list of rows/],
  [
    'an open pair',
    { rows: [{ figure: 'cells', what: 'x', source: null, passes: [1] }] },
    /rows\[0\]\.passes.* must be/,
  ],
  ['another version', { schemaVersion: 2 }, /schemaVersion must be 1, got 2/],
])('refuses %s', async (name, change, message) => {
  const path = write(`${name.replaceAll(' ', '-')}.json`, { ...standard, ...change });
  await expect(readConfiguration(path, 'exp7')).rejects.toThrow(message);
});
