import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A seeded source of random numbers (xoroshiro128+), the only one in the library. */
export interface RandomSource {
  /** Uniform in [0, 1), with 53 random bits. */
  uniform(): number;
  /** Standard normal, by the polar method of Marsaglia and Bray 1964. */
  normal(): number;
  /** A whole number from 0 to `below - 1`. */
  integer(below: number): number;
  /** An independent source: streams do not overlap for 2^64 numbers. */
  split(): RandomSource;
}

/** A source that gives the same numbers for the same seed. */
export function randomSource(seed: number): RandomSource {
  return fromGenerator(xoroshiro128plus(seed));
}

function fromGenerator(generator: ReturnType<typeof xoroshiro128plus>): RandomSource {
  const uniform = () => uniformFloat64(generator);
  return {
    uniform,
    normal() {
      for (;;) {
        const x = 2 * uniform() - 1;
        const y = 2 * uniform() - 1;
        const r = x * x + y * y;
        if (r > 0 && r < 1) return x * Math.sqrt((-2 * Math.log(r)) / r);
      }
    },
    integer: (below) => Math.floor(below * uniform()),
    split() {
      const child = generator.clone() as ReturnType<typeof xoroshiro128plus>;
      generator.jump();
      return fromGenerator(child);
    },
  };
}
