import { readFileSync } from 'node:fs';
import { type DataLaw, dataLawFromRows, type Model, randomSource, rbm } from 'htdml';

/**
 * The UCI handwritten digits, 8 x 8 pixels of 0 to 16 (Alpaydin and Kaynak 1998, CC BY 4.0), coarsened to a square of binary pixels:
 * blocks of 2 x 2 are averaged, the middle `side` x `side` blocks kept, and a block is +1 from a mean of 8 on. 3 keeps the middle 6 x 6 pixels, 4 all.
 */
export function coarseDigits(side: 3 | 4): DataLaw {
  const margin = 4 - side;
  const rows = images().map((pixels) =>
    Array.from({ length: side * side }, (_, k) => {
      const top = margin + 2 * Math.floor(k / side);
      const left = margin + 2 * (k % side);
      const mean = [0, 1, 8, 9].reduce((sum, offset) => sum + pixels[8 * top + left + offset], 0) / 4;
      return mean >= 8 ? 1 : -1;
    }),
  );
  return dataLawFromRows(rows);
}

/** All 64 pixels; one is +1 from 8 on. */
export function binaryDigits(): DataLaw {
  return dataLawFromRows(images().map((pixels) => pixels.slice(0, 64).map((value) => (value >= 8 ? 1 : -1))));
}

function images(): number[][] {
  const text = readFileSync(new URL('../../../examples/data/digits.csv', import.meta.url), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => line.split(',').map(Number));
}

/** A fresh RBM: normal weights of standard deviation 0.1, biases at zero. */
export function freshRbm(visible: number, hidden: number, seed: number): Model {
  const random = randomSource(seed);
  return rbm({
    visible,
    hidden,
    weights: Array.from({ length: visible * hidden }, () => 0.1 * random.normal()),
    visibleBiases: new Array(visible).fill(0),
    hiddenBiases: new Array(hidden).fill(0),
  });
}
