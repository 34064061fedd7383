import { dot, line, type Markish, scale, text } from '@observablehq/plot';
import { type Axis, formatValue, linearAxis, logAxis, onLinearAxis, onLogAxis } from './axes.js';
import { LABEL_SIZE, type Point, placeLabels } from './labels.js';
import { type LegendItem, legend } from './legend.js';
import { FRAME_WIDTH, INSET, notice, panel } from './panel.js';
import { type SeriesStyle, seriesStyles } from './styles.js';
import { renderSvg } from './svg.js';

/** A model on the plane of fit and mixing. */
export interface FrontierPoint {
  /** Nats. */
  readonly kl: number;
  /** Per kernel step. */
  readonly effectiveGap: number;
  /** Drawn hollow: another model is at least as good in both. */
  readonly dominated?: boolean | undefined;
}

/** A named set of points of {@link frontierFigure}. */
export interface FrontierArm {
  /** Arms of one name share a style. */
  readonly name: string;
  /** `path`: the course of one training run, in order. `points`: results that stand for themselves. */
  readonly kind: 'path' | 'points';
  /** Its models. */
  readonly points: readonly FrontierPoint[];
}

interface StyledArm extends FrontierArm {
  readonly style: SeriesStyle;
}

interface Frontier {
  readonly points: readonly FrontierPoint[];
  readonly style: SeriesStyle;
}

const FRAME_HEIGHT = 340;
/** Good marks stand at the upper left of the paths: room for their names. */
const LABEL_ROOM = 72;
const MUTED = '#6b7178';
const BEST = '#dfe3e8';

/**
 * Effective gap against KL. Every path also has its frontier as a step line, the best gap that the arm reaches at that
 * KL or lower, so that arms compare at equal KL; a pale band underlies the best of all paths. Arms that share a name
 * are runs of one arm.
 */
export function frontierFigure(arms: readonly FrontierArm[]): string {
  const styles = seriesStyles(arms.map(({ name }) => name));
  const styled = arms.map((arm) => ({
    ...arm,
    points: arm.points.filter(({ kl, effectiveGap }) => onLinearAxis(kl) && onLogAxis(effectiveGap)),
    style: styles.get(arm.name) as SeriesStyle,
  }));
  const points = styled.flatMap((arm) => arm.points);
  const x = linearAxis(points.map(({ kl }) => kl));
  const y = logAxis(points.map(({ effectiveGap }) => effectiveGap));
  const paths = styled.filter(({ kind }) => kind === 'path');
  const singles = styled.filter(({ kind }) => kind === 'points');
  const key = legend(legendItems(paths, singles), FRAME_WIDTH, 0);
  const insetLeft = singles.length === 0 ? INSET : LABEL_ROOM;
  const steps = frontiers(paths, x.domain[1]);
  return renderSvg(`Effective gap per kernel step against KL in nats. ${[...styles.keys()].join('; ')}`, [
    panel({
      x,
      y,
      xLabel: 'KL (nats)',
      yLabel: 'effective gap (per kernel step)',
      height: FRAME_HEIGHT,
      above: key.height + INSET,
      insetLeft,
      insetBottom: INSET,
      marks: [
        ...key.marks,
        ...(points.length === 0 ? [notice('no points')] : []),
        stepLine(bestSoFar(paths, x.domain[1]), BEST, 9, 'none'),
        ...steps.map(({ points, style }) => stepLine(points, style.colour, 1.6, style.dash)),
        ...paths.flatMap(course),
        ...singles.map(largeMarks),
        ...labels(singles, [...paths, ...steps], x, y, insetLeft),
      ],
    }),
  ]);
}

/** The frontier of each name, over all its runs. */
function frontiers(paths: readonly StyledArm[], end: number): Frontier[] {
  return [...new Set(paths.map(({ name }) => name))].map((name) => {
    const runs = paths.filter((arm) => arm.name === name);
    return { points: bestSoFar(runs, end), style: runs[0].style };
  });
}

/** Where the best gap at a KL or lower changes, in order of KL, and its value at `end`. */
function bestSoFar(runs: readonly FrontierArm[], end: number): FrontierPoint[] {
  const points = runs.flatMap((run) => run.points);
  const best: FrontierPoint[] = [];
  for (const point of points.sort((a, b) => a.kl - b.kl || b.effectiveGap - a.effectiveGap)) {
    if (best.length === 0 || point.effectiveGap > best[best.length - 1].effectiveGap) best.push(point);
  }
  return best.length === 0 ? [] : [...best, { kl: end, effectiveGap: best[best.length - 1].effectiveGap }];
}

