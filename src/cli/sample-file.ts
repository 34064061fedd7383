import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { endianness } from 'node:os';
import { InputError } from '../errors.js';
import type { EquilibriumPlan, EquilibriumState } from '../estimation/samples/equilibrium.js';
import { wordsPerSample } from '../estimation/samples/packed-samples.js';
import { namingFile, readBytes, writeFileAtomic } from '../model/atomic-file.js';
import type { DataLaw } from '../model/data-law.js';
import type { Model } from '../model/model.js';
import { version } from '../version.js';

/** What samples depend on: model, data, plan and version, as a digest. The estimator's kernel is not among them. */
export function samplingKey(model: Model, data: DataLaw, plan: EquilibriumPlan): string {
  const { spins, beta, biased, edges, theta, visible, blocks } = model;
  const { chains, samples, burnIn, apart, seed } = plan;
  const hash = createHash('sha256');
  const described = { version, order: endianness(), spins, beta, biased, blocks, chains, samples, burnIn, apart, seed };
  hash.update(JSON.stringify(described));
  for (const part of [
    Int32Array.from(edges.flat()),
    theta,
    Int32Array.from(visible),
    data.patterns,
    data.probabilities,
  ]) {
    hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
    hash.update(`/${part.length}/`);
  }
  return hash.digest('hex');
}

const KIND = 'htdml samples';

/** Writes where a run of chains stands, atomically: a line of JSON, then the words of the chains' spins and of their samples. */
export function writeSampleFile(path: string, key: string, { sweeps, last, samples }: EquilibriumState): void {
  const header = { schemaVersion: 1, kind: KIND, key, sweeps, count: samples[0].count };
  const parts = [last, ...samples].map(({ words }) => new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
  writeFileAtomic(path, Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), ...parts]));
}

/** What {@link writeSampleFile} wrote for the same key; null where there is no file. Throws {@link InputError} naming the file where it is of other samples, or none of these. */
export function readSampleFile(
  path: string,
  key: string,
  { spins }: Model,
  { chains }: EquilibriumPlan,
): EquilibriumState | null {
  if (!existsSync(path)) return null;
  const bytes = readBytes(path);
  return namingFile(path, () => {
    const end = bytes.indexOf(0x0a);
    const header = headerOf(bytes.subarray(0, Math.max(0, Math.min(end, 1000))));
    if (header === null) refuse('a file of samples that htdml estimate saved', 'another kind of file');
    if (header.key !== key) {
      refuse('samples of this model, data, plan, seed and version of htdml', 'samples of another run');
    }
    const { sweeps, count } = header;
    const each = wordsPerSample(spins);
    const lists = Math.ceil(chains / 4) + chains;
    const size = 4 * each * lists * (1 + count);
    const body = Uint8Array.from(bytes.subarray(end + 1));
    if (body.length !== size) refuse(`a whole file of ${size} bytes after its first line`, `${body.length}`);
    const words = new Uint32Array(body.buffer);
    const at = (list: number) => each * (lists + list * count);
    return {
      sweeps,
      last: { spins, count: lists, words: words.slice(0, each * lists) },
      samples: Array.from({ length: lists }, (_, k) => ({ spins, count, words: words.subarray(at(k), at(k + 1)) })),
    };
  });
}

function headerOf(bytes: Uint8Array): { key: unknown; sweeps: number; count: number } | null {
  try {
    const json = JSON.parse(Buffer.from(bytes).toString('utf8'));
    const { schemaVersion, kind, key, sweeps, count } = json ?? {};
    const whole = [sweeps, count].every((value) => Number.isSafeInteger(value) && value >= 0);
    return schemaVersion === 1 && kind === KIND && whole ? { key, sweeps, count } : null;
  } catch {
    return null;
  }
}

function refuse(expected: string, got: string): never {
  throw new InputError({ field: '--checkpoint', expected, got, remedy: 'name another file, or delete this one' });
}
