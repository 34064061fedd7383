// A job as the compiled loops see it: a record of 32-bit words in memory. `../job.ts` writes it.

/** Bytes at the beginning of a workspace, for numbers per right-hand side; multivectors follow. */
export const SCRATCH: usize = 1024;
/** Bytes of one right-hand side's result. */
export const RESULT: usize = 32;

@inline export function tableOf(job: usize): usize {
  return load<u32>(job);
}
/** Panels of eight right-hand sides. */
@inline export function panels(job: usize): i32 {
  return load<i32>(job, 4);
}
/**
 * What the right-hand sides are. Of observables, per right-hand side, 32 bytes: mask, parity at the most probable state, values of `fc` on its side and on the other.
 * Of combinations, per panel, a row per observable, 72 bytes: its mask, and eight coefficients.
 */
@inline export function descriptors(job: usize): usize {
  return load<u32>(job, 8);
}
/** Per right-hand side, 32 bytes: `<b, u>` (or what was gained over a trial, or a trial's bound), relative error of `u`, backward error, iterations. */
@inline export function results(job: usize): usize {
  return load<u32>(job, 12);
}
/** Where the first thread works; the next ones follow, `workspaceBytes` apart. */
@inline export function workspace(job: usize): usize {
  return load<u32>(job, 16);
}
@inline export function workspaceBytes(job: usize): usize {
  return load<u32>(job, 20);
}
/** Per shard a number per state, where the gradient is added up; the first holds the sum in the end. */
@inline export function density(job: usize): usize {
  return load<u32>(job, 24);
}
/** Panels are dealt out to so many shards, which are what threads take: sums do not depend on the number of threads. */
@inline export function shards(job: usize): i32 {
  return load<i32>(job, 28);
}
@inline export function tolerance(job: usize): f64 {
  return load<f64>(job, 32);
}
/** Of eight right-hand sides together; 0 where trials are only to be evaluated. */
@inline export function maxIterations(job: usize): i32 {
  return load<i32>(job, 40);
}
/** Where each step's `alpha` and `beta` are kept, 128 bytes a step and `maxIterations` steps a panel; 0 for nowhere. */
@inline export function steps(job: usize): usize {
  return load<u32>(job, 44);
}
/** Rows of a combination; 0 where right-hand sides are observables. */
@inline export function combined(job: usize): i32 {
  return load<i32>(job, 48);
}
/** The most probable state. */
@inline export function ground(job: usize): usize {
  return load<u32>(job, 52);
}
/** Eight trial solutions per panel as combinations, from which the iteration begins; 0 for none. */
@inline export function trials(job: usize): usize {
  return load<u32>(job, 56);
}
/** Rows of a trial combination. */
@inline export function trialRows(job: usize): i32 {
  return load<i32>(job, 60);
}
