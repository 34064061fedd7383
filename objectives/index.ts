export {
  adaptCorrelationPenalty,
  type CorrelationControl,
  type CorrelationControlSettings,
  UNCONTROLLED,
} from './adaptive-correlation-penalty.js';
export { kl } from './kl.js';
export { logEffectiveGap } from './log-effective-gap.js';
export { type LogRhatOptions, logRhat, logRhatSlowCluster, logRhatSoft } from './log-rhat.js';
