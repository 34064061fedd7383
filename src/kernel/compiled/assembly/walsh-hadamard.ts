// The Walsh-Hadamard transform of eight functions at a time.
import { STATE } from './table';

/** In place, two bits at a time; `n` a power of two. */
export function walshHadamard(x: usize, n: usize): void {
  let pivot: usize = 1;
  for (; (pivot << 1) < n; pivot <<= 2) {
    const p = pivot * STATE;
    for (let block: usize = 0; block < n; block += 4 * pivot) {
      for (let at = x + block * STATE; at < x + (block + pivot) * STATE; at += 16) {
        const a = v128.load(at);
        const b = v128.load(at + p);
        const c = v128.load(at + 2 * p);
        const d = v128.load(at + 3 * p);
        const ab = f64x2.add(a, b);
        const cd = f64x2.add(c, d);
        const a_b = f64x2.sub(a, b);
        const c_d = f64x2.sub(c, d);
        v128.store(at, f64x2.add(ab, cd));
        v128.store(at + p, f64x2.add(a_b, c_d));
        v128.store(at + 2 * p, f64x2.sub(ab, cd));
        v128.store(at + 3 * p, f64x2.sub(a_b, c_d));
      }
    }
  }
  if (pivot == n) return;
  const p = pivot * STATE;
  for (let at = x; at < x + p; at += 16) {
    const a = v128.load(at);
    const b = v128.load(at + p);
    v128.store(at, f64x2.add(a, b));
    v128.store(at + p, f64x2.sub(a, b));
  }
}
