import { InputError, show } from '../errors.js';
import type { DataLaw } from '../model/data-law.js';
import type { Model } from '../model/model.js';
import { checkOptions } from '../trainability/options.js';
import type { Start } from '../trainability/start.js';
import { addObservables } from './data-moments.js';
import { randomSource } from './random.js';
import { type ChainPlan, runChains } from './run-chains.js';
import { type PackedSamples, readSample } from './samples/packed-samples.js';
import { startSampler } from './start-sampler.js';

/** Independent estimates of `E_pi f` (2.2), each in theta order by the two halves of its samples: estimate `i` is the mean of `first[i]` and `second[i]`. */
export interface ReferenceMoments {
  /** From the first half of the samples. */
  readonly first: readonly Float64Array[];
  /** From the second half. */
  readonly second: readonly Float64Array[];
}

/** Long chains for {@link referenceMoments}: `window` steps of each after `burnIn`. */
export interface ReferencePlan extends ChainPlan {
  /** Law of the first state of every chain. */
  readonly start: Start;
  /** Of {@link randomSource}. */
  readonly seed: number;
}

/**
 * An estimate from each of independent chains. `data` may be null but for the start `data`. Where `window` is odd its first step is left out. Throws {@link InputError} for options out of range.
 */
export function referenceMoments(model: Model, data: DataLaw | null, plan: ReferencePlan): ReferenceMoments {
  checkOptions(plan, ['burnIn', 'chains', 'seed']);
  checkHalves('window', plan.window);
  const halves = emptyHalves(model, plan.chains);
  const half = plan.window >> 1;
  const skip = plan.window - 2 * half;
  runChains(model, plan, startSampler(model, data, plan.start), randomSource(plan.seed), (spins, t, m) => {
    if (t >= skip) addObservables(model, spins, 1 / half, (t - skip < half ? halves.first : halves.second)[m]);
  });
  return halves;
}

/** An estimate from each of independent lists of samples, such as those of tempered ensembles, at least two samples in each; of an odd number the first is left out. */
export function sampleMoments(model: Model, lists: readonly PackedSamples[]): ReferenceMoments {
  const halves = emptyHalves(model, lists.length);
  const spins = new Int8Array(model.spins);
  lists.forEach((list, m) => {
    checkHalves(`samples[${m}].count`, list.count);
    const half = list.count >> 1;
    for (let s = list.count - 2 * half, k = 0; s < list.count; s++, k++) {
      readSample(list, s, spins);
      addObservables(model, spins, 1 / half, (k < half ? halves.first : halves.second)[m]);
    }
  });
  return halves;
}

function checkHalves(field: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 2) return;
  throw new InputError({
    field,
    expected: 'a whole number of at least 2',
    got: show(value),
    remedy: 'both halves must hold a sample',
  });
}

function emptyHalves(model: Model, count: number): ReferenceMoments {
  const zeros = () => Array.from({ length: count }, () => new Float64Array(model.theta.length));
  return { first: zeros(), second: zeros() };
}
