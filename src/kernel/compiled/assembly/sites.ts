// Loops over the pairs of states that differ by one flip, for eight functions at a time.
import { STATE } from './table';

/** States in a chunk whose eight functions, read and written, stay in the first-level cache while its low bits are done. */
const CHUNK_BITS: usize = 8;
/** Contiguous states of a strip, where several high bits are done in one pass. */
const STRIP: usize = 16;

/** The flip probability between `s` and `t` is this times the Boltzmann factor of where it leads. */
@inline function inverseSum(b: usize, s: usize, t: usize): f64 {
  return 1 / (load<f64>(b + (s << 3)) + load<f64>(b + (t << 3)));
}
@inline function rateTo(b: usize, target: usize, scale: f64): f64 {
  return load<f64>(b + (target << 3)) * scale;
}

/** `y_s += w p_s (x_s - x_t)` and the same for `t`: one spin's share of `(I - P) x`. */
@inline function addPair(x: usize, y: usize, b: usize, s: usize, t: usize, w: f64): void {
  const scale = w * inverseSum(b, s, t);
  const ps = f64x2.splat(rateTo(b, t, scale));
  const pt = f64x2.splat(rateTo(b, s, scale));
  const xs = x + s * STATE;
  const xt = x + t * STATE;
  const ys = y + s * STATE;
  const yt = y + t * STATE;
  const d0 = f64x2.sub(v128.load(xs), v128.load(xt));
  const d1 = f64x2.sub(v128.load(xs, 16), v128.load(xt, 16));
  const d2 = f64x2.sub(v128.load(xs, 32), v128.load(xt, 32));
  const d3 = f64x2.sub(v128.load(xs, 48), v128.load(xt, 48));
  v128.store(ys, f64x2.add(v128.load(ys), f64x2.mul(ps, d0)));
  v128.store(ys, f64x2.add(v128.load(ys, 16), f64x2.mul(ps, d1)), 16);
  v128.store(ys, f64x2.add(v128.load(ys, 32), f64x2.mul(ps, d2)), 32);
  v128.store(ys, f64x2.add(v128.load(ys, 48), f64x2.mul(ps, d3)), 48);
  v128.store(yt, f64x2.sub(v128.load(yt), f64x2.mul(pt, d0)));
  v128.store(yt, f64x2.sub(v128.load(yt, 16), f64x2.mul(pt, d1)), 16);
  v128.store(yt, f64x2.sub(v128.load(yt, 32), f64x2.mul(pt, d2)), 32);
  v128.store(yt, f64x2.sub(v128.load(yt, 48), f64x2.mul(pt, d3)), 48);
}

/** `y = sum_i w (I - P_i) x` over the spins of `masks`: first the low bits, chunk by chunk; then the high bits, three in a pass; then the fold. */
export function siteMixture(x: usize, y: usize, b: usize, n: usize, bits: usize, folded: bool, w: f64): void {
  const low = min(bits, CHUNK_BITS);
  const chunk: usize = (<usize>1) << low;
  for (let base: usize = 0; base < n; base += chunk) {
    memory.fill(y + base * STATE, 0, chunk * STATE);
    for (let pivot: usize = 1; pivot < chunk; pivot <<= 1) {
      for (let block = base; block < base + chunk; block += 2 * pivot) {
        for (let s = block; s < block + pivot; s++) addPair(x, y, b, s, s + pivot, w);
      }
    }
  }
  for (let first = low; first < bits; first += 3) {
    const group = min(bits - first, <usize>3);
    const pivot: usize = (<usize>1) << first;
    const span: usize = pivot << group;
    for (let outer: usize = 0; outer < n; outer += span) {
      for (let strip = outer; strip < outer + pivot; strip += STRIP) {
        for (let bit: usize = pivot; bit < span; bit <<= 1) {
          for (let block: usize = 0; block < span; block += pivot) {
            if (block & bit) continue;
            for (let s = strip + block; s < strip + block + STRIP; s++) addPair(x, y, b, s, s + bit, w);
          }
        }
      }
    }
  }
  if (!folded) return;
  for (let s: usize = 0; s < n >> 1; s++) addPair(x, y, b, s, n - 1 - s, w);
}

/** The state that pairs with `s` under a mask is `s ^ mask`; its highest bit tells which of the two is visited. */
@inline function pivotOf(mask: usize): usize {
  return (<usize>1) << (31 - clz<u32>(<u32>mask));
}

