import type { Objective } from 'htdml';

/** Total correlation (2.8) of all spins, in nats: a penalty on it keeps a model near a product law, which mixes fast (Jelincic et al. 2025). */
export const totalCorrelation: Objective = {
  name: 'totalCorrelation',
  goal: 'lower',
  quantities: ['totalCorrelation'],
  evaluate: ({ totalCorrelation: value }) =>
    value === undefined || !Number.isFinite(value) ? null : { value, bar: { totalCorrelation: 1 } },
};
