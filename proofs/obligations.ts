import { o1Projection } from './o1-projection.js';
import { o2Bias } from './o2-bias.js';
import { o3Variance } from './o3-variance.js';
import { o4Bulk } from './o4-bulk.js';
import { o5Differentiability } from './o5-differentiability.js';
import { o6Assembly } from './o6-assembly.js';
import type { Obligation } from './obligation.js';

/** All obligations of the research program, in order. */
export const OBLIGATIONS: readonly Obligation[] = [
  o1Projection,
  o2Bias,
  o3Variance,
  o4Bulk,
  o5Differentiability,
  o6Assembly,
];
