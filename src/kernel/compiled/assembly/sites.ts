// Loops over the pairs of states that differ by one flip, for eight functions at a time.
import { square } from './square';
import { STATE } from './table';

/** States in a chunk whose eight functions, read and written, stay in the first-level cache while its low bits are done. */
const CHUNK_BITS: usize = 7;
/** High bits that are done in one pass, a strip of contiguous states at a time from each of the `2^GROUP` places where they differ. */
const GROUP: usize = 4;
const STRIP: usize = 8;

/** Two conductances `w pi_s pi_t / (pi_s + pi_t)` from two pairs of probabilities. */
@inline function conductances(w: v128, s: v128, t: v128): v128 {
  return f64x2.div(f64x2.mul(w, f64x2.mul(s, t)), f64x2.add(s, t));
}

/** A square for all eight functions. */
@inline function squareOfEight(x: usize, y: usize, p: usize, ab: v128, cd: v128, ac: v128, bd: v128, fresh: bool): void {
  square(x, y, p, ab, cd, ac, bd, fresh);
  square(x + 16, y + 16, p, ab, cd, ac, bd, fresh);
  square(x + 32, y + 32, p, ab, cd, ac, bd, fresh);
  square(x + 48, y + 48, p, ab, cd, ac, bd, fresh);
}

/** One whose conductances are 16 bytes apart, those of its neighbour between them. */
@inline function squareAt(x: usize, y: usize, p: usize, c: usize): void {
  const ab = v128.load64_splat(c);
  const cd = v128.load64_splat(c, 16);
  const ac = v128.load64_splat(c, 32);
  const bd = v128.load64_splat(c, 48);
  squareOfEight(x, y, p, ab, cd, ac, bd, false);
}

/** Squares over `pivot` and `2 pivot` from an even number of contiguous states on, or their conductances; returns where the next ones are. */
@inline function squares(x: usize, y: usize, pi: usize, c: usize, from: usize, count: usize, pivot: usize, w: v128, prepare: bool): usize {
  const p = pivot * STATE;
  for (let s = from; s < from + count; s += 2) {
    if (prepare) {
      const at = pi + (s << 3);
      const pa = v128.load(at);
      const pb = v128.load(at + (pivot << 3));
      const pc = v128.load(at + (pivot << 4));
      const pd = v128.load(at + 3 * (pivot << 3));
      v128.store(c, conductances(w, pa, pb));
      v128.store(c, conductances(w, pc, pd), 16);
      v128.store(c, conductances(w, pa, pc), 32);
      v128.store(c, conductances(w, pb, pd), 48);
    } else {
      squareAt(x + s * STATE, y + s * STATE, p, c);
      squareAt(x + (s + 1) * STATE, y + (s + 1) * STATE, p, c + 8);
    }
    c += 64;
  }
  return c;
}

/** The same over the lowest two bits; they write y. */
@inline function firstSquares(x: usize, y: usize, pi: usize, c: usize, from: usize, count: usize, w: v128, prepare: bool): usize {
  for (let s = from; s < from + count; s += 4) {
    if (prepare) {
      const ab = v128.load(pi + (s << 3));
      const cd = v128.load(pi + (s << 3), 16);
      v128.store(c, conductances(w, i64x2.shuffle(ab, cd, 0, 2), i64x2.shuffle(ab, cd, 1, 3)));
      v128.store(c, conductances(w, ab, cd), 16);
    } else {
      const ab = v128.load64_splat(c);
      const cd = v128.load64_splat(c, 8);
      const ac = v128.load64_splat(c, 16);
      const bd = v128.load64_splat(c, 24);
      squareOfEight(x + s * STATE, y + s * STATE, STATE, ab, cd, ac, bd, true);
    }
    c += 32;
  }
  return c;
}

/** `y_s += c (x_s - x_t)`, `y_t -= c (x_s - x_t)` for one pair, or its conductance. */
@inline function pair(x: usize, y: usize, pi: usize, at: usize, s: usize, t: usize, w: f64, prepare: bool): usize {
  if (prepare) {
    const ps = load<f64>(pi + (s << 3));
    const pt = load<f64>(pi + (t << 3));
    store<f64>(at, (w * (ps * pt)) / (ps + pt));
    return at + 8;
  }
  const c = v128.load64_splat(at);
  const xs = x + s * STATE;
  const xt = x + t * STATE;
  const ys = y + s * STATE;
  const yt = y + t * STATE;
  const d0 = f64x2.mul(c, f64x2.sub(v128.load(xs), v128.load(xt)));
  const d1 = f64x2.mul(c, f64x2.sub(v128.load(xs, 16), v128.load(xt, 16)));
  const d2 = f64x2.mul(c, f64x2.sub(v128.load(xs, 32), v128.load(xt, 32)));
  const d3 = f64x2.mul(c, f64x2.sub(v128.load(xs, 48), v128.load(xt, 48)));
  v128.store(ys, f64x2.add(v128.load(ys), d0));
  v128.store(ys, f64x2.add(v128.load(ys, 16), d1), 16);
  v128.store(ys, f64x2.add(v128.load(ys, 32), d2), 32);
  v128.store(ys, f64x2.add(v128.load(ys, 48), d3), 48);
  v128.store(yt, f64x2.sub(v128.load(yt), d0));
  v128.store(yt, f64x2.sub(v128.load(yt, 16), d1), 16);
  v128.store(yt, f64x2.sub(v128.load(yt, 32), d2), 32);
  v128.store(yt, f64x2.sub(v128.load(yt, 48), d3), 48);
  return at + 8;
}