/** `r = Q r + (I - Q) x` for one spin's conditional expectation `Q`: how differences pass through a product. */
export function carry(x: usize, r: usize, b: usize, n: usize, mask: usize): void {
  const pivot = pivotOf(mask);
  for (let base: usize = 0; base < n; base += 2 * pivot) {
    for (let s = base; s < base + pivot; s++) {
      const t = s ^ mask;
      const scale = inverseSum(b, s, t);
      const ps = f64x2.splat(rateTo(b, t, scale));
      const pt = f64x2.splat(rateTo(b, s, scale));
      for (let k: usize = 0; k < STATE; k += 16) {
        const xs = x + s * STATE + k;
        const xt = x + t * STATE + k;
        const rs = r + s * STATE + k;
        const rt = r + t * STATE + k;
        const d = f64x2.sub(v128.load(xs), v128.load(xt));
        const mean = f64x2.add(f64x2.mul(pt, v128.load(rs)), f64x2.mul(ps, v128.load(rt)));
        v128.store(rs, f64x2.add(mean, f64x2.mul(ps, d)));
        v128.store(rt, f64x2.sub(mean, f64x2.mul(pt, d)));
      }
    }
  }
}

/** `out = Q x`. */
export function average(x: usize, out: usize, b: usize, n: usize, mask: usize): void {
  const pivot = pivotOf(mask);
  for (let base: usize = 0; base < n; base += 2 * pivot) {
    for (let s = base; s < base + pivot; s++) {
      const t = s ^ mask;
      const scale = inverseSum(b, s, t);
      const ps = f64x2.splat(rateTo(b, t, scale));
      const pt = f64x2.splat(rateTo(b, s, scale));
      for (let k: usize = 0; k < STATE; k += 16) {
        const xs = v128.load(x + s * STATE + k);
        const xt = v128.load(x + t * STATE + k);
        const mean = f64x2.add(f64x2.mul(pt, xs), f64x2.mul(ps, xt));
        v128.store(out + s * STATE + k, mean);
        v128.store(out + t * STATE + k, mean);
      }
    }
  }
}

/** Sum of the eight numbers at `a` times those at `d = u_s - u_t`, where `a` is the mean of `u` under the flip: one pair's part of (D1). */
@inline function pairCotangent(u: usize, density: usize, b: usize, s: usize, t: usize, w: f64): void {
  const scale = inverseSum(b, s, t);
  const ps = rateTo(b, t, scale);
  const pt = rateTo(b, s, scale);
  const ps2 = f64x2.splat(ps);
  const us = u + s * STATE;
  const ut = u + t * STATE;
  let sum = f64x2.splat(0);
  for (let k: usize = 0; k < STATE; k += 16) {
    const x = v128.load(us + k);
    const d = f64x2.sub(x, v128.load(ut + k));
    sum = f64x2.add(sum, f64x2.mul(d, f64x2.sub(x, f64x2.mul(ps2, d))));
  }
  const total = w * (f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1));
  store<f64>(density + (s << 3), load<f64>(density + (s << 3)) + ps * total);
  store<f64>(density + (t << 3), load<f64>(density + (t << 3)) - pt * total);
}

/** Adds `w sum_i sum_k a (u - a)`, `a = P_i u_k`, to the density (5.4). */
export function siteCotangent(u: usize, density: usize, b: usize, n: usize, bits: usize, folded: bool, w: f64): void {
  const low = min(bits, CHUNK_BITS);
  const chunk: usize = (<usize>1) << low;
  for (let base: usize = 0; base < n; base += chunk) {
    for (let pivot: usize = 1; pivot < chunk; pivot <<= 1) {
      for (let block = base; block < base + chunk; block += 2 * pivot) {
        for (let s = block; s < block + pivot; s++) pairCotangent(u, density, b, s, s + pivot, w);
      }
    }
  }
  for (let pivot = chunk; pivot < n; pivot <<= 1) {
    for (let block: usize = 0; block < n; block += 2 * pivot) {
      for (let s = block; s < block + pivot; s++) pairCotangent(u, density, b, s, s + pivot, w);
    }
  }
  if (!folded) return;
  for (let s: usize = 0; s < n >> 1; s++) pairCotangent(u, density, b, s, n - 1 - s, w);
}
