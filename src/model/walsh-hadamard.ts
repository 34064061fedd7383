/**
 * In-place Walsh-Hadamard transform, `W[mask] = sum_s (-1)^popcount(mask & s) x[s]`, in `n log2 n` additions.
 * The length must be a power of two. Applying it twice multiplies by the length.
 */
export function walshHadamard(x: Float64Array): Float64Array {
  const n = x.length;
  for (let half = 1; half < n; half *= 2) {
    for (let base = 0; base < n; base += 2 * half) {
      for (let s = base; s < base + half; s++) {
        const a = x[s];
        const b = x[s + half];
        x[s] = a + b;
        x[s + half] = a - b;
      }
    }
  }
  return x;
}
