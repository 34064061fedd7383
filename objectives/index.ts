export { type ContrastiveDivergenceOptions, contrastiveDivergence } from './contrastive-divergence.js';
export { kl } from './kl.js';
export { logEffectiveGap } from './log-effective-gap.js';
export { type LogRhatOptions, logRhat, logRhatSlowCluster, logRhatSoft } from './log-rhat.js';
export { type PersistentChainsOptions, persistentChains } from './persistent-chains.js';
