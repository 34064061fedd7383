import { z } from 'zod';
import { KERNEL_NAMES } from '../kernel/kernels.js';
import { number, says } from '../model/schema.js';

/** Schemas that the settings of several experiments are made of. */
export const positive = number((value) => value > 0, 'a positive number', 'give one');
export const nonNegative = number((value) => value >= 0, 'a number of at least 0', 'give one');
export const count = number(
  (value) => Number.isSafeInteger(value) && value >= 1,
  'a whole number of at least 1',
  'give one',
);
export const share = number((value) => value > 0 && value < 1, 'a number between 0 and 1', 'give one');
export const factor = number(
  (value) => value > 1,
  'a number above 1',
  'give the factor up to which two numbers count as equal',
);
export const kernel = z.enum(KERNEL_NAMES, says(KERNEL_NAMES.join(', '), 'name a kernel'));
export const listOf = <T extends z.ZodType>(item: T) =>
  z.array(item, says('a list', 'write it between brackets')).min(1, says('a list', 'put something into it'));
