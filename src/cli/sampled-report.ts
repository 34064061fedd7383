import type { SampledTrainRecord } from '../optimization/train-sampled.js';
import type { ModelEvaluation } from '../trainability/evaluation.js';
import type { Note } from '../trainability/notes.js';
import { num, textTable } from './format.js';
import { comparison } from './run-report.js';

/** What the page of a run on a sampled likelihood is about. */
export interface SampledRun {
  readonly subtitle: string;
  /** The ends of the run that are known exactly. */
  readonly evaluations: readonly (readonly [string, ModelEvaluation])[];
  readonly trace: readonly SampledTrainRecord[];
  readonly notes: readonly Note[];
  readonly footer: string;
}

/** Rows of the table of the course, at most. */
const ROWS = 20;
const COURSE = ['step', '|gradient|, sampled', 'standard error'];

/** Evenly spaced steps of the run, its first and its last. */
function course({ trace }: Pick<SampledRun, 'trace'>): string[][] {
  const count = Math.min(ROWS, trace.length);
  return Array.from({ length: count }, (_, k) => {
    const { step, gradientNorm, variance } = trace[Math.round((k * (trace.length - 1)) / Math.max(1, count - 1))];
    return [String(step), num(gradientNorm), num(variance === null ? null : Math.sqrt(variance))];
  });
}

/** What is printed of the run. */
export function sampledText(run: SampledRun): string {
  const { header, rows } = comparison(run.evaluations);
  const ends = run.evaluations.length === 0 ? [] : [textTable(header, rows), ''];
  return [...ends, textTable(COURSE, course(run))].join('\n');
}

/** The self-contained HTML page of the run. */
export async function renderSampledRun(run: SampledRun): Promise<string> {
  const { renderReport } = await import('../report/index.js');
  const { header, rows } = comparison(run.evaluations);
  const right = (columns: readonly string[]) =>
    columns.map((_, c) => (c === 0 ? ('left' as const) : ('right' as const)));
  return renderReport({
    title: 'Training run',
    subtitle: run.subtitle,
    sections: [
      ...(run.evaluations.length === 0
        ? []
        : [
            {
              heading: 'Before and after',
              blocks: [{ kind: 'table' as const, columns: header, rows, align: right(header) }],
            },
          ]),
      {
        heading: 'Course of the run',
        blocks: [
          {
            kind: 'table' as const,
            columns: COURSE,
            rows: course(run),
            align: right(COURSE),
          },
        ],
      },
      {
        heading: 'What is not known',
        blocks: run.notes.map(({ path, reason }) => ({ kind: 'paragraph' as const, text: `${path}: ${reason}` })),
      },
    ],
    footer: run.footer,
  });
}
