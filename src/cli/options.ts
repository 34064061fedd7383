import type { z } from 'zod';
import { InputError, show } from '../errors.js';
import { type KernelName, stepsPerSweep } from '../kernel/kernels.js';
import { oneLine } from '../model/atomic-file.js';
import type { Model } from '../model/model.js';
import { checked } from '../model/schema.js';
import { type Start, startState } from '../trainability/start.js';
import { isStart } from './spec.js';
import type { Duration } from './spec-fields.js';

/** A duration in kernel steps of a model under a kernel. */
export function inSteps(duration: Duration, model: Model, kernel: KernelName): number {
  return duration.amount * (duration.unit === 'sweeps' ? stepsPerSweep(model, kernel) : 1);
}

export function parseStart(text: string, model: Model, field = '--start'): Start {
  if (!isStart(text)) {
    throw new InputError({
      field,
      expected: '"uniform", "stationary", "data" or "state:<index>"',
      got: show(text),
      remedy: 'choose one of them',
    });
  }
  startState(model, text, field);
  return text;
}

export function oneOf<T extends string>(field: string, text: string, names: readonly T[]): T {
  const found = names.find((name) => name === text);
  if (found !== undefined) return found;
  const expected = names.map((name) => `"${name}"`).join(' or ');
  throw new InputError({ field, expected, got: show(text), remedy: 'choose one of them' });
}

export function numeric(field: string, text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isFinite(value)) return value;
  throw new InputError({ field, expected: 'a finite number', got: show(text), remedy: 'give a number' });
}

/** A whole number of at least `least`. */
export function wholeNumber(field: string, text: string, least: number): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  const expected = `a whole number of at least ${least}`;
  throw new InputError({ field, expected, got: oneLine(show(text)), remedy: 'give one' });
}

/** The values of a repeatable `name=number` option, complete; each name once. */
export function assigned<T>(flag: string, example: string, schema: z.ZodType<T>, texts: readonly string[] = []): T {
  const values: Record<string, number> = Object.create(null);
  for (const text of texts) {
    const [, name, value] = text.match(/^([^=]+)=(.*)$/s) ?? [];
    if (name === undefined || name in values) {
      throw new InputError({
        field: flag,
        expected: name === undefined ? 'name=number' : 'given once for each name',
        got: oneLine(show(text)),
        remedy: name === undefined ? `write it as in ${flag} ${example}` : 'leave one of the two out',
      });
    }
    values[name] = numeric(`${flag} ${oneLine(name)}`, value);
  }
  try {
    return checked(schema, values, flag);
  } catch (error) {
    throw error instanceof InputError
      ? new InputError({ ...error.problem, field: `${flag} ${error.problem.field}` })
      : error;
  }
}
