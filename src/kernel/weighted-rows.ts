/**
 * `out[k] += sum_r weights[r] * rows[r * width + k]`: one row of a matrix product. Four rows are taken at a time, so that `out` is read and
 * written a quarter as often; this loop carries most of the factored route's time.
 */
export function addWeightedRows(weights: Float64Array, rows: Float64Array, out: Float64Array): void {
  const width = out.length;
  const count = weights.length;
  let r = 0;
  for (; r + 3 < count; r += 4) {
    const w0 = weights[r];
    const w1 = weights[r + 1];
    const w2 = weights[r + 2];
    const w3 = weights[r + 3];
    const a = r * width;
    const b = a + width;
    const c = b + width;
    const d = c + width;
    for (let k = 0; k < width; k++) {
      out[k] += w0 * rows[a + k] + w1 * rows[b + k] + (w2 * rows[c + k] + w3 * rows[d + k]);
    }
  }
  for (; r < count; r++) {
    const w = weights[r];
    const a = r * width;
    for (let k = 0; k < width; k++) out[k] += w * rows[a + k];
  }
}
