/** Chains of a group: they share the counters of their random numbers, four to a counter. */
export const GROUP = 16;
/** Counters of what a chain chooses a block or a site by. */
export const CHOICE = 0x40000000;
/** Counters of the bits that a draw's first sixteen leave open. */
export const MORE = 0x80000000;
/** Places of a step that the counters tell apart. */
export const MAX_PLACES = 2 ** 26;

/** The two words of a generator's key. */
export function keyOf(seed: number): readonly [number, number] {
  return [seed | 0, Math.floor(seed / 2 ** 32) | 0];
}
