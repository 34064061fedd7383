export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Label extends Point {
  readonly text: string;
}

export const LABEL_SIZE = 11;
const LINE = 14;
/** Distance from a mark's centre to its label. */
const REACH = 9;
/** Half the side of the square around a mark that stays free of labels. */
const CLEARANCE = 7;
/** Where a label may stand relative to its mark, in order of preference. */
const SIDES = [
  [-1, 0],
  [0, -1],
  [-1, -1],
  [1, 0],
  [0, 1],
  [1, -1],
  [-1, 1],
  [1, 1],
] as const;

/** Width of a text, estimated: no font is at hand. */
export function textWidth(text: string, fontSize: number): number {
  return 0.58 * fontSize * text.length;
}

export function ellipsis(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, Math.max(1, length - 1)).join('')}…`;
}

/**
 * Where to write each distinct text of the marks, once and beside one of its marks, inside a `width` by `height` frame:
 * never over a mark or another label, and over as few points of the `crowd` as possible. A text without such a place is
 * left out.
 */
export function placeLabels(marks: readonly Label[], crowd: readonly Point[], width: number, height: number): Label[] {
  const taken = marks.map(({ x, y }) => box({ x, y }, CLEARANCE, CLEARANCE));
  return [...new Set(marks.map(({ text }) => text))].flatMap((text) => {
    const half = textWidth(text, LABEL_SIZE) / 2;
    const places = marks
      .filter((mark) => mark.text === text)
      .flatMap((mark) => SIDES.map((side) => beside(mark, side, half)))
      .map(({ x, y }) => ({ x: Math.min(Math.max(x, half), width - half), y }))
      .map((centre) => ({ centre, area: box(centre, half, LINE / 2) }))
      .filter(({ area }) => area.top >= 0 && area.bottom <= height && !taken.some((other) => overlap(area, other)))
      .map((place) => ({ ...place, covered: crowd.filter((point) => contains(place.area, point)).length }));
    if (places.length === 0) return [];
    const best = places.reduce((a, b) => (b.covered < a.covered ? b : a));
    taken.push(best.area);
    return [{ ...best.centre, text }];
  });
}

/** Centre of a label of half-width `half` on one side of a mark. */
function beside(mark: Point, [right, down]: (typeof SIDES)[number], half: number): Point {
  const reach = right === 0 || down === 0 ? REACH : CLEARANCE;
  return { x: mark.x + right * (reach + half), y: mark.y + down * (reach + LINE / 2) };
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

function box({ x, y }: Point, halfWidth: number, halfHeight: number): Box {
  return { left: x - halfWidth, right: x + halfWidth, top: y - halfHeight, bottom: y + halfHeight };
}

function contains({ left, right, top, bottom }: Box, { x, y }: Point): boolean {
  return x >= left && x <= right && y >= top && y <= bottom;
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
