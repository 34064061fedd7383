// Gibbs chains of a pairwise model, sixteen at a time in lockstep.
import {
  betasOf,
  BITS,
  blockStarts,
  chainBlocks,
  chainCount,
  chainScratch,
  CHOSEN,
  DRAWN,
  FIELDS,
  groupCount,
  IN_ORDER,
  intervalSteps,
  keyHigh,
  keyLow,
  LANES,
  leadSteps,
  MARGINS,
  MASK,
  MORE_BITS,
  neighbours,
  ONE_BLOCK,
  order,
  placeCount,
  places,
  ROUND_KEYS,
  sampleBits,
  samples,
  SIGNS,
  siteBias,
  siteEnd,
  siteMargin,
  siteSpin,
  sliceCount,
  SPIN,
  spinCount,
  spinsOf,
  stepsBefore,
  turnOf,
} from './chains-job';
import { drawExactly } from './draw';
import { philoxEight, spreadKey } from './philox';

/** 65536 in single precision, whose last bits count `1 / 128`. */
const DRAWN_ZERO: i32 = 0x47800000;
/** Counters of what a chain chooses a block or a site by. */
const CHOICE: u32 = 0x40000000;

/**
 * Works at a job as long as there is a group that no other thread works at, slice by slice, always at one that is furthest behind: threads that are slow hold nobody up for
 * longer than a slice. A group's turn is the number of its slices that are done, or one's complement of it while a thread is at the next.
 */
export function moveChains(job: usize, thread: usize): void {
  const groups = groupCount(job);
  const all = <i32>sliceCount(job);
  while (true) {
    let least = all;
    let group: u32 = 0;
    for (let g: u32 = 0; g < groups; g++) {
      const turn = atomic.load<i32>(turnOf(job, g));
      if (turn < 0 || turn >= least) continue;
      least = turn;
      group = g;
    }
    if (least == all) return;
    if (atomic.cmpxchg<i32>(turnOf(job, group), least, ~least) != least) continue;
    runSlice(job, group, <u64>least, thread);
    atomic.store<i32>(turnOf(job, group), least + 1);
  }
}

/** One slice of a group's steps. */
function runSlice(job: usize, group: usize, slice: u64, thread: usize): void {
  const scratch = chainScratch(job, thread);
  spreadKey(keyLow(job), keyHigh(job), scratch + ROUND_KEYS);
  const lead = <u64>leadSteps(job);
  const interval = <u64>intervalSteps(job);
  const total = lead + interval * <u64>samples(job);
  const slices = <u64>sliceCount(job);
  const end = (total * (slice + 1)) / slices;
  for (let t = (total * slice) / slices; t < end; ) {
    takeStep(job, group, stepsBefore(job) + t, scratch);
    t++;
    if (t > lead && (t - lead) % interval == 0) keep(job, group, <u32>((t - lead) / interval - 1));
  }
}

function takeStep(job: usize, group: usize, step: u64, scratch: usize): void {
  if (order(job) == IN_ORDER) resample(job, group, step, 0, chainBlocks(job), scratch, 0);
  else if (order(job) == ONE_BLOCK) stepOfBlocks(job, group, step, scratch);
  else stepOfSites(job, group, step, scratch);
}

/** Per chain a whole number below `count`. */
function choose(group: usize, step: u64, count: u32, scratch: usize): void {
  philoxEight(CHOICE, <u32>step, <u32>(step >> 32), <u32>group, scratch + ROUND_KEYS, scratch + BITS);
  for (let at: usize = 0; at < SPIN; at += 4) {
    const word = <u64>load<u32>(scratch + BITS + at);
    store<u32>(scratch + CHOSEN + at, <u32>((word * <u64>count) >> 32));
  }
}

/** Draws for four places from `4 quad` on: two places share the halves of their random words. */
function drawFour(group: usize, step: u64, quad: u32, scratch: usize): void {
  philoxEight(quad << 3, <u32>step, <u32>(step >> 32), <u32>group, scratch + ROUND_KEYS, scratch + BITS);
  const zero = i32x4.splat(DRAWN_ZERO);
  const half = i32x4.splat(0xffff);
  for (let pair: usize = 0; pair < 2; pair++) {
    const bits = scratch + BITS + pair * 64;
    const drawn = scratch + DRAWN + pair * 128;
    for (let at: usize = 0; at < SPIN; at += 16) {
      const words = v128.load(bits + at);
      v128.store(drawn + at, v128.or(v128.and(words, half), zero));
      v128.store(drawn + at, v128.or(i32x4.shr_u(words, 16), zero), 64);
    }
  }
}

