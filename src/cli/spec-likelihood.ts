import { z } from 'zod';
import { InputError } from '../errors.js';
import { exactObject, says } from '../model/schema.js';
import { type Duration, duration, durationText, parseDuration, whole } from './spec-fields.js';

/** How the gradient of the likelihood is known: exactly, or from chains (2.4) that persist or start at the data for every step. */
export type LikelihoodSpec =
  | 'exact'
  | { readonly persistentChains: { readonly chains: number; readonly window: Duration } }
  | { readonly contrastiveDivergence: { readonly chains: number; readonly k: Duration } };

const LIKELIHOODS = 'write "exact", {"persistentChains":{}} or {"contrastiveDivergence":{}}';

const chains = whole(1, 'chains').default(100);
/** As in a SPEC. */
export const likelihood = z.union(
  [
    z.literal('exact'),
    exactObject(
      {
        persistentChains: exactObject(
          { chains, window: duration.default('1sweeps') },
          'an object with the chains',
          'write it as {"chains":100,"window":"1sweeps"}',
        ).optional(),
        contrastiveDivergence: exactObject(
          { chains, k: duration.default('1sweeps') },
          'an object with the chains',
          'write it as {"chains":100,"k":"1sweeps"}',
        ).optional(),
      },
      'how the likelihood is known',
      LIKELIHOODS,
    ),
  ],
  says('"exact", or an object that says how to sample', LIKELIHOODS),
);

/** The likelihood with its durations read; an object names one way to sample. */
export function likelihoodOf(given: z.infer<typeof likelihood>): LikelihoodSpec {
  if (given === 'exact') return given;
  const { persistentChains: persistent, contrastiveDivergence: cd } = given;
  const field = 'train.likelihood';
  if (persistent !== undefined && cd === undefined) {
    const window = parseDuration(`${field}.persistentChains.window`, persistent.window, 1);
    return { persistentChains: { chains: persistent.chains, window } };
  }
  if (cd !== undefined && persistent === undefined) {
    return {
      contrastiveDivergence: { chains: cd.chains, k: parseDuration(`${field}.contrastiveDivergence.k`, cd.k, 1) },
    };
  }
  throw new InputError({
    field,
    expected: 'an object with either "persistentChains" or "contrastiveDivergence"',
    got: cd === undefined ? 'neither' : 'both',
    remedy: LIKELIHOODS,
  });
}

/** What {@link likelihoodOf} reads back to the same likelihood. */
export function likelihoodToJson(likelihood: LikelihoodSpec): object | string {
  if (likelihood === 'exact') return likelihood;
  if ('persistentChains' in likelihood) {
    const { chains, window } = likelihood.persistentChains;
    return { persistentChains: { chains, window: durationText(window) } };
  }
  const { chains, k } = likelihood.contrastiveDivergence;
  return { contrastiveDivergence: { chains, k: durationText(k) } };
}
