import { z } from 'zod';
import { InputError } from '../errors.js';
import { FEATURE_NAMES, type FeatureName } from '../estimation/bound/features.js';
import { LEAST_CHAINS } from '../estimation/bound/timescale-bound.js';
import type { KernelName } from '../kernel/kernels.js';
import { exactObject, says } from '../model/schema.js';
import { whole } from './spec-fields.js';

export const ROUTE_NAMES = ['exact', 'estimated'] as const;

/** Whether a run computes on tables and layers, or by samples. */
export type RouteSpec = (typeof ROUTE_NAMES)[number];

/** How an estimated route samples at every step; durations in sweeps. */
export interface SamplingSpec {
  readonly chains: number;
  readonly samples: number;
  readonly burnIn: number;
  readonly apart: number;
  readonly probes: number;
  readonly features: FeatureName;
  /** Steps of annealed importance sampling from the start. */
  readonly rungs: number;
}

export const route = z.enum(ROUTE_NAMES, says('"exact" or "estimated"', 'choose one of them')).default('exact');

export const samplingSection = exactObject(
  {
    chains: whole(LEAST_CHAINS, 'chains').default(24),
    samples: whole(4, 'samples of each chain').default(50),
    burnIn: whole(0, 'sweeps that are not seen').default(200),
    apart: whole(1, 'sweeps from sample to sample').default(2),
    probes: whole(2, 'random signs').default(16),
    features: z
      .enum(FEATURE_NAMES, says('"observables", "pairs" or "levels"', 'choose one of them'))
      .default('observables'),
    rungs: whole(1, 'steps of annealed importance sampling').default(50),
  },
  'an object with the sampling settings',
  'write it between braces, or leave it out',
);

const KERNELS: readonly KernelName[] = ['random-scan', 'random-block', 'alternating-block'];

/** What the estimated route cannot do, before anything is sampled; errors name the field. */
export function checkEstimatedRun(spec: {
  readonly kernel: KernelName;
  readonly membership: { readonly onEvent: string | null };
}): void {
  const refuse = (field: string, expected: string, got: string, remedy: string) => {
    throw new InputError({ field, expected: `${expected} on the estimated route`, got, remedy });
  };
  if (!KERNELS.includes(spec.kernel)) {
    const names = KERNELS.map((name) => `"${name}"`).join(', ');
    refuse('kernel', names, `"${spec.kernel}"`, 'choose one of them, or the exact route');
  }
  if (spec.membership.onEvent !== null) {
    refuse('membership.onEvent', 'null', `"${spec.membership.onEvent}"`, 'leave it out, and --on-event too');
  }
}
