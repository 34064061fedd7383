// The generator D (I - P) on two functions at a time, side by side in 16 bytes of a state: for eigenvectors, of which few are sought at once.
// A network is a record of 32-bit words, which `../pair-network.ts` writes.
import { square } from './square';
import { BLOCK_MIXTURE, SITE_MIXTURE } from './table';

const WIDTH: usize = 16;
/** States in a chunk whose two functions, read and written, stay in the first-level cache while its low bits are done. */
const CHUNK_BITS: usize = 9;
/** High bits that are done in one pass, a strip of contiguous states at a time. */
const GROUP: usize = 2;
const STRIP: usize = 32;

@inline function statesOf(network: usize): usize {
  return load<u32>(network);
}
@inline function lawOf(network: usize): usize {
  return load<u32>(network, 4);
}
@inline function kindOf(network: usize): i32 {
  return load<i32>(network, 8);
}
/** Blocks one after the other: the number of sites, then their flip masks. */
@inline function blocksOf(network: usize): i32 {
  return load<i32>(network, 12);
}
@inline function programOf(network: usize): usize {
  return load<u32>(network, 16);
}
/** Of a site mixture: pair by pair in the order in which they are met. */
@inline function conductancesOf(network: usize): usize {
  return load<u32>(network, 20);
}
@inline function weightOf(network: usize): f64 {
  return load<f64>(network, 24);
}
/** 1 on even functions of the global flip, -1 on odd ones. */
@inline function sectorOf(network: usize): f64 {
  return load<f64>(network, 32);
}
/** The mask of the spin whose flip leads through the mirror image of a folded space; 0 where there is none. */
@inline function foldOf(network: usize): u32 {
  return load<u32>(network, 40);
}

@inline function conductance(pi: usize, s: usize, t: usize, w: f64): f64 {
  const ps = load<f64>(pi + (s << 3));
  const pt = load<f64>(pi + (t << 3));
  return (w * (ps * pt)) / (ps + pt);
}

/** Squares over `pivot` and `2 pivot` from contiguous states on, or their conductances; returns where the next ones are. */
@inline function squares(x: usize, y: usize, pi: usize, c: usize, from: usize, count: usize, pivot: usize, w: f64, prepare: bool, fresh: bool): usize {
  for (let s = from; s < from + count; s++) {
    if (prepare) {
      store<f64>(c, conductance(pi, s, s + pivot, w));
      store<f64>(c, conductance(pi, s + 2 * pivot, s + 3 * pivot, w), 8);
      store<f64>(c, conductance(pi, s, s + 2 * pivot, w), 16);
      store<f64>(c, conductance(pi, s + pivot, s + 3 * pivot, w), 24);
    } else {
      const ab = v128.load64_splat(c);
      const cd = v128.load64_splat(c, 8);
      const ac = v128.load64_splat(c, 16);
      const bd = v128.load64_splat(c, 24);
      square(x + s * WIDTH, y + s * WIDTH, pivot * WIDTH, ab, cd, ac, bd, fresh);
    }
    c += 32;
  }
  return c;
}

/** `y_s += c (x_s - sign x_t)`, `y_t -= sign c (x_s - sign x_t)` for one pair, or its conductance. */
@inline function pair(x: usize, y: usize, pi: usize, c: usize, s: usize, t: usize, w: f64, sign: v128, prepare: bool): usize {
  if (prepare) store<f64>(c, conductance(pi, s, t, w));
  else {
    const d = f64x2.mul(
      v128.load64_splat(c),
      f64x2.sub(v128.load(x + s * WIDTH), f64x2.mul(sign, v128.load(x + t * WIDTH))),
    );
    v128.store(y + s * WIDTH, f64x2.add(v128.load(y + s * WIDTH), d));
    v128.store(y + t * WIDTH, f64x2.sub(v128.load(y + t * WIDTH), f64x2.mul(sign, d)));
  }
  return c + 8;
}

