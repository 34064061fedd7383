import type { EstimateReport } from '../estimation/estimate-report.js';
import { num, textTable } from './format.js';

/** `KL(result) - KL(start)` in nats; null where it has no estimate. */
export interface Divergence {
  readonly value: number | null;
  readonly standardError: number | null;
  readonly reason?: string;
}

/** Both ends of a run on the estimated route. */
export interface EstimatedEnds {
  readonly before: EstimateReport;
  readonly after: EstimateReport;
  readonly divergence: Divergence;
}

const COLUMNS = ['', 'start', 'result'];

function rowsOf({ before, after, divergence }: EstimatedEnds): string[][] {
  const row = (name: string, of: (end: EstimateReport) => string) => [name, of(before), of(after)];
  const { value, standardError, reason } = divergence;
  return [
    row('signal |g|^2', ({ signal }) => withError(signal)),
    row('T, from below [steps]', ({ timescale: t }) => withError({ value: t.bound, standardError: t.standardError })),
    row('effective gap', ({ effectiveGap }) => withError(effectiveGap)),
    row('R_hat', ({ Rhat }) => withError(Rhat)),
    row('verdict', ({ verdict }) => verdict),
    ['KL above the start [nats]', '0', value === null ? (reason ?? '-') : withError({ value, standardError })],
  ];
}

function withError(of: { readonly value: number; readonly standardError: number | null } | null): string {
  return of === null ? '-' : `${num(of.value)} +- ${num(of.standardError, 2)}`;
}

function missing({ before, after }: EstimatedEnds): string[] {
  return Object.entries({ start: before, result: after }).flatMap(([name, end]) =>
    end.missing.map((reason) => `${name}: ${reason}`),
  );
}

/** What is printed of the run. */
export function estimatedText(ends: EstimatedEnds): string {
  return [textTable(COLUMNS, rowsOf(ends)), ...missing(ends)].join('\n');
}

/** The self-contained HTML page of the run. */
export async function renderEstimatedRun(command: string, version: string, ends: EstimatedEnds): Promise<string> {
  const { renderReport } = await import('../report/index.js');
  const lacking = missing(ends);
  return renderReport({
    title: command === 'design' ? 'Design run' : 'Training run',
    subtitle: `on the estimated route, ${ends.after.kernel}, seed ${ends.after.sampling.seed}`,
    sections: [
      {
        heading: 'Before and after',
        blocks: [
          { kind: 'table' as const, columns: COLUMNS, rows: rowsOf(ends), align: ['left', 'right', 'right'] },
          {
            kind: 'paragraph' as const,
            text: 'Estimated from samples that the run did not use. T is a lower bound, so that gap and R_hat are upper bounds.',
          },
        ],
      },
      ...(lacking.length === 0
        ? []
        : [
            {
              heading: 'What is missing',
              blocks: lacking.map((text) => ({ kind: 'paragraph' as const, text })),
            },
          ]),
    ],
    footer: `htdml ${version}, Node ${process.versions.node}`,
  });
}
