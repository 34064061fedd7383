/**
 * `htdml/proofs`: what the library's claims rest on, for use in other people's test suites. Needs the peer dependency fast-check 4, and is loaded by `import` only, since it
 * waits for it.
 *
 * ```ts
 * import fc from 'fast-check';
 * import { crossings, knownModels, OBLIGATIONS } from 'htdml/proofs';
 *
 * // Models whose spectrum is known, exact crossings, models at the edge of a membership rule; failures shrink within their family.
 * fc.assert(fc.property(knownModels, ({ model, modes }) => agrees(mySpectrum(model), modes)));
 * // The obligations themselves, with as many cases as wanted.
 * for (const { properties } of OBLIGATIONS) for (const { property } of properties) fc.assert(property, { numRuns: 1000 });
 * ```
 */
export * from './arbitraries.js';
export { assertGradient, type Evaluator, type GradientCheck, type GradientCheckOptions } from './assertions.js';
export * from './boundaries.js';
export * from './crossings.js';
export * from './families.js';
export { type ClaimTag, casesToRun, type Obligation, type Outcome, type ProvenProperty, SEED } from './obligation.js';
export { OBLIGATIONS } from './obligations.js';
export {
  assertCertificateHolds,
  assertNoMembershipChange,
  assertSmoothAlong,
  type CertificateCheck,
  type CertificateCheckOptions,
  type MembershipOptions,
  type SmoothnessCheck,
  type SmoothnessOptions,
} from './path-assertions.js';
export * from './spectra.js';
