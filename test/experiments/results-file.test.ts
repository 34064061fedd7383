import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readConfiguration, standardConfiguration } from '../../src/experiments/configuration.js';
import {
  mergeShards,
  openResults,
  type ResultLine,
  readResults,
  resultsName,
} from '../../src/experiments/results-file.js';
import { belongs, type Shard, WHOLE } from '../../src/experiments/shard.js';
import { scratch } from '../support/cli.js';

const { path, write } = scratch();
const { configuration, experiment } = await readConfiguration(standardConfiguration('exp7'), 'exp7');
const cells = experiment.cells(configuration.settings);
const line = (key: string): ResultLine => ({ key, seconds: 0.5, result: { about: key } });

/** A finished shard's file. */
function shardFile(name: string, shard: Shard, skip = 0, hash = configuration) {
  const file = openResults(path(name), hash, shard, false);
  cells
    .filter((_, k) => belongs(k, shard))
    .slice(skip)
    .forEach(({ key }) => file.append(line(key)));
  return { path: path(name), ...readResults(path(name)) };
}

test('what is appended is there when the file is opened again; a line that was cut short is not', () => {
  const name = path('torn.jsonl');
  openResults(name, configuration, WHOLE, false).append(line('a'));
  openResults(name, configuration, WHOLE, false).append(line('b'));
  appendFileSync(name, '{"key":"c","seco');
  expect(() => readResults(name)).toThrow(/the last line must be complete/);
  const again = openResults(name, configuration, WHOLE, false);
  expect(again.lines).toEqual([line('a'), line('b')]);
  again.append(line('c'));
  expect(readResults(name).lines).toEqual([line('a'), line('b'), line('c')]);
  expect(openResults(name, configuration, WHOLE, true).lines).toEqual([]);
});

test('a kill within the header leaves a file that starts anew', () => {
  const name = write('header.jsonl', '{"schemaVersion":1,"ver');
  expect(openResults(name, configuration, WHOLE, false).lines).toEqual([]);
});

test('a file of another configuration, shard or version is not gone on with', () => {
  const name = path('other.jsonl');
  openResults(name, configuration, WHOLE, false);
  const moved = { ...configuration, text: `${configuration.text} `, sha256: '0'.repeat(64) };
  expect(() => openResults(name, moved, WHOLE, false)).toThrow(
    /the configuration must be of SHA-256 0{64}, got of SHA-256/,
  );
  expect(() => openResults(name, configuration, { index: 1, of: 2 }, false)).toThrow(
    /the shard must be 1 of 2, got 1 of 1/,
  );
  writeFileSync(name, readFileSync(name, 'utf8').replace(/"version":"[^"]+"/, '"version":"0.0.0"'));
  expect(() => openResults(name, configuration, WHOLE, false)).toThrow(/version must be .* got 0\.0\.0/);
});

test('thresholds that were changed in the file itself are found out by their hash', () => {
  const name = path('tampered.jsonl');
  openResults(name, configuration, WHOLE, false);
  const text = readFileSync(name, 'utf8');
  writeFileSync(name, text.replace('crossableSweeps\\": 1000', 'crossableSweeps\\": 9000'));
  expect(readFileSync(name, 'utf8')).not.toBe(text);
  expect(() => readResults(name)).toThrow(/sha256 must be the hash of the configuration beside it/);
});

test('shards in any order make the whole, in the order of the cells', () => {
  const of = 5;
  const files = [3, 1, 5, 2, 4].map((index) => shardFile(resultsName('exp7', { index, of }), { index, of }));
  expect(mergeShards(files, cells)).toEqual(cells.map(({ key }) => line(key)));
});

test.each<[string, () => ReturnType<typeof shardFile>[], RegExp]>([
  [
    'a missing shard',
    () => [shardFile('m1', { index: 1, of: 3 }), shardFile('m3', { index: 3, of: 3 })],
    /all 3 of exp7, got 2 without 2;/,
  ],
  [
    'a shard given twice',
    () => [shardFile('t1', { index: 1, of: 2 }), shardFile('t2', { index: 1, of: 2 })],
    /its shard must be given once, got shard 1 of 2, as in .*t1/,
  ],
  [
    'shards of different numbers',
    () => [shardFile('n1', { index: 1, of: 2 }), shardFile('n2', { index: 2, of: 3 })],
    /the shard must be 2 of 2, got 2 of 3/,
  ],
  [
    'shards of different configurations',
    () => {
      const other = shardFile('c2', { index: 2, of: 2 });
      return [shardFile('c1', { index: 1, of: 2 }), { ...other, header: { ...other.header, sha256: 'f'.repeat(64) } }];
    },
    /the configuration must be of SHA-256 .*, got of SHA-256 f{64}/,
  ],
  [
    'a shard that was not finished',
    () => [shardFile('u1', { index: 1, of: 2 }), shardFile('u2', { index: 2, of: 2 }, 3)],
    /its cells must be all 32 of the shard, got 29, without m=/,
  ],
  [
    'a cell of another shard',
    () => {
      const one = shardFile('f1', { index: 1, of: 2 });
      return [{ ...one, lines: [...one.lines, line(cells[1].key)] }, shardFile('f2', { index: 2, of: 2 })];
    },
    /its cells must be those of shard 1 of 2, got m=4 patterns=1 beta=1/,
  ],
  [
    'a cell that is there twice',
    () => {
      const one = shardFile('d1', { index: 1, of: 2 });
      return [{ ...one, lines: [...one.lines, one.lines[0]] }, shardFile('d2', { index: 2, of: 2 })];
    },
    /cell m=4 .* must be there once/,
  ],
])('refuses to merge %s', (_, files, message) => {
  expect(() => mergeShards(files(), cells)).toThrow(message);
});

test.each([
  ['an empty file', '', /must be results of htdml reproduce, got an empty file/],
  ['text', 'hello\n', /line 1 must be a JSON object/],
  ['another JSON', '{"schemaVersion":1}\n', /line 1 must be a header that htdml reproduce wrote/],
])('refuses to read %s', (name, content, message) => {
  expect(() => readResults(write(name.replaceAll(' ', '-'), content))).toThrow(message);
});
