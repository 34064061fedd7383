import type { Model } from '../../model/model.js';
import { randomSource } from '../random.js';
import { type PackedSamples, readSample } from '../samples/packed-samples.js';

/** A real function of the spins whose change under a single flip costs little. `load` comes first, `flipped` speaks of the spins that it saw. */
export interface Coordinate {
  load(spins: Int8Array): number;
  /** The value with spin `i` flipped, given the log odds of `x_i = +1`. */
  flipped(i: number, spins: Int8Array, logOdds: number): number;
}

/** The energy (2.1) at the model's own parameters. */
export function energyCoordinate({ edges, theta, spins: n, biased, beta }: Model): Coordinate {
  let energy = 0;
  return {
    load(x) {
      energy = 0;
      for (let a = 0; a < edges.length; a++) energy -= theta[a] * x[edges[a][0]] * x[edges[a][1]];
      if (biased) for (let i = 0; i < n; i++) energy -= theta[edges.length + i] * x[i];
      return energy;
    },
    // Half the log odds is beta times the field, and the energy is minus spin times field.
    flipped: (i, x, logOdds) => energy + (x[i] * logOdds) / beta,
  };
}

/** `sum_i axis_i x_i`, or its size: an even function. */
export function linearCoordinate(axis: Float64Array, even: boolean): Coordinate {
  let sum = 0;
  const of = (value: number) => (even ? Math.abs(value) : value);
  return {
    load(x) {
      sum = 0;
      for (let i = 0; i < axis.length; i++) sum += axis[i] * x[i];
      return of(sum);
    },
    flipped: (i, x) => of(sum - 2 * axis[i] * x[i]),
  };
}

/** Passes over the samples; a direction that is not settled after them is a mixture of leading ones, which serves as well. */
const PASSES = 12;

/** Leading principal directions of the samples by subspace iteration; about zero where the law is even. Work is `PASSES * samples * n * count`. */
export function principalAxes(
  samples: readonly PackedSamples[],
  n: number,
  centred: boolean,
  count: number,
): Float64Array[] {
  const x = new Int8Array(n);
  const total = samples.reduce((sum, one) => sum + one.count, 0);
  const each = (visit: () => void) => {
    for (const chain of samples) {
      for (let s = 0; s < chain.count; s++) {
        readSample(chain, s, x);
        visit();
      }
    }
  };
  const mean = new Float64Array(n);
  if (centred) {
    each(() => {
      for (let i = 0; i < n; i++) mean[i] += x[i] / total;
    });
  }
  const random = randomSource(1);
  let axes = orthonormal(Array.from({ length: count }, () => Float64Array.from({ length: n }, () => random.normal())));
  for (let pass = 0; pass < PASSES; pass++) {
    const image = axes.map(() => new Float64Array(n));
    const offsets = axes.map((axis) => axis.reduce((sum, value, i) => sum + value * mean[i], 0));
    each(() => {
      for (let k = 0; k < axes.length; k++) {
        const axis = axes[k];
        let projection = -offsets[k];
        for (let i = 0; i < n; i++) projection += axis[i] * x[i];
        const row = image[k];
        for (let i = 0; i < n; i++) row[i] += projection * (x[i] - mean[i]);
      }
    });
    axes = orthonormal(image);
  }
  return axes;
}

/** Gram and Schmidt, twice; what is dependent is dropped. */
function orthonormal(vectors: readonly Float64Array[]): Float64Array[] {
  const out: Float64Array[] = [];
  for (const vector of vectors) {
    const before = norm(vector);
    for (let pass = 0; pass < 2; pass++) {
      for (const axis of out) {
        const part = axis.reduce((sum, value, i) => sum + value * vector[i], 0);
        for (let i = 0; i < vector.length; i++) vector[i] -= part * axis[i];
      }
    }
    const length = norm(vector);
    if (length > 1e-10 * before) out.push(vector.map((value) => value / length));
  }
  return out;
}

function norm(vector: Float64Array): number {
  return Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
}
