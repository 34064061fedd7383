import { axisX, axisY, frame, gridX, gridY, type Markish, type PlotOptions, text } from '@observablehq/plot';
import type { Axis } from './axes.js';

/** Width of every figure in pixels; font sizes are meant for about this width. */
const WIDTH = 560;
const MARGIN_LEFT = 60;
const MARGIN_RIGHT = 8;
const MARGIN_BOTTOM = 50;
/** Width of the frame that the data is drawn in. */
export const FRAME_WIDTH = WIDTH - MARGIN_LEFT - MARGIN_RIGHT;
/** Data keeps at least this distance from the frame where nothing else is said. */
export const INSET = 10;

export interface Panel {
  readonly x: Axis;
  readonly y: Axis;
  /** Null: a panel below this one carries the tick labels. */
  readonly xLabel: string | null;
  readonly yLabel: string;
  /** Height of the frame. */
  readonly height: number;
  /** Room above the frame. */
  readonly above: number;
  /** Distance of the data from the left and the lower edge of the frame. */
  readonly insetLeft: number;
  readonly insetBottom: number;
  readonly marks: readonly Markish[];
}

/** A frame with a grid and two labelled axes, and marks over them. */
export function panel({ x, y, xLabel, yLabel, height, above, insetLeft, insetBottom, marks }: Panel): PlotOptions {
  const below = xLabel === null ? INSET : MARGIN_BOTTOM;
  const grid = { stroke: '#e3e6ea', strokeOpacity: 1 };
  const axis = { fontSize: 11, tickSize: 4, tickPadding: 5, labelAnchor: 'center', labelArrow: 'none' } as const;
  return {
    width: WIDTH,
    height: above + height + below,
    marginTop: above,
    marginRight: MARGIN_RIGHT,
    marginBottom: below,
    marginLeft: MARGIN_LEFT,
    x: { type: x.type, domain: [...x.domain], insetLeft, insetRight: INSET },
    y: { type: y.type, domain: [...y.domain], insetTop: INSET, insetBottom },
    r: { type: 'identity' },
    marks: [
      gridX(x.ticks, grid),
      gridY(y.ticks, grid),
      frame({ stroke: '#a7adb4' }),
      axisX(x.ticks, { ...axis, label: xLabel, labelOffset: 44, text: xLabel === null ? () => null : x.format }),
      axisY(y.ticks, { ...axis, label: yLabel, labelOffset: 54, text: y.format }),
      ...marks,
    ],
  };
}

/** What a panel says in place of data. */
export function notice(message: string): Markish {
  return text([message], { frameAnchor: 'middle', fontSize: 12, fill: '#6b7178' });
}
