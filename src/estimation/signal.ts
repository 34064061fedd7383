/** `|g|^2` (2.3) from independent estimates of its two parts. */
export interface SampledSignal {
  /** Unbiased, so that it may be negative where `g` is small: products are of different groups only. */
  readonly value: number;
  /** Without one group of the model's samples at a time. */
  readonly withoutModel: Float64Array;
  /** Without one group of the data's at a time; empty where the data's part is exact. */
  readonly withoutData: Float64Array;
}

/**
 * From `E_data f`, whose groups are null where it is exact, and from `E_pi f` over groups of chains, observables `from` to `to`. The unbiased square of a mean over `n` groups is that over pairs of different
 * ones.
 */
export function sampledSignal(
  data: { readonly means: Float64Array; readonly groups: readonly Float64Array[] | null },
  model: readonly Float64Array[],
  from = 0,
  to = data.means.length,
): SampledSignal {
  const positive = moments(data.groups ?? [data.means], from, to);
  const negative = moments(model, from, to);
  const exact = data.groups === null;
  const cross = (p: Float64Array, q: Float64Array) => p.reduce((sum, value, a) => sum + value * q[a], 0);
  const without = (of: Moments, m: number) => of.total.map((value, a) => value - of.list[m][a]);
  const square = ({ square: total, own, list }: Moments) => (total - own) / (list.length * (list.length - 1));
  const squareWithout = (of: Moments, m: number, rest: Float64Array) => {
    const n = of.list.length - 1;
    return (cross(rest, rest) - (of.own - cross(of.list[m], of.list[m]))) / (n * (n - 1));
  };
  const dataSquare = exact ? positive.square : square(positive);
  const modelSquare = square(negative);
  const [n, k] = [negative.list.length, positive.list.length];
  const value = dataSquare + modelSquare - (2 * cross(positive.total, negative.total)) / (n * k);
  return {
    value,
    withoutModel: Float64Array.from({ length: n }, (_, m) => {
      const rest = without(negative, m);
      return dataSquare + squareWithout(negative, m, rest) - (2 * cross(positive.total, rest)) / ((n - 1) * k);
    }),
    withoutData: Float64Array.from({ length: exact ? 0 : k }, (_, m) => {
      const rest = without(positive, m);
      return modelSquare + squareWithout(positive, m, rest) - (2 * cross(negative.total, rest)) / ((k - 1) * n);
    }),
  };
}

interface Moments {
  readonly list: readonly Float64Array[];
  readonly total: Float64Array;
  /** `|total|^2`, and the sum of the groups' own squares. */
  readonly square: number;
  readonly own: number;
}

function moments(groups: readonly Float64Array[], from: number, to: number): Moments {
  const list = groups.map((group) => group.subarray(from, to));
  const total = new Float64Array(to - from);
  let own = 0;
  for (const group of list) {
    for (let a = 0; a < total.length; a++) {
      total[a] += group[a];
      own += group[a] * group[a];
    }
  }
  return { list, total, own, square: total.reduce((sum, value) => sum + value * value, 0) };
}
