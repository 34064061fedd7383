// Gibbs chains of a pairwise model, sixteen at a time in lockstep.
import {
  betasOf,
  blockStarts,
  chainBlocks,
  chainCount,
  chainScratch,
  IN_ORDER,
  intervalSteps,
  keyHigh,
  keyLow,
  LANES,
  leadSteps,
  neighbours,
  ONE_BLOCK,
  order,
  placeCount,
  places,
  sampleBits,
  samples,
  siteBias,
  siteEnd,
  siteMargin,
  siteSpin,
  SPIN,
  spinCount,
  spinsOf,
  stepsBefore,
} from './chains-job';
import { drawExactly } from './draw';
import { philoxFour } from './philox';

/** Counters of what a chain chooses a block or a site by. */
const CHOICE: u32 = 0x40000000;

/** A group's chains, all that a job asks of them. */
export function runGroup(job: usize, group: usize, thread: usize): void {
  const scratch = chainScratch(job, thread);
  let step = stepsBefore(job);
  for (let t: u32 = 0; t < leadSteps(job); t++) takeStep(job, group, step++, scratch);
  for (let s: u32 = 0; s < samples(job); s++) {
    for (let t: u32 = 0; t < intervalSteps(job); t++) takeStep(job, group, step++, scratch);
    keep(job, group, s);
  }
}

function takeStep(job: usize, group: usize, step: u64, scratch: usize): void {
  if (order(job) == IN_ORDER) resample(job, group, step, 0, placeCount(job), scratch, 0);
  else if (order(job) == ONE_BLOCK) stepOfBlocks(job, group, step, scratch);
  else stepOfSites(job, group, step, scratch);
}

/** Per chain a whole number below `count`, at `scratch + 64`. */
function choose(job: usize, group: usize, step: u64, count: u32, scratch: usize): void {
  const chosen = scratch + 64;
  philoxFour(CHOICE, <u32>step, <u32>(step >> 32), <u32>group, keyLow(job), keyHigh(job), chosen);
  for (let at = chosen; at < chosen + SPIN; at += 4) store<u32>(at, <u32>((<u64>load<u32>(at) * <u64>count) >> 32));
}

/** Every chain resamples a block of its own choice. */
function stepOfBlocks(job: usize, group: usize, step: u64, scratch: usize): void {
  const count = chainBlocks(job);
  choose(job, group, step, count, scratch);
  const chosen = scratch + 64;
  const mask = scratch + 128;
  for (let block: u32 = 0; block < count; block++) {
    let any = v128.splat<i32>(0);
    for (let k: usize = 0; k < SPIN; k += 16) {
      const here = i32x4.eq(v128.load(chosen + k), i32x4.splat(block));
      v128.store(mask + k, here);
      any = v128.or(any, here);
    }
    if (!v128.any_true(any)) continue;
    const bounds = blockStarts(job) + (<usize>block << 2);
    resample(job, group, step, load<u32>(bounds), load<u32>(bounds, 4), scratch, mask);
  }
}

/** Every chain resamples a site of its own choice. */
function stepOfSites(job: usize, group: usize, step: u64, scratch: usize): void {
  choose(job, group, step, placeCount(job), scratch);
  const c1 = <u32>step;
  const c2 = <u32>(step >> 32);
  philoxFour(0, c1, c2, <u32>group, keyLow(job), keyHigh(job), scratch);
  const state = spinsOf(job, group);
  const betas = betasOf(job, group);
  for (let lane: usize = 0; lane < LANES; lane++) {
    const place = load<u32>(scratch + 64 + (lane << 2));
    const site = <usize>load<u32>(places(job) + (<usize>place << 2));
    const coarse = load<u32>(scratch + (lane << 2)) & 0xffff;
    const beta = load<f64>(betas + 64 + (lane << 3));
    drawExactly(site, state, lane, beta, coarse, 0, c1, c2, <u32>group, keyLow(job), keyHigh(job), scratch + 192);
  }
}

