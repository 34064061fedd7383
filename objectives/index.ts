export {
  type AdaptiveCorrelationSettings,
  adaptCorrelationPenalty,
  adaptiveTotalCorrelation,
  type CorrelationControl,
  type CorrelationControlSettings,
  UNCONTROLLED,
} from './adaptive-correlation-penalty.js';
export { type ContrastiveDivergenceOptions, contrastiveDivergence } from './contrastive-divergence.js';
export { l1, l2 } from './coupling-norms.js';
export { kl } from './kl.js';
export { logEffectiveGap } from './log-effective-gap.js';
export { type LogRhatOptions, logRhat, logRhatSlowCluster, logRhatSoft } from './log-rhat.js';
export { type PersistentChainsOptions, persistentChains } from './persistent-chains.js';
export { totalCorrelation } from './total-correlation.js';
export { weightedSum } from './weighted-sum.js';
