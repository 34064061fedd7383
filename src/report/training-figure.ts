import { dot, line, type Markish } from '@observablehq/plot';
import { linearAxis, logAxis, onLinearAxis, onLogAxis } from './axes.js';
import { legend } from './legend.js';
import { FRAME_WIDTH, INSET, notice, panel } from './panel.js';
import { type SeriesStyle, seriesStyles } from './styles.js';
import { renderSvg } from './svg.js';

/** A step of training. */
export interface TrainingPoint {
  /** Steps taken before it. */
  readonly step: number;
  /** Nats. */
  readonly kl: number;
  /** Per kernel step; null where it was not evaluated. */
  readonly effectiveGap: number | null;
}

/** One run of {@link trainingFigure}. */
export interface TrainingSeries {
  /** In the legend. */
  readonly name: string;
  /** In order. */
  readonly points: readonly TrainingPoint[];
}

type Quantity = 'kl' | 'effectiveGap';

/**
 * KL and effective gap against the step, one above the other on logarithmic axes. A value that cannot be drawn
 * breaks its line.
 */
export function trainingFigure(series: readonly TrainingSeries[]): string {
  const runs = series.map(({ name, points }) => ({ name, points: points.filter(({ step }) => onLinearAxis(step)) }));
  const styles = seriesStyles(series.map(({ name }) => name));
  const steps = linearAxis(runs.flatMap(({ points }) => points.map(({ step }) => step)));
  const whole = { ...steps, ticks: steps.ticks.filter(Number.isInteger) };
  const key = legend(
    [[...styles].map(([label, { colour, dash }]) => ({ label, swatch: { kind: 'line', colour, width: 2, dash } }))],
    FRAME_WIDTH,
    0,
  );
  const half = (quantity: Quantity, yLabel: string, xLabel: string | null) => {
    const values = runs.flatMap(({ points }) => points.map((point) => point[quantity])).filter(onLogAxis);
    return panel({
      x: whole,
      y: logAxis(values),
      xLabel,
      yLabel,
      height: 180,
      above: quantity === 'kl' ? key.height + INSET : INSET,
      insetLeft: INSET,
      insetBottom: INSET,
      marks: [
        ...(quantity === 'kl' ? key.marks : []),
        ...(values.length === 0 ? [notice('no values')] : []),
        ...runs.flatMap(({ name, points }) => curve(points, quantity, styles.get(name) as SeriesStyle)),
      ],
    });
  };
  return renderSvg(`KL in nats and effective gap per kernel step against the step. ${[...styles.keys()].join('; ')}`, [
    half('kl', 'KL (nats)', null),
    half('effectiveGap', 'effective gap (per kernel step)', 'step'),
  ]);
}

/** A line through neighbouring values, and a dot for each value without drawable neighbours. */
function curve(points: readonly TrainingPoint[], quantity: Quantity, { colour, dash }: SeriesStyle): Markish[] {
  const drawn = (k: number) => k >= 0 && k < points.length && onLogAxis(points[k][quantity]);
  const alone = points.filter((_, k) => drawn(k) && !drawn(k - 1) && !drawn(k + 1));
  const y = (point: TrainingPoint) => (onLogAxis(point[quantity]) ? point[quantity] : null);
  return [
    line(points, { x: 'step', y, stroke: colour, strokeWidth: 1.6, strokeDasharray: dash, strokeLinejoin: 'round' }),
    dot(alone, { x: 'step', y, r: 2.5, fill: colour, stroke: 'none' }),
  ];
}
