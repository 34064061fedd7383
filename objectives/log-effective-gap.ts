import { logEffectiveGap as evaluate, type Objective } from 'htdml';

/** `log gamma` of the full predictor: how fast, on harmonic average, the chain forgets what the gradient sees (3.1). */
export const logEffectiveGap: Objective = {
  name: 'logEffectiveGap',
  quantities: ['timescale', 'variance'],
  evaluate,
};
