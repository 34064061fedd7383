import type { MeasuredSnr, ModelEvaluation } from 'htdml';

/** A number in so many significant digits. */
export function digits(value: number | null | undefined, significant = 4): string {
  if (value === null || value === undefined) return '-';
  const plain = value === 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e6);
  return plain ? String(Number(value.toPrecision(significant))) : value.toExponential(significant - 1);
}

/** Rows as aligned text, numbers to the right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((name, c) => Math.max(name.length, ...rows.map((row) => row[c].length)));
  return [header, ...rows]
    .map((row) => row.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))).join('  '))
    .join('\n');
}

export const MODEL_COLUMNS = ['', 'KL [nats]', 'R', 'R measured', 'R_hat', 'error^2', 'effective gap', 'slowest time'];

/** What the examples' tables say of one model, exact and measured. */
export function modelRow(name: string, e: ModelEvaluation, measured: MeasuredSnr): string[] {
  return [
    name,
    digits(e.kl),
    digits(e.operational?.R),
    `${digits(measured.R, 3)} +- ${digits(measured.standardError, 2)}`,
    digits(e.predictors.full.Rhat),
    digits(e.operational?.mse),
    digits(e.predictors.full.effectiveGap),
    digits(e.slowestObservable?.integratedTime),
  ];
}
