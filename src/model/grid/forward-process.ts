import { InputError, show } from '../../errors.js';
import type { InputCouplings } from './grid-layer.js';

/** How the times of a forward process are spaced. */
export const SCHEDULES = ['log', 'linear'] as const;

/** One of {@link SCHEDULES}. */
export type Schedule = (typeof SCHEDULES)[number];

/** Noise that turns data into fair coins, cut into layers; the defaults are those of the published runs' figures. */
export interface ForwardProcess {
  /** Number of layers `T`. One layer on the log schedule is an ordinary Boltzmann machine. */
  readonly layers: number;
  /** Times `t_k = -ln(1 - k/T)`, the last infinite, or `k/T`; `log` by default. */
  readonly schedule?: Schedule | undefined;
  /** Rate at which image spins are replaced, per unit of time; 0.9 by default. */
  readonly imageRate?: number | undefined;
  /** The same for label spins; 0.2 by default. */
  readonly labelRate?: number | undefined;
  /** By what share a layer's training data begin earlier and end later than the layer, in [0, 1); 0.15 by default. */
  readonly offset?: number | undefined;
}

/** A span of time. */
export interface Span {
  /** At least 0. */
  readonly start: number;
  /** Infinite where nothing is left of the data. */
  readonly end: number;
}

/** What the forward process says about one layer. Layer 0 is the least noisy: its outputs are data. */
export interface LayerNoise {
  /** The layer's times, which fix its input couplings. */
  readonly model: Span;
  /** The wider times that its training data are noised over, `start (1 - offset)` to `end (1 + offset)`: deliberately not the model's. */
  readonly training: Span;
  /** Rates per unit of time. */
  readonly rates: {
    /** Of the image's spins. */
    readonly image: number;
    /** Of the label's. */
    readonly label: number;
  };
  /** By {@link inputCoupling} at the model's times. */
  readonly inputCouplings: InputCouplings;
}

/** `t_0 = 0, ..., t_T` (2.10). */
export function forwardTimes(layers: number, schedule: Schedule = 'log'): number[] {
  if (!Number.isInteger(layers) || layers < 1) {
    throw refused('layers', 'a whole number of at least 1', show(layers), 'give the number of layers');
  }
  if (!SCHEDULES.includes(schedule)) throw refused('schedule', '"log" or "linear"', show(schedule), 'use "log"');
  return Array.from({ length: layers + 1 }, (_, k) => {
    const share = k / layers;
    return schedule === 'log' ? Math.abs(Math.log1p(-share)) : share;
  });
}

/** Probability that a spin has flipped after a time in which it is replaced by a fair coin at a rate: `(1 - exp(-rate duration)) / 2` (2.10). */
export function flipProbability(rate: number, duration: number): number {
  checkRate('rate', rate);
  checkDuration(duration);
  return -Math.expm1(-rate * duration) / 2;
}

/**
 * The coupling of an input to its output that makes the input the output after that time: `w = -ln(tanh(rate duration / 2)) / 2`, so that `exp(2 w) = coth(rate duration / 2)
 * = (1 - p) / p` with `p` the {@link flipProbability} (2.10). Zero after an infinite time. Throws {@link InputError} for a time of zero, whose coupling is infinite.
 */
export function inputCoupling(rate: number, duration: number): number {
  checkRate('rate', rate);
  checkDuration(duration);
  const z = rate * duration;
  if (z === 0) throw refused('duration', 'a positive number', show(duration), 'give a layer some time');
  // (log(1 + e) - log(1 - e)) / 2 with e = exp(-z); each form of the second logarithm keeps its digits on its side.
  const e = Math.exp(-z);
  return (Math.log1p(e) - (z < Math.LN2 ? Math.log(-Math.expm1(-z)) : Math.log1p(-e))) / 2;
}

/** All layers of a forward process, the least noisy first. Throws {@link InputError} naming the option that is wrong. */
export function forwardLayers(process: ForwardProcess): LayerNoise[] {
  const { layers, schedule, imageRate = 0.9, labelRate = 0.2, offset = 0.15 } = process;
  const times = forwardTimes(layers, schedule);
  checkRate('imageRate', imageRate);
  checkRate('labelRate', labelRate);
  if (!(offset >= 0 && offset < 1)) {
    throw refused('offset', 'a number from 0 to below 1', show(offset), 'give a share of the times, for example 0.15');
  }
  return Array.from({ length: layers }, (_, k) => {
    const [start, end] = [times[k], times[k + 1]];
    return {
      model: { start, end },
      training: { start: start * (1 - offset), end: end * (1 + offset) },
      rates: { image: imageRate, label: labelRate },
      inputCouplings: {
        image: inputCoupling(imageRate, end - start),
        label: inputCoupling(labelRate, end - start),
      },
    };
  });
}

/** Training data of one layer: row by row, the noisier input `x` and the output `y` that it came from. */
export interface NoisedPairs {
  /** The noisier rows, `x`. */
  readonly inputs: readonly Int8Array[];
  /** The cleaner rows, `y`, in the same order. */
  readonly outputs: readonly Int8Array[];
}

/**
 * Pairs for a layer from clean rows of -1 and +1, `image` columns first and label columns after them: `y` is the row after the start of the training span, `x` is `y` after
 * the rest of it (2.10). Every spin flips by itself. Draw afresh in every epoch. Throws {@link InputError} naming row and column, counted from 1.
 */
export function noised(
  rows: readonly ArrayLike<number>[],
  image: number,
  noise: LayerNoise,
  random: { uniform(): number },
): NoisedPairs {
  const { start, end } = noise.training;
  const flipped = (row: ArrayLike<number>, duration: number) => {
    const p = flipProbability(noise.rates.image, duration);
    const q = flipProbability(noise.rates.label, duration);
    return Int8Array.from(row, (x, k) => (random.uniform() < (k < image ? p : q) ? -x : x));
  };
  checkRows(rows, image);
  const outputs = rows.map((row) => flipped(row, start));
  return { outputs, inputs: outputs.map((row) => flipped(row, end - start)) };
}

function checkRows(rows: readonly ArrayLike<number>[], image: number): void {
  rows.forEach((row, r) => {
    if (row.length !== rows[0].length || row.length < image) {
      const expected = `${Math.max(rows[0].length, image)} spins`;
      throw refused(`row ${r + 1}`, expected, `${row.length}`, 'give every row an image, then a label');
    }
    const wrong = Array.prototype.findIndex.call(row, (x) => x !== 1 && x !== -1);
    if (wrong < 0) return;
    throw refused(`row ${r + 1}, column ${wrong + 1}`, '-1 or 1', show(row[wrong]), 'binarise the data first');
  });
}

function checkRate(field: string, rate: number): void {
  if (Number.isFinite(rate) && rate > 0) return;
  throw refused(field, 'a positive finite number', show(rate), 'give the rate per unit of time');
}

function checkDuration(duration: number): void {
  if (duration >= 0) return;
  throw refused('duration', 'a number of at least 0', show(duration), 'give a time, which may be infinite');
}

function refused(field: string, expected: string, got: string, remedy: string): InputError {
  return new InputError({ field, expected, got, remedy });
}
