import { dot, line, type Markish, ruleX } from '@observablehq/plot';
import { linearAxis, logAxis, onLinearAxis, onLogAxis } from './axes.js';
import { legend } from './legend.js';
import { FRAME_WIDTH, INSET, notice, panel } from './panel.js';
import { seriesStyles } from './styles.js';
import { renderSvg } from './svg.js';

/** What {@link pathFigure} draws: the part of a path report that it needs. */
export interface PathFigure {
  /** Points of the path, in order. */
  readonly samples: readonly {
    /** The path parameter, from 0 to 1. */
    readonly at: number;
    /** Of the set (3.2); null breaks the curve. */
    readonly logRhat: number | null;
    /** The groups in the set. */
    readonly groups: readonly {
      /** `s`. */
      readonly eigenvalue: number;
      /** `mu` (2.6). */
      readonly weight: number;
    }[];
  }[];
  /** Crossings of levels. */
  readonly crossings: readonly {
    /** The path parameter. */
    readonly at: number;
    /** Whether the levels meet or repel. */
    readonly kind: 'true' | 'avoided';
    /** `s` of the two levels there; the ring is at their mean. */
    readonly eigenvalues: readonly [number, number];
  }[];
  /** Changes of the set of modes. */
  readonly events: readonly {
    /** The path parameter. */
    readonly at: number;
    /** In the legend. */
    readonly type: string;
  }[];
}

const CURVE = '#1f63b4';
const INK = '#22262b';
const RINGS = {
  true: { label: 'levels cross', fill: INK },
  avoided: { label: 'levels repel', fill: 'white' },
} as const;
const RING_RADIUS = 4.5;

/**
 * `log R_hat` along a path, broken where the set of modes changes, above the gaps `1 - s` of the groups in the set, with a dot as large as the
 * group's share. Events are vertical lines, crossings rings (full: true, open: avoided).
 */
export function pathFigure({ samples, crossings, events }: PathFigure): string {
  // The first style is that of the curve.
  const styles = seriesStyles(['', ...events.map(({ type }) => type)]);
  styles.delete('');
  const x = linearAxis([0, 1]);
  const values = samples.map(({ logRhat }) => logRhat).filter(onLinearAxis);
  const dots = samples.flatMap(({ at, groups }) => {
    const total = groups.reduce((sum, { weight }) => sum + weight, 0);
    return groups.map(({ eigenvalue, weight }) => ({
      at,
      gap: 1 - eigenvalue,
      r: 0.8 + 2.6 * Math.sqrt(weight / total),
    }));
  });
  const drawn = dots.filter(({ gap, r }) => onLogAxis(gap) && Number.isFinite(r));
  const rings = crossings.map(({ at, kind, eigenvalues: [a, b] }) => ({ at, kind, gap: 1 - (a + b) / 2 }));
  const lines = [...styles].map(([label, { colour, dash }]) => ({
    label,
    swatch: { kind: 'line', colour, width: 2, dash } as const,
  }));
  const marks = (['true', 'avoided'] as const)
    .filter((kind) => rings.some((ring) => ring.kind === kind))
    .map((kind) => ({
      label: RINGS[kind].label,
      swatch: { kind: 'mark', shape: 'circle', radius: RING_RADIUS, fill: RINGS[kind].fill, stroke: INK } as const,
    }));
  const key = legend([[...lines, ...marks]], FRAME_WIDTH, 0);
  const rules = events.map(({ at, type }) => {
    const style = styles.get(type);
    return ruleX([at], { stroke: style?.colour ?? CURVE, strokeDasharray: style?.dash ?? 'none', strokeWidth: 1 });
  });
  const common = { x, insetLeft: INSET, insetBottom: INSET };
  const top = panel({
    ...common,
    y: linearAxis(values),
    xLabel: null,
    yLabel: 'log R_hat of the set',
    height: 180,
    above: key.height + INSET,
    marks: [...key.marks, ...(values.length === 0 ? [notice('no values')] : []), ...rules, ...pieces(samples, events)],
  });
  const bottom = panel({
    ...common,
    y: logAxis(drawn.map(({ gap }) => gap)),
    xLabel: 'path from the first model to the second',
    yLabel: '1 - s per kernel step',
    height: 200,
    above: INSET,
    marks: [
      ...rules,
      dot(drawn, { x: 'at', y: 'gap', r: 'r', fill: CURVE, stroke: 'none' }),
      dot(rings, {
        x: 'at',
        y: 'gap',
        r: RING_RADIUS,
        fill: (ring: (typeof rings)[number]) => RINGS[ring.kind].fill,
        stroke: INK,
        strokeWidth: 1.4,
      }),
    ],
  });
  return renderSvg(
    `log R_hat and the gaps of the set of modes along a path, with ${events.length} events and ${crossings.length} crossings`,
    [top, bottom],
  );
}

/** The curve in pieces from event to event. */
function pieces(samples: PathFigure['samples'], events: PathFigure['events']): Markish[] {
  const cuts = [...events.map(({ at }) => at).sort((a, b) => a - b), Number.POSITIVE_INFINITY];
  let from = Number.NEGATIVE_INFINITY;
  return cuts.map((to) => {
    const piece = samples.filter(({ at }) => at >= from && at < to);
    from = to;
    const y = ({ logRhat }: PathFigure['samples'][number]) => (onLinearAxis(logRhat) ? logRhat : null);
    return line(piece, { x: 'at', y, stroke: CURVE, strokeWidth: 1.6, strokeLinejoin: 'round' });
  });
}
