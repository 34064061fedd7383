/** A discrete Fourier transform in place, of real and imaginary parts of one length. */
export type FourierTransform = (re: Float64Array, im: Float64Array) => void;

/** The transform of `size` points, a power of two: `z_k -> sum_j z_j exp(-2 pi i j k / size)` (Cooley and Tukey 1965), unnormalised. */
export function fourier(size: number): FourierTransform {
  const bits = 31 - Math.clz32(size);
  const reversed = new Uint32Array(size);
  for (let k = 1; k < size; k++) reversed[k] = (reversed[k >> 1] >> 1) | ((k & 1) << (bits - 1));
  const half = size >> 1;
  const cos = Float64Array.from({ length: half }, (_, k) => Math.cos((2 * Math.PI * k) / size));
  const sin = Float64Array.from({ length: half }, (_, k) => -Math.sin((2 * Math.PI * k) / size));
  return (re, im) => {
    for (let k = 0; k < size; k++) {
      const other = reversed[k];
      if (other <= k) continue;
      const a = re[k];
      const b = im[k];
      re[k] = re[other];
      im[k] = im[other];
      re[other] = a;
      im[other] = b;
    }
    for (let width = 1; width < size; width *= 2) {
      const stride = half / width;
      for (let start = 0; start < size; start += 2 * width) {
        for (let k = 0; k < width; k++) {
          const low = start + k;
          const high = low + width;
          const c = cos[k * stride];
          const s = sin[k * stride];
          const a = re[high] * c - im[high] * s;
          const b = re[high] * s + im[high] * c;
          re[high] = re[low] - a;
          im[high] = im[low] - b;
          re[low] += a;
          im[low] += b;
        }
      }
    }
  };
}
