import { InputError } from '../../errors.js';
import { type DataLaw, readPattern } from '../../model/data-law.js';
import type { Model } from '../../model/model.js';
import type { RandomSource } from '../random.js';
import { emptySamples, type PackedSamples, readSample, writeSample } from './packed-samples.js';

/** A pattern of the data with hidden spins at random; all spins at random; a pattern of the data with visible spins flipped and hidden ones at random. */
export type StartKind = 'data' | 'random' | 'opposite';

/** First states of chains, one row per kind. Throws {@link InputError} where a kind needs data and they are null or of another size. */
export function drawStarts(
  model: Model,
  data: DataLaw | null,
  kinds: readonly StartKind[],
  random: RandomSource,
): PackedSamples {
  const starts = emptySamples(model.spins, kinds.length);
  const spins = new Int8Array(model.spins);
  const pattern = new Int8Array(model.visible.length);
  kinds.forEach((kind, chain) => {
    fillUniform(spins, random);
    if (kind !== 'random') {
      const law = requireData(model, data);
      readPattern(law, drawIndex(law.probabilities, random.uniform()), pattern);
      const sign = kind === 'data' ? 1 : -1;
      model.visible.forEach((i, k) => {
        spins[i] = sign * pattern[k];
      });
    }
    writeSample(starts, chain, spins);
  });
  return starts;
}

/** First states of chains whose visible spins are the given rows, in their order, and hidden spins at random: for a positive phase, with `clamped: model.visible`. */
export function rowStarts(model: Model, rows: PackedSamples, random: RandomSource): PackedSamples {
  checkSize(model, rows.spins, 'rows');
  const starts = emptySamples(model.spins, rows.count);
  const spins = new Int8Array(model.spins);
  const row = new Int8Array(rows.spins);
  for (let chain = 0; chain < rows.count; chain++) {
    fillUniform(spins, random);
    readSample(rows, chain, row);
    model.visible.forEach((i, k) => {
      spins[i] = row[k];
    });
    writeSample(starts, chain, spins);
  }
  return starts;
}

/** Patterns drawn from the data, one row each. */
export function drawPatterns(data: DataLaw, count: number, random: RandomSource): PackedSamples {
  const out = emptySamples(data.spins, count);
  const pattern = new Int8Array(data.spins);
  for (let k = 0; k < count; k++) {
    readPattern(data, drawIndex(data.probabilities, random.uniform()), pattern);
    writeSample(out, k, pattern);
  }
  return out;
}

function fillUniform(spins: Int8Array, random: RandomSource): void {
  for (let i = 0; i < spins.length; i++) spins[i] = random.uniform() < 0.5 ? -1 : 1;
}

/** The cell of a law in which a number of [0, 1) falls. */
function drawIndex(probabilities: Float64Array, at: number): number {
  let left = at;
  let k = 0;
  while (k < probabilities.length - 1 && left >= probabilities[k]) left -= probabilities[k++];
  return k;
}

function requireData(model: Model, data: DataLaw | null): DataLaw {
  if (data === null) {
    throw new InputError({
      field: 'data',
      expected: 'a data law for the starts "data" and "opposite"',
      got: 'null',
      remedy: 'give data, or start at "random"',
    });
  }
  checkSize(model, data.spins, 'data');
  return data;
}

function checkSize(model: Model, spins: number, field: string): void {
  if (spins === model.visible.length) return;
  throw new InputError({
    field,
    expected: `rows of ${model.visible.length} spins, the visible ones of the model`,
    got: `rows of ${spins}`,
    remedy: 'use data of this model',
  });
}
