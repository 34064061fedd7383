/** Colours that stay apart on white for most kinds of colour vision, at a contrast of at least 4 to 1. */
const COLOURS = ['#1f63b4', '#c2470a', '#11805a', '#8b46a8', '#8a6a08', '#c02355', '#0e7c90', '#6a5a4d'];
const DASHES = ['none', '7 3', '2 3', '9 3 2 3'];
const SHAPES = ['diamond', 'square', 'triangle', 'star', 'cross', 'hexagon', 'wye', 'circle'] as const;

export interface SeriesStyle {
  readonly colour: string;
  readonly dash: string;
  readonly shape: (typeof SHAPES)[number];
}

/** One style per distinct name, in order of appearance. Dashes change when the colours run out. */
export function seriesStyles(names: readonly string[]): Map<string, SeriesStyle> {
  const distinct = [...new Set(names)];
  return new Map(
    distinct.map((name, k) => [
      name,
      {
        colour: COLOURS[k % COLOURS.length],
        dash: DASHES[Math.floor(k / COLOURS.length) % DASHES.length],
        shape: SHAPES[k % SHAPES.length],
      },
    ]),
  );
}
