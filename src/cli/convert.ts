import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import { readDtmStep, untrainedStep, writeDtmStep } from '../adapters/dtm/saved-step.js';
import { isMatrixFile } from '../adapters/numpy/numpy-model.js';
import { InputError } from '../errors.js';
import { readLayer, writeLayer } from '../model/grid/layer-file.js';
import { readModelAt, writeModelAt } from './model-path.js';
import { numeric } from './options.js';

export interface ConvertFlags {
  readonly beta?: string;
  readonly graph?: string;
  readonly force?: boolean;
}

/** `htdml convert`: a model from one file format to another; returns what to print and the exit code. */
export function convertCommand(from: string, to: string, flags: ConvertFlags): { output: string; code: number } {
  const write = reader(from, to, flags);
  if (existsSync(to) && !flags.force) {
    throw new InputError({
      field: 'the output',
      expected: 'a file that does not exist',
      got: to,
      remedy: 'choose another name, or overwrite with --force',
    });
  }
  write();
  return { output: `written to ${to}`, code: 0 };
}

/** Reads what is to be converted, and returns what writes it. */
function reader(from: string, to: string, { beta, graph }: ConvertFlags): () => void {
  const matrixBeta = beta === undefined ? undefined : betaOf(beta, from);
  if (isStep(from)) {
    requireLayerFile('the output', to);
    if (graph === undefined) throw graphProblem('given for a .eqx file, which holds none', 'nothing', GIVE_GRAPH);
    const { layer } = readDtmStep(from, readLayer(graph));
    return () => writeLayer(to, layer);
  }
  if (graph !== undefined) {
    throw graphProblem('left out where a model has its own', graph, 'give it for a .eqx file only');
  }
  if (isStep(to)) {
    requireLayerFile('the model file', from);
    const step = untrainedStep(readLayer(from));
    return () => writeDtmStep(to, step);
  }
  const model = readModelAt(from, matrixBeta);
  return () => writeModelAt(to, model);
}

function isStep(path: string): boolean {
  return extname(path).toLowerCase() === '.eqx';
}

const GIVE_GRAPH = 'name the file of a grid layer with the same grid and visible nodes';

function graphProblem(expected: string, got: string, remedy: string): InputError {
  return new InputError({ field: '--graph', expected, got, remedy });
}

/** A step of a `.eqx` file is a grid layer, and no other format holds one. */
function requireLayerFile(field: string, path: string): void {
  if (extname(path).toLowerCase() === '.json') return;
  const remedy = 'convert between .eqx and the .json file of a grid layer';
  throw new InputError({ field, expected: 'a .json file beside a .eqx file', got: path, remedy });
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
