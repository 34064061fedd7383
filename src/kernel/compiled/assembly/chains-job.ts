// A job of chains as the compiled loops see it: a record of 32-bit words in memory. `../chains.ts` writes it.

/** Chains of a group, which move in lockstep. */
export const LANES: usize = 16;
/** Bytes of one spin of a group: a word per chain, the sign bit alone, set where the spin is -1. */
export const SPIN: usize = 64;
/** Bytes of a group's inverse temperatures: per chain `-beta log2 e` in single precision, then `beta` in double. */
export const BETAS: usize = 192;

// What a thread's scratch holds, at which offsets.
/** Draws of four places that follow each other, a word per chain: `65536 + u / 128` in single precision, whose lower half is `u`. */
export const DRAWN: usize = 0;
/** Words of random bits. */
export const BITS: usize = 256;
/** What chains chose. */
export const CHOSEN: usize = 384;
/** Chains that are meant, all bits of their words set. */
export const MASK: usize = 448;
/** Words of one counter. */
export const MORE_BITS: usize = 512;
/** Keys of the rounds of random bits. */
export const ROUND_KEYS: usize = 576;
/** Fields of four places in single precision, `2 (h + sum J x)`, a word per chain. */
export const FIELDS: usize = 896;
/** Where each chain draws a site of its own: margins, and the signs drawn. */
export const MARGINS: usize = 1152;
export const SIGNS: usize = 1216;
export const CHAIN_SCRATCH: usize = 1280;

/** How a step uses the places: all in order; those of a block that each chain draws; one that each chain draws. */
export const IN_ORDER: i32 = 0;
export const ONE_BLOCK: i32 = 1;
export const ONE_SITE: i32 = 2;

/** Addresses of sites, in the order in which a step comes to them. */
@inline export function places(job: usize): usize {
  return load<u32>(job);
}
@inline export function placeCount(job: usize): u32 {
  return load<u32>(job, 4);
}
/** Where blocks begin among the places, and where the last one ends. */
@inline export function blockStarts(job: usize): usize {
  return load<u32>(job, 8);
}
@inline export function chainBlocks(job: usize): u32 {
  return load<u32>(job, 12);
}
@inline export function order(job: usize): i32 {
  return load<i32>(job, 16);
}
@inline export function spinsOf(job: usize, group: usize): usize {
  return <usize>load<u32>(job, 20) + group * <usize>spinCount(job) * SPIN;
}
@inline export function spinCount(job: usize): u32 {
  return load<u32>(job, 24);
}
@inline export function betasOf(job: usize, group: usize): usize {
  return <usize>load<u32>(job, 28) + group * BETAS;
}
@inline export function chainScratch(job: usize, thread: usize): usize {
  return <usize>load<u32>(job, 32) + thread * CHAIN_SCRATCH;
}
/** Steps before the first interval. */
@inline export function leadSteps(job: usize): u32 {
  return load<u32>(job, 36);
}
/** Steps of an interval, at whose end a sample is kept. */
@inline export function intervalSteps(job: usize): u32 {
  return load<u32>(job, 40);
}
@inline export function samples(job: usize): u32 {
  return load<u32>(job, 44);
}
/** Bits of the samples, chain by chain. */
@inline export function sampleBits(job: usize): usize {
  return load<u32>(job, 48);
}
/** Chains that keep samples. */
@inline export function chainCount(job: usize): u32 {
  return load<u32>(job, 52);
}
/** Steps taken before this job. */
@inline export function stepsBefore(job: usize): u64 {
  return load<u64>(job, 56);
}
@inline export function keyLow(job: usize): u32 {
  return load<u32>(job, 64);
}
@inline export function keyHigh(job: usize): u32 {
  return load<u32>(job, 68);
}
/** Slices of every group's steps, which are what threads take. */
@inline export function sliceCount(job: usize): u32 {
  return load<u32>(job, 72);
}
@inline export function groupCount(job: usize): u32 {
  return load<u32>(job, 76);
}
@inline export function turnOf(job: usize, group: u32): usize {
  return <usize>load<u32>(job, 80) + (<usize>group << 2);
}

// A site: its spin's offset, its degree, `2 h` and the margin in single precision, the address of `2 h` and `2 J` in double; then per neighbour its spin's offset and `2 J`
// in single precision.
@inline export function siteSpin(site: usize): usize {
  return load<u32>(site);
}
@inline export function siteEnd(site: usize): usize {
  return neighbours(site) + (<usize>load<u32>(site, 4) << 3);
}
@inline export function siteBias(site: usize): f32 {
  return load<f32>(site, 8);
}
/** In units of `1 / 65536`, over 128: where a draw is nearer to its threshold, single precision may be wrong about it. */
@inline export function siteMargin(site: usize): f32 {
  return load<f32>(site, 12);
}
@inline export function siteExact(site: usize): usize {
  return load<u32>(site, 16);
}
@inline export function neighbours(site: usize): usize {
  return site + 24;
}
