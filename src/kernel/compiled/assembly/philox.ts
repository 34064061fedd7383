// Philox 4x32 (Salmon, Moraes, Dror and Shaw 2011): random words as a function of a counter and a key, four counters at a time.

const M0: u32 = 0xd2511f53;
const M1: u32 = 0xcd9e8d57;
const W0: u32 = 0x9e3779b9;
const W1: u32 = 0xbb67ae85;
/** As their authors advise. */
const ROUNDS: i32 = 10;

/** Bytes of the round keys. */
export const KEYS: usize = 320;

/** Writes the keys of all rounds, as {@link drawFour} reads them. */
export function spreadKey(k0: u32, k1: u32, keys: usize): void {
  for (let round = 0; round < ROUNDS; round++) {
    v128.store(keys + (round << 5), i32x4.splat(k0));
    v128.store(keys + (round << 5), i32x4.splat(k1), 16);
    k0 += W0;
    k1 += W1;
  }
}

/** Counters `(c0 + k, c1, c2, c3)`, `k` from 0 to 7: word `w` of the first four at `out + 16 w`, of the others 64 bytes further. */
export function philoxEight(c0: u32, c1: u32, c2: u32, c3: u32, keys: usize, out: usize): void {
  let x0 = i32x4.add(i32x4.splat(c0), i32x4(0, 1, 2, 3));
  let y0 = i32x4.add(i32x4.splat(c0), i32x4(4, 5, 6, 7));
  let x1 = i32x4.splat(c1);
  let y1 = x1;
  let x2 = i32x4.splat(c2);
  let y2 = x2;
  let x3 = i32x4.splat(c3);
  let y3 = x3;
  const m0 = i32x4.splat(M0);
  const m1 = i32x4.splat(M1);
  for (const end = keys + KEYS; keys < end; keys += 32) {
    const k0 = v128.load(keys);
    const k1 = v128.load(keys, 16);
    let low = i64x2.extmul_low_i32x4_u(x0, m0);
    let high = i64x2.extmul_high_i32x4_u(x0, m0);
    let low2 = i64x2.extmul_low_i32x4_u(x2, m1);
    let high2 = i64x2.extmul_high_i32x4_u(x2, m1);
    x0 = v128.xor(v128.xor(v128.shuffle<i32>(low2, high2, 1, 3, 5, 7), x1), k0);
    x1 = v128.shuffle<i32>(low2, high2, 0, 2, 4, 6);
    x2 = v128.xor(v128.xor(v128.shuffle<i32>(low, high, 1, 3, 5, 7), x3), k1);
    x3 = v128.shuffle<i32>(low, high, 0, 2, 4, 6);
    low = i64x2.extmul_low_i32x4_u(y0, m0);
    high = i64x2.extmul_high_i32x4_u(y0, m0);
    low2 = i64x2.extmul_low_i32x4_u(y2, m1);
    high2 = i64x2.extmul_high_i32x4_u(y2, m1);
    y0 = v128.xor(v128.xor(v128.shuffle<i32>(low2, high2, 1, 3, 5, 7), y1), k0);
    y1 = v128.shuffle<i32>(low2, high2, 0, 2, 4, 6);
    y2 = v128.xor(v128.xor(v128.shuffle<i32>(low, high, 1, 3, 5, 7), y3), k1);
    y3 = v128.shuffle<i32>(low, high, 0, 2, 4, 6);
  }
  v128.store(out, x0);
  v128.store(out, x1, 16);
  v128.store(out, x2, 32);
  v128.store(out, x3, 48);
  v128.store(out, y0, 64);
  v128.store(out, y1, 80);
  v128.store(out, y2, 96);
  v128.store(out, y3, 112);
}

/** The four words of one counter. */
export function philox(c0: u32, c1: u32, c2: u32, c3: u32, k0: u32, k1: u32, out: usize): void {
  for (let round = 0; round < ROUNDS; round++) {
    const a = <u64>M0 * <u64>c0;
    const b = <u64>M1 * <u64>c2;
    c0 = <u32>(b >> 32) ^ c1 ^ k0;
    c1 = <u32>b;
    c2 = <u32>(a >> 32) ^ c3 ^ k1;
    c3 = <u32>a;
    k0 += W0;
    k1 += W1;
  }
  store<u32>(out, c0);
  store<u32>(out, c1, 4);
  store<u32>(out, c2, 8);
  store<u32>(out, c3, 12);
}