/** Every chain resamples a block of its own choice. */
function stepOfBlocks(job: usize, group: usize, step: u64, scratch: usize): void {
  const count = chainBlocks(job);
  choose(group, step, count, scratch);
  const chosen = scratch + CHOSEN;
  const mask = scratch + MASK;
  for (let block: u32 = 0; block < count; block++) {
    let any = v128.splat<i32>(0);
    for (let k: usize = 0; k < SPIN; k += 16) {
      const here = i32x4.eq(v128.load(chosen + k), i32x4.splat(block));
      v128.store(mask + k, here);
      any = v128.or(any, here);
    }
    if (!v128.any_true(any)) continue;
    resample(job, group, step, block, block + 1, scratch, mask);
  }
}

/** Every chain resamples a site of its own choice. */
function stepOfSites(job: usize, group: usize, step: u64, scratch: usize): void {
  choose(group, step, placeCount(job), scratch);
  drawFour(group, step, 0, scratch);
  const state = spinsOf(job, group);
  for (let lane: usize = 0; lane < LANES; lane++) {
    const site = siteOf(job, load<u32>(scratch + CHOSEN + (<u32>lane << 2)));
    const mine = state + (lane << 2);
    let field = siteBias(site);
    const end = siteEnd(site);
    for (let at = neighbours(site); at < end; at += 8) {
      field += reinterpret<f32>(load<u32>(at, 4) ^ load<u32>(mine + load<u32>(at)));
    }
    store<f32>(scratch + FIELDS + (lane << 2), field);
    store<f32>(scratch + MARGINS + (lane << 2), siteMargin(site));
  }
  const betas = betasOf(job, group);
  const signs = scratch + SIGNS;
  let open: u32 = 0;
  for (let at: usize = 0; at < SPIN; at += 16) {
    const field = v128.load(scratch + FIELDS + at);
    const odds = oddsAgainst(field, v128.load(betas + at));
    const x = excess(odds, v128.load(scratch + DRAWN + at));
    v128.store(signs + at, signOf(x));
    const clear = isClear(x, odds, v128.load(scratch + MARGINS + at));
    open |= <u32>(~i32x4.bitmask(clear) & 15) << <u32>(at >> 2);
  }
  for (let lane: usize = 0; lane < LANES; lane++) {
    const site = siteOf(job, load<u32>(scratch + CHOSEN + (<u32>lane << 2)));
    store<u32>(state + siteSpin(site) + (lane << 2), load<u32>(signs + (lane << 2)));
    if ((open >> <u32>lane) & 1) drawOne(job, group, step, site, 0, lane, scratch + DRAWN, scratch);
  }
}

/** Resamples a site of one chain in double precision. */
@inline function drawOne(
  job: usize,
  group: usize,
  step: u64,
  site: usize,
  place: u32,
  lane: usize,
  drawn: usize,
  scratch: usize,
): void {
  const coarse = load<u32>(drawn + (lane << 2)) & 0xffff;
  const beta = load<f64>(betasOf(job, group) + SPIN + (lane << 3));
  const state = spinsOf(job, group);
  const c1 = <u32>step;
  const c2 = <u32>(step >> 32);
  const more = scratch + MORE_BITS;
  drawExactly(site, state, lane, beta, coarse, place, c1, c2, <u32>group, keyLow(job), keyHigh(job), more);
}

/**
 * Resamples the blocks from one to another in order, in the chains of a mask, or in all of them without one. Up to four places of a block, which do not see each other, go
 * through each stage together: the processor need not wait for one to begin another.
 */
function resample(job: usize, group: usize, step: u64, from: u32, to: u32, scratch: usize, mask: usize): void {
  const state = spinsOf(job, group);
  const betas = betasOf(job, group);
  let drawn: u32 = 0xffffffff;
  for (let block = from; block < to; block++) {
    const bounds = blockStarts(job) + (<usize>block << 2);
    const end = load<u32>(bounds, 4);
    for (let first = load<u32>(bounds); first < end; ) {
      const quad = first >> 2;
      if (quad != drawn) drawFour(group, step, quad, scratch);
      drawn = quad;
      const stop = min(end, (quad + 1) << 2);
      for (let place = first; place < stop; place++) {
        sumFields(siteOf(job, place), state, scratch + FIELDS + turnOffset(place));
      }
      for (let place = first; place < stop; place++) {
        const site = siteOf(job, place);
        const turn = turnOffset(place);
        let open = settle(site, state, betas, scratch + FIELDS + turn, scratch + DRAWN + turn, mask);
        for (; open != 0; open &= open - 1) {
          drawOne(job, group, step, site, place, <usize>ctz(open), scratch + DRAWN + turn, scratch);
        }
      }
      first = stop;
    }
  }
}

