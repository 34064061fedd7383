import { existsSync } from 'node:fs';
import { isMatrixFile } from '../adapters/numpy/numpy-model.js';
import { InputError } from '../errors.js';
import { readModelAt, writeModelAt } from './model-path.js';
import { numeric } from './options.js';

export interface ConvertFlags {
  readonly beta?: string;
  readonly force?: boolean;
}

/** `htdml convert`: a model from one file format to another; returns what to print and the exit code. */
export function convertCommand(from: string, to: string, flags: ConvertFlags): { output: string; code: number } {
  const beta = flags.beta === undefined ? undefined : betaOf(flags.beta, from);
  const model = readModelAt(from, beta);
  if (existsSync(to) && !flags.force) {
    throw new InputError({
      field: 'the output',
      expected: 'a file that does not exist',
      got: to,
      remedy: 'choose another name, or overwrite with --force',
    });
  }
  writeModelAt(to, model);
  return { output: `written to ${to}`, code: 0 };
}

function betaOf(text: string, from: string): number {
  const beta = numeric('--beta', text);
  if (isMatrixFile(from) && beta > 0) return beta;
  throw new InputError({
    field: '--beta',
    expected: isMatrixFile(from) ? 'a positive number' : 'left out where the model has its own',
    got: text,
    remedy: isMatrixFile(from) ? 'give the inverse temperature' : 'give it for a .npy file only, which holds none',
  });
}
