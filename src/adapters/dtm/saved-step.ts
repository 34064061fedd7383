import { InputError } from '../../errors.js';
import { namingFile, readBytes, writeFileAtomic } from '../../model/atomic-file.js';
import { type GridLayer, gridLayer, visibleSize } from '../../model/grid/grid-layer.js';
import { type AdamMemory, adamStart } from '../../optimization/adam.js';
import { type EqxRecords, formatEqx, parseEqx } from './eqx-records.js';

/** A layer in training: what one `.eqx` file of dtm-replication says about it. */
export interface SavedStep {
  /** With the parameters of the step. */
  readonly layer: GridLayer;
  /** In the order of `theta`: couplings by edge, then biases by grid node. */
  readonly adam: AdamMemory;
  /** Steps that the schedule of the learning rate has taken. */
  readonly scheduleSteps: number;
}

/** A layer with an optimiser that has seen nothing yet. */
export function untrainedStep(layer: GridLayer): SavedStep {
  return { layer, adam: adamStart(layer.couplings.length + layer.biases.length), scheduleSteps: 0 };
}

/**
 * The step in a `.eqx` file of dtm-replication. The file holds no graph: `graph` is a layer whose grid, visible nodes and beta are those of the step; its parameters and
 * input couplings are not used. Numbers of single precision become the same numbers of double precision. Throws {@link InputError} naming the file and the array, also
 * where inputs have a bias or a state of the optimiser, or couplings that differ among the image's or the label's.
 */
export function readDtmStep(path: string, graph: GridLayer): SavedStep {
  return namingFile(path, () => fromRecords(parseEqx(readBytes(path)), graph));
}

/**
 * Writes the step for dtm-replication: a step that was read and not changed comes back bit for bit. Numbers are rounded to single precision. Throws {@link InputError}
 * where one is too large for it.
 */
export function writeDtmStep(path: string, step: SavedStep): void {
  writeFileAtomic(path, formatEqx(namingFile(path, () => toRecords(step))));
}

function fromRecords(records: EqxRecords, graph: GridLayer): SavedStep {
  const order = nodeOrder(graph);
  const inputs = visibleSize(graph);
  const pairs = graph.couplings.length;
  checkLength('biases', records.biases, inputs + order.length, 'inputs and grid nodes');
  checkLength('weights', records.weights, inputs + pairs, 'inputs and edges');
  for (const name of ['biases', 'firstBiases', 'secondBiases', 'firstWeights', 'secondWeights'] as const) {
    const wrong = records[name].subarray(0, inputs).findIndex((value) => !Object.is(value, 0));
    if (wrong < 0) continue;
    throw refused(`${name}[${wrong}]`, '0, since it is that of an input', String(records[name][wrong]));
  }
  const image = graph.image.length;
  const inputCouplings = {
    image: same(records.weights, 0, image),
    label: graph.label.length === 0 ? graph.inputCouplings.label : same(records.weights, image, inputs),
  };
  const byNode = (values: Float32Array) => {
    const biases = new Float64Array(order.length);
    order.forEach((node, k) => {
      biases[node] = values[inputs + k];
    });
    return biases;
  };
  const theta = (weights: Float32Array, biases: Float32Array) => [...weights.subarray(inputs), ...byNode(biases)];
  const first = theta(records.firstWeights, records.firstBiases);
  const second = theta(records.secondWeights, records.secondBiases);
  checkFinite("Adam's means", first);
  checkFinite("Adam's mean squares", second);
  return {
    layer: gridLayer({
      ...graph,
      couplings: records.weights.subarray(inputs),
      biases: byNode(records.biases),
      inputCouplings,
    }),
    adam: { steps: records.adamSteps, first, second },
    scheduleSteps: records.scheduleSteps,
  };
}

function toRecords({ layer, adam, scheduleSteps }: SavedStep): EqxRecords {
  const order = nodeOrder(layer);
  const pairs = layer.couplings.length;
  const { image, label } = layer.inputCouplings;
  const inputWeights = [...layer.image.map(() => image), ...layer.label.map(() => label)];
  const none = inputWeights.map(() => 0);
  const weights = (name: string, head: readonly number[], theta: ArrayLike<number>) =>
    rounded(name, [...head, ...Array.from({ length: pairs }, (_, a) => theta[a])]);
  const biases = (name: string, theta: ArrayLike<number>, from: number) =>
    rounded(name, [...none, ...order.map((node) => theta[from + node])]);
  for (const moments of [adam.first, adam.second]) {
    checkLength("Adam's state", moments, pairs + order.length, 'couplings and biases');
  }
  return {
    biases: biases('biases', layer.biases, 0),
    weights: weights('weights', inputWeights, layer.couplings),
    adamSteps: steps('adam.steps', adam.steps),
    firstWeights: weights('firstWeights', none, adam.first),
    firstBiases: biases('firstBiases', adam.first, pairs),
    secondWeights: weights('secondWeights', none, adam.second),
    secondBiases: biases('secondBiases', adam.second, pairs),
    scheduleSteps: steps('scheduleSteps', scheduleSteps),
  };
}

/** Grid nodes in the order of the file: visible, hidden upper, hidden lower. */
function nodeOrder({ image, label, graph }: GridLayer): number[] {
  const visible = new Set([...image, ...label]);
  return [...image, ...label, ...graph.upper.filter((node) => !visible.has(node)), ...graph.lower];
}

/** The one value of a stretch of the inputs' couplings. */
function same(weights: Float32Array, start: number, end: number): number {
  const value = weights[start];
  const other = weights.subarray(start, end).findIndex((w) => !Object.is(w, value));
  if (other < 0) return value;
  throw refused(`weights[${start + other}]`, `${value} like weights[${start}]`, String(weights[start + other]));
}

function rounded(name: string, values: readonly number[]): Float32Array {
  const singles = Float32Array.from(values);
  const wrong = singles.findIndex((value) => !Number.isFinite(value));
  if (wrong < 0) return singles;
  throw refused(`${name}[${wrong}]`, 'a number of single precision', String(values[wrong]));
}

function steps(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 31) return value;
  throw refused(name, 'a whole number from 0 to below 2^31', String(value));
}

function checkLength(name: string, { length }: ArrayLike<number>, expected: number, meaning: string): void {
  if (length === expected) return;
  throw new InputError({
    field: name,
    expected: `${expected} numbers (${meaning} of the graph)`,
    got: String(length),
    remedy: 'give the graph of this step',
  });
}

function checkFinite(name: string, values: readonly number[]): void {
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw refused(`${name}[${wrong}]`, 'a finite number', String(values[wrong]));
}

function refused(field: string, expected: string, got: string): InputError {
  return new InputError({ field, expected, got, remedy: 'check the step and its graph' });
}
