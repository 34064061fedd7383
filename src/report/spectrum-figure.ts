import { dot, type Markish, ruleX, text } from '@observablehq/plot';
import { type Axis, formatValue, logAxis, onLinearAxis, onLogAxis } from './axes.js';
import { ellipsis, textWidth } from './labels.js';
import { type LegendItem, legend } from './legend.js';
import { FRAME_WIDTH, INSET, notice, panel } from './panel.js';
import { renderSvg } from './svg.js';

/** An eigenvalue group as a stem. */
export interface SpectrumGroup {
  /** `1 - s`, per kernel step. */
  readonly gap: number;
  /** Dimension of its eigenspace. */
  readonly multiplicity: number;
  /** `mu` of the group, not negative. */
  readonly weight: number;
}

/** One spectrum of {@link spectrumFigure}. */
export interface SpectrumPanel {
  /** Above the panel. */
  readonly title: string;
  /** In any order. */
  readonly groups: readonly SpectrumGroup[];
}

interface Stem extends SpectrumGroup {
  readonly share: number;
}

/** Shares of the total weight below this one are marked on the axis, without a height. */
const FLOOR = 1e-6;
const SHARES: Axis = {
  type: 'log',
  domain: [FLOOR, 1],
  ticks: [1e-6, 1e-4, 1e-2, 1],
  format: (share) => ['≤ 10⁻⁶', '10⁻⁴', '10⁻²', '1'][SHARES.ticks.indexOf(share)],
};
const COLOUR = '#1f63b4';
const TITLE_SIZE = 13;
const TITLE_HEIGHT = 26;

/**
 * Relaxation spectra, one panel each over shared axes: a stem per eigenvalue group at its gap, slow groups on the left,
 * as high as its share of the panel's weight. A hollow mark on the axis is a share below 1e-6; the larger a mark, the
 * higher the multiplicity.
 */
export function spectrumFigure(panels: readonly SpectrumPanel[]): string {
  const shown = (panels.length === 0 ? [{ title: '', groups: [] }] : panels).map(({ title, groups }) => ({
    title,
    stems: stemsOf(groups),
  }));
  const stems = shown.flatMap((one) => one.stems);
  const gaps = logAxis(stems.map(({ gap }) => gap));
  const key = legend([legendItems(stems)], FRAME_WIDTH, TITLE_HEIGHT);
  return renderSvg(
    `Relaxation spectrum: share of weight against gap per kernel step. ${panels.map(({ title }) => title).join('; ')}`,
    shown.map((one, k) =>
      panel({
        x: gaps,
        y: SHARES,
        xLabel: k === shown.length - 1 ? 'gap 1 − s (per kernel step, slow on the left)' : null,
        yLabel: 'share of total weight',
        height: 150,
        above: TITLE_HEIGHT + (k === 0 ? key.height : 0),
        insetLeft: INSET,
        insetBottom: 0,
        marks: [...(k === 0 ? key.marks : []), heading(one.title), ...stemMarks(one.stems)],
      }),
    ),
  );
}

function stemsOf(groups: readonly SpectrumGroup[]): Stem[] {
  const drawable = groups.filter(
    ({ gap, weight, multiplicity }) => onLogAxis(gap) && onLinearAxis(weight) && onLinearAxis(multiplicity),
  );
  const total = drawable.reduce((sum, { weight }) => sum + weight, 0);
  return drawable.map((group) => ({ ...group, share: group.weight / (total || 1) }));
}

function stemMarks(stems: readonly Stem[]): Markish[] {
  if (stems.length === 0) return [notice('no eigenvalue groups')];
  const title = ({ gap, share, multiplicity }: Stem) =>
    `gap ${formatValue(gap)} per step, share ${formatValue(share)}, multiplicity ${multiplicity}`;
  const place = { x: 'gap', r: ({ multiplicity }: Stem) => radius(multiplicity), title };
  const tall = stems.filter(({ share }) => share >= FLOOR);
  const low = stems.filter(({ share }) => !(share >= FLOOR));
  return [
    ruleX(tall, { x: 'gap', y1: FLOOR, y2: 'share', stroke: COLOUR, strokeWidth: 1.5 }),
    dot(low, { ...place, y: FLOOR, fill: 'white', stroke: COLOUR, strokeWidth: 1, className: 'group' }),
    dot(tall, { ...place, y: 'share', fill: COLOUR, stroke: 'white', strokeWidth: 1, className: 'group' }),
  ];
}

/** Grows with the multiplicity, slowly: it reaches into the hundreds. */
function radius(multiplicity: number): number {
  return multiplicity > 1 ? Math.min(8, 3 + 0.7 * Math.log2(multiplicity)) : 3;
}

function heading(title: string): Markish {
  const shown = ellipsis(title, Math.floor(FRAME_WIDTH / textWidth('x', TITLE_SIZE)));
  const place = { frameAnchor: 'top-left', lineAnchor: 'bottom', dy: -8 } as const;
  return text([shown], { ...place, fontSize: TITLE_SIZE, fontWeight: 600, title: () => title });
}

/** The sizes that occur, at most three of them, and the hollow mark where it is used. */
function legendItems(stems: readonly Stem[]): LegendItem[] {
  const sizes = [...new Set(stems.map(({ multiplicity }) => multiplicity))].sort((a, b) => a - b);
  const chosen = sizes.length <= 3 ? sizes : [sizes[0], sizes[sizes.length >> 1], sizes[sizes.length - 1]];
  const mark = { kind: 'mark', shape: 'circle' } as const;
  const items = chosen.map((multiplicity, k) => ({
    label: k === 0 ? `multiplicity ${multiplicity}` : String(multiplicity),
    swatch: { ...mark, radius: radius(multiplicity), fill: COLOUR, stroke: 'white' },
  }));
  if (!stems.some(({ share }) => !(share >= FLOOR))) return items;
  return [...items, { label: 'share below 10⁻⁶', swatch: { ...mark, radius: 3, fill: 'white', stroke: COLOUR } }];
}