function stepLine(
  points: readonly FrontierPoint[],
  stroke: string,
  strokeWidth: number,
  strokeDasharray: string,
): Markish {
  const place = { x: 'kl', y: 'effectiveGap', curve: 'step-after' } as const;
  return line(points, { ...place, stroke, strokeWidth, strokeDasharray, strokeLinejoin: 'round' });
}

function course({ name, points, style }: StyledArm): Markish[] {
  const place = { x: 'kl', y: 'effectiveGap' } as const;
  return [
    line(points, { ...place, stroke: style.colour, strokeWidth: 0.9, strokeOpacity: 0.6 }),
    dot(points, { ...place, r: 1.8, fill: style.colour, stroke: 'none', title: describe(name) }),
  ];
}

function largeMarks({ name, points, style }: StyledArm): Markish {
  const best = (point: FrontierPoint) => !point.dominated;
  return dot(points, {
    x: 'kl',
    y: 'effectiveGap',
    symbol: style.shape,
    r: (point: FrontierPoint) => (best(point) ? 5.5 : 3.5),
    fill: (point: FrontierPoint) => (best(point) ? style.colour : 'white'),
    stroke: (point: FrontierPoint) => (best(point) ? 'white' : style.colour),
    strokeWidth: 1,
    title: describe(name),
  });
}

function describe(name: string): (point: FrontierPoint) => string {
  return ({ kl, effectiveGap }) => `${name}: KL ${formatValue(kl)} nats, gap ${formatValue(effectiveGap)} per step`;
}

/** The name of each arm beside one of its large marks, where there is room; the legend tells the others. */
function labels(
  singles: readonly StyledArm[],
  lines: readonly Frontier[],
  x: Axis,
  y: Axis,
  insetLeft: number,
): Markish[] {
  const across = pixels(x, [insetLeft, FRAME_WIDTH - INSET]);
  const down = pixels(y, [FRAME_HEIGHT - INSET, INSET]);
  const place = ({ kl, effectiveGap }: FrontierPoint) => ({ x: across(kl), y: down(effectiveGap) });
  const marks = singles.flatMap(({ name, points }) => points.map((point) => ({ ...place(point), text: name })));
  const crowd = lines.flatMap(({ points }) => samples(points.map(place)));
  const colours = new Map(singles.map(({ name, style }) => [name, style.colour]));
  const look = { lineAnchor: 'middle', fontSize: LABEL_SIZE, stroke: 'white', strokeWidth: 3 } as const;
  return placeLabels(marks, crowd, FRAME_WIDTH, FRAME_HEIGHT).map((label) =>
    text([label.text], {
      ...look,
      frameAnchor: 'top-left',
      textAnchor: 'middle',
      dx: label.x,
      dy: label.y,
      fill: colours.get(label.text) as string,
    }),
  );
}

function pixels({ type, domain }: Axis, range: [number, number]): (value: number) => number {
  const { apply } = scale({ x: { type, domain: [...domain], range } });
  return (value) => Number(apply(value));
}

/** Points along a polyline, close enough together that a label cannot slip between them. */
function samples(corners: readonly Point[]): Point[] {
  return corners.flatMap((to, k) => {
    const from = corners[Math.max(0, k - 1)];
    const count = Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / LABEL_SIZE) || 1;
    return Array.from({ length: count }, (_, i) => {
      const t = (i + 1) / count;
      return { x: from.x + t * (to.x - from.x), y: from.y + t * (to.y - from.y) };
    });
  });
}

function legendItems(paths: readonly StyledArm[], singles: readonly StyledArm[]): LegendItem[][] {
  const lines = byName(paths).map(({ name, style: { colour, dash } }): LegendItem => {
    return { label: name, swatch: { kind: 'line', colour, width: 2, dash } };
  });
  const marks = byName(singles).map(({ name, style: { colour, shape } }): LegendItem => {
    return { label: name, swatch: { kind: 'mark', shape, radius: 5.5, fill: colour, stroke: 'white' } };
  });
  const best: LegendItem[] = [
    { label: 'along a run', swatch: { kind: 'mark', shape: 'circle', radius: 2, fill: MUTED, stroke: 'none' } },
    { label: 'best gap at this KL or lower', swatch: { kind: 'line', colour: MUTED, width: 2, dash: 'none' } },
    { label: 'best of all paths', swatch: { kind: 'line', colour: BEST, width: 9, dash: 'none' } },
  ];
  const hollow: LegendItem[] = singles.some(({ points }) => points.some(({ dominated }) => dominated))
    ? [{ label: 'dominated', swatch: { kind: 'mark', shape: 'circle', radius: 3.5, fill: 'white', stroke: MUTED } }]
    : [];
  return [lines, [...marks, ...hollow], paths.length === 0 ? [] : best];
}

function byName(arms: readonly StyledArm[]): StyledArm[] {
  return [...new Map(arms.map((arm) => [arm.name, arm])).values()];
}