/**
 * Two bits at a time, first the low ones, chunk by chunk; then the high ones, several in a pass; then the fold. The conductances lie in the order in which they are
 * met. At least three bits.
 */
@inline function walk(x: usize, y: usize, pi: usize, c: usize, n: usize, bits: usize, folded: bool, w: f64, prepare: bool): void {
  const ww = f64x2.splat(w);
  const lowBits = min(bits, CHUNK_BITS);
  const chunk: usize = (<usize>1) << lowBits;
  for (let base: usize = 0; base < n; base += chunk) {
    c = firstSquares(x, y, pi, c, base, chunk, ww, prepare);
    let bit: usize = 2;
    for (; bit + 1 < lowBits; bit += 2) {
      const pivot: usize = (<usize>1) << bit;
      for (let block = base; block < base + chunk; block += 4 * pivot) {
        c = squares(x, y, pi, c, block, pivot, pivot, ww, prepare);
      }
    }
    if (bit < lowBits) {
      const half = chunk >> 1;
      for (let s = base; s < base + half; s++) c = pair(x, y, pi, c, s, s + half, w, prepare);
    }
  }
  for (let first = lowBits; first < bits; first += GROUP) {
    const group = min(bits - first, GROUP);
    const pivot: usize = (<usize>1) << first;
    const span: usize = pivot << group;
    for (let outer: usize = 0; outer < n; outer += span) {
      for (let strip = outer; strip < outer + pivot; strip += STRIP) {
        let bit: usize = 0;
        for (; bit + 1 < group; bit += 2) {
          const step = pivot << bit;
          for (let block: usize = 0; block < span; block += pivot) {
            if ((block & (3 * step)) == 0) c = squares(x, y, pi, c, strip + block, STRIP, step, ww, prepare);
          }
        }
        if (bit < group) {
          const half = span >> 1;
          for (let block: usize = 0; block < half; block += pivot) {
            for (let s = strip + block; s < strip + block + STRIP; s++) c = pair(x, y, pi, c, s, s + half, w, prepare);
          }
        }
      }
    }
  }
  if (!folded) return;
  for (let s: usize = 0; s < n >> 1; s++) c = pair(x, y, pi, c, s, n - 1 - s, w, prepare);
}

/** Writes the conductances of {@link siteForm}, half a number per state and spin. */
export function prepareSites(pi: usize, c: usize, n: usize, bits: usize, folded: bool, w: f64): void {
  walk(0, 0, pi, c, n, bits, folded, w, true);
}

/** `y = D sum_i w (I - P_i) x`, a network of conductances between states one flip apart. */
export function siteForm(x: usize, y: usize, c: usize, n: usize, bits: usize, folded: bool): void {
  walk(x, y, 0, c, n, bits, folded, 0, false);
}

/** The flip probability between `s` and `t` is this times the probability of where it leads. */
@inline function inverseSum(pi: usize, s: usize, t: usize): f64 {
  return 1 / (load<f64>(pi + (s << 3)) + load<f64>(pi + (t << 3)));
}
@inline function rateTo(pi: usize, target: usize, scale: f64): f64 {
  return load<f64>(pi + (target << 3)) * scale;
}

/** The state that pairs with `s` under a mask is `s ^ mask`; its highest bit tells which of the two is visited. */
@inline function pivotOf(mask: usize): usize {
  return (<usize>1) << (31 - clz<u32>(<u32>mask));
}

/** `r = Q r + (I - Q) x` for one spin's conditional expectation `Q`: how differences pass through a product. */
export function carry(x: usize, r: usize, pi: usize, n: usize, mask: usize): void {
  const pivot = pivotOf(mask);
  for (let base: usize = 0; base < n; base += 2 * pivot) {
    for (let s = base; s < base + pivot; s++) {
      const t = s ^ mask;
      const scale = inverseSum(pi, s, t);
      const ps = f64x2.splat(rateTo(pi, t, scale));
      const pt = f64x2.splat(rateTo(pi, s, scale));
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
export function average(x: usize, out: usize, pi: usize, n: usize, mask: usize): void {
  const pivot = pivotOf(mask);
  for (let base: usize = 0; base < n; base += 2 * pivot) {
    for (let s = base; s < base + pivot; s++) {
      const t = s ^ mask;
      const scale = inverseSum(pi, s, t);
      const ps = f64x2.splat(rateTo(pi, t, scale));
      const pt = f64x2.splat(rateTo(pi, s, scale));
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
@inline function pairCotangent(u: usize, density: usize, pi: usize, s: usize, t: usize, w: f64): void {
  const scale = inverseSum(pi, s, t);
  const ps = rateTo(pi, t, scale);
  const pt = rateTo(pi, s, scale);
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
export function siteCotangent(u: usize, density: usize, pi: usize, n: usize, bits: usize, folded: bool, w: f64): void {
  const lowBits = min(bits, CHUNK_BITS);
  const chunk: usize = (<usize>1) << lowBits;
  for (let base: usize = 0; base < n; base += chunk) {
    for (let pivot: usize = 1; pivot < chunk; pivot <<= 1) {
      for (let block = base; block < base + chunk; block += 2 * pivot) {
        for (let s = block; s < block + pivot; s++) pairCotangent(u, density, pi, s, s + pivot, w);
      }
    }
  }
  for (let pivot = chunk; pivot < n; pivot <<= 1) {
    for (let block: usize = 0; block < n; block += 2 * pivot) {
      for (let s = block; s < block + pivot; s++) pairCotangent(u, density, pi, s, s + pivot, w);
    }
  }
  if (!folded) return;
  for (let s: usize = 0; s < n >> 1; s++) pairCotangent(u, density, pi, s, n - 1 - s, w);
}