/** All pairs of a site mixture, or their conductances: two bits at a time, the low ones chunk by chunk, the high ones several in a pass, then the fold. */
@inline function walk(network: usize, x: usize, y: usize, prepare: bool): void {
  const n = statesOf(network);
  const bits = <usize>(31 - clz<u32>(<u32>n));
  const pi = lawOf(network);
  const w = weightOf(network);
  const one = f64x2.splat(1);
  let c = conductancesOf(network);
  const lowBits = min(bits, CHUNK_BITS);
  const chunk: usize = (<usize>1) << lowBits;
  for (let base: usize = 0; base < n; base += chunk) {
    for (let block = base; block < base + chunk; block += 4) c = squares(x, y, pi, c, block, 1, 1, w, prepare, true);
    let bit: usize = 2;
    for (; bit + 1 < lowBits; bit += 2) {
      const pivot: usize = (<usize>1) << bit;
      for (let block = base; block < base + chunk; block += 4 * pivot) {
        c = squares(x, y, pi, c, block, pivot, pivot, w, prepare, false);
      }
    }
    if (bit < lowBits) {
      const half = chunk >> 1;
      for (let s = base; s < base + half; s++) c = pair(x, y, pi, c, s, s + half, w, one, prepare);
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
            if ((block & (3 * step)) == 0) c = squares(x, y, pi, c, strip + block, STRIP, step, w, prepare, false);
          }
        }
        if (bit < group) {
          const half = span >> 1;
          for (let block: usize = 0; block < half; block += pivot) {
            for (let s = strip + block; s < strip + block + STRIP; s++) c = pair(x, y, pi, c, s, s + half, w, one, prepare);
          }
        }
      }
    }
  }
  if (foldOf(network) == 0) return;
  const sign = f64x2.splat(sectorOf(network));
  for (let s: usize = 0; s < n >> 1; s++) c = pair(x, y, pi, c, s, n - 1 - s, w, sign, prepare);
}

/** Writes the conductances of a site mixture, half a number per state and spin. */
export function preparePairs(network: usize): void {
  if (kindOf(network) == SITE_MIXTURE) walk(network, 0, 0, true);
}

/** `y = D (I - P) x`, formed from its rates (D9). `work` holds as much as `x`, for blocks of several spins. */
export function applyPair(network: usize, x: usize, y: usize, work: usize): void {
  if (kindOf(network) == SITE_MIXTURE) {
    walk(network, x, y, false);
    return;
  }
  const n = statesOf(network);
  const pi = lawOf(network);
  const bytes = n * WIDTH;
  memory.fill(y, 0, bytes);
  let at = programOf(network);
  if (kindOf(network) == BLOCK_MIXTURE) {
    const w = f64x2.splat(weightOf(network));
    for (let block = 0; block < blocksOf(network); block++) {
      const size = <usize>load<u32>(at);
      memory.fill(work, 0, bytes);
      for (let k: usize = 1; k <= size; k++) carryPair(network, x, work, load<u32>(at + (k << 2)));
      for (let s: usize = 0; s < bytes; s += WIDTH) {
        v128.store(y + s, f64x2.add(v128.load(y + s), f64x2.mul(w, v128.load(work + s))));
      }
      at += (size + 1) << 2;
    }
  } else {
    const size = <usize>load<u32>(at);
    for (let m: usize = 1; m < 2 * size; m++) {
      carryPair(network, x, y, load<u32>(at + ((m <= size ? m : 2 * size - m) << 2)));
    }
  }
  for (let s: usize = 0; s < n; s++) {
    v128.store(y + s * WIDTH, f64x2.mul(v128.load64_splat(pi + (s << 3)), v128.load(y + s * WIDTH)));
  }
}

/** `r = Q r + (I - Q) x` for one spin's conditional expectation `Q`. */
function carryPair(network: usize, x: usize, r: usize, mask: u32): void {
  const n = statesOf(network);
  const pi = lawOf(network);
  const pivot: usize = (<usize>1) << (31 - clz<u32>(mask));
  const sign = f64x2.splat(mask == foldOf(network) ? sectorOf(network) : 1);
  for (let base: usize = 0; base < n; base += 2 * pivot) {
    for (let s = base; s < base + pivot; s++) {
      const t = s ^ <usize>mask;
      const mass = load<f64>(pi + (s << 3));
      const other = load<f64>(pi + (t << 3));
      const scale = 1 / (mass + other);
      const away = f64x2.splat(other * scale);
      const stay = f64x2.splat(mass * scale);
      const rs = r + s * WIDTH;
      const rt = r + t * WIDTH;
      const d = f64x2.sub(v128.load(x + s * WIDTH), f64x2.mul(sign, v128.load(x + t * WIDTH)));
      const mean = f64x2.add(f64x2.mul(stay, v128.load(rs)), f64x2.mul(away, f64x2.mul(sign, v128.load(rt))));
      v128.store(rs, f64x2.add(mean, f64x2.mul(away, d)));
      v128.store(rt, f64x2.mul(sign, f64x2.sub(mean, f64x2.mul(stay, d))));
    }
  }
}
