// Draws of one spin of a chain from its conditional law, in double precision.
import { LANES, neighbours, siteEnd, siteExact, siteSpin } from './chains-job';
import { philox } from './philox';

const LOG2E: f64 = 1.4426950408889634;
const LN2_HIGH: f64 = 0.6931471803691238;
const LN2_LOW: f64 = 1.9082149292705877e-10;
const TWO_MINUS_32: f64 = 2.3283064365386963e-10;
const TWO_MINUS_21: f64 = 4.76837158203125e-7;

/** Counters of the bits that a draw's first sixteen leave open. */
const MORE: u32 = 0x80000000;

/** `exp(-x)` for `x >= 0`, to a few units of the last place; `exp(-700)` beyond. */
@inline function expMinus(x: f64): f64 {
  x = x < 700 ? x : 700;
  const n = Math.floor(0.5 - x * LOG2E);
  const r = -x - n * LN2_HIGH - n * LN2_LOW;
  // Taylor: |r| <= ln 2 / 2, where the next term is below 3e-18.
  let sum: f64 = 1.6059043836821613e-10;
  sum = 2.08767569878681e-09 + r * sum;
  sum = 2.505210838544172e-08 + r * sum;
  sum = 2.755731922398589e-07 + r * sum;
  sum = 2.7557319223985893e-06 + r * sum;
  sum = 2.48015873015873e-05 + r * sum;
  sum = 0.0001984126984126984 + r * sum;
  sum = 0.001388888888888889 + r * sum;
  sum = 0.008333333333333333 + r * sum;
  sum = 0.041666666666666664 + r * sum;
  sum = 0.16666666666666666 + r * sum;
  sum = 0.5 + r * sum;
  sum = 1 + r * sum;
  sum = 1 + r * sum;
  return sum * reinterpret<f64>((<i64>n + 1023) << 52);
}

/**
 * Resamples the spin of a site in one chain. `coarse` are the draw's first sixteen bits; the next 53 come from the counter of this place and lane.
 */
export function drawExactly(
  site: usize,
  state: usize,
  lane: usize,
  beta: f64,
  coarse: u32,
  place: u32,
  c1: u32,
  c2: u32,
  group: u32,
  k0: u32,
  k1: u32,
  scratch: usize,
): void {
  let exact = siteExact(site);
  let sum = load<f64>(exact);
  const end = siteEnd(site);
  for (let at = neighbours(site); at < end; at += 8) {
    exact += 8;
    const strength = load<f64>(exact);
    sum += load<i32>(state + load<u32>(at) + (lane << 2)) < 0 ? -strength : strength;
  }
  const e = expMinus(Math.abs(beta * sum));
  const threshold = (e / (1 + e)) * 65536;
  // The draw counts from the end at which the less probable value is.
  if (!(sum < 0)) coarse = 0xffff - coarse;
  let minority = <f64>coarse < threshold;
  if (minority && <f64>(coarse + 1) > threshold) {
    philox(MORE + place * <u32>LANES + <u32>lane, c1, c2, group, k0, k1, scratch);
    const more = (<f64>load<u32>(scratch) + <f64>(load<u32>(scratch, 4) >>> 11) * TWO_MINUS_21) * TWO_MINUS_32;
    minority = <f64>coarse + more < threshold;
  }
  store<u32>(state + siteSpin(site) + (lane << 2), sum < 0 != minority ? 0x80000000 : 0);
}

