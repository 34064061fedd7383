import type { Section } from '../report/report.js';
import type { ModelEvaluation } from '../trainability/evaluation.js';
import type { Relaxation } from '../trainability/routes/route.js';
import { conditional } from './describe-evaluation.js';
import { num, textTable } from './format.js';
import { EVENT_COLUMNS, eventRows, type TracedEvent } from './membership.js';

/** Named evaluations side by side, as header and rows. */
export function comparison(columns: readonly (readonly [string, ModelEvaluation])[]) {
  const row = (name: string, pick: (e: ModelEvaluation) => number | null | undefined) => [
    name,
    ...columns.map(([, e]) => num(pick(e))),
  ];
  return {
    header: ['', ...columns.map(([name]) => name)],
    rows: [
      row('KL [nats]', (e) => e.kl),
      row('signal |g|^2', (e) => e.signal),
      row('R, exact', (e) => e.operational?.R),
      row('R_hat, full', (e) => e.predictors.full.Rhat),
      row('T [steps]', (e) => e.predictors.full.timescale),
      row('effective gap [per step]', (e) => e.predictors.full.effectiveGap),
      row('slowest observable [steps]', (e) => e.slowestObservable?.integratedTime),
      ['claim, conditional', ...columns.map(([, e]) => conditional(e.claim))],
      ['claim, operational', ...columns.map(([, e]) => e.claim.operational)],
    ],
  };
}

export function comparisonText(columns: readonly (readonly [string, ModelEvaluation])[]): string {
  const { header, rows } = comparison(columns);
  return textTable(header, rows);
}

/** One evaluated point of a run. */
export interface RunPoint {
  readonly step: number;
  readonly kl: number;
  readonly effectiveGap: number | null;
}

export interface RunReport {
  readonly title: string;
  readonly subtitle: string;
  readonly evaluations: readonly (readonly [string, ModelEvaluation])[];
  readonly spectra: readonly (readonly [string, Relaxation])[];
  /** Every evaluated point with both numbers, in order. */
  readonly path: { readonly name: string; readonly points: readonly RunPoint[] };
  /** Changes of the slow cluster; null where nobody watched. */
  readonly events: readonly TracedEvent[] | null;
  readonly footer: string;
}

/** The self-contained HTML page of a run. */
export async function renderRun(run: RunReport): Promise<string> {
  const { frontierFigure, renderReport, spectrumFigure, trainingFigure } = await import('../report/index.js');
  const { header, rows } = comparison(run.evaluations);
  const known = run.spectra.flatMap(([title, { groups }]) => (groups === null ? [] : [{ title, groups }]));
  const points = run.path.points.flatMap(({ kl, effectiveGap }) =>
    effectiveGap === null ? [] : [{ kl, effectiveGap }],
  );
  return renderReport({
    title: run.title,
    subtitle: run.subtitle,
    sections: [
      {
        heading: 'Before and after',
        blocks: [{ kind: 'table', columns: header, rows, align: header.map((_, c) => (c === 0 ? 'left' : 'right')) }],
      },
      {
        heading: 'Course of the run',
        blocks: [
          {
            kind: 'figure',
            svg: trainingFigure([run.path]),
            caption: 'Divergence and effective gap along the run.',
            alt: 'Divergence and effective gap against step',
          },
          {
            kind: 'figure',
            svg: frontierFigure([
              { name: run.path.name, kind: 'path', points },
              ...run.evaluations.map(([name, e]) => ({
                name,
                kind: 'points' as const,
                points: [{ kl: e.kl, effectiveGap: e.predictors.full.effectiveGap ?? Number.NaN }],
              })),
            ]),
            caption: 'What mixing costs: effective gap against divergence, up and to the left is better.',
            alt: 'Effective gap against divergence',
          },
        ],
      },
      {
        heading: 'Spectrum',
        blocks:
          known.length === 0
            ? [{ kind: 'paragraph', text: 'The model has too many states for its eigenvalue groups to be known.' }]
            : [
                {
                  kind: 'figure',
                  svg: spectrumFigure(known),
                  caption:
                    'Eigenvalue groups of the kernel and their share of the observables’ variance; slow modes to the left.',
                  alt: 'Relaxation spectrum with weights',
                },
              ],
      },
      ...(run.events === null ? [] : [eventSection(run.events)]),
    ],
    footer: run.footer,
  });
}

function eventSection(events: readonly TracedEvent[]): Section {
  const rows = eventRows(events);
  const more = events.length > rows.length ? ` The first ${rows.length} are shown; the trace has all.` : '';
  return {
    heading: 'Changes of the slow cluster',
    blocks: [
      { kind: 'paragraph', text: `${events.length} on the way, seen by certified steps.${more}` },
      ...(rows.length === 0
        ? []
        : [
            {
              kind: 'table' as const,
              columns: EVENT_COLUMNS,
              rows,
              align: EVENT_COLUMNS.map((_, c) => (c === 0 ? ('left' as const) : ('right' as const))),
            },
          ]),
    ],
  };
}
