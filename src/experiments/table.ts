import type { Configuration, Row } from './configuration.js';
import type { Figure, Figures } from './experiment.js';

/** The outcomes of a row, named in its configuration before the run. */
export type Outcome = 'pass' | 'fail' | 'not resolved';

/** A row of the final table. */
export interface TableRow {
  readonly figure: string;
  readonly what: string;
  readonly value: number | null;
  readonly ours: string;
  readonly source: string | null;
  /** Whether ours lies within the source's interval widened by `within`; null where there is nothing to compare. */
  readonly agrees: boolean | null;
  /** Ours less the nearest end of the source's interval, where they differ. */
  readonly difference: number | null;
  readonly outcome: Outcome | null;
  readonly note: string | null;
}

/** Holds the figures against the rows of the configuration. Throws where the experiment has no such figure, which is a bug of one of the two. */
export function tableOf({ rows, experiment }: Configuration, figures: Figures): TableRow[] {
  return rows.map((row) => {
    const figure = figures[row.figure];
    if (figure === undefined) throw new Error(`${experiment} has no figure ${row.figure}`);
    return { ...compared(row, figure), outcome: outcomeOf(row, figure) };
  });
}

/** `fail` where a row failed, else `not resolved` where one is, else `pass`; null without any row that has an outcome. */
export function overall(rows: readonly Pick<TableRow, 'outcome'>[]): Outcome | null {
  for (const outcome of ['fail', 'not resolved', 'pass'] as const) {
    if (rows.some((row) => row.outcome === outcome)) return outcome;
  }
  return null;
}

function compared(row: Row, { value, text }: Figure): Omit<TableRow, 'outcome'> {
  const { source } = row;
  const ours = text ?? (value === null ? '-' : String(Number(value.toPrecision(4))));
  const base = {
    figure: row.figure,
    what: row.what,
    value,
    ours,
    source: source?.text ?? null,
    note: row.note ?? null,
  };
  if (source === null || value === null) return { ...base, agrees: null, difference: null };
  const below = source.low !== null && value < source.low ? value - source.low : 0;
  const above = source.high !== null && value > source.high ? value - source.high : 0;
  const difference = below + above;
  const agrees = Math.abs(difference) <= source.within;
  return { ...base, agrees, difference: agrees ? null : difference };
}

function outcomeOf({ passes }: Row, { value }: Figure): Outcome | null {
  if (passes === undefined) return null;
  if (value === null) return 'not resolved';
  const [low, high] = passes;
  return (low === null || value >= low) && (high === null || value <= high) ? 'pass' : 'fail';
}
