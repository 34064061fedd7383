import type { Figure } from './experiment.js';

/** The middle of the sorted values, or the mean of the two middle ones; null of none. */
export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The largest value; null of none. */
export function largest(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((top, value) => Math.max(top, value));
}

/** A share of cells, shown as `45 of 48`; an undecided cell (null) is in neither, and a share of nothing is not resolved. */
export function shareOf(decisions: readonly (boolean | null)[]): Figure {
  const decided = decisions.filter((decision) => decision !== null);
  const yes = decided.filter((decision) => decision).length;
  const undecided = decisions.length - decided.length;
  const text = `${yes} of ${decided.length}${undecided === 0 ? '' : `, ${undecided} undecided`}`;
  return { value: decided.length === 0 ? null : yes / decided.length, text };
}

/** Whether two positive numbers agree up to a factor; null where one of them is not known. */
export function withinFactor(a: number | null, b: number | null, factor: number): boolean | null {
  if (a === null || b === null) return null;
  return a > 0 && b > 0 ? Math.abs(Math.log(a / b)) <= Math.log(factor) : false;
}

/** `median`, with the range of the values as text. */
export function medianFigure(values: readonly number[], show: (value: number) => string = short): Figure {
  const value = median(values);
  if (value === null) return { value };
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return { value, text: `${show(value)} (${show(low)} to ${show(high)})` };
}

export function short(value: number): string {
  const digits = Number(value.toPrecision(3));
  return Math.abs(digits) >= 1e-3 && Math.abs(digits) < 1e6 ? String(digits) : digits.toExponential();
}
