export * from './arbitraries.js';
export { assertGradient, type Evaluator, type GradientCheck, type GradientCheckOptions } from './assertions.js';
export * from './boundaries.js';
export * from './crossings.js';
export * from './families.js';
export { type ClaimTag, casesToRun, type Obligation, type Outcome, type ProvenProperty, SEED } from './obligation.js';
export { OBLIGATIONS } from './obligations.js';
export * from './spectra.js';