@inline function siteOf(job: usize, place: u32): usize {
  return load<u32>(places(job) + (<usize>place << 2));
}

/** Where a place's words are among those of four. */
@inline function turnOffset(place: u32): usize {
  return <usize>(place & 3) << 6;
}

// A cubic of relative error 7.5e-5 for 2^f, |f| <= 1/2.
const P0: f32 = 0.9999280272985345;
const P1: f32 = 0.6932609699503264;
const P2: f32 = 0.24261137238754565;
const P3: f32 = 0.05517177458643967;
/** Adding it rounds to whole numbers. */
const ROUND: f32 = 12582912;

/** `E = exp(-z)` to within the cubic's error, where it is between `2^-64` and `2^64`. `beta` is `-beta log2 e`. */
@inline function oddsAgainst(field: v128, beta: v128): v128 {
  const y = f32x4.pmin(f32x4.pmax(f32x4.mul(field, beta), f32x4.splat(-64)), f32x4.splat(64));
  const r = f32x4.add(y, f32x4.splat(ROUND));
  const f = f32x4.sub(y, f32x4.sub(r, f32x4.splat(ROUND)));
  let p = f32x4.add(f32x4.mul(f, f32x4.splat(P3)), f32x4.splat(P2));
  p = f32x4.add(f32x4.mul(f, p), f32x4.splat(P1));
  p = f32x4.add(f32x4.mul(f, p), f32x4.splat(P0));
  return i32x4.add(p, i32x4.shl(r, 23));
}

/**
 * A draw `U = (u + r) / 65536`, `0 <= r < 1`, gives +1 where `U < 1 / (1 + E)`, which is where `65536 - u - r > (u + r) E`: the difference at `r = 0`, over 128. `drawn` is
 * `65536 + u / 128`.
 */
@inline function excess(odds: v128, drawn: v128): v128 {
  return f32x4.sub(
    f32x4.sub(f32x4.splat(66048), drawn),
    f32x4.mul(f32x4.sub(drawn, f32x4.splat(65536)), odds),
  );
}

/** Lanes whose excess is beyond `margin (1 + E)`: whatever `r` is, and however single precision erred, it has that sign. Not so a NaN. */
@inline function isClear(excess: v128, odds: v128, margin: v128): v128 {
  return f32x4.ge(f32x4.abs(excess), f32x4.add(margin, f32x4.mul(margin, odds)));
}

@inline function signOf(excess: v128): v128 {
  return v128.and(excess, i32x4.splat(0x80000000));
}

/** Writes a site's fields in all chains. */
@inline function sumFields(site: usize, state: usize, out: usize): void {
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
  v128.store(out, a0);
  v128.store(out, a1, 16);
  v128.store(out, a2, 32);
  v128.store(out, a3, 48);
}

/**
 * Writes the spins that a site's fields and draws give in all chains, or those of a mask; returns, a bit per chain, those whose draw is too near to its threshold to be told
 * in single precision.
 */
@inline function settle(site: usize, state: usize, betas: usize, fields: usize, drawn: usize, mask: usize): u32 {
  const e0 = oddsAgainst(v128.load(fields), v128.load(betas));
  const x0 = excess(e0, v128.load(drawn));
  const e1 = oddsAgainst(v128.load(fields, 16), v128.load(betas, 16));
  const x1 = excess(e1, v128.load(drawn, 16));
  const e2 = oddsAgainst(v128.load(fields, 32), v128.load(betas, 32));
  const x2 = excess(e2, v128.load(drawn, 32));
  const e3 = oddsAgainst(v128.load(fields, 48), v128.load(betas, 48));
  const x3 = excess(e3, v128.load(drawn, 48));
  const to = state + siteSpin(site);
  let s0 = signOf(x0);
  let s1 = signOf(x1);
  let s2 = signOf(x2);
  let s3 = signOf(x3);
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
  const c0 = isClear(x0, e0, margin);
  const c1 = isClear(x1, e1, margin);
  const c2 = isClear(x2, e2, margin);
  const c3 = isClear(x3, e3, margin);
  if (i32x4.bitmask(v128.and(v128.and(c0, c1), v128.and(c2, c3))) == 15) return 0;
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
