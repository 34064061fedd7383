import { z } from 'zod';
import { InputError, show } from '../errors.js';
import { oneLine } from '../model/atomic-file.js';
import { number, says } from '../model/schema.js';

/** A number of kernel steps, or of sweeps, which the kernel turns into steps. */
export interface Duration {
  readonly amount: number;
  readonly unit: 'steps' | 'sweeps';
}

export const whole = (least: number, what: string) =>
  number(
    (value) => Number.isSafeInteger(value) && value >= least,
    `a whole number of at least ${least}`,
    `give the number of ${what}`,
  );
export const positive = (remedy: string) => number((value) => value > 0, 'a positive number', remedy);
export const nonNegative = (remedy: string) => number((value) => value >= 0, 'a number of at least 0', remedy);
export const duration = z.union(
  [z.string(), z.number()],
  says('a duration', 'write it as "100sweeps", "2500steps" or a number of kernel steps'),
);

/**
 * `100sweeps`, `100 sweeps`, `2500steps`, or a plain number of kernel steps: a whole number of at least `least`.
 * Throws {@link InputError} that names `field`.
 */
export function parseDuration(field: string, value: string | number, least = 0): Duration {
  const [, digits, unit] =
    String(value)
      .trim()
      .match(/^(\d+)\s*(steps|sweeps)?$/) ?? [];
  const amount = digits === undefined ? NaN : Number(digits);
  if (!Number.isSafeInteger(amount) || amount < least) {
    throw new InputError({
      field,
      expected: `a whole number of at least ${least} steps or sweeps`,
      got: oneLine(show(value)),
      remedy: 'write it as 100sweeps, 2500steps or a plain number of kernel steps',
    });
  }
  return { amount, unit: unit === 'sweeps' ? 'sweeps' : 'steps' };
}

/** A duration as {@link parseDuration} reads it back. */
export function durationText({ amount, unit }: Duration): string {
  return `${amount}${unit}`;
}
