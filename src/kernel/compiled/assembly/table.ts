// A table of states as the compiled loops see it: a record of 32-bit words in memory. `../table.ts` writes it.

/** Bytes of one state of a multivector: eight doubles, one cache line. */
export const STATE: usize = 64;

/** How the sites are used: one of them per step, one block per step, or all there and back. */
export const SITE_MIXTURE: i32 = 0;
export const BLOCK_MIXTURE: i32 = 1;
export const PALINDROME: i32 = 2;

@inline export function states(table: usize): usize {
  return load<u32>(table);
}
/** Probabilities. The flip probability from s to t is `pi_t / (pi_s + pi_t)`. */
@inline export function law(table: usize): usize {
  return load<u32>(table, 4);
}
/** Inverse diagonal of `D (I - P)`, or what else conjugate gradients are preconditioned by. */
@inline export function inverseDiagonal(table: usize): usize {
  return load<u32>(table, 8);
}
@inline export function kind(table: usize): i32 {
  return load<i32>(table, 12);
}
/** Blocks, one after the other: the number of sites, then their flip masks. */
@inline export function blockCount(table: usize): i32 {
  return load<i32>(table, 16);
}
@inline export function program(table: usize): usize {
  return load<u32>(table, 20);
}
/** Of a site mixture, pair by pair in the order in which they are met, once it is prepared. */
@inline export function conductances(table: usize): usize {
  return load<u32>(table, 32);
}
/** Probability of a block per step. */
@inline export function weight(table: usize): f64 {
  return load<f64>(table, 24);
}
