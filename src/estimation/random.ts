import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import { InputError, show } from '../errors.js';

/** A seeded source of random numbers (xoroshiro128+), the only one in the library. */
export interface RandomSource {
  /** Uniform in [0, 1), with 53 random bits. */
  uniform(): number;
  /** Standard normal, by the polar method of Marsaglia and Bray 1964. */
  normal(): number;
  /** A whole number from 0 to `below - 1`. */
  integer(below: number): number;
  /** Another source, seeded by 64 bits of this one. */
  split(): RandomSource;
  /** Four 32-bit words: with them {@link resumeRandom} goes on from here. */
  state(): readonly number[];
}

type Generator = ReturnType<typeof xoroshiro128plusFromState>;

/**
 * A source that gives the same numbers for the same seed.
 *
 * The generator's state is filled by SplitMix64 (Steele, Lea and Flood 2014), as its authors advise: from a state of mostly zeros or ones its first
 * numbers would be nearly the same for all small seeds.
 */
export function randomSource(seed: number): RandomSource {
  return scrambled(BigInt(seed));
}

/** The source that goes on where another one said its {@link RandomSource.state}. Throws {@link InputError} for anything but four 32-bit words, not all zero. */
export function resumeRandom(state: readonly number[]): RandomSource {
  const sound =
    Array.isArray(state) && state.length === 4 && state.every((word) => word === (word | 0)) && state.some(Boolean);
  if (!sound) {
    throw new InputError({
      field: 'random',
      expected: 'four 32-bit whole numbers, not all zero',
      got: show(state),
      remedy: 'give what the state() of a random source returned',
    });
  }
  return fromGenerator(xoroshiro128plusFromState(state));
}

function scrambled(seed: bigint): RandomSource {
  const mask = 0xffffffffffffffffn;
  let state = seed & mask;
  const next = () => {
    state = (state + 0x9e3779b97f4a7c15n) & mask;
    let z = ((state ^ (state >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask;
    return z ^ (z >> 31n);
  };
  const words = [next(), next()].flatMap((z) => [Number(z >> 32n) | 0, Number(z & 0xffffffffn) | 0]);
  return fromGenerator(xoroshiro128plusFromState(words));
}

function fromGenerator(generator: Generator): RandomSource {
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
    split: () => scrambled((BigInt(generator.next()) << 32n) ^ BigInt(generator.next())),
    state: () => [...generator.getState()],
  };
}
