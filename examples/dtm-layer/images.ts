import { type RandomSource, randomSource, readData, readPattern } from 'htdml';

/** Pixels per side. */
export const PIXELS = 28;

/** Images of -1 and +1, row by row, in files of `PIXELS^2` columns; what occurs twice in a file counts once. */
export function readImages(paths: readonly string[]): Int8Array[] {
  return paths.flatMap((path) => {
    const law = readData(path);
    if (law.spins !== PIXELS ** 2) throw new Error(`${path} has ${law.spins} columns, not ${PIXELS ** 2}`);
    return Array.from(law.probabilities, (_, k) => {
      const image = new Int8Array(law.spins);
      readPattern(law, k, image);
      return image;
    });
  });
}

/** Rings, discs and bars of the size of a digit, about the middle: as many of each. */
export function drawnImages(count: number, seed: number): Int8Array[] {
  const random = randomSource(seed);
  return Array.from({ length: count }, (_, k) => drawnImage(k % 3, random));
}

function drawnImage(kind: number, random: RandomSource): Int8Array {
  const middle = (PIXELS - 1) / 2;
  const [cy, cx] = [middle + 1.5 * random.normal(), middle + 1.5 * random.normal()];
  const [a, b] = [6 + 3 * random.uniform(), kind === 2 ? 1.5 + random.uniform() : 4 + 3 * random.uniform()];
  const turn = Math.PI * random.uniform();
  return Int8Array.from({ length: PIXELS ** 2 }, (_, p) => {
    const [dy, dx] = [Math.floor(p / PIXELS) - cy, (p % PIXELS) - cx];
    const u = (dy * Math.cos(turn) + dx * Math.sin(turn)) / a;
    const v = (dx * Math.cos(turn) - dy * Math.sin(turn)) / b;
    const radius = Math.hypot(u, v);
    return radius < 1 && (kind > 0 || radius > 0.6) ? 1 : -1;
  });
}

/** Orthonormal directions in which the images vary most, the first ones first, by power iteration. */
export function principalDirections(images: readonly Int8Array[], count: number): Float64Array[] {
  const size = images[0].length;
  const mean = Float64Array.from({ length: size }, (_, p) => images.reduce((sum, x) => sum + x[p], 0) / images.length);
  const dot = (a: Float64Array, b: ArrayLike<number>) => a.reduce((sum, value, p) => sum + value * b[p], 0);
  const random = randomSource(1);
  const found: Float64Array[] = [];
  for (let k = 0; k < count; k++) {
    let axis = Float64Array.from({ length: size }, () => random.normal());
    for (let pass = 0; pass < 30; pass++) {
      const next = new Float64Array(size);
      for (const image of images) {
        const along = dot(axis, image) - dot(axis, mean);
        for (let p = 0; p < size; p++) next[p] += along * (image[p] - mean[p]);
      }
      for (const other of found) {
        const part = dot(next, other);
        for (let p = 0; p < size; p++) next[p] -= part * other[p];
      }
      const length = Math.sqrt(dot(next, next));
      axis = next.map((value) => value / length);
    }
    found.push(axis);
  }
  return found;
}
