import { InputError } from '../../errors.js';
import { formatNpy, type NpyArray, type NpyContent, parseNpySequence, shapeText } from '../../model/npy.js';

/**
 * What dtm-replication saves of one step, as it stands in the file, single precision and all: parameters and the state of optax's Adam with a schedule. Nodes are
 * in the order inputs, visible, hidden upper, hidden lower; weights are the inputs' couplings, then the grid's edges.
 */
export interface EqxRecords {
  readonly biases: Float32Array;
  readonly weights: Float32Array;
  /** Steps that Adam has taken. */
  readonly adamSteps: number;
  /** Adam's running means of the gradient, and of its square. */
  readonly firstWeights: Float32Array;
  readonly firstBiases: Float32Array;
  readonly secondWeights: Float32Array;
  readonly secondBiases: Float32Array;
  /** Steps that the schedule of the learning rate has taken. */
  readonly scheduleSteps: number;
}

/** In the order of the file: biases stand before weights, and inside Adam's state after them. */
const RECORDS = [
  'biases',
  'weights',
  'adamSteps',
  'firstWeights',
  'firstBiases',
  'secondWeights',
  'secondBiases',
  'scheduleSteps',
] as const;

/** The records of a `.eqx` file: eight `.npy` arrays one after another, without a name or an index. Throws {@link InputError} naming the record. */
export function parseEqx(bytes: Uint8Array): EqxRecords {
  const arrays = parseNpySequence(bytes, RECORDS);
  const array = (name: (typeof RECORDS)[number]) => arrays[RECORDS.indexOf(name)];
  const floats = (name: (typeof RECORDS)[number], like?: 'weights' | 'biases') =>
    singles(name, array(name), like === undefined ? null : array(like).shape[0]);
  return {
    biases: floats('biases'),
    weights: floats('weights'),
    adamSteps: count('adamSteps', array('adamSteps')),
    firstWeights: floats('firstWeights', 'weights'),
    firstBiases: floats('firstBiases', 'biases'),
    secondWeights: floats('secondWeights', 'weights'),
    secondBiases: floats('secondBiases', 'biases'),
    scheduleSteps: count('scheduleSteps', array('scheduleSteps')),
  };
}

/** The bytes of the `.eqx` file; those that {@link parseEqx} read come back bit for bit. */
export function formatEqx(records: EqxRecords): Uint8Array {
  const contents = RECORDS.map((name): NpyContent => {
    const value = records[name];
    return typeof value === 'number'
      ? { kind: 'i', size: 4, shape: [], values: [value] }
      : { kind: 'f', size: 4, shape: [value.length], values: value };
  });
  return Buffer.concat(contents.map(formatNpy));
}

function singles(name: string, { kind, size, shape, at }: NpyArray, length: number | null): Float32Array {
  if (kind === 'f' && size === 4 && shape.length === 1 && (length === null || shape[0] === length)) {
    return Float32Array.from({ length: shape[0] }, (_, k) => at(k));
  }
  throw new InputError({
    field: name,
    expected: `an array of 4-byte floats of shape (${length ?? 'n'},)`,
    got: typeText({ kind, size, shape }),
    remedy: 'give a step as dtm-replication saves it',
  });
}

function count(name: string, { kind, size, shape, at }: NpyArray): number {
  if (kind === 'i' && size === 4 && shape.length === 0 && at(0) >= 0) return at(0);
  throw new InputError({
    field: name,
    expected: 'a number of steps as a 4-byte integer',
    got: kind === 'i' && size === 4 && shape.length === 0 ? String(at(0)) : typeText({ kind, size, shape }),
    remedy: 'give a step as dtm-replication saves it',
  });
}

function typeText({ kind, size, shape }: Pick<NpyArray, 'kind' | 'size' | 'shape'>): string {
  const names = {
    b: 'booleans',
    i: `${size}-byte integers`,
    u: `${size}-byte unsigned integers`,
    f: `${size}-byte floats`,
  };
  return `${names[kind]} of shape ${shapeText(shape)}`;
}
