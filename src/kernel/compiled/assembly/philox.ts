// Philox 4x32 (Salmon, Moraes, Dror and Shaw 2011): random words as a function of a counter and a key, four counters at a time.

const M0: u32 = 0xd2511f53;
const M1: u32 = 0xcd9e8d57;
const W0: u32 = 0x9e3779b9;
const W1: u32 = 0xbb67ae85;
/** As their authors advise. */
const ROUNDS: i32 = 10;

/** Counters `(c0 + lane, c1, c2, c3)`, lanes 0 to 3: word `k` of all four at `out + 16 k`. */
@inline export function philoxFour(c0: u32, c1: u32, c2: u32, c3: u32, k0: u32, k1: u32, out: usize): void {
  let x0 = i32x4.add(i32x4.splat(c0), i32x4(0, 1, 2, 3));
  let x1 = i32x4.splat(c1);
  let x2 = i32x4.splat(c2);
  let x3 = i32x4.splat(c3);
  const m0 = i32x4.splat(M0);
  const m1 = i32x4.splat(M1);
  for (let round = 0; round < ROUNDS; round++) {
    const l0 = i64x2.extmul_low_i32x4_u(x0, m0);
    const h0 = i64x2.extmul_high_i32x4_u(x0, m0);
    const l1 = i64x2.extmul_low_i32x4_u(x2, m1);
    const h1 = i64x2.extmul_high_i32x4_u(x2, m1);
    x0 = v128.xor(v128.xor(v128.shuffle<i32>(l1, h1, 1, 3, 5, 7), x1), i32x4.splat(k0));
    x1 = v128.shuffle<i32>(l1, h1, 0, 2, 4, 6);
    x2 = v128.xor(v128.xor(v128.shuffle<i32>(l0, h0, 1, 3, 5, 7), x3), i32x4.splat(k1));
    x3 = v128.shuffle<i32>(l0, h0, 0, 2, 4, 6);
    k0 += W0;
    k1 += W1;
  }
  v128.store(out, x0);
  v128.store(out, x1, 16);
  v128.store(out, x2, 32);
  v128.store(out, x3, 48);
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
