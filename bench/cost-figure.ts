import { dot, line, type Markish } from '@observablehq/plot';
import { loops } from '../src/kernel/compiled/loops.js';
import { linearAxis, logAxis } from '../src/report/axes.js';
import { type LegendItem, legend } from '../src/report/legend.js';
import { FRAME_WIDTH, INSET, panel } from '../src/report/panel.js';
import { seriesStyles } from '../src/report/styles.js';
import { renderSvg } from '../src/report/svg.js';
import { applicationCost, copyBandwidth } from './application.js';
import { alone } from './scale.js';
import { number, type Sheet } from './tables.js';

const SIZES = [8, 10, 12, 14, 16, 18, 20];
const PROBED = [14, 16, 18, 20];
const HEIGHT = 320;

interface Series {
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
}

/** Seconds against the number of spins: a table, and a figure as SVG. */
export function costFigure(sheet: Sheet): string {
  const bandwidth = copyBandwidth();
  sheet.heading(
    'Cost against size',
    `Seconds of one value and gradient (cold, a process each), and of one application to a block of eight vectors (one thread) beside the least time in which its numbers can be read and written once at ` +
      `the ${number(bandwidth / 1e9)} GB/s at which this machine copies memory. Up to about 16 spins the block stays in the caches, which are faster.`,
  );
  const compiled = loops();
  if (compiled === null) throw new Error('the loops do not run');
  sheet.header(
    'spins',
    'value and gradient',
    'with 16 probes',
    'one application',
    'limit of memory',
    'share of the limit',
  );
  const exact: [number, number][] = [];
  const probed: [number, number][] = [];
  const applied: [number, number][] = [];
  const least: [number, number][] = [];
  for (const spins of SIZES) {
    const { seconds, limit, share } = applicationCost(compiled, spins, bandwidth);
    exact.push([spins, alone({ spins }).seconds]);
    applied.push([spins, seconds]);
    least.push([spins, limit]);
    const estimate = PROBED.includes(spins) ? alone({ spins, probes: 16 }).seconds : null;
    if (estimate !== null) probed.push([spins, estimate]);
    sheet.row(
      String(spins),
      number(exact[exact.length - 1][1]),
      estimate === null ? '' : number(estimate),
      number(seconds),
      number(limit),
      share,
    );
  }
  return draw([
    { name: 'value and gradient', points: exact },
    { name: 'with 16 probes', points: probed },
    { name: 'one application to eight vectors', points: applied },
    { name: 'its numbers moved once', points: least },
  ]);
}

function draw(series: readonly Series[]): string {
  const styles = seriesStyles(series.map(({ name }) => name));
  const items = [...styles].map(
    ([label, { colour, dash }]): LegendItem => ({ label, swatch: { kind: 'line', colour, width: 2, dash } }),
  );
  const key = legend([items], FRAME_WIDTH, 0);
  const marks = series.flatMap(({ name, points }): Markish[] => {
    const colour = styles.get(name)?.colour ?? 'black';
    const place = { x: '0', y: '1' } as const;
    return [line(points, { ...place, stroke: colour }), dot(points, { ...place, fill: colour, r: 2.5 })];
  });
  return renderSvg('Seconds against the number of spins', [
    panel({
      x: linearAxis(SIZES),
      y: logAxis(series.flatMap(({ points }) => points.map(([, seconds]) => seconds))),
      xLabel: 'spins',
      yLabel: 'seconds',
      height: HEIGHT,
      above: key.height + INSET,
      insetLeft: INSET,
      insetBottom: INSET,
      marks: [...key.marks, ...marks],
    }),
  ]);
}
