import { existsSync, readFileSync } from 'node:fs';
import {
  type AdamMemory,
  adamStart,
  adamStep,
  denoisingGradient,
  drawStarts,
  emptySamples,
  type GridLayer,
  gridGraph,
  gridLayer,
  layerModel,
  observableMeans,
  type PackedSamples,
  randomPlacement,
  randomSource,
  rowStarts,
  sampleChains,
  withLayerParameters,
  writeFileAtomic,
  writeSample,
} from 'htdml';
import { PIXELS } from './images.js';
import type { Settings, Training } from './settings.js';

/** A layer in training: with the settings and the images all that its next step depends on. */
export interface Trained {
  readonly layer: GridLayer;
  readonly memory: AdamMemory;
  /** That training took so far. */
  readonly seconds: number;
}

/** The last layer of a denoising model, or an ordinary Boltzmann machine: no inputs, all parameters zero, pixels at random upper nodes in raster order. */
export function untrained({ side, degree, seed }: Settings): Trained {
  const graph = gridGraph({ side, degree });
  const { image } = randomPlacement(graph, { image: PIXELS ** 2, label: 0 }, randomSource(seed));
  const layer = gridLayer({ graph, image });
  return { layer, memory: adamStart(graph.edges.length + graph.nodes), seconds: 0 };
}

/** One step of Adam along the sampled gradient (2.3): as many chains for the images, clamped, as for the model, from spins at random. */
export function trainingStep(
  { layer, memory, seconds }: Trained,
  images: readonly Int8Array[],
  { learningRate, chains, burnIn, samples, apart }: Training,
  seed: number,
): Trained {
  const began = performance.now();
  const model = layerModel(layer);
  const random = randomSource(seed * 1_000_003 + memory.steps);
  const rows = emptySamples(images[0].length, chains);
  for (let m = 0; m < chains; m++) writeSample(rows, m, images[random.integer(images.length)]);
  const plan = { kernel: 'alternating-block', samples, burnIn, apart } as const;
  const means = (starts: PackedSamples, clamped: readonly number[]) =>
    sampleChains(model, { ...plan, starts, clamped, seed: random.integer(2 ** 32) }).samples.map((chain) =>
      observableMeans(model, chain),
    );
  const positive = means(rowStarts(model, rows, random), model.visible);
  const uniform = drawStarts(model, null, Array(chains).fill('random'), random);
  const negative = means(uniform, []);
  const average = Float64Array.from(
    model.theta,
    (_, a) => positive.reduce((sum, chain) => sum + chain[a], 0) / positive.length,
  );
  const gradient = denoisingGradient(model, average, [negative], { weight: 0, products: 'pooled' });
  const next = adamStep(memory, Float64Array.from(model.theta), gradient, learningRate);
  const spent = (performance.now() - began) / 1000;
  return { layer: withLayerParameters(layer, next.x), memory: next.memory, seconds: seconds + spent };
}

/** Keeps a layer in training; `key` says what it depends on. */
export function saveTrained(path: string, key: string, { layer, ...rest }: Trained): void {
  writeFileAtomic(path, JSON.stringify({ key, theta: [...layer.couplings, ...layer.biases], ...rest }));
}

/** The layer that was kept, or null where there is none of this key. */
export function savedTrained(path: string, key: string, settings: Settings): Trained | null {
  if (!existsSync(path)) return null;
  const { key: found, theta, memory, seconds } = JSON.parse(readFileSync(path, 'utf8'));
  return found === key ? { layer: withLayerParameters(untrained(settings).layer, theta), memory, seconds } : null;
}
