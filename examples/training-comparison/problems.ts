import { createRoute, type DataLaw, dataLawFromRows, type Model, type Route } from 'htdml';
import { coarseDigits, freshRbm } from '../support/digits.js';

export const KERNEL = 'alternating-block';
export const DATA_NAMES = ['digits', 'bars'] as const;
export type DataName = (typeof DATA_NAMES)[number];

/** Bars and stripes on 3 x 3 pixels (MacKay 2003): each of the 8 choices of rows, and of columns, is equally probable. */
function barsAndStripes(): DataLaw {
  const rows = Array.from({ length: 8 }, (_, choice) =>
    [0, 1].map((stripes) =>
      Array.from({ length: 9 }, (_pixel, k) => 2 * ((choice >> (stripes ? k % 3 : Math.floor(k / 3))) & 1) - 1),
    ),
  ).flat();
  return dataLawFromRows(rows);
}

const LAWS: Readonly<Record<DataName, () => DataLaw>> = { digits: () => coarseDigits(3), bars: barsAndStripes };

/** Nine visible and six hidden spins, what they learn, and the exact quantities along the way. */
export interface Problem {
  readonly data: DataLaw;
  readonly model: Model;
  readonly route: Route;
}

export function problem(name: DataName, seed: number): Problem {
  const data = LAWS[name]();
  const model = freshRbm(9, 6, seed);
  return { data, model, route: createRoute(model, data, { kernel: KERNEL }) };
}
