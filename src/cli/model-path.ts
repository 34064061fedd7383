import { extname } from 'node:path';
import { readNumpyModel, writeNumpyModel } from '../adapters/numpy/numpy-model.js';
import { InputError, show } from '../errors.js';
import { namingFile, oneLine } from '../model/atomic-file.js';
import type { Model } from '../model/model.js';
import { readModel, writeModel } from '../model/model-file.js';

/** The model in the file that a command line or a SPEC names: `.npz` and `.npy` from numpy, anything else JSON. */
export function readModelAt(path: string, matrixBeta?: number): Model {
  return isNumpy(path) ? readNumpyModel(path, matrixBeta) : readModel(path);
}

/** Writes a model in the format that the path's extension names. Throws {@link InputError} for any other extension. */
export function writeModelAt(path: string, model: Model): void {
  const extension = extname(path).toLowerCase();
  if (isNumpy(path)) writeNumpyModel(path, model);
  else if (extension === '.json') writeModel(path, model);
  else {
    namingFile(path, () => {
      throw new InputError({
        field: 'the model file',
        expected: 'a .json, .npz or .npy file',
        got: extension === '' ? 'a name without extension' : oneLine(show(extension)),
        remedy: 'give it one of the three extensions',
      });
    });
  }
}

function isNumpy(path: string): boolean {
  return ['.npz', '.npy'].includes(extname(path).toLowerCase());
}
