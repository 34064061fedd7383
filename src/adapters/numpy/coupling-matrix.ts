import { InputError } from '../../errors.js';
import { type Edge, ising, type Model } from '../../model/model.js';
import { type NpyArray, type NpyContent, shapeText } from '../../model/npy.js';
import { numbers } from './model-arrays.js';

/** Rows of a matrix, which takes 8 bytes for every pair of spins: half a GiB. */
const MAX_ROWS = 8192;

/**
 * The Ising model without biases of a symmetric matrix `J` of zero diagonal, `E(x) = -sum_{i<j} J_ij x_i x_j = -x^T J x / 2`
 * (2.1). Spins are its rows; edges are the pairs `i < j` with `J_ij` not zero, row by row.
 */
export function modelFromMatrix(matrix: NpyArray, beta: number): Model {
  const [spins, columns] = matrix.shape;
  if (matrix.shape.length !== 2 || spins !== columns) {
    throw refused('the array', 'a square matrix of couplings', `shape ${shapeText(matrix.shape)}`, NOT_A_MATRIX);
  }
  if (spins < 1 || spins > MAX_ROWS) {
    throw refused(
      'the matrix',
      `one of 1 to ${MAX_ROWS} spins`,
      String(spins),
      spins < 1 ? 'give the couplings of a model' : 'save the edges and their weights as a .npz file',
    );
  }
  const values = numbers('J', matrix, [spins, spins], 'couplings');
  const edges: Edge[] = [];
  const couplings: number[] = [];
  for (let i = 0; i < spins; i++) {
    const diagonal = values[i * spins + i];
    if (diagonal !== 0) throw refused(`J[${i}, ${i}]`, '0', String(diagonal), DIAGONAL);
    for (let j = i + 1; j < spins; j++) {
      const [above, below] = [values[i * spins + j], values[j * spins + i]];
      if (above !== below) throw refused(`J[${j}, ${i}]`, `${above} like J[${i}, ${j}]`, String(below), ASYMMETRY);
      if (above === 0) continue;
      edges.push([i, j]);
      couplings.push(above);
    }
  }
  return ising({ spins, edges, couplings, beta });
}

/**
 * The matrix of a model's couplings, for {@link modelFromMatrix}, which orders the edges by row whatever their order was. Throws
 * {@link InputError} for what a matrix has no place for: biases, hidden spins, a beta other than 1, given blocks, edges of weight zero.
 */
export function modelToMatrix(model: Model): NpyContent {
  const { spins, edges, theta } = model;
  const without: readonly [boolean, string][] = [
    [model.biased, 'biases'],
    [model.visible.length !== spins, 'hidden spins'],
    [model.visible.some((i, k) => i !== k), 'visible spins in another order'],
    [model.beta !== 1, `beta ${model.beta}`],
    [model.customBlocks, 'blocks of its own'],
    [theta.includes(0), 'an edge of weight zero'],
    [spins > MAX_ROWS, `${spins} spins (more than ${MAX_ROWS})`],
  ];
  const has = without.find(([found]) => found);
  if (has !== undefined) {
    throw refused(
      'the model',
      'one that a matrix of couplings can hold',
      has[1],
      'write a .npz file, which holds every model',
    );
  }
  const values = new Float64Array(spins * spins);
  edges.forEach(([i, j], a) => {
    values[i * spins + j] = theta[a];
    values[j * spins + i] = theta[a];
  });
  return { kind: 'f', shape: [spins, spins], values };
}

const NOT_A_MATRIX = 'save the couplings as a matrix, or name a file of samples with --data';
const DIAGONAL = 'set the diagonal to zero, since x_i^2 = 1 makes it a constant; biases need a .npz file';
const ASYMMETRY = 'save J + J.T if only one triangle is filled, or (J + J.T) / 2 if the two differ by rounding';

function refused(field: string, expected: string, got: string, remedy: string): InputError {
  return new InputError({ field, expected, got, remedy });
}
