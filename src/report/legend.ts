import { dot, type Markish, text } from '@observablehq/plot';
import { ellipsis, textWidth } from './labels.js';

export type Swatch =
  | { readonly kind: 'line'; readonly colour: string; readonly width: number; readonly dash: string }
  | {
      readonly kind: 'mark';
      readonly shape: string;
      readonly radius: number;
      readonly fill: string;
      readonly stroke: string;
    };

export interface LegendItem {
  readonly label: string;
  readonly swatch: Swatch;
}

export interface Legend {
  /** Room that it takes above the frame. */
  readonly height: number;
  readonly marks: Markish[];
}

const ROW = 18;
const SWATCH = 20;
const PADDING = 6;
const FONT_SIZE = 12;

/**
 * A legend of at most `width`, ending `above` the top of the frame and aligned with its left edge. Every group starts a
 * row; a group that needs more than one row stands in columns.
 */
export function legend(groups: readonly (readonly LegendItem[])[], width: number, above: number): Legend {
  let rows = 0;
  const placed = groups.flatMap((items) => {
    const { places, used } = arrange(items, width);
    const first = rows;
    rows += used;
    return items.map((item, k) => ({ ...item, x: places[k].x, row: first + places[k].row }));
  });
  const height = rows === 0 ? 0 : rows * ROW + PADDING;
  const marks = placed.flatMap(({ label, swatch, x, row }) => {
    const place = { frameAnchor: 'top-left', dy: (row + 0.5) * ROW - height - above, className: 'legend' } as const;
    return [
      dot([label], { ...place, dx: x + SWATCH / 2, ...swatchStyle(swatch) }),
      text([shortened(label, width)], {
        ...place,
        dx: x + SWATCH + PADDING,
        textAnchor: 'start',
        lineAnchor: 'middle',
        fontSize: FONT_SIZE,
        title: () => label,
      }),
    ];
  });
  return { height, marks };
}

/** Where each item goes: one after the other where they fit in one row, else in columns of equal width. */
function arrange(items: readonly LegendItem[], width: number): { places: { x: number; row: number }[]; used: number } {
  const lengths = items.map(({ label }) => SWATCH + 3 * PADDING + textWidth(shortened(label, width), FONT_SIZE));
  const starts = lengths.map((_, k) => lengths.slice(0, k).reduce((sum, length) => sum + length, 0));
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (total - 2 * PADDING <= width)
    return { places: starts.map((x) => ({ x, row: 0 })), used: Math.min(1, items.length) };
  const columns = Math.max(1, Math.floor(width / Math.max(...lengths)));
  const places = items.map((_, k) => ({ x: (k % columns) * (width / columns), row: Math.floor(k / columns) }));
  return { places, used: Math.ceil(items.length / columns) };
}

function shortened(label: string, width: number): string {
  return ellipsis(label, Math.floor((width - SWATCH - PADDING) / textWidth('x', FONT_SIZE)));
}

function swatchStyle(swatch: Swatch) {
  switch (swatch.kind) {
    case 'line':
      return {
        symbol: lineSymbol,
        stroke: swatch.colour,
        strokeWidth: swatch.width,
        strokeDasharray: swatch.dash,
      };
    case 'mark':
      return { symbol: swatch.shape, r: swatch.radius, fill: swatch.fill, stroke: swatch.stroke, strokeWidth: 1 };
    default:
      return swatch satisfies never;
  }
}

const lineSymbol = {
  draw(path: { moveTo(x: number, y: number): void; lineTo(x: number, y: number): void }) {
    path.moveTo(-SWATCH / 2, 0);
    path.lineTo(SWATCH / 2, 0);
  },
};
