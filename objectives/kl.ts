import type { Objective } from 'htdml';

/** `KL(data || model)` in nats over the visible spins (2.3). */
export const kl: Objective = {
  name: 'kl',
  goal: 'lower',
  quantities: ['kl'],
  evaluate: ({ kl: value }) => (value === undefined || !Number.isFinite(value) ? null : { value, bar: { kl: 1 } }),
};
