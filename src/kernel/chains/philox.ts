const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;
const ROUNDS = 10;

/** Upper 32 bits of the product of two 32-bit numbers. */
function high(a: number, b: number): number {
  const low = (a & 0xffff) * b;
  return Math.floor(((a >>> 16) * b + Math.floor(low / 65536)) / 65536);
}

/** Philox 4x32-10 (Salmon, Moraes, Dror and Shaw 2011): four random words as a function of a counter of four and a key of two. */
export function philox(c0: number, c1: number, c2: number, c3: number, k0: number, k1: number): readonly number[] {
  let [x0, x1, x2, x3] = [c0 >>> 0, c1 >>> 0, c2 >>> 0, c3 >>> 0];
  for (let round = 0; round < ROUNDS; round++) {
    const [h0, l0, h1, l1] = [high(x0, M0), Math.imul(x0, M0), high(x2, M1), Math.imul(x2, M1)];
    x0 = (h1 ^ x1 ^ k0) >>> 0;
    x1 = l1 >>> 0;
    x2 = (h0 ^ x3 ^ k1) >>> 0;
    x3 = l0 >>> 0;
    k0 = (k0 + W0) | 0;
    k1 = (k1 + W1) | 0;
  }
  return [x0, x1, x2, x3];
}