/** Resamples the places from one to another in order, in the chains of a mask, or in all of them without one. Two places share the halves of their random words. */
function resample(job: usize, group: usize, step: u64, from: u32, to: u32, scratch: usize, mask: usize): void {
  const c1 = <u32>step;
  const c2 = <u32>(step >> 32);
  const k0 = keyLow(job);
  const k1 = keyHigh(job);
  const state = spinsOf(job, group);
  const betas = betasOf(job, group);
  const list = places(job);
  for (let place = from; place < to; place++) {
    const odd = (place & 1) as bool;
    if (!odd || place == from) philoxFour((place >> 1) << 2, c1, c2, <u32>group, k0, k1, scratch);
    const site = <usize>load<u32>(list + (<usize>place << 2));
    const open = drawAll(site, state, betas, scratch, odd ? 16 : 0, mask);
    if (open == 0) continue;
    for (let lane: usize = 0; lane < LANES; lane++) {
      if (((open >> <u32>lane) & 1) == 0) continue;
      const coarse = (load<u32>(scratch + (lane << 2)) >> (odd ? 16 : 0)) & 0xffff;
      const beta = load<f64>(betas + 64 + (lane << 3));
      drawExactly(site, state, lane, beta, coarse, place, c1, c2, <u32>group, k0, k1, scratch + 192);
    }
  }
}

// A cubic of relative error 7.5e-5 for 2^f, |f| <= 1/2.
const P0: f32 = 0.9999280272985345;
const P1: f32 = 0.6932609699503264;
const P2: f32 = 0.24261137238754565;
const P3: f32 = 0.05517177458643967;
/** Adding it rounds to whole numbers. */
const ROUND: f32 = 12582912;

/**
 * With `e = exp(-|z|)` the less probable spin has probability `e / (1 + e)`. A draw `(u + r) / 65536`, `0 <= r < 1`, gives it where `e (65536 - u - r) > u + r`; the
 * difference at `r = 0`, over 128, is returned. `u` is the lower half of `bits`.
 */
@inline function excess(field: v128, beta: v128, bits: v128): v128 {
  const y = f32x4.pmax(f32x4.mul(v128.andnot(field, i32x4.splat(0x80000000)), beta), f32x4.splat(-126));
  const r = f32x4.add(y, f32x4.splat(ROUND));
  const f = f32x4.sub(y, f32x4.sub(r, f32x4.splat(ROUND)));
  let p = f32x4.add(f32x4.mul(f, f32x4.splat(P3)), f32x4.splat(P2));
  p = f32x4.add(f32x4.mul(f, p), f32x4.splat(P1));
  p = f32x4.add(f32x4.mul(f, p), f32x4.splat(P0));
  const e = i32x4.add(p, i32x4.shl(r, 23));
  // 65536 + u / 128, whose last bit counts 1 / 128.
  const drawn = v128.or(v128.and(bits, i32x4.splat(0xffff)), i32x4.splat(0x47800000));
  return f32x4.sub(f32x4.mul(e, f32x4.sub(f32x4.splat(66048), drawn)), f32x4.sub(drawn, f32x4.splat(65536)));
}

