import { randomSource } from 'htdml';

/**
 * Points of the noise table, and how far apart. Third differences of a smooth function are below rounding there, and a probability near one still moves by more than its last bit, without which
 * its rounding would be the same at all points and not be seen.
 */
const POINTS = 9;
const SPACING = 2 ** -24;

/**
 * What rounding makes of each of several values, from differences of high order at tiny spacing, which see nothing of a smooth function (More and Wild 2011), taken eight times as large:
 * the differences give a standard deviation, and a bound is wanted. Never below what storing the value rounds.
 */
export function measuredNoise(values: (theta: Float64Array) => ArrayLike<number>, theta: Float64Array): Float64Array {
  const { normal } = randomSource(2);
  const direction = theta.map(() => normal());
  const rows = Array.from({ length: POINTS }, (_, k) =>
    values(theta.map((x, a) => x + (k - (POINTS - 1) / 2) * SPACING * direction[a] * Math.max(1, Math.abs(x)))),
  );
  return Float64Array.from(rows[0], (_, q) => {
    let table = rows.map((row) => row[q]);
    const size = table.reduce((top, x) => Math.max(top, Math.abs(x)), 0);
    let noise = Number.EPSILON * size;
    let factor = 1;
    for (let order = 1; order < POINTS - 2; order++) {
      table = table.slice(1).map((x, k) => x - table[k]);
      // (k!)^2 / (2k)!, by its ratio.
      factor *= order / (2 * (2 * order - 1));
      const square = table.reduce((sum, x) => sum + x * x, 0) / table.length;
      if (order >= 3) noise = Math.max(noise, Math.sqrt(factor * square));
    }
    return 8 * noise;
  });
}
