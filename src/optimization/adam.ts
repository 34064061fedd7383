/** What Adam keeps of the gradients that it has seen; plain data. */
export interface AdamMemory {
  /** Steps taken. */
  readonly steps: number;
  /** Running mean of the gradient, over ten steps. */
  readonly first: readonly number[];
  /** And of its square, over a thousand. */
  readonly second: readonly number[];
}

/** Nothing seen yet. */
export function adamStart(size: number): AdamMemory {
  const zeros = Array.from({ length: size }, () => 0);
  return { steps: 0, first: zeros, second: zeros };
}

/** Where a step of Adam leads. */
export interface AdamStep {
  /** The point after it. */
  readonly x: Float64Array;
  /** For the next step. */
  readonly memory: AdamMemory;
}

/**
 * One step of Adam (Kingma and Ba 2015), downhill: `x - rate m / (sqrt(v) + 1e-8)` with `m` and `v` the means of the gradient and of its square, their bias at the start
 * corrected; `beta_1` is 0.9 and `beta_2` 0.999.
 */
export function adamStep(
  memory: AdamMemory,
  x: Float64Array,
  gradient: ArrayLike<number>,
  learningRate: number,
): AdamStep {
  const steps = memory.steps + 1;
  const first = Array.from(gradient, (g, a) => 0.9 * memory.first[a] + 0.1 * g);
  const second = Array.from(gradient, (g, a) => 0.999 * memory.second[a] + 0.001 * g ** 2);
  const next = x.map((value, a) => {
    const mean = first[a] / (1 - 0.9 ** steps);
    const scale = Math.sqrt(second[a] / (1 - 0.999 ** steps)) + 1e-8;
    return value - (learningRate * mean) / scale;
  });
  return { x: next, memory: { steps, first, second } };
}
