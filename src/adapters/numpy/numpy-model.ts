import { extname } from 'node:path';
import { namingFile, readBytes, writeFileAtomic } from '../../model/atomic-file.js';
import type { Model } from '../../model/model.js';
import { formatNpy, parseNpy } from '../../model/npy.js';
import { modelFromMatrix, modelToMatrix } from './coupling-matrix.js';
import { ARRAY_NAMES, modelFromArrays, modelToArrays } from './model-arrays.js';
import { formatNpz, parseNpz } from './npz.js';

/**
 * The model in a `.npz` file of named arrays, or in a `.npy` file of one symmetric matrix `J` of couplings with a zero diagonal
 * (2.1), which holds no inverse temperature: `matrixBeta` is that of the matrix, the `.npz` has its own.
 *
 * An Ising model has the arrays `edges` (n_edges, 2), `weights` (n_edges,), the number `beta`, and where needed `biases` (n_spins,) or the number
 * `spins`, `visible` (n_visible,) and `blocks` (n_spins,). An RBM has no `edges` but `weights` (visible, hidden), `beta`, and both or neither of
 * `visible_biases` and `hidden_biases`. Throws {@link InputError} naming the file and the array.
 */
export function readNumpyModel(path: string, matrixBeta = 1): Model {
  return namingFile(path, () => {
    const bytes = readBytes(path);
    return isMatrixFile(path)
      ? modelFromMatrix(parseNpy(bytes), matrixBeta)
      : modelFromArrays(parseNpz(bytes, ARRAY_NAMES));
  });
}

/** Writes a model as a `.npz` file, or as a `.npy` file where a coupling matrix can hold it. Throws {@link InputError}. */
export function writeNumpyModel(path: string, model: Model): void {
  const content = namingFile(path, () =>
    isMatrixFile(path) ? formatNpy(modelToMatrix(model)) : formatNpz(modelToArrays(model)),
  );
  writeFileAtomic(path, content);
}

/** Whether a path names a `.npy` file; every other one is taken for a `.npz` file. */
export function isMatrixFile(path: string): boolean {
  return extname(path).toLowerCase() === '.npy';
}
