import { appendFileSync, existsSync } from 'node:fs';
import { basename } from 'node:path';
import { InputError } from '../errors.js';
import { readText, writeFileAtomic } from '../model/atomic-file.js';
import { version } from '../version.js';
import { type Configuration, sha256 } from './configuration.js';
import type { Cell } from './experiment.js';
import type { ExperimentName } from './registry.js';
import { belongs, type Shard } from './shard.js';

/** First line of a results file: what its cells were computed from. */
export interface Header {
  readonly schemaVersion: 1;
  readonly version: string;
  readonly experiment: ExperimentName;
  readonly shard: Shard;
  /** Of the configuration, which follows as text. */
  readonly sha256: string;
  readonly configuration: string;
}

/** Every further line: one finished cell. */
export interface ResultLine {
  readonly key: string;
  /** How long the cell took in its thread. */
  readonly seconds: number;
  readonly result: object;
}

/** Name of the file in which a shard's cells are gathered. */
export function resultsName(experiment: string, { index, of }: Shard): string {
  return of === 1 ? `${experiment}.jsonl` : `${experiment}.shard-${index}-of-${of}.jsonl`;
}

/**
 * Opens a results file for appending: a new one where there is none, else the cells that it holds are kept. A line that a kill cut short is dropped.
 * Throws {@link InputError} where it was made from another configuration or version, unless `force` starts it anew.
 */
export function openResults(path: string, configuration: Configuration, shard: Shard, force: boolean) {
  const { experiment, sha256: hash, text } = configuration;
  const header: Header = { schemaVersion: 1, version, experiment, shard, sha256: hash, configuration: text };
  let lines: ResultLine[] = [];
  if (existsSync(path) && !force) {
    const read = readResults(path, true);
    if (read !== null) {
      checkSame(path, read.header, header);
      lines = read.lines;
    }
  }
  writeFileAtomic(path, [header, ...lines].map((line) => `${JSON.stringify(line)}\n`).join(''));
  return {
    lines: lines as readonly ResultLine[],
    append(line: ResultLine): void {
      appendFileSync(path, `${JSON.stringify(line)}\n`);
    },
  };
}

/** Reads a results file; with `torn`, its last line may be incomplete, and null is a file without a complete header. */
export function readResults(path: string): { header: Header; lines: ResultLine[] };
export function readResults(path: string, torn: true): { header: Header; lines: ResultLine[] } | null;
export function readResults(path: string, torn = false): { header: Header; lines: ResultLine[] } | null {
  const text = readText(path);
  const whole = text.endsWith('\n') ? text : text.slice(0, text.lastIndexOf('\n') + 1);
  if (!torn && whole !== text)
    refuse(path, 'the last line', 'complete', 'one that was cut short', 'finish the run that writes it');
  const parsed = whole
    .split('\n')
    .slice(0, -1)
    .map((line, k) => parse(path, line, k));
  if (parsed.length === 0) {
    if (torn) return null;
    return refuse(path, 'the file', 'results of htdml reproduce', 'an empty file', 'give another file');
  }
  const [header, ...lines] = parsed as [Header, ...ResultLine[]];
  if (header.schemaVersion !== 1 || typeof header.configuration !== 'string' || header.shard === undefined) {
    return refuse(path, 'line 1', 'a header that htdml reproduce wrote', 'something else', 'give a results file');
  }
  if (sha256(header.configuration) !== header.sha256) {
    return refuse(path, 'sha256', 'the hash of the configuration beside it', header.sha256, 'run the experiment again');
  }
  return { header, lines };
}

/**
 * The cells of all shards of one run, in the experiment's order. Throws {@link InputError} where files come from different configurations, versions or numbers of shards, where a
 * shard is given twice or not at all, and where one of them lacks a cell or has one that is not its own.
 */
export function mergeShards(
  files: readonly { readonly path: string; readonly header: Header; readonly lines: readonly ResultLine[] }[],
  cells: readonly Cell[],
): ResultLine[] {
  const [first] = files;
  const { of } = first.header.shard;
  const owners = new Map<number, string>();
  for (const { path, header } of files) {
    checkSame(path, header, { ...first.header, shard: { ...first.header.shard, index: header.shard.index } });
    const owner = owners.get(header.shard.index);
    if (owner !== undefined) {
      refuse(
        path,
        'its shard',
        'given once',
        `shard ${header.shard.index} of ${of}, as in ${owner}`,
        'leave one of them out',
      );
    }
    owners.set(header.shard.index, path);
  }
  const missing = Array.from({ length: of }, (_, k) => k + 1).filter((index) => !owners.has(index));
  if (missing.length > 0) {
    throw new InputError({
      field: 'the shards',
      expected: `all ${of} of ${first.header.experiment}`,
      got: `${files.length} without ${missing.join(', ')}`,
      remedy: 'run the missing ones and give their files too',
    });
  }
  const results = new Map<string, ResultLine>();
  for (const { path, header, lines } of files) {
    const own = new Set(cells.filter((_, k) => belongs(k, header.shard)).map(({ key }) => key));
    for (const line of lines) {
      if (!own.has(line.key))
        refuse(
          path,
          'its cells',
          `those of shard ${header.shard.index} of ${of}`,
          line.key,
          'give the file as it was written',
        );
      if (results.has(line.key))
        refuse(path, `cell ${line.key}`, 'there once', 'a repetition', 'give the file as it was written');
      results.set(line.key, line);
    }
    const lacking = [...own].filter((key) => !results.has(key));
    if (lacking.length > 0) {
      refuse(
        path,
        'its cells',
        `all ${own.size} of the shard`,
        `${own.size - lacking.length}, without ${lacking[0]}`,
        'run that shard again to finish it',
      );
    }
  }
  return cells.map(({ key }) => results.get(key) as ResultLine);
}

function parse(path: string, line: string, k: number): object {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Refused below.
  }
  return refuse(path, `line ${k + 1}`, 'a JSON object', 'something else', 'give a file that htdml reproduce wrote');
}

function checkSame(path: string, got: Header, wanted: Header): void {
  const differ = (field: string, a: string, b: string) => {
    if (a !== b)
      refuse(path, field, b, a, 'give results of one run, or start another with another --out or with --force');
  };
  differ('experiment', got.experiment, wanted.experiment);
  differ('the configuration', `of SHA-256 ${got.sha256}`, `of SHA-256 ${wanted.sha256}`);
  differ('version', got.version, wanted.version);
  differ('the shard', `${got.shard.index} of ${got.shard.of}`, `${wanted.shard.index} of ${wanted.shard.of}`);
}

function refuse(path: string, field: string, expected: string, got: string, remedy: string): never {
  throw new InputError({ file: basename(path), field, expected, got, remedy });
}
