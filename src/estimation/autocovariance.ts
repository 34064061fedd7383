import { fourier } from './fourier.js';

/** Lagged products of series by way of their power spectra, which add up over series. */
export interface LagProducts {
  /** Adds the power of chains about `mean` to `power`, an array of {@link spectrumSize} numbers. */
  addPower(chains: readonly ArrayLike<number>[], mean: number, power: Float64Array): void;
  /** `sum_s (x_s - mean)(x_(s+t) - mean)` over all pairs within a chain, summed over the chains of `power`, for `t = 0..longest`; `power` is destroyed. */
  fromPower(power: Float64Array): Float64Array;
}

/** Length of the power spectrum of chains of `steps` steps for lags up to `longest`: room for zeros behind each series. */
export function spectrumSize(steps: number, longest: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(2, steps + longest)));
}

/**
 * The theorem of Wiener and Khinchin for series padded with zeros. Two chains travel as real and imaginary part of one series: their cross products fall
 * into the imaginary part of the result, which is not looked at.
 */
export function lagProducts(steps: number, longest: number): LagProducts {
  const size = spectrumSize(steps, longest);
  const transform = fourier(size);
  const re = new Float64Array(size);
  const im = new Float64Array(size);
  const load = (into: Float64Array, chain: ArrayLike<number> | undefined, mean: number) => {
    if (chain !== undefined) for (let s = 0; s < steps; s++) into[s] = chain[s] - mean;
    into.fill(0, chain === undefined ? 0 : steps);
  };
  return {
    addPower(chains, mean, power) {
      for (let m = 0; m < chains.length; m += 2) {
        load(re, chains[m], mean);
        load(im, chains[m + 1], mean);
        transform(re, im);
        for (let k = 0; k < size; k++) power[k] += re[k] * re[k] + im[k] * im[k];
      }
    },
    fromPower(power) {
      // For a real spectrum the transform and its inverse have the same real part.
      transform(power, im.fill(0));
      return power.slice(0, longest + 1).map((value) => value / size);
    },
  };
}
