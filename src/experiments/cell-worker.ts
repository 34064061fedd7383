import { parentPort, workerData } from 'node:worker_threads';
import type { Cell } from './experiment.js';
import type { WorkerTask } from './pool.js';
import { loadExperiment } from './registry.js';

/** Computes the cells that it is sent, one at a time, in a thread of its own. */
const { experiment, settings } = workerData as WorkerTask;
const loaded = await loadExperiment(experiment);

parentPort?.on('message', ({ key, parameters }: Pick<Cell, 'key' | 'parameters'>) => {
  try {
    const began = performance.now();
    const result = loaded.run(parameters, settings);
    parentPort?.postMessage({ line: { key, seconds: (performance.now() - began) / 1000, result } });
  } catch (error) {
    parentPort?.postMessage({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});