/** Resamples one site in all chains, or those of a mask; returns, a bit per chain, those whose draw is too near to its threshold to be told in single precision. */
@inline function drawAll(site: usize, state: usize, betas: usize, words: usize, half: i32, mask: usize): u32 {
  const bias = f32x4.splat(siteBias(site));
  let a0 = bias;
  let a1 = bias;
  let a2 = bias;
  let a3 = bias;
  const end = siteEnd(site);
  for (let at = neighbours(site); at < end; at += 8) {
    const near = state + load<u32>(at);
    const strength = v128.load32_splat(at, 4);
    a0 = f32x4.add(a0, v128.xor(strength, v128.load(near)));
    a1 = f32x4.add(a1, v128.xor(strength, v128.load(near, 16)));
    a2 = f32x4.add(a2, v128.xor(strength, v128.load(near, 32)));
    a3 = f32x4.add(a3, v128.xor(strength, v128.load(near, 48)));
  }
  const x0 = excess(a0, v128.load(betas), i32x4.shr_u(v128.load(words), half));
  const x1 = excess(a1, v128.load(betas, 16), i32x4.shr_u(v128.load(words, 16), half));
  const x2 = excess(a2, v128.load(betas, 32), i32x4.shr_u(v128.load(words, 32), half));
  const x3 = excess(a3, v128.load(betas, 48), i32x4.shr_u(v128.load(words, 48), half));
  // The less probable sign is that of -field.
  const sign = i32x4.splat(0x80000000);
  const to = state + siteSpin(site);
  let s0 = v128.andnot(sign, v128.xor(a0, x0));
  let s1 = v128.andnot(sign, v128.xor(a1, x1));
  let s2 = v128.andnot(sign, v128.xor(a2, x2));
  let s3 = v128.andnot(sign, v128.xor(a3, x3));
  if (mask != 0) {
    s0 = v128.bitselect(s0, v128.load(to), v128.load(mask));
    s1 = v128.bitselect(s1, v128.load(to, 16), v128.load(mask, 16));
    s2 = v128.bitselect(s2, v128.load(to, 32), v128.load(mask, 32));
    s3 = v128.bitselect(s3, v128.load(to, 48), v128.load(mask, 48));
  }
  v128.store(to, s0);
  v128.store(to, s1, 16);
  v128.store(to, s2, 32);
  v128.store(to, s3, 48);
  const margin = f32x4.splat(siteMargin(site));
  const c0 = f32x4.ge(f32x4.abs(x0), margin);
  const c1 = f32x4.ge(f32x4.abs(x1), margin);
  const c2 = f32x4.ge(f32x4.abs(x2), margin);
  const c3 = f32x4.ge(f32x4.abs(x3), margin);
  if (i32x4.all_true(v128.and(v128.and(c0, c1), v128.and(c2, c3)))) return 0;
  let clear = i32x4.bitmask(c0) | (i32x4.bitmask(c1) << 4) | (i32x4.bitmask(c2) << 8) | (i32x4.bitmask(c3) << 12);
  if (mask != 0) {
    clear |= ~(
      i32x4.bitmask(v128.load(mask)) |
      (i32x4.bitmask(v128.load(mask, 16)) << 4) |
      (i32x4.bitmask(v128.load(mask, 32)) << 8) |
      (i32x4.bitmask(v128.load(mask, 48)) << 12)
    );
  }
  return <u32>~clear & 0xffff;
}

/** Writes the group's chains as sample `s`, a bit per spin. */
function keep(job: usize, group: usize, s: u32): void {
  const spins = spinCount(job);
  const words = (spins + 31) >> 5;
  const first = <u32>group * <u32>LANES;
  const last = min(first + <u32>LANES, chainCount(job));
  const state = spinsOf(job, group);
  for (let word: u32 = 0; word < words; word++) {
    const begin = state + <usize>(word << 5) * SPIN;
    const bits = min<u32>(32, spins - (word << 5));
    let b0 = i32x4.splat(0);
    let b1 = i32x4.splat(0);
    let b2 = i32x4.splat(0);
    let b3 = i32x4.splat(0);
    // The last spin first: it is shifted furthest.
    for (let at = begin + <usize>bits * SPIN; at > begin; ) {
      at -= SPIN;
      b0 = v128.or(i32x4.shl(b0, 1), i32x4.shr_u(v128.not(v128.load(at)), 31));
      b1 = v128.or(i32x4.shl(b1, 1), i32x4.shr_u(v128.not(v128.load(at, 16)), 31));
      b2 = v128.or(i32x4.shl(b2, 1), i32x4.shr_u(v128.not(v128.load(at, 32)), 31));
      b3 = v128.or(i32x4.shl(b3, 1), i32x4.shr_u(v128.not(v128.load(at, 48)), 31));
    }
    const row = words * samples(job);
    const out = sampleBits(job) + <usize>(s * words + word) * 4;
    for (let chain = first; chain < last; chain++) {
      const lane = chain - first;
      const part = lane < 4 ? b0 : lane < 8 ? b1 : lane < 12 ? b2 : b3;
      const value =
        (lane & 3) == 0
          ? i32x4.extract_lane(part, 0)
          : (lane & 3) == 1
            ? i32x4.extract_lane(part, 1)
            : (lane & 3) == 2
              ? i32x4.extract_lane(part, 2)
              : i32x4.extract_lane(part, 3);
      store<i32>(out + <usize>chain * row * 4, value);
    }
  }
}
