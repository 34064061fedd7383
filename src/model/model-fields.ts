import { z } from 'zod';
import { number, says } from './schema.js';

const finite = number(() => true, 'a finite number', 'replace it by a number');

/** An inverse temperature. */
export const beta = number(
  (value) => value > 0,
  'a positive finite number',
  'give the inverse temperature, for example 1',
);

/** A list of parameters. */
export const numbers = z.array(finite, says('a list of numbers', 'write them between square brackets'));

/** The index of a spin. */
export const spin = number(Number.isInteger, 'a spin index', 'spins are counted from 0');

/** A list of spins. */
export const spinList = z.array(spin, says('a list of spin indices', 'write them between square brackets'));
